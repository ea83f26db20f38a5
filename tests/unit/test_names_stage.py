"""The stage that takes names out of what leaves."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve import names_stage
from spansieve.export import QueueStatus
from spansieve.facts import TraceFacts
from spansieve.model import Decision, Envelope, Receipt, SampledTrace, Signal, SpanGroup, Trigger
from spansieve.names import model, otlp
from spansieve.names.redactor import Redactor
from spansieve.names_stage import NamesStage
from spansieve.outcome import Ledger, Outcome, Reason
from spansieve.redact import policy


class _Inner:
    """A destination that remembers what it was given."""

    held_bytes = 11
    consecutive_failures = 3
    defects = 2

    def __init__(self) -> None:
        self.traces: list[SampledTrace] = []
        self.requests: list[tuple[Signal, bytes, int]] = []
        self.own: list[bytes] = []
        self.stopped: list[bool] = []

    def submit_traces(self, traces: Sequence[SampledTrace]) -> None:
        self.traces += traces

    def submit(self, signal: Signal, payload: bytes, items: int, receipt: Receipt | None = None) -> None:
        self.requests.append((signal, payload, items))

    def submit_own_metrics(self, payload: bytes) -> None:
        self.own.append(payload)

    async def start(self) -> None:
        pass

    async def stop(self, deadline: float, *, owed: bool = False) -> None:
        self.stopped.append(owed)

    def status(self) -> Mapping[Signal, QueueStatus]:
        return {}


class _Receipt:
    """Remembers how it was settled."""

    def __init__(self) -> None:
        self.settled: list[tuple[int, int, str]] = []

    def settle(self, items: int, dropped: int, reason: str) -> None:
        self.settled.append((items, dropped, reason))


class _Logger:
    """Remembers events."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def info(self, event: str, **values: object) -> None:
        self.events.append(event)

    warning = error = info


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    """What takes names out."""
    rules = policy.compile(policy.parse("version: 1\nname: t\ndescription: d\ninclude: [names]\n"))
    return Redactor(rules, model.shipped())


class _Stage:
    """A stage with its surroundings."""

    def __init__(self, redactor: Redactor | None, most_waiting: int | None = None) -> None:
        self.inner = _Inner()
        self.ledger = Ledger()
        self.logger = _Logger()
        self.found: dict[str, int] = {}
        self.stage = NamesStage(self.inner, redactor, self.ledger, self._count, self.logger, most_waiting=most_waiting)

    def _count(self, rule: str, count: int) -> None:
        self.found[rule] = self.found.get(rule, 0) + count


def _kept(text: str, receipt: Receipt | None = None) -> SampledTrace:
    span = Span(trace_id=b"t" * 16, span_id=b"s" * 8, name="x")
    span.attributes.add(key="prompt").value.string_value = text
    group = SpanGroup(Envelope(b"", "", b"", ""), (span.SerializeToString(),))
    facts = TraceFacts(1, 0, 0, 7, 9, True, 100)  # noqa: FBT003 - has_root
    decision = Decision(keep=True, policy="p", trigger=Trigger.WAIT_EXPIRED)
    return SampledTrace(b"t" * 16, (group,), facts, decision, 0, receipt)


async def test_names_are_out_before_the_destination(redactor: Redactor) -> None:
    """What the destination gets has no names; findings are counted; nothing waits any more."""
    each = _Stage(redactor)
    each.stage.submit_traces([_kept("My name is Jane Roe.")])
    assert each.stage.held_bytes > each.inner.held_bytes
    await each.stage.stop(30)
    assert [b"Jane" in group.spans[0] for trace in each.inner.traces for group in trace.groups] == [False]
    assert each.found == {"person_in_text": 1}
    assert each.stage.waiting_bytes == 0
    assert each.inner.stopped == [False]


async def test_order_is_kept(redactor: Redactor) -> None:
    """Traces and requests leave in the order in which they came."""
    each = _Stage(redactor)
    kept = [replace(_kept(f"Jane Roe {i}"), position=i) for i in range(20)]
    each.stage.submit_traces(kept)
    await each.stage.stop(30)
    assert [trace.position for trace in each.inner.traces] == list(range(20))


async def test_logs_are_read(redactor: Redactor) -> None:
    """A request of logs is read too."""
    each = _Stage(redactor)
    message = ExportLogsServiceRequest()
    message.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "Jane Roe signed in"
    each.stage.submit(Signal.LOGS, message.SerializeToString(), 1)
    await each.stage.stop(30)
    assert b"Jane" not in each.inner.requests[0][1]


async def test_off_hands_on_at_once() -> None:
    """Without a redactor everything goes straight on."""
    each = _Stage(None)
    each.stage.submit_traces([_kept("My name is Jane Roe.")])
    each.stage.submit(Signal.LOGS, b"payload", 2)
    each.stage.submit_own_metrics(b"own")
    assert len(each.inner.traces) == 1
    assert each.inner.requests == [(Signal.LOGS, b"payload", 2)]
    assert each.inner.own == [b"own"]
    assert (each.stage.consecutive_failures, each.stage.defects) == (3, 2)


