"""The thread that decodes and redacts: who waits, what is counted, and how it ends."""

import asyncio
import gc
import sys
import threading
from collections.abc import Callable, Sequence

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from fakes import ManualClock
from spansieve import wire
from spansieve.clock import SystemClock
from spansieve.errors import MalformedRequest
from spansieve.model import (
    DecodedBatch,
    DecodedSpans,
    Encoding,
    Envelope,
    ReceivedRequest,
    RedactedBatch,
    RedactedSpans,
    Signal,
    SpanGroup,
)
from spansieve.redact import Redactor
from spansieve.redaction_thread import RedactionThread, Result
from unit.redact.helpers_redact import default_rules


def _span(name: str) -> Span:
    return Span(trace_id=b"t" * 16, span_id=b"s" * 8, name=name, start_time_unix_nano=1, end_time_unix_nano=2)


def _with_span(serialized: bytes) -> bytes:
    return wire.frame_traces([SpanGroup(Envelope(b"", "", b"", ""), (serialized,))])


def _request(name: str = "work") -> ReceivedRequest:
    return ReceivedRequest(Signal.TRACES, Encoding.PROTO, _with_span(_span(name).SerializeToString()))


class _Gated(Redactor):
    """A Redactor that waits for a word before each request, and does something else if it is told to."""

    def __init__(self, instead: Callable[[], None] = lambda: None) -> None:
        super().__init__(default_rules())
        self.go_on = threading.Event()
        self.entered = threading.Event()
        self.seen = 0
        self.together: list[int] = []
        self._instead = instead

    def request(self, decoded: DecodedSpans | DecodedBatch) -> RedactedSpans:  # type: ignore[override]  # only traces
        self.seen += 1
        self.entered.set()
        assert self.go_on.wait(30)
        self._instead()
        assert isinstance(decoded, DecodedSpans)
        return super().request(decoded)

    def requests(self, decoded: Sequence[DecodedSpans]) -> list[RedactedSpans]:
        self.together.append(len(decoded))
        return super().requests(decoded)


async def test_a_request_is_redacted_in_another_thread() -> None:
    """Its result is what decode and redact make of it."""
    thread = RedactionThread(SystemClock())
    where: list[str] = []
    redactor = _Gated(lambda: where.append(threading.current_thread().name))
    redactor.go_on.set()
    result = await thread.redact(_request("mail jane.roe@example.com"), redactor)
    await thread.stop()
    assert where == ["redact"]
    assert isinstance(result.redacted, RedactedSpans)
    assert result.redacted.sets[0].records[0].message().name == "mail [EMAIL]"


async def test_what_waits_is_counted_in_bytes_until_it_is_handed_back() -> None:
    """Admission looks at it."""
    thread = RedactionThread(SystemClock())
    redactor = _Gated()
    request = _request()
    waiting = [asyncio.create_task(thread.redact(request, redactor)) for _ in range(3)]
    await asyncio.to_thread(redactor.entered.wait, 30)
    assert thread.waiting_bytes == 3 * len(request.body)
    redactor.go_on.set()
    await asyncio.gather(*waiting)
    assert thread.waiting_bytes == 0
    await thread.stop()


async def test_the_wait_is_expected_from_the_pace_so_far() -> None:
    """Twice as many bytes wait twice as long; nothing waits no time."""
    clock, name = ManualClock(), "large " * 5000
    thread = RedactionThread(clock)
    redactor = _Gated(lambda: clock.advance(1.0))
    redactor.go_on.set()
    await thread.redact(_request(name), redactor)
    assert thread.expected_wait == 0
    redactor.go_on.clear()
    redactor.entered.clear()
    first = asyncio.create_task(thread.redact(_request(name), redactor))
    await asyncio.to_thread(redactor.entered.wait, 30)
    once = thread.expected_wait
    second = asyncio.create_task(thread.redact(_request(name), redactor))
    await asyncio.sleep(0)
    assert once > 0
    assert thread.expected_wait == pytest.approx(2 * once)
    redactor.go_on.set()
    await asyncio.gather(first, second)
    await thread.stop()


