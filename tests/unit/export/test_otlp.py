"""The OTLP exporter against a scripted peer on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import grpc
import pytest

from fakes import ManualClock
from spansieve.config_exporters import OtlpExporter
from spansieve.export import QueueStatus, otlp, retry
from spansieve.export.otlp import OtlpDestination, rejected_items
from spansieve.model import SampledTrace, Signal
from spansieve.outcome import Ledger
from unit.export.helpers_export import (
    Call,
    Peer,
    Recorder,
    Say,
    Sleeps,
    exported,
    fates,
    logs,
    metrics,
    received,
    running_peer,
    trace,
)


@pytest.fixture(autouse=True, scope="module")
def small_limits() -> Iterator[None]:
    """The peers here may have any limit, so that messages need not be large."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retry, "LEAST_LIMIT", 0)
        yield


UNAVAILABLE = Say(grpc.StatusCode.UNAVAILABLE)
TOO_LARGE = Say(grpc.StatusCode.RESOURCE_EXHAUSTED)


class Exporter:
    """A started destination with the world around it."""

    def __init__(self, peer: Peer, sleeps: Sleeps, **settings: object) -> None:
        self.peer = peer
        self.ledger = Ledger()
        self.clock = ManualClock()
        self.logger = Recorder()
        self.sleeps = sleeps
        settings = {"tls": {"insecure": True}, "num_consumers": 1, **settings}
        config = OtlpExporter(endpoint=settings.pop("endpoint", peer.address), **settings)
        self.destination = OtlpDestination(config, self.ledger, self.clock, lambda: 0.5, self.logger, sleeps)

    def submit(self, *traces: SampledTrace) -> None:
        """Enter traces in the books and submit them."""
        self.destination.submit_traces(received(self.ledger, traces))

    def submit_request(self, signal: Signal, payload: bytes, items: int) -> None:
        """Enter a request in the books and submit it."""
        self.ledger.receive(signal, items)
        self.destination.submit(signal, payload, items)

    async def drain(self) -> None:
        """Stop with all the time in the world: the test's timeout bounds it."""
        await self.destination.stop(3600)


@asynccontextmanager
async def exporting(*, wakes_at_once: bool = True, **settings: object) -> AsyncIterator[Exporter]:
    """An exporter and its peer; both are gone afterwards."""
    async with running_peer() as peer:
        exporter = Exporter(peer, Sleeps(wakes_at_once=wakes_at_once), **settings)
        await exporter.destination.start()
        try:
            yield exporter
        finally:
            await exporter.destination.stop(0)


async def test_traces_are_exported_and_settled() -> None:
    """What the peer accepted is in the books as exported."""
    async with exporting() as exporter:
        exporter.submit(trace("a", "b"), trace("c", number=2))
        await exporter.drain()
        assert exporter.peer.calls[0].span_names == ["a", "b", "c"]
        assert fates(exporter.ledger) == {"exported": 3}


@pytest.mark.parametrize(("signal", "payload"), [(Signal.LOGS, logs("a", "b")), (Signal.METRICS, metrics(x=2))])
async def test_logs_and_metrics_go_as_they_are(signal: Signal, payload: bytes) -> None:
    """To the service of their signal."""
    async with exporting() as exporter:
        exporter.submit_request(signal, payload, 2)
        await exporter.drain()
        assert [(call.signal, call.payload) for call in exporter.peer.calls] == [(signal, payload)]
        assert fates(exporter.ledger, signal) == {"exported": 2}


async def test_headers_are_sent_with_each_call() -> None:
    """Names in lower case, as HTTP/2 wants them."""
    async with exporting(headers={"X-Tenant": "blue"}) as exporter:
        exporter.submit(trace("a"))
        await exporter.drain()
        assert exporter.peer.calls[0].metadata["x-tenant"] == "blue"


async def test_gzip_arrives_inflated() -> None:
    """The peer reads the same spans."""
    async with exporting(compression="gzip") as exporter:
        exporter.submit(trace("a", size=1000))
        await exporter.drain()
        assert exporter.peer.calls[0].span_names == ["a"]


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    ],
)
async def test_a_retryable_failure_is_tried_again(code: grpc.StatusCode) -> None:
    """With the same spans, until the peer accepts."""
    async with exporting() as exporter:
        exporter.peer.say(Say(code), Say(code))
        exporter.submit(trace("a"))
        await exporter.peer.was_called(3)
        await exporter.drain()
        assert [call.span_names for call in exporter.peer.calls] == [["a"]] * 3
        assert fates(exporter.ledger) == {"exported": 1}


