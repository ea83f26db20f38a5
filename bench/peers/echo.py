"""A floor: a grpc.aio server on uvloop that answers OK and looks at nothing.

python -m bench.peers.echo PORT
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import grpc.aio
import uvloop

from bench.peers import Running, Settings
from bench.processes import Child, free_address, wait_until

NAME = "grpc echo"
LEAVES_OUT = "everything but receiving: it parses nothing and keeps nothing"
DECIDES = False


def version() -> str:
    """Of grpcio."""
    return f"grpcio {grpc.__version__}"


@contextmanager
def start(settings: Settings) -> Iterator[Running]:
    """Run it."""
    address = free_address()
    with Child("echo", [sys.executable, "-m", "bench.peers.echo", address], settings.directory, {}) as child:

        def ready() -> bool:
            child.check_alive()
            return "ready" in child.log.read_text(encoding="utf-8")

        wait_until(ready, "echo ready")
        yield Running(child, address, "")


async def _serve(address: str) -> None:
    async def export(_: bytes, __: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        return b""

    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)])
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(export)
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
    server.add_insecure_port(address)
    await server.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