async def test_a_request_that_fails_harms_no_other() -> None:
    """Its error is raised where it waits; those behind it get their results."""
    thread = RedactionThread(SystemClock())
    redactor = Redactor(default_rules())
    bad = ReceivedRequest(Signal.TRACES, Encoding.PROTO, b"\xff")
    results = await asyncio.gather(
        thread.redact(bad, redactor), thread.redact(_request(), redactor), return_exceptions=True
    )
    await thread.stop()
    assert isinstance(results[0], MalformedRequest)
    assert not isinstance(results[1], BaseException)


def _busy() -> RedactionThread:
    """One whose loop has redacted for all of its share, at a pace that lets the thread take many."""
    thread = RedactionThread(ManualClock())
    thread.seconds_per_byte = 1e-9
    thread._allowance = 0.0
    return thread


async def _behind(redactor: _Gated, *requests: ReceivedRequest) -> list[Result | BaseException]:
    """What becomes of requests that all wait when the thread comes to them, at a pace that lets it take many."""
    thread = _busy()
    first = asyncio.create_task(thread.redact(_request(), redactor))
    await asyncio.to_thread(redactor.entered.wait, 30)
    waiting = [asyncio.create_task(thread.redact(request, redactor)) for request in requests]
    await asyncio.sleep(0)
    redactor.go_on.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    await first
    await thread.stop()
    assert thread.waiting_bytes == 0
    return results


def _names(result: Result | BaseException) -> list[str]:
    assert isinstance(result, Result)
    assert isinstance(result.redacted, RedactedSpans)
    return [record.message().name for each in result.redacted.sets for record in each.records]


async def test_requests_that_wait_are_redacted_together() -> None:
    """In one run; each gets what is its own."""
    redactor = _Gated()
    results = await _behind(redactor, *(_request(f"{name}@example.com {name}") for name in ("a", "b", "c")))
    assert list(map(_names, results)) == [["[EMAIL] a"], ["[EMAIL] b"], ["[EMAIL] c"]]
    assert redactor.together == [1, 3]  # the one that kept the thread busy, and these


@pytest.mark.parametrize(
    "bad",
    [
        ReceivedRequest(Signal.TRACES, Encoding.PROTO, b"\xff"),
        ReceivedRequest(Signal.TRACES, Encoding.PROTO, _with_span(_span("bad").SerializeToString() + b"\x4a\x01\xff")),
    ],
    ids=["no request", "no attribute"],
)
async def test_one_that_is_malformed_harms_none_of_those_it_waits_with(bad: ReceivedRequest) -> None:
    """It gets its error, whichever stage finds it; they get their results, each stamped once."""
    redactor = _Gated()
    before, error, after = await _behind(redactor, _request("before"), bad, _request("after"))
    assert isinstance(error, MalformedRequest)
    assert (_names(before), _names(after)) == (["before"], ["after"])
    for each in (before, after):
        assert isinstance(each, Result)
        assert isinstance(each.redacted, RedactedSpans)
        (record,) = each.redacted.sets[0].records
        assert len(record.message().attributes) == 1


async def test_a_request_that_met_a_defect_is_let_go_at_once() -> None:
    """It does not wait in a cycle for the garbage collector either; where it happened is known all the same."""

    def fail() -> None:
        raise RuntimeError("a defect")

    thread, redactor = RedactionThread(SystemClock()), _Gated(fail)
    redactor.go_on.set()
    alone = sys.getrefcount(bytes(bytearray(20)))
    body = bytes(bytearray(_request().body))
    gc.disable()
    try:
        with pytest.raises(RuntimeError) as caught:
            await thread.redact(ReceivedRequest(Signal.TRACES, Encoding.PROTO, body), redactor)
        assert caught.traceback[-1].name == "fail"
        del caught
        await asyncio.sleep(0)  # the turn of the loop that brought it has it still
        await thread.stop()
        assert sys.getrefcount(body) <= alone + 1
    finally:
        gc.enable()


