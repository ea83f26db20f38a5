"""What the tests of both servers share: the far side of the ports, and an official request of each signal."""

import asyncio
from dataclasses import dataclass
from typing import Generic, TypeVar

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve.admission import UNKNOWN, Arrival
from spansieve.model import Answer, ExportRequest, ReceivedRequest, Signal

SECRET = "alice@example.com"  # stands for payload: it must never be told to anyone


def export_request(signal: Signal) -> ExportRequest:
    """A request with one item whose text is SECRET."""
    if signal is Signal.TRACES:
        traces = ExportTraceServiceRequest()
        traces.resource_spans.add().scope_spans.add().spans.add(
            trace_id=b"t" * 16, span_id=b"s" * 8, name=SECRET, start_time_unix_nano=1, end_time_unix_nano=2
        )
        return traces
    if signal is Signal.LOGS:
        logs = ExportLogsServiceRequest()
        logs.resource_logs.add().scope_logs.add().log_records.add().body.string_value = SECRET
        return logs
    metrics = ExportMetricsServiceRequest()
    metrics.resource_metrics.add().scope_metrics.add().metrics.add(name=SECRET).gauge.data_points.add(as_int=1)
    return metrics


_Server = TypeVar("_Server")


@dataclass
class Running(Generic[_Server]):
    """A server that was started, and where."""

    server: _Server
    endpoint: str


class FakeAcceptor:
    """An Acceptor that remembers, and that answers, fails or waits as it is told."""

    def __init__(self) -> None:
        self.admitted: list[int] = []
        self.arrivals: list[Arrival] = []
        self.requests: list[ReceivedRequest] = []
        self.answer = Answer()
        self.refuse_admission: Exception | None = None
        self.refuse_to_hold: Exception | None = None
        self.held = self.most_held = 0  # of bodies that are being read
        self.fail: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self._entered = asyncio.Condition()
        self._held_more = asyncio.Event()

    def admit(self, size: int, arrival: Arrival = UNKNOWN) -> None:
        self.admitted.append(size)
        self.arrivals.append(arrival)
        if self.refuse_admission:
            raise self.refuse_admission

    def hold(self, size: int, already: int) -> None:
        assert already == self.held
        if size > 0 and self.refuse_to_hold:
            raise self.refuse_to_hold
        self.held += size
        self.most_held = max(self.most_held, self.held)
        self._held_more.set()

    async def holds(self, size: int) -> None:
        """Wait until so many bytes are held."""
        while self.held < size:
            self._held_more.clear()
            await self._held_more.wait()

    async def accept(self, request: ReceivedRequest, arrival: Arrival = UNKNOWN) -> Answer:
        self.admit(len(request.body), arrival)
        self.requests.append(request)
        async with self._entered:
            self._entered.notify_all()
        await self.gate.wait()
        if self.fail:
            raise self.fail
        return self.answer

    async def entered(self, calls: int) -> None:
        """Wait until so many calls of accept have begun."""
        async with self._entered:
            await self._entered.wait_for(lambda: len(self.requests) >= calls)


class Observations:
    """A RequestObserver that remembers."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, Signal | None, str]] = []
        self.defects: list[tuple[str, Signal | None, BaseException]] = []
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def finished(self, transport: str, signal: Signal | None, code: str) -> None:
        self.answers.append((transport, signal, code))
        task = asyncio.create_task(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def failed(self, transport: str, signal: Signal | None, error: BaseException) -> None:
        self.defects.append((transport, signal, error))

    async def answered(self, requests: int) -> None:
        """Wait until so many answers were counted."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.answers) >= requests)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
