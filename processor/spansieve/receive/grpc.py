"""OTLP/gRPC: the three Export services and grpc.health.v1."""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_status import rpc_status

from spansieve.admission import Arrival
from spansieve.config import GrpcReceiver
from spansieve.http_server import bind, most_connections
from spansieve.model import Encoding, ReceivedRequest, Signal
from spansieve.receive.inflate import inflated
from spansieve.receive.ports import Acceptor, RequestObserver
from spansieve.receive.status import CANCELLED, refusal, stopping, success
from spansieve.receive.unseen import Unseen

_GRPC = "grpc"
GRPC_KEY = "receivers.otlp.protocols.grpc.endpoint"

# None and gzip, the bits 0 and 2 of grpc_compression_algorithm: what OTLP asks for, and no deflate.
_ACCEPTED_COMPRESSION = 0b101

# What every gzip member begins with (RFC 1952). No message of OTLP does: there is no such kind of field.
_GZIP = b"\x1f\x8b"

# A smaller message is inflated faster than a thread takes it; at worst, of zeros alone, in a dozen milliseconds.
_INFLATED_AT_ONCE = 8 * 1024

# A connection's further calls wait at their sender, where deadlines show it (see receive/unseen.py), and not in gRPC's
# core. Each such may take its flow-control window of the core's memory.
_MOST_AT_ONCE = 50
_MOST_UNSEEN = 2_000

# Once the exports are answered, only health watchers are left, who would stay for ever.
_FAREWELL_SECONDS = 0.5


class GrpcReceiverServer:
    """An OTLP/gRPC server in the running event loop.

    The limit on the wire is grpc-core's: it refuses with RESOURCE_EXHAUSTED what is too large. Such calls never reach a
    handler, so that the observer does not hear of them. Inflating is ours, since the core inflates whatever has come:
    200 messages of 61 KB made 2.5 GB of its memory.
    """

    def __init__(
        self, config: GrpcReceiver, acceptor: Acceptor, observer: RequestObserver, *, shared: bool = False
    ) -> None:
        """A `shared` port is listened on by other processes, too."""
        self._config = config
        self._shared = shared
        self._acceptor = acceptor
        self._observer = observer
        self._health = health_aio.HealthServicer()
        self._server: aio.Server | None = None
        self._stopping = False
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._unseen = Unseen()
        self._limit = config.max_recv_msg_size_mib * 1024 * 1024
        self._inflater = ThreadPoolExecutor(1, "inflate")

    async def start(self) -> str:
        """Listen and serve. Return the bound host:port.

        Raises OSError, naming the endpoint, when it cannot be bound.
        """
        endpoint = self._config.endpoint
        host, _, port = endpoint.rpartition(":")
        if port != "0" and not self._shared:
            # grpc-core says only that it failed; a trial says why. The port is free again before it is taken.
            for each in bind(endpoint, GRPC_KEY):
                each.close()
        server = aio.server(
            options=[
                ("grpc.max_receive_message_length", self._limit),
                ("grpc.compression_enabled_algorithms_bitset", _ACCEPTED_COMPRESSION),
                # Or the core would inflate every message that has come, however many, before anybody admits one.
                ("grpc.per_message_decompression", 0),
                ("grpc.max_concurrent_streams", _MOST_AT_ONCE),
                ("grpc.max_allowed_incoming_connections", most_connections()),
                # Or the core would refuse calls by itself, near that bound, without a word of when to come back.
                ("grpc.http.overload_protection", 0),
                # Of calls that wait unseen gRPC ends some at random once there are so many, just as mute. These bounds
                # and admission see to it that there are fewer.
                ("grpc.server.max_pending_requests", _MOST_UNSEEN),
                ("grpc.server.max_pending_requests_hard_limit", 2 * _MOST_UNSEEN),
                # Unless it is meant: a second gateway on the same port would quietly get half of the connections.
                ("grpc.so_reuseport", int(self._shared)),
            ]
        )
        for signal in Signal:
            methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
                "Export": grpc.unary_unary_rpc_method_handler(self._handler(signal))
            }
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(signal.service, methods),))
            await self._health.set(signal.service, health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        try:
            bound = server.add_insecure_port(f"{host or '[::]'}:{port}")  # as in Go, no host means every interface
        except RuntimeError:
            await server.stop(None)
            raise OSError(f"{GRPC_KEY}: cannot listen on {endpoint}. Free it or name another.") from None
        await server.start()
        self._server = server
        return f"{host}:{bound}"

    async def stop(self, grace: float) -> None:
        """Refuse new exports, answer those under way for up to `grace` seconds, then stop serving."""
        if self._server is None:
            return
        self._stopping = True
        await self._health.enter_graceful_shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._idle.wait()
        await self._server.stop(_FAREWELL_SECONDS)
        self._server = None
        self._inflater.shutdown(wait=False, cancel_futures=True)

    def _handler(self, signal: Signal) -> Callable[[bytes, aio.ServicerContext[bytes, bytes]], Awaitable[bytes]]:
        """The handler of a signal's calls.

        A function of its own, since gRPC asks at each call whether it is a coroutine function, which it says at once;
        of a partial or a method inspect would have to find out.
        """

        async def export(body: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
            self._in_flight += 1
            self._idle.clear()
            try:
                arrival = self._arrival(context)
                if body.startswith(_GZIP):
                    self._acceptor.admit(len(body), arrival)
                    body = await self._inflated(body)
                answer = await self._acceptor.accept(ReceivedRequest(signal, Encoding.PROTO, body), arrival)
            except asyncio.CancelledError:
                self._observer.finished(_GRPC, signal, CANCELLED.grpc_code.name)
                raise
            except Exception as error:  # noqa: BLE001 - becomes a code, and a defect is reported
                self._refuse(signal, error, context)
                return b""
            else:
                self._observer.finished(_GRPC, signal, "OK")
                return success(answer, signal, Encoding.PROTO)
            finally:
                self._in_flight -= 1
                if not self._in_flight:
                    self._idle.set()

        return export

    async def _inflated(self, body: bytes) -> bytes:
        """What a gzip message holds. Raises TooLarge or MalformedRequest.

        Large ones in a thread, one at a time: what is inflated counts only when it comes back, and several threads
        would keep as much memory each.
        """
        if len(body) < _INFLATED_AT_ONCE:
            return inflated(body, self._limit)
        return await asyncio.get_running_loop().run_in_executor(self._inflater, inflated, body, self._limit)

    def _arrival(self, context: aio.ServicerContext[bytes, bytes]) -> Arrival:
        if self._stopping:
            raise stopping()
        left = context.time_remaining()
        waited = self._unseen.wait(context.peer(), left, asyncio.get_running_loop().time())
        return Arrival(waited, math.inf if left is None else left)

    def _refuse(self, signal: Signal, error: Exception, context: aio.ServicerContext[bytes, bytes]) -> None:
        """Set the status that the call ends with.

        Not by abort(), which raises: gRPC keeps that exception in a cycle with the frames it came through, and so with
        the request's body, until Python's garbage collector comes by. Under overload that is hundreds of MiB.
        """
        refused = refusal(error)
        if refused.grpc_code is grpc.StatusCode.INTERNAL:
            self._observer.failed(_GRPC, signal, error)
        self._observer.finished(_GRPC, signal, refused.grpc_code.name)
        status = rpc_status.to_status(refused.status())
        context.set_code(status.code)
        context.set_details(status.details)
        context.set_trailing_metadata(status.trailing_metadata)