async def test_a_stop_in_the_middle_of_a_request_does_not_count_as_its_pace() -> None:
    """Of the process, or of its machine, for an hour. Else all but one request at a time would be refused for long."""
    clock = ManualClock()
    thread, redactor = RedactionThread(clock), _Gated(lambda: clock.advance(3600))
    redactor.go_on.set()
    await thread.redact(_request(), redactor)
    await thread.stop()
    assert 0 < thread.seconds_per_byte <= 2e-5


async def test_a_malformed_request_is_let_go_at_once() -> None:
    """It does not wait in a cycle for the garbage collector: anybody can send large ones, one after the other."""
    thread = RedactionThread(SystemClock())
    alone = sys.getrefcount(bytes(bytearray(2000)))
    body = bytes(bytearray(2000))
    gc.disable()
    try:
        with pytest.raises(MalformedRequest):
            await thread.redact(ReceivedRequest(Signal.TRACES, Encoding.PROTO, body), Redactor(default_rules()))
        await thread.stop()
        assert sys.getrefcount(body) <= alone + 1
    finally:
        gc.enable()


@pytest.mark.parametrize("place", [b"NAME", b"VALUE"], ids=["read by decode", "read by redact"])
async def test_a_string_that_is_no_utf8_is_mended(place: bytes) -> None:
    """The Collector takes it, and nothing else of the request is lost for it."""
    span = _span("NAME")
    span.attributes.add(key="k").value.array_value.values.add().string_value = "VALUE to jane@example.com"
    body = _with_span(span.SerializeToString()).replace(place, b"\xed\xa0\xbd" + place[3:])
    redactor = _Gated()
    before, odd, after = await _behind(
        redactor, _request("before"), ReceivedRequest(Signal.TRACES, Encoding.PROTO, body), _request("after")
    )
    assert (_names(before), _names(after)) == (["before"], ["after"])
    assert isinstance(odd, Result)
    assert isinstance(odd.redacted, RedactedSpans)
    (left,) = (record.message() for record in odd.redacted.sets[0].records)
    texts = left.name, left.attributes[0].value.array_value.values[0].string_value
    marks = "\ufffd" * 3
    assert texts == ((marks + "E", "VALUE to [EMAIL]") if place == b"NAME" else ("NAME", marks + "UE to [EMAIL]"))


async def test_a_request_of_logs_goes_alone() -> None:
    """Only spans are redacted together."""
    redactor = Redactor(default_rules())
    gated = _Gated()
    logs = ReceivedRequest(Signal.LOGS, Encoding.PROTO, b"")
    thread = _busy()
    first = asyncio.create_task(thread.redact(_request(), gated))
    await asyncio.to_thread(gated.entered.wait, 30)
    waiting = [asyncio.create_task(thread.redact(each, redactor)) for each in (_request("a"), logs, _request("b"))]
    await asyncio.sleep(0)
    gated.go_on.set()
    a, of_logs, b = await asyncio.gather(*waiting)
    await first
    await thread.stop()
    assert (_names(a), _names(b)) == (["a"], ["b"])
    assert isinstance(of_logs.redacted, RedactedBatch)


class _Where(Redactor):
    """Notes in which thread it is asked, for how many requests together."""

    def __init__(self) -> None:
        super().__init__(default_rules())
        self.asked: list[tuple[bool, int]] = []

    def requests(self, decoded: Sequence[DecodedSpans]) -> list[RedactedSpans]:
        self.asked.append((threading.current_thread() is threading.main_thread(), len(decoded)))
        return super().requests(decoded)


def _of_pace(seconds_per_byte: float) -> RedactionThread:
    thread = RedactionThread(ManualClock())
    thread.seconds_per_byte = seconds_per_byte
    return thread


