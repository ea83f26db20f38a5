"""What somebody can do who reaches the ports, or the environment, of a running gateway."""

import gzip
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import pytest
from demo.gateway import Gateway

from e2e.harness.sink import GrpcSink
from e2e.parts.processes import wait_until
from gateway.helpers_gateway import METHODS, StartGateway, sender, trace

MIB = 1024 * 1024
TOKEN = "token-of-a-sender-4711"
HEAD = "POST /v1/traces HTTP/1.1\r\nhost: here\r\ncontent-type: application/x-protobuf\r\n"
SENDERS = 24
GZIP = gzip.compress(bytes(30 * MIB), 9)[:-8]  # all but its end


def resident_mib(gateway: Gateway) -> float:
    """The memory of the process."""
    status = Path(f"/proc/{gateway.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


@contextmanager
def half_sent(gateway: Gateway, head: str, body: bytes) -> Iterator[list[socket.socket]]:
    """Connections that have each sent this much of a request, and send no more."""
    host, port = gateway.http.removeprefix("http://").split(":")
    with ExitStack() as stack:
        senders = [stack.enter_context(socket.create_connection((host, int(port)), 20)) for _ in range(SENDERS)]
        for each in senders:
            each.sendall(f"{HEAD}{head}\r\n\r\n".encode() + body)
        yield senders


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize(
    ("head", "body"),
    [
        (f"content-length: {20 * MIB}", bytes(10 * MIB)),
        ("transfer-encoding: chunked", b"a00000\r\n" + bytes(10 * MIB)),
        (f"content-encoding: gzip\r\ncontent-length: {len(GZIP) + 8}", GZIP),
    ],
    ids=["announced", "chunked", "gzip"],
)
def test_half_sent_bodies_do_not_fill_the_memory(head: str, body: bytes, sink: GrpcSink, start: StartGateway) -> None:
    """Two hundred and forty MiB and more are offered, 32 are held, and the rest is told to come again."""
    gateway = start(sink, memory_limiter={"limit_mib": 32})
    before = resident_mib(gateway)
    with half_sent(gateway, head, body) as senders:
        wait_until(
            lambda: gateway.metrics().total("spansieve_requests_total", code="503") >= SENDERS - 4,
            "all but a few are refused",
        )
        held = resident_mib(gateway) - before
        assert senders[-1].recv(12) == b"HTTP/1.1 503"
    assert held < 150
    with sender(gateway, "http") as again:
        wait_until(lambda: again.send("traces", trace().SerializeToString()).ok, "there is room again")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_compressed_messages_do_not_fill_the_memory(sink: GrpcSink, start: StartGateway) -> None:
    """Each of these grows from 30 KB to 30 MiB; they are inflated one after the other, and only while there is room."""
    gateway = start(sink, memory_limiter={"limit_mib": 32})
    before = resident_mib(gateway)
    with grpc.insecure_channel(gateway.grpc.removeprefix("http://")) as channel:
        call = channel.unary_unary(METHODS["traces"])
        bombs = [call.future(bytes(30 * MIB), timeout=60, compression=grpc.Compression.Gzip) for _ in range(16)]
        ended = {each.code() for each in bombs}
    assert resident_mib(gateway) - before < 200
    assert ended <= {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAVAILABLE}


def test_headers_of_senders_are_not_logged(
    sink: GrpcSink, start: StartGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the environment asks gRPC to write all that it does."""
    monkeypatch.setenv("GRPC_VERBOSITY", "debug")
    monkeypatch.setenv("GRPC_TRACE", "all")
    gateway = start(sink)
    monkeypatch.undo()
    with grpc.insecure_channel(gateway.grpc.removeprefix("http://")) as channel:
        channel.unary_unary(METHODS["traces"])(
            trace().SerializeToString(), timeout=20, metadata=[("authorization", f"Bearer {TOKEN}")]
        )
    gateway.stop()
    assert TOKEN not in gateway.log_file.read_text(encoding="utf-8")


def test_every_line_of_the_log_is_ours(sink: GrpcSink, start: StartGateway) -> None:
    """gRPC's core, which would write of what it refuses, is silent: the log is JSON, whatever is sent."""
    gateway = start(sink)
    with grpc.insecure_channel(gateway.grpc.removeprefix("http://")) as channel:
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(METHODS["traces"])(
                trace().SerializeToString(), timeout=20, compression=grpc.Compression.Deflate
            )
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    gateway.stop()
    lines = gateway.log_file.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("{")] == []


INSIGHTS = (
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/grpc.channelz.v1.Channelz/GetServers",
)


def test_grpc_serves_exports_and_health_alone(sink: GrpcSink, start: StartGateway) -> None:
    """Nobody is told of the server's methods, or of its connections."""
    gateway = start(sink)
    with grpc.insecure_channel(gateway.grpc.removeprefix("http://")) as channel:
        for method in INSIGHTS:
            with pytest.raises(grpc.RpcError) as refused:
                channel.unary_unary(method)(b"", timeout=20)
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