async def test_beyond_the_bound_texts_are_removed_unread(redactor: Redactor) -> None:
    """With a bound, what would wait beyond it leaves as metadata, and is counted."""
    each = _Stage(redactor, most_waiting=0)
    each.stage.submit_traces([_kept("My name is Jane Roe.")])
    await each.stage.stop(30)
    assert b"[REMOVED]" in each.inner.traces[0].groups[0].spans[0]
    assert b"Jane" not in each.inner.traces[0].groups[0].spans[0]
    assert each.stage.withheld_bytes > 0


async def test_what_cannot_be_read_leaves_without_texts(redactor: Redactor, monkeypatch: pytest.MonkeyPatch) -> None:
    """When taking names out raises, all texts are removed."""
    reads = otlp.trace

    def fail(kept: SampledTrace, by: Redactor, *, withhold: bool = False) -> object:
        if not withhold:
            raise RuntimeError
        return reads(kept, by, withhold=True)

    monkeypatch.setattr(otlp, "trace", fail)
    each = _Stage(redactor)
    each.stage.submit_traces([_kept("My name is Jane Roe.")])
    await each.stage.stop(30)
    assert b"[REMOVED]" in each.inner.traces[0].groups[0].spans[0]


async def test_what_helps_nothing_is_dropped_and_said(redactor: Redactor) -> None:
    """A trace whose bytes cannot even be parsed does not pass: it is in the ledger, the receipt and the log."""
    each = _Stage(redactor)
    receipt = _Receipt()
    broken = replace(_kept("x", receipt), groups=(SpanGroup(Envelope(b"", "", b"", ""), (b"\xff\xff",)),))
    each.ledger.receive(Signal.TRACES, 1)
    each.stage.submit_traces([broken])
    await each.stage.stop(30)
    assert each.inner.traces == []
    assert each.ledger.settled(Signal.TRACES, Outcome.DROPPED) == 1
    assert receipt.settled == [(1, 1, Reason.NAMES_FAILED)]
    assert each.logger.events == ["dropped"]


@pytest.mark.timeout(300)
async def test_a_text_of_ten_megabytes_is_read_to_its_end(redactor: Redactor) -> None:
    """Names go from the beginning, the middle and the end of a text of 10 MB, and nothing else of it does."""
    filling = "the value of this row is one more than that of the last. " * 90_000
    text = f"Jane Roe signed. {filling}Peter Miller signed. {filling}Maria Lopez signed."
    assert len(text) > 10_000_000
    each = _Stage(redactor)
    each.stage.submit_traces([_kept(text)])
    await each.stage.stop(300)
    left = Span.FromString(each.inner.traces[0].groups[0].spans[0]).attributes[0].value.string_value
    assert left == f"[PERSON] signed. {filling}[PERSON] signed. {filling}[PERSON] signed."


@pytest.mark.timeout(300)
async def test_a_text_of_ten_megabytes_waits_within_the_bound(redactor: Redactor, held: threading.Event) -> None:
    """While one large text is read, what comes behind it counts towards the bound, and beyond it leaves unread."""
    each = _Stage(redactor, most_waiting=11_000_000)
    each.stage.submit_traces([_kept("My name is Jane Roe. " + "x " * 5_000_000)])
    each.stage.submit_traces([_kept("My name is Jane Roe. " + "y " * 1_000_000)])
    assert each.stage.waiting_bytes > 10_000_000
    assert each.stage.withheld_bytes > 2_000_000
    held.set()
    await each.stage.stop(300)
    assert not any(b"Jane" in trace.groups[0].spans[0] for trace in each.inner.traces)
    assert len(each.inner.traces[1].groups[0].spans[0]) < 1000


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A thread that reads only once the event is set."""
    go = threading.Event()
    read = names_stage._read

    def wait(job: names_stage._Job) -> names_stage._Done:
        go.wait(30)
        return read(job)

    monkeypatch.setattr(names_stage, "_read", wait)
    return go


async def test_what_is_owed_is_left_to_the_journal(redactor: Redactor, held: threading.Event) -> None:
    """With a journal a stop does not read what waits, and settles nothing: the next start has it."""
    each = _Stage(redactor)
    receipt = _Receipt()
    each.ledger.receive(Signal.TRACES, 2)
    each.stage.submit_traces([_kept("Jane Roe", receipt), _kept("Jane Roe", receipt)])
    stop = asyncio.create_task(each.stage.stop(30, owed=True))
    await asyncio.sleep(0)
    held.set()
    await stop
    assert len(each.inner.traces) <= 1  # the one that the thread had begun
    assert receipt.settled == []
    assert each.inner.stopped == [True]


async def test_what_is_not_read_in_time_is_dropped(redactor: Redactor, held: threading.Event) -> None:
    """Without a journal what the grace does not suffice for is dropped, with a reason."""
    each = _Stage(redactor)
    each.ledger.receive(Signal.TRACES, 2)
    each.stage.submit_traces([_kept("Jane Roe"), _kept("Jane Roe")])
    stop = asyncio.create_task(each.stage.stop(0))
    asyncio.get_running_loop().call_later(0.05, held.set)  # the grace of none is over long before
    await stop
    assert len(each.inner.traces) + each.ledger.settled(Signal.TRACES, Outcome.DROPPED) == 2
    assert each.ledger.settled(Signal.TRACES, Outcome.DROPPED) >= 1
