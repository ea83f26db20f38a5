"""What a restart makes of the journal, where the whole-gateway properties do not look."""

import json

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from fakes import ManualClock
from fakes_disk import FakeDisk
from helpers_process import Process
from spansieve.journal.errors import JournalError
from spansieve.journal.reading import Saved
from spansieve.measure import Meter
from spansieve.measure.pricing import PriceTable
from spansieve.model import Signal
from spansieve.outcome import Ledger, Outcome, Reason
from spansieve.pieces import sections
from spansieve.replay import Replay

SAMPLING = {
    "decision_wait": "10s",
    "late_error_wait": "0s",
    "policies": [{"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}}],
}


def logs(number: int) -> bytes:
    """A request with one log record."""
    message = ExportLogsServiceRequest()
    record = message.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1_790_000_000_000_000_000)
    record.body.string_value = f"line {number}"
    return message.SerializeToString()


def spans(trace: int) -> ExportTraceServiceRequest:
    """A request with one span."""
    message = ExportTraceServiceRequest()
    message.resource_spans.add().scope_spans.add().spans.add(
        trace_id=trace.to_bytes(16, "big"),
        span_id=trace.to_bytes(8, "big"),
        name="work",
        start_time_unix_nano=1_790_000_000_000_000_000,
        end_time_unix_nano=1_790_000_000_000_000_001,
    )
    return message


async def restarted(process: Process, disk: FakeDisk, clock: ManualClock) -> tuple[Process, FakeDisk]:
    """Kill a process and start the next one."""
    left = disk.left()
    await process.end()
    return await Process(clock, SAMPLING).start(left), left


async def test_logs_that_were_not_handed_over_are_handed_over_again() -> None:
    """Those that were are not."""
    clock, disk = ManualClock(), FakeDisk()
    process = await Process(clock, SAMPLING).start(disk)
    await process.accept(Signal.LOGS, logs(1))
    process.destination.export_all()
    await process.accept(Signal.LOGS, logs(2))
    process, _ = await restarted(process, disk, clock)
    (request,) = process.destination.requests
    assert b"line 2" in request[1]
    process.destination.export_all()
    assert process.ledger.settled(Signal.LOGS, Outcome.EXPORTED) == 2
    assert process.ledger.balances()
    await process.end()


async def test_a_trace_waits_for_what_it_had_left() -> None:
    """The time in which no gateway ran does not count."""
    clock, disk = ManualClock(), FakeDisk()
    process = await Process(clock, SAMPLING).start(disk)
    await process.send(spans(1))
    clock.advance(6)
    await process.send(spans(2))
    left = disk.left()
    await process.end()
    clock.advance(3600)
    process = await Process(clock, SAMPLING).start(left)
    process.decide()
    assert process.sampler.held_spans == 2
    clock.advance(3.9)
    process.decide()
    assert process.sampler.held_spans == 2
    clock.advance(0.2)
    process.decide()
    assert process.books() == {"received": 2, "sampled_out": 1, "in_flight": 1}
    clock.advance(6)
    process.decide()
    assert process.books() == {"received": 2, "sampled_out": 2}
    await process.end()


def thumbs_down(trace: int) -> bytes:
    """A request with a log record that tells of a user's judgement of a trace."""
    message = ExportLogsServiceRequest()
    record = (
        message.resource_logs.add()
        .scope_logs.add()
        .log_records.add(
            trace_id=trace.to_bytes(16, "big"),
            span_id=trace.to_bytes(8, "big"),
            time_unix_nano=1_790_000_000_000_000_000,
            event_name="gen_ai.evaluation.result",
        )
    )
    record.attributes.add(key="gen_ai.evaluation.name").value.string_value = "user_feedback"
    record.attributes.add(key="gen_ai.evaluation.score.label").value.string_value = "thumbs_down"
    return message.SerializeToString()


UNHAPPY = {"decision_wait": "10s", "policies": [{"name": "unhappy", "type": "thumbs_down"}]}


@pytest.mark.parametrize("orderly", [False, True], ids=["killed", "stopped"])
@pytest.mark.parametrize("when", ["before its trace", "after a decision against it"])
async def test_a_judgement_counts_over_a_restart(when: str, *, orderly: bool) -> None:
    """Log records are sent sooner than spans, or later than the decision."""
    clock, disk = ManualClock(), FakeDisk()
    process = await Process(clock, UNHAPPY).start(disk)
    if when == "before its trace":
        await process.accept(Signal.LOGS, thumbs_down(1))
    else:
        await process.send(spans(1))
        clock.advance(11)
        process.decide()
    if orderly:
        await process.end()
    left = disk.left()
    if not orderly:
        await process.end()
    process = await Process(clock, UNHAPPY).start(left)
    if when == "before its trace":
        await process.send(spans(1))
    else:
        process.decide()
        await process.accept(Signal.LOGS, thumbs_down(1))
    clock.advance(11)
    process.decide()
    assert len(process.export()) == 1
    assert process.ledger.balances()
    await process.end()


LIMITED = {
    "decision_wait": "1ms",
    "late_error_wait": "0s",
    "policies": [
        {"name": "limited", "type": "rate_limiting", "rate_limiting": {"spans_per_second": 5, "burst_capacity": 5}},
        {"name": "rare", "type": "dynamic", "shadow": True, "dynamic": {"keys": ["model"], "goal_sampling_rate": 10}},
    ],
}


async def limited(process: Process, clock: ManualClock, first: int) -> int:
    """Have seven traces decided, of which five may pass in a second; how many did."""
    process.destination.export_all()
    for number in range(first, first + 7):
        await process.send(spans(number))
    clock.advance(0.002)
    process.decide()
    return len(process.export())


def rates(process: Process) -> dict[str, object]:
    """How far the policies have come that count."""
    head: dict[str, dict[str, object]] = json.loads(sections(b"".join(process.sampler.state()))["head"][0])
    assert len(head["policies"]) == 2
    return head["policies"]


async def test_after_an_orderly_stop_rates_go_on_exactly() -> None:
    """What was spent is spent, and what was counted is known: the last checkpoint stands behind everything."""
    clock, disk = ManualClock(), FakeDisk()
    process = await Process(clock, LIMITED).start(disk)
    assert await limited(process, clock, 1) == 5
    state = b"".join(process.sampler.state())
    await process.end()
    process = await Process(clock, LIMITED).start(disk.left())
    assert b"".join(process.sampler.state()) == state
    assert await limited(process, clock, 11) == 0
    await process.end()


async def test_after_a_crash_rates_go_on_from_the_last_checkpoint() -> None:
    """What came since is followed and not counted anew: at most what may be saved up is spent a second time."""
    clock, disk = ManualClock(), FakeDisk()
    process = await Process(clock, LIMITED).start(disk)
    begun = rates(process)
    assert [await limited(process, clock, first) for first in (1, 11)] == [5, 0]
    left = disk.left()
    await process.end()
    process = await Process(clock, LIMITED).start(left)
    assert rates(process) == begun
    assert [await limited(process, clock, first) for first in (21, 31)] == [5, 0]
    await process.end()


async def test_what_the_disk_lost_is_dropped_in_the_books() -> None:
    """With a reason, so that they balance; the rest has its fate."""
    clock, disk = ManualClock(), FakeDisk()
    process = await Process(clock, SAMPLING).start(disk)
    await process.send(spans(1))
    process, disk = await restarted(process, disk, clock)  # a checkpoint that knows of the span
    left = disk.left()
    await process.end()
    oldest = min(name for name in left.names() if name.endswith(".segment"))
    left.corrupt(oldest, len(left.read(oldest)) - 5)
    process = await Process(clock, SAMPLING).start(left)
    assert process.books() == {"received": 1, "dropped": 1}
    assert [reason for _, _, reason, _ in process.ledger.outcomes()] == [Reason.JOURNAL_DAMAGED]
    assert "journal_damaged" in [event for event, _ in process.heard.lines]
    await process.end()


@pytest.mark.parametrize("parts", [{}, {"meter": b"no", "sampler": b"no", "ledger": b"no", "started_ns": b"no"}])
def test_a_state_of_another_version_is_an_error(parts: dict[str, bytes]) -> None:
    """It is not guessed at, and nothing starts empty."""
    process = Process(ManualClock(), SAMPLING)
    replay = Replay(Meter(PriceTable(())), process.sampler, Ledger())
    with pytest.raises(JournalError, match="another version"):
        replay.restore(Saved(1, 0.0, parts))