async def test_a_small_request_is_redacted_where_it_comes_in() -> None:
    """The loop does not hand over what is done sooner than handed over."""
    redactor, thread = _Where(), _of_pace(1e-9)
    await thread.redact(_request(), redactor)
    assert redactor.asked == [(True, 1)]
    assert (thread.waiting_bytes, thread._thread) == (0, None)
    await thread.stop()


async def test_small_requests_that_come_together_are_redacted_together() -> None:
    """As in the thread."""
    redactor, thread = _Where(), _of_pace(1e-9)
    results = await asyncio.gather(*(thread.redact(_request(name), redactor) for name in ("a", "b", "c")))
    assert list(map(_names, results)) == [["a"], ["b"], ["c"]]
    assert redactor.asked == [(True, 3)]
    await thread.stop()


async def test_a_large_request_goes_to_the_thread() -> None:
    """And so does one whose time nobody knows, the first."""
    for seconds_per_byte in (1.0, 0.0):
        redactor, thread = _Where(), _of_pace(seconds_per_byte)
        await thread.redact(_request(), redactor)
        assert redactor.asked == [(False, 1)]
        await thread.stop()


async def test_the_loop_redacts_for_a_share_of_its_time_only() -> None:
    """Else it would be too busy to refuse anybody: what is more goes to the thread, until the loop has earned it."""
    clock = ManualClock()

    class Slow(_Where):
        def requests(self, decoded: Sequence[DecodedSpans]) -> list[RedactedSpans]:
            clock.advance(0.015)
            return super().requests(decoded)

    redactor, thread = Slow(), RedactionThread(clock)
    for _ in range(3):
        thread.seconds_per_byte = 1e-9
        await thread.redact(_request(), redactor)
    assert [here for here, _ in redactor.asked] == [True, True, False]
    thread.seconds_per_byte = 1e-9
    clock.advance(1.0)
    await thread.redact(_request(), redactor)
    assert redactor.asked[-1] == (True, 1)
    await thread.stop()


async def test_it_is_known_how_long_the_thread_is_at_something() -> None:
    """A request that hangs can be told from one that takes its time, and from a thread that is idle."""
    clock = ManualClock()
    redactor, thread = _Gated(), RedactionThread(clock)
    assert thread.busy_seconds == 0
    task = asyncio.create_task(thread.redact(_request(), redactor))
    await asyncio.to_thread(redactor.entered.wait, 30)
    clock.advance(7)
    assert thread.busy_seconds == 7
    redactor.go_on.set()
    await task
    clock.advance(7)
    assert thread.busy_seconds == 0
    await thread.stop()


async def test_a_request_whose_sender_gave_up_is_not_worked_on() -> None:
    """Under overload that would be work for nobody."""
    thread = RedactionThread(SystemClock())
    redactor = _Gated()
    first = asyncio.create_task(thread.redact(_request(), redactor))
    await asyncio.to_thread(redactor.entered.wait, 30)
    second = asyncio.create_task(thread.redact(_request(), redactor))
    await asyncio.sleep(0)
    second.cancel()
    redactor.go_on.set()
    await first
    await thread.stop()
    assert redactor.seen == 1
    assert thread.waiting_bytes == 0


async def test_what_waits_is_finished_before_the_thread_ends() -> None:
    """Whoever waits is answered; the books close afterwards."""
    thread = RedactionThread(SystemClock())
    redactor = _Gated()
    waiting = [asyncio.create_task(thread.redact(_request(), redactor)) for _ in range(5)]
    await asyncio.to_thread(redactor.entered.wait, 30)
    stopping = asyncio.create_task(thread.stop())
    redactor.go_on.set()
    await stopping
    assert [isinstance((await each).redacted, RedactedSpans) for each in waiting] == [True] * 5
    assert "redact" not in {each.name for each in threading.enumerate()}