async def test_waits_grow_between_attempts() -> None:
    """By the multiplier, from the initial interval."""
    retry = {"initial_interval": "1s", "multiplier": 3}
    async with exporting(retry_on_failure=retry) as exporter:
        exporter.peer.say(*[UNAVAILABLE] * 3)
        exporter.submit(trace("a"))
        await exporter.peer.was_called(4)
        assert exporter.sleeps.asked == [1.0, 3.0, 9.0]


async def test_the_peer_says_how_long_to_wait() -> None:
    """RetryInfo goes before our own shorter interval."""
    async with exporting() as exporter:
        exporter.peer.say(Say(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_in=12.5))
        exporter.submit(trace("a"))
        await exporter.peer.was_called(2)
        await exporter.drain()
        assert exporter.sleeps.asked == [12.5]
        assert fates(exporter.ledger) == {"exported": 1}


async def test_what_waits_for_a_peer_is_held() -> None:
    """Bytes and items in the status, nothing in the books yet."""
    async with exporting(wakes_at_once=False) as exporter:
        exporter.peer.say(UNAVAILABLE)
        exporter.submit(trace("a"))
        await exporter.sleeps.slept(1)
        exporter.submit(trace("b"))
        status = exporter.destination.status()
        assert (status[Signal.TRACES].items, status[Signal.TRACES].consecutive_failures) == (2, 1)
        assert status[Signal.TRACES].bytes == exporter.destination.held_bytes > 0
        assert status[Signal.LOGS] == QueueStatus(0, 0, 0)
        assert exporter.destination.consecutive_failures == 1
        assert fates(exporter.ledger) == {"in_flight": 2}


async def test_an_outage_is_one_warning_and_one_line_at_its_end() -> None:
    """Not a line for each attempt, and no error: nothing was lost."""
    async with exporting() as exporter:
        exporter.peer.say(*[UNAVAILABLE] * 5)
        exporter.submit(trace("a"))
        await exporter.peer.was_called(6)
        await exporter.drain()
        assert [event for _, event, _ in exporter.logger.lines] == ["export_failing", "export_recovered"]
        assert exporter.destination.consecutive_failures == 0


@pytest.mark.parametrize("code", [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL])
async def test_a_refusal_for_good_drops_what_the_peer_cannot_take(code: grpc.StatusCode) -> None:
    """That span alone: what went with it, of its trace and of others, is taken."""
    async with exporting() as exporter:
        exporter.peer.judge = lambda call: Say(code) if "bad" in call.span_names else Say()
        exporter.submit(trace("a", number=1), trace("b", "bad", "c", number=2), trace("d", number=3))
        await exporter.drain()
        taken = [name for call in exporter.peer.calls if "bad" not in call.span_names for name in call.span_names]
        assert taken == ["a", "b", "c", "d"]
        assert fates(exporter.ledger) == {"downstream_rejected": 1, "exported": 4}


async def test_a_peer_that_takes_nothing_from_us_is_waited_for() -> None:
    """About the longest wait at a time; one error line for all attempts, and the code in the status meanwhile."""
    async with exporting(wakes_at_once=False, retry_on_failure={"max_interval": "20s"}) as exporter:
        exporter.peer.say(*[Say(grpc.StatusCode.UNAUTHENTICATED)] * 3)
        exporter.submit(trace("a"))
        await exporter.sleeps.slept(1)
        assert exporter.destination.status()[Signal.TRACES].refused_with == "UNAUTHENTICATED"
        exporter.sleeps.wake()
        await exporter.peer.was_called(4)
        await exporter.drain()
        assert exporter.sleeps.asked == [20.0] * 3
        assert exporter.logger.events("error") == ["export_refused"]
        assert exporter.logger.events("info") == ["export_recovered"]
        assert exporter.destination.status()[Signal.TRACES].refused_with == ""
        assert fates(exporter.ledger) == {"exported": 1}


