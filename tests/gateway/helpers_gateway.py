"""Sending OTLP as bytes, and spans to send: what the tests of a running gateway share."""

import dataclasses
import itertools
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
from demo.gateway import Gateway
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from e2e.harness.sink import GrpcSink
from e2e.parts.processes import wait_until

METHODS = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}
HALF_OF_56_BITS = 1 << 55
"""The threshold of a sampling percentage of 50: a trace is kept when the low 56 bits of its id are not below it."""

ALWAYS = {"name": "all", "type": "always_sample"}
StartGateway = Callable[..., Gateway]
"""Starts a gateway that forwards to the sink given; keyword arguments are further keys of its configuration."""

_START_NS = 1_790_000_000_000_000_000
_NUMBERS = itertools.count(1)
_PROSE = "The umbrella was repaired with a new handle and dried in the attic for three days. "


@dataclasses.dataclass(frozen=True)
class Answered:
    """How an export call ended. `code` is a gRPC status name or an HTTP status; `retry_after` what HTTP said."""

    ok: bool
    code: str
    retry_after: str = ""
    details: bytes = b""  # grpc-status-details-bin


class GrpcSender:
    """OTLP/gRPC with bytes in place of messages."""

    def __init__(self, endpoint: str) -> None:
        self._channel = grpc.insecure_channel(endpoint.removeprefix("http://"))

    def send(self, signal: str, body: bytes) -> Answered:
        """One call, half a minute at most."""
        try:
            call: Callable[..., Any] = self._channel.unary_unary(METHODS[signal])
            call(body, timeout=30)
        except grpc.RpcError as error:
            metadata: Any = error.trailing_metadata() or ()
            details = dict(metadata).get("grpc-status-details-bin", b"")
            return Answered(ok=False, code=error.code().name, details=details)
        return Answered(ok=True, code="OK")

    def close(self) -> None:
        """Give up the connection."""
        self._channel.close()


class HttpSender:
    """OTLP/HTTP with the body as it is given."""

    def __init__(self, endpoint: str, content_type: str = "application/x-protobuf") -> None:
        self._client = httpx.Client(base_url=endpoint, headers={"content-type": content_type}, trust_env=False)

    def send(self, signal: str, body: bytes) -> Answered:
        """One request, half a minute at most. A connection that cannot be had is the code `unreachable`."""
        try:
            response = self._client.post(f"/v1/{signal}", content=body, timeout=30)
        except httpx.TransportError:
            return Answered(ok=False, code="unreachable")
        return Answered(
            ok=response.status_code == 200,
            code=str(response.status_code),
            retry_after=response.headers.get("retry-after", ""),
        )

    def close(self) -> None:
        """Give up the connection."""
        self._client.close()


@contextmanager
def sender(gateway: Gateway, transport: str) -> Iterator[GrpcSender | HttpSender]:
    """A sender to a gateway over grpc, http (protobuf) or json."""
    made: GrpcSender | HttpSender
    if transport == "grpc":
        made = GrpcSender(gateway.grpc)
    else:
        made = HttpSender(gateway.http, "application/json" if transport == "json" else "application/x-protobuf")
    try:
        yield made
    finally:
        made.close()


@dataclasses.dataclass(frozen=True)
class Traffic:
    """What became of the traces that were sent so far: those answered OK, and the codes of refusals."""

    accepted: list[ExportTraceServiceRequest] = dataclasses.field(default_factory=list)
    refusals: set[str] = dataclasses.field(default_factory=set)

    def flows(self, requests: int) -> None:
        """Wait until so many more are answered OK."""
        before = len(self.accepted)
        wait_until(lambda: len(self.accepted) >= before + requests, "traffic flows")


@contextmanager
def traffic(gateway: Gateway, *transports: str) -> Iterator[Traffic]:
    """Senders at work until the end of the block, one for each transport given, that connect anew when refused."""
    sent = Traffic()
    ended = threading.Event()

    def send(transport: str) -> None:
        while not ended.is_set():
            with sender(gateway, transport) as to_gateway:
                while not ended.is_set():
                    request = trace()
                    answered = to_gateway.send("traces", request.SerializeToString())
                    if not answered.ok:
                        sent.refusals.add(answered.code)
                        ended.wait(0.1)  # what starts anew needs the machine more than who knocks
                        break
                    sent.accepted.append(request)

    threads = [threading.Thread(target=send, args=(transport,)) for transport in transports]
    for thread in threads:
        thread.start()
    try:
        yield sent
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def trace(spans: int = 3, prose_bytes: int = 0) -> ExportTraceServiceRequest:
    """A request with one whole trace of harmless spans, each with so many bytes of prose. Never the same twice."""
    seeded = random.Random(next(_NUMBERS))
    trace_id = seeded.randbytes(16)
    text = (_PROSE * (prose_bytes // len(_PROSE) + 1))[:prose_bytes]
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(spans):
        span = scope.spans.add(
            trace_id=trace_id,
            span_id=seeded.randbytes(8),
            parent_span_id=scope.spans[0].span_id if number else b"",
            name=f"step {number}",
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=_START_NS + number,
            end_time_unix_nano=_START_NS + number + 1_000_000,
        )
        if text:
            span.attributes.add(key="note").value.string_value = text
    return request


def span_ids(request: ExportTraceServiceRequest) -> list[bytes]:
    """The ids of a request's spans, in order."""
    return [
        span.span_id for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans
    ]


def kept_by_half(request: ExportTraceServiceRequest) -> bool:
    """Whether a sampling percentage of 50 keeps the trace of this request (OpenTelemetry probability sampling)."""
    trace_id = request.resource_spans[0].scope_spans[0].spans[0].trace_id
    return int.from_bytes(trace_id[9:], "big") >= HALF_OF_56_BITS


def forwarding(sink: GrpcSink, policy: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a gateway that decides after 100 ms by one policy, and exports to a sink, retrying soon."""
    retry = {"initial_interval": "50ms", "max_interval": "200ms"}
    exporter = {"endpoint": sink.endpoint, "tls": {"insecure": True}, "timeout": "2s", "retry_on_failure": retry}
    return {
        "redaction": {"names": "off"},
        "sampling": {"decision_wait": "100ms", "policies": [policy]},
        "storage": {"journal_max_mib": 64},  # segments of 8 MiB, which every start fills
        "exporters": {"otlp": exporter},
    }


def ledger(gateway: Gateway) -> dict[str, dict[str, int]]:
    """The final books, which a gateway writes to its log when it has stopped."""
    (stopped,) = [line for line in gateway.log() if line["event"] == "stopped"]
    books: dict[str, dict[str, int]] = stopped["ledger"]
    return books


def workers(gateway: Gateway) -> set[int]:
    """The process ids of a gateway's workers."""
    found: set[int] = set()
    for children in Path(f"/proc/{gateway.pid}/task").glob("*/children"):
        found |= set(map(int, children.read_text().split()))
    return found
