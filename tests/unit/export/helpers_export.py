"""A scripted OTLP peer on loopback, and small stand-ins for the world around an exporter."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.export.otlp import METHODS
from spansieve.model import Decision, Envelope, SampledTrace, Signal, SpanGroup, TraceFacts, Trigger
from spansieve.outcome import Ledger, Outcome

ENVELOPE = Envelope(b"", "", b"\x0a\x05scope", "")
REQUESTS: dict[Signal, type[Message]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}
_SIGNALS = {method: signal for signal, method in METHODS.items()}


@dataclass(frozen=True)
class Say:
    """One answer of the peer. OK, unless a code is given; after `after` is set, when it is given."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    retry_in: float | None = None
    rejected: int = 0
    response: bytes | None = None
    after: asyncio.Event | None = None


@dataclass
class Call:
    """One request that the peer saw."""

    signal: Signal
    payload: bytes
    metadata: dict[str, str | bytes]

    @property
    def request(self) -> Any:  # noqa: ANN401 - one of three requests
        """The request, parsed."""
        return REQUESTS[self.signal].FromString(self.payload)

    @property
    def span_names(self) -> list[str]:
        """The names of its spans, in order."""
        return [s.name for rs in self.request.resource_spans for ss in rs.scope_spans for s in ss.spans]


@dataclass
class Peer:
    """Answers with its script, then with OK. `judge`, when given, answers by the request instead."""

    address: str = ""
    script: deque[Say] = field(default_factory=deque)
    judge: Callable[[Call], Say] | None = None
    calls: list[Call] = field(default_factory=list)
    called: asyncio.Condition = field(default_factory=asyncio.Condition)

    def say(self, *answers: Say) -> None:
        """Put answers at the end of the script."""
        self.script.extend(answers)

    async def was_called(self, times: int) -> None:
        """Wait for so many calls since the beginning."""
        async with self.called:
            await self.called.wait_for(lambda: len(self.calls) >= times)

    async def was_called_for(self, signal: Signal) -> None:
        """Wait for a call with this signal."""
        async with self.called:
            await self.called.wait_for(lambda: any(call.signal is signal for call in self.calls))

    async def export(self, payload: bytes, context: Any, signal: Signal) -> bytes:  # noqa: ANN401 - grpc's context
        """One call."""
        call = Call(signal, payload, dict(context.invocation_metadata()))
        async with self.called:
            self.calls.append(call)
            self.called.notify_all()
        answer = self.judge(call) if self.judge else self.script.popleft() if self.script else Say()
        if answer.after:
            await answer.after.wait()
        if answer.code is not grpc.StatusCode.OK:
            details = Status(code=answer.code.value[0], message="raw words of the peer")
            if answer.retry_in is not None:
                delay = Duration()
                delay.FromNanoseconds(int(answer.retry_in * 1e9))
                details.details.add().Pack(RetryInfo(retry_delay=delay))
            context.set_trailing_metadata((("grpc-status-details-bin", details.SerializeToString()),))
            await context.abort(answer.code, "raw words of the peer")
        if answer.response is not None:
            return answer.response
        if answer.rejected:
            # Field 1 of field 1 is the count for every signal.
            partial = ExportTracePartialSuccess(rejected_spans=answer.rejected, error_message="raw words of the peer")
            return ExportTraceServiceResponse(partial_success=partial).SerializeToString()
        return b""


class _Handlers(grpc.GenericRpcHandler):
    """Takes the three Export methods, as bytes."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def service(self, details: Any) -> Any:  # noqa: ANN401 - grpc's types have no names
        """Find the method's signal."""
        signal = _SIGNALS[details.method]

        async def export(payload: bytes, context: Any) -> bytes:  # noqa: ANN401 - grpc's context
            return await self._peer.export(payload, context, signal)

        return grpc.unary_unary_rpc_method_handler(export)


@asynccontextmanager
async def running_peer(credentials: grpc.ServerCredentials | None = None, port: int = 0) -> AsyncIterator[Peer]:
    """A peer that listens on loopback, with TLS when it has credentials."""
    peer = Peer()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((_Handlers(peer),))
    address = f"127.0.0.1:{port}"
    bound = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    peer.address = f"127.0.0.1:{bound}"
    await server.start()
    try:
        yield peer
    finally:
        await server.stop(grace=None)