async def test_a_wrong_endpoint_is_no_refusal_of_a_signal() -> None:
    """Where nobody took anything, UNIMPLEMENTED is waited for; a peer that takes traces has no use for logs."""
    unimplemented = Say(grpc.StatusCode.UNIMPLEMENTED)
    async with exporting() as exporter:
        exporter.peer.say(unimplemented, unimplemented)
        exporter.submit(trace("a"))
        await exporter.peer.was_called(3)
        exporter.peer.say(unimplemented)
        exporter.submit_request(Signal.LOGS, logs("a"), 1)
        await exporter.drain()
        assert fates(exporter.ledger) == {"exported": 1}
        assert fates(exporter.ledger, Signal.LOGS) == {"downstream_rejected": 1}


async def test_a_drop_is_an_error_line_without_the_peers_words() -> None:
    """Count, reason and code: what the peer says may quote what it was sent."""
    async with exporting() as exporter:
        exporter.peer.judge = lambda _: Say(grpc.StatusCode.INTERNAL)
        exporter.submit(trace("a", "b"))
        await exporter.drain()
        values = {"signal": "traces", "items": 2, "reason": "downstream_rejected", "code": "INTERNAL"}
        assert exporter.logger.lines == [("error", "export_dropped", values)]


@pytest.mark.parametrize(
    ("signal", "payload"), [(Signal.LOGS, logs(*"abcde")), (Signal.METRICS, metrics(x=5)), (Signal.TRACES, b"")]
)
async def test_partial_success_drops_what_was_rejected(signal: Signal, payload: bytes) -> None:
    """The rest counts as exported, and nothing is sent again."""
    async with exporting() as exporter:
        exporter.peer.say(Say(rejected=2))
        if signal is Signal.TRACES:
            exporter.submit(trace(*"abcde"))
        else:
            exporter.submit_request(signal, payload, 5)
        await exporter.drain()
        assert len(exporter.peer.calls) == 1
        assert fates(exporter.ledger, signal) == {"downstream_rejected": 2, "exported": 3}
        assert exporter.logger.events("error") == ["export_dropped"]


@pytest.mark.parametrize(("rejected", "fate"), [(99, {"downstream_rejected": 2}), (-99, {"exported": 2})])
async def test_a_peer_cannot_reject_more_than_it_was_sent(rejected: int, fate: dict[str, int]) -> None:
    """Nor less than nothing: the books balance whatever it says."""
    async with exporting() as exporter:
        exporter.peer.say(Say(rejected=rejected))
        exporter.submit(trace("a", "b"))
        await exporter.drain()
        assert fates(exporter.ledger) == fate


async def test_an_unreadable_response_is_a_success() -> None:
    """The status was OK."""
    async with exporting() as exporter:
        exporter.peer.say(Say(response=b"\xff\xff"))
        exporter.submit(trace("a"))
        await exporter.drain()
        assert fates(exporter.ledger) == {"exported": 1}


def test_an_empty_response_rejects_nothing() -> None:
    """For each signal."""
    assert [rejected_items(signal, b"") for signal in Signal] == [0, 0, 0]


def more_than(limit: int) -> Callable[[Call], Say]:
    """A peer that takes requests of so many bytes."""
    return lambda call: TOO_LARGE if len(call.payload) > limit else Say()


async def test_a_batch_that_is_too_large_is_halved_until_it_is_taken() -> None:
    """Every span arrives once, in order."""
    async with exporting() as exporter:
        exporter.peer.judge = more_than(700)
        exporter.submit(*(trace(f"{n}a", f"{n}b", size=200, number=n) for n in range(5)))
        await exporter.drain()
        taken = [call for call in exporter.peer.calls if len(call.payload) <= 700]
        assert [name for call in taken for name in call.span_names] == [f"{n}{x}" for n in range(5) for x in "ab"]
        assert fates(exporter.ledger) == {"exported": 10}


async def test_a_trace_that_is_too_large_is_halved_between_its_spans() -> None:
    """Each arrives once."""
    async with exporting() as exporter:
        exporter.peer.judge = more_than(400)
        exporter.submit(trace(*"abcd", size=200))
        await exporter.drain()
        assert fates(exporter.ledger) == {"exported": 4}


async def test_a_single_span_that_is_too_large_is_dropped() -> None:
    """Its neighbours are exported."""
    async with exporting() as exporter:
        exporter.peer.judge = more_than(1000)
        exporter.submit(trace("a"), trace("huge", size=2000, number=2), trace("c", number=3))
        await exporter.drain()
        assert fates(exporter.ledger) == {"exported": 2, "too_large": 1}
        assert exporter.logger.events("error") == ["export_dropped"]


async def test_logs_that_are_too_large_are_halved() -> None:
    """Before they are sent by max_batch_bytes, and after by the peer's own limit."""
    async with exporting(max_batch_bytes=1024) as exporter:
        exporter.peer.judge = more_than(300)
        exporter.submit_request(Signal.LOGS, logs(*(str(n) * 100 for n in range(10)), "x" * 400), 11)
        await exporter.drain()
        assert max(len(call.payload) for call in exporter.peer.calls) <= 1024
        assert fates(exporter.ledger, Signal.LOGS) == {"exported": 10, "too_large": 1}


async def test_requests_are_within_max_batch_bytes() -> None:
    """While traces wait they gather in batches of that size."""
    async with exporting(max_batch_bytes=2048, num_consumers=3) as exporter:
        exporter.submit(*(trace("a", size=300, number=n) for n in range(50)))
        await exporter.drain()
        assert max(len(call.payload) for call in exporter.peer.calls) <= 2048
        assert exported(exporter.ledger) == 50


async def test_so_many_calls_are_in_flight_as_configured() -> None:
    """One signal does not take more; another signal has its own."""
    gate = asyncio.Event()
    async with exporting(max_batch_bytes=1024, num_consumers=3) as exporter:
        exporter.peer.judge = lambda _: Say(after=gate)
        exporter.submit(*(trace("a", size=900, number=n) for n in range(10)))
        await exporter.peer.was_called(3)
        exporter.submit_request(Signal.LOGS, logs("a"), 1)
        await exporter.peer.was_called_for(Signal.LOGS)
        assert [call.signal for call in exporter.peer.calls] == [Signal.TRACES] * 3 + [Signal.LOGS]
        gate.set()
        await exporter.drain()
        assert exported(exporter.ledger) == 10


async def test_a_peer_that_does_not_answer_is_given_up_after_the_timeout() -> None:
    """And asked again: the deadline of an attempt is not the end of the data."""
    never = asyncio.Event()
    async with exporting(timeout="100ms") as exporter:
        exporter.peer.say(Say(after=never))
        exporter.submit(trace("a"))
        await exporter.peer.was_called(2)
        await exporter.drain()
        assert fates(exporter.ledger) == {"exported": 1}


async def test_stop_tries_what_waits_once_more_at_once() -> None:
    """A peer that is back gets what it missed, even when it asked for an hour."""
    async with exporting(wakes_at_once=False) as exporter:
        exporter.peer.say(Say(grpc.StatusCode.UNAVAILABLE, retry_in=3600))
        exporter.submit(trace("a"))
        await exporter.sleeps.slept(1)
        await exporter.drain()
        assert fates(exporter.ledger) == {"exported": 1}


async def test_what_is_left_at_the_deadline_is_dropped() -> None:
    """What waits, what is between attempts and what is in flight: each once, in one error line for the signal."""
    never = asyncio.Event()
    async with exporting(wakes_at_once=False, num_consumers=2, max_batch_bytes=1024) as exporter:
        exporter.peer.say(UNAVAILABLE, Say(after=never))
        exporter.submit(*(trace("a", "b", size=400, number=n) for n in range(4)))
        await exporter.sleeps.slept(1)
        await exporter.peer.was_called(2)
        exporter.peer.judge = lambda _: UNAVAILABLE
        await exporter.destination.stop(0)
        assert fates(exporter.ledger) == {"shutdown": 8}
        assert exporter.logger.lines[-1] == (
            "error",
            "export_dropped",
            {"signal": "traces", "items": 8, "reason": "shutdown"},
        )
        assert exporter.destination.held_bytes == 0


async def test_a_destination_that_never_started_can_stop() -> None:
    """What was submitted meanwhile is dropped in the books."""
    exporter = Exporter(Peer("127.0.0.1:1"), Sleeps(wakes_at_once=True))
    exporter.submit(trace("a"))
    await exporter.destination.stop(0)
    assert fates(exporter.ledger) == {"shutdown": 1}


async def test_a_peer_that_comes_late_gets_everything() -> None:
    """Nobody listens at first; no attempt is the last."""
    async with running_peer() as first:
        port = int(first.address.rpartition(":")[2])
    exporter = Exporter(first, Sleeps(wakes_at_once=False), retry_on_failure={"initial_interval": "10ms"})
    await exporter.destination.start()
    exporter.submit(trace("a"))
    await exporter.sleeps.slept(1)
    async with running_peer(port=port) as second:
        exporter.sleeps.wake()
        await second.was_called(1)
        await exporter.drain()
        assert second.calls[0].span_names == ["a"]
        assert fates(exporter.ledger) == {"exported": 1}