class Sleeps:
    """In place of asyncio.sleep: notes what was asked for, and sleeps until `wake` is called or for no time at all."""

    def __init__(self, *, wakes_at_once: bool) -> None:
        self.asked: list[float] = []
        self._wakes_at_once = wakes_at_once
        self._wake = asyncio.Event()
        self._changed = asyncio.Condition()

    async def __call__(self, seconds: float) -> None:
        """Sleep."""
        async with self._changed:
            self.asked.append(seconds)
            self._changed.notify_all()
        if not self._wakes_at_once:
            await self._wake.wait()

    async def slept(self, times: int) -> None:
        """Wait until so many sleeps were asked for."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.asked) >= times)

    def wake(self) -> None:
        """End all sleeps, also those to come."""
        self._wake.set()


class Account:
    """A Receipt: what it was told of, each time as (items, dropped, reason)."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int, str]] = []

    def settle(self, items: int, dropped: int, reason: str) -> None:
        """Note."""
        self.told.append((items, dropped, reason))


class Recorder:
    """A logger that keeps its lines as (level, event, values)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, object]]] = []

    def info(self, event: str, **values: object) -> None:
        """Note."""
        self.lines.append(("info", event, values))

    def warning(self, event: str, **values: object) -> None:
        """Note."""
        self.lines.append(("warning", event, values))

    def error(self, event: str, **values: object) -> None:
        """Note."""
        self.lines.append(("error", event, values))

    def events(self, level: str) -> list[str]:
        """The events of one level."""
        return [event for each, event, _ in self.lines if each == level]


def trace(
    *names: str,
    number: int = 1,
    policy: str = "errors",
    size: int = 0,
    envelope: Envelope = ENVELOPE,
    start_ns: int = 1,
) -> SampledTrace:
    """A kept trace with a span of each name, each with an attribute of `size` bytes when that is not 0."""
    trace_id = number.to_bytes(16, "big")
    spans: list[bytes] = []
    for index, name in enumerate(names):
        span = Span(
            trace_id=trace_id,
            span_id=(index + 1).to_bytes(8, "big"),
            parent_span_id=(1).to_bytes(8, "big") if index else b"",
            name=name,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + 1_000_000,
        )
        if size:
            span.attributes.add(key="filling").value.string_value = "x" * size
        spans.append(span.SerializeToString())
    group = SpanGroup(envelope, tuple(spans))
    facts = TraceFacts(len(names), 0, 0, start_ns, start_ns + 1_000_000, has_root=True, size=group.size)
    return SampledTrace(trace_id, (group,), facts, Decision(keep=True, policy=policy, trigger=Trigger.WAIT_EXPIRED))


def received(ledger: Ledger, traces: Iterable[SampledTrace]) -> list[SampledTrace]:
    """Enter the spans of traces in the books."""
    entered = list(traces)
    ledger.receive(Signal.TRACES, sum(each.facts.spans for each in entered))
    return entered


def fates(ledger: Ledger, signal: Signal = Signal.TRACES) -> dict[str, int]:
    """How the items of a signal ended: by outcome, or by reason where there is one."""
    assert ledger.balances()
    return {
        (reason.value or outcome.value): items for s, outcome, reason, items in ledger.outcomes() if s is signal
    } | ({"in_flight": ledger.in_flight(signal)} if ledger.in_flight(signal) else {})


def exported(ledger: Ledger, signal: Signal = Signal.TRACES) -> int:
    """Items that were accepted."""
    return ledger.settled(signal, Outcome.EXPORTED)


def logs(*bodies: str) -> bytes:
    """A request with a log record for each body, two scopes."""
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    scopes = [resource_logs.scope_logs.add(), resource_logs.scope_logs.add()]
    for index, body in enumerate(bodies):
        scopes[index * 2 // len(bodies)].log_records.add().body.string_value = body
    return request.SerializeToString()


def metrics(**points: int) -> bytes:
    """A request with a gauge of so many points for each name."""
    request = ExportMetricsServiceRequest()
    scope_metrics = request.resource_metrics.add().scope_metrics.add()
    for name, count in points.items():
        metric = scope_metrics.metrics.add(name=name)
        for value in range(count):
            metric.gauge.data_points.add(as_int=value)
    return request.SerializeToString()