async def test_own_metrics_are_in_no_ledger() -> None:
    """They are sent like others, and leave no line in the books."""
    async with exporting() as exporter:
        exporter.destination.submit_own_metrics(metrics(own=3))
        await exporter.drain()
        assert [call.payload for call in exporter.peer.calls] == [metrics(own=3)]
        assert fates(exporter.ledger, Signal.METRICS) == {}


async def test_own_metrics_that_do_not_arrive_are_one_warning() -> None:
    """Before there is any traffic this is what tells that the Collector is not there."""
    async with exporting() as exporter:
        exporter.peer.say(*[UNAVAILABLE] * 3)
        exporter.destination.submit_own_metrics(metrics(own=1))
        await exporter.peer.was_called(4)
        assert [(event, values["signal"]) for _, event, values in exporter.logger.lines] == [
            ("export_failing", "own_metrics")
        ]


async def test_the_newest_own_metrics_replace_older_ones() -> None:
    """While the peer is away they do not pile up."""
    async with exporting(wakes_at_once=False) as exporter:
        exporter.peer.say(UNAVAILABLE)
        exporter.destination.submit_own_metrics(metrics(own=1))
        await exporter.sleeps.slept(1)
        for points in (2, 3, 4):
            exporter.destination.submit_own_metrics(metrics(own=points))
        await exporter.drain()
        assert [call.payload for call in exporter.peer.calls] == [metrics(own=1), metrics(own=4)]


async def test_own_metrics_that_come_during_a_call_are_sent_after_it() -> None:
    """They are newer than what is in flight."""
    gate = asyncio.Event()
    async with exporting() as exporter:
        exporter.peer.say(Say(after=gate))
        exporter.destination.submit_own_metrics(metrics(own=1))
        await exporter.peer.was_called(1)
        exporter.destination.submit_own_metrics(metrics(own=2))
        gate.set()
        await exporter.drain()
        assert [call.payload for call in exporter.peer.calls] == [metrics(own=1), metrics(own=2)]


async def test_own_metrics_alone_do_not_hold_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a peer that is away when nothing else is to be sent."""
    loop = asyncio.get_running_loop()
    clock = loop.time
    async with exporting(wakes_at_once=False) as exporter:
        exporter.peer.say(UNAVAILABLE, UNAVAILABLE)
        exporter.destination.submit_own_metrics(metrics(own=1))
        await exporter.sleeps.slept(1)
        ending = asyncio.create_task(exporter.drain())
        await exporter.peer.was_called(2)
        assert not ending.done()
        monkeypatch.setattr(loop, "time", lambda: clock() + otlp._LAST_METRICS_SECONDS)
        await ending
        assert [call.payload for call in exporter.peer.calls] == [metrics(own=1)] * 2


@pytest.mark.parametrize("answer", [Say(grpc.StatusCode.INVALID_ARGUMENT), Say(rejected=1), TOO_LARGE])
async def test_refused_own_metrics_are_given_up(answer: Say) -> None:
    """With a warning; the next ones say it again."""
    async with exporting() as exporter:
        exporter.peer.say(answer)
        exporter.destination.submit_own_metrics(metrics(own=1))
        await exporter.drain()
        assert len(exporter.peer.calls) == 1
        assert exporter.logger.events("warning") == ["own_metrics_refused"]


async def test_a_defect_of_ours_is_said_and_settled_at_the_end() -> None:
    """An export task that ends by an exception leaves a line with its type and places, and its batch in the books."""
    async with exporting() as exporter:
        ended = asyncio.Event()
        delivery = exporter.destination._deliveries[Signal.TRACES]

        async def fail(_: bytes) -> int:
            ended.set()
            raise RuntimeError("raw words")

        delivery._send = fail
        exporter.submit(trace("a"))
        await ended.wait()
        await exporter.destination.stop(0)
        (line,) = [each for _, event, each in exporter.logger.lines if event == "export_task_failed"]
        assert (line["task"], line["exception"]) == ("export traces 0", "RuntimeError")
        assert "raw words" not in str(line)
        assert exporter.destination.defects == 1
        assert fates(exporter.ledger) == {"shutdown": 1}
