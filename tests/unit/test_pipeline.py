"""The stages in their order: what a request becomes, what the books say, and that a refused request leaves nothing."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from fakes import ManualClock, RecordingDestination
from fakes_disk import FakeDisk
from helpers_process import RING, Process
from spansieve import sampling_plan, wire
from spansieve.config import Sampling
from spansieve.errors import MalformedRequest, TooLarge, Unavailable
from spansieve.journal.reading import JournalReader
from spansieve.measure import Meter
from spansieve.measure.pricing import PriceTable
from spansieve.model import Decision, DecodedSpans, Encoding, ReceivedRequest, RedactedSpans, Signal, Trigger
from spansieve.outcome import Ledger, Outcome, Reason
from spansieve.pieces import sections
from spansieve.pipeline import _DECISIONS_AT_ONCE, Pipeline
from spansieve.redact import Redactor
from spansieve.redaction_thread import RedactionThread
from spansieve.sample import Sampler
from spansieve.sample.probes import Probes
from unit.redact.helpers_redact import default_rules

WAIT = 30.0
START = 1_700_000_000_000_000_000


@dataclass
class Observed:
    """What the pipeline told."""

    stages: list[str] = field(default_factory=list)
    findings: Counter[str] = field(default_factory=Counter)
    verdicts: list[tuple[bytes, Decision]] = field(default_factory=list)

    def observe_stage(self, stage: str, seconds: float) -> None:
        """Note a stage."""
        self.stages.append(stage)

    def count_findings(self, rule: str, values: int) -> None:
        """Note findings."""
        self.findings[rule] += values

    def note_verdicts(self, verdicts: Sequence[tuple[bytes, Decision]]) -> None:
        """Note verdicts."""
        self.verdicts += verdicts


class Bench:
    """A pipeline of real stages with a clock and a destination of ours."""

    def __init__(self, limit_bytes: int = 1 << 20) -> None:
        self.clock = ManualClock()
        self.ledger = Ledger()
        self.destination = RecordingDestination(self.ledger)
        self.observed = Observed()
        errors = {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}}
        settings = Sampling.model_validate({"decision_wait": f"{WAIT}s", "late_error_wait": "0s", "policies": [errors]})
        probes = Probes()
        self.meter = Meter(PriceTable(()))
        self.thread = RedactionThread(self.clock)
        self.pipeline = Pipeline(
            rules=default_rules(),
            meter=self.meter,
            sampler=Sampler(sampling_plan.plan(settings, probes), 1000, 1000, probes),
            destination=self.destination,
            thread=self.thread,
            ledger=self.ledger,
            clock=self.clock,
            limit_bytes=limit_bytes,
            observer=self.observed,
        )

    async def send(self, *spans: Span) -> tuple[int, str]:
        """Send spans in one request; what was rejected and why."""
        message = ExportTraceServiceRequest()
        message.resource_spans.add().scope_spans.add().spans.extend(spans)
        answer = await self.pipeline.accept(request(Signal.TRACES, message.SerializeToString()))
        return answer.rejected, answer.message

    def books(self) -> dict[str, int]:
        """The ledger's traces, without zeroes."""
        lines = {outcome.value: self.ledger.settled(Signal.TRACES, outcome) for outcome in Outcome}
        lines |= {
            "received": self.ledger.received(Signal.TRACES),
            "in_flight": self.ledger.in_flight(Signal.TRACES),
        }
        return {name: items for name, items in lines.items() if items}


Make = Callable[..., Bench]


@pytest_asyncio.fixture
async def make() -> AsyncIterator[Make]:
    """Pipelines, whose threads end with the test."""
    made: list[Bench] = []

    def make(limit_bytes: int = 1 << 20) -> Bench:
        made.append(Bench(limit_bytes))
        return made[-1]

    yield make
    for bench in made:
        await bench.thread.stop()


def request(signal: Signal, body: bytes) -> ReceivedRequest:
    """A protobuf request."""
    return ReceivedRequest(signal, Encoding.PROTO, body)


def span(trace: int, number: int = 1, *, error: bool = False, name: str = "work") -> Span:
    """A valid span of trace `trace`."""
    made = Span(
        trace_id=trace.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        name=name,
        start_time_unix_nano=START,
        end_time_unix_nano=START + 1_000_000,
    )
    if error:
        made.status.code = Status.STATUS_CODE_ERROR
    return made


async def test_a_failed_trace_is_kept_and_another_sampled_out(make: Make) -> None:
    """After the wait, each span has its outcome and the books balance."""
    bench = make()
    await bench.send(span(1, error=True), span(2))
    bench.clock.advance(WAIT)
    bench.pipeline.decide_due()
    bench.destination.export_all()
    assert bench.books() == {"received": 2, "exported": 1, "sampled_out": 1}
    assert bench.ledger.balances()


async def test_the_meter_learns_what_was_kept(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each such trace once, and no other: exemplars point to nothing else."""
    bench = make()
    kept: list[bytes] = []
    monkeypatch.setattr(bench.meter, "kept", kept.append)
    await bench.send(span(1, error=True), span(1, 2), span(2), span(3, error=True))
    bench.clock.advance(WAIT)
    bench.pipeline.decide_due()
    assert kept == [number.to_bytes(16, "big") for number in (1, 3)]


async def test_nothing_is_decided_before_the_wait_is_over(make: Make) -> None:
    """The rest of a trace may still come."""
    bench = make()
    await bench.send(span(1))
    bench.clock.advance(WAIT - 0.001)
    bench.pipeline.decide_due()
    assert bench.books() == {"received": 1, "in_flight": 1}


async def test_many_due_traces_are_decided_in_rounds(make: Make) -> None:
    """Between two rounds others are served; the last round says that nothing more is due."""
    bench = make()
    await bench.send(*(span(n) for n in range(1, 2 * _DECISIONS_AT_ONCE + 2)))
    bench.clock.advance(WAIT)
    assert [bench.pipeline.decide_due() for _ in range(4)] == [True, True, False, False]
    assert bench.books() == {"received": 2 * _DECISIONS_AT_ONCE + 1, "sampled_out": 2 * _DECISIONS_AT_ONCE + 1}


async def test_rounds_are_as_large_as_time_allows(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a decision takes 0.25 ms, a round comes to 2 ms; to 5 ms where the loop had no time for one for long."""
    bench = make(1 << 24)
    sizes: list[int] = []

    def note(verdicts: Sequence[tuple[bytes, Decision]]) -> None:
        bench.clock.advance(0.00025 * len(verdicts))
        sizes.append(len(verdicts))

    monkeypatch.setattr(bench.observed, "note_verdicts", note)
    await bench.send(*(span(n) for n in range(1, 2001)))
    sizes.clear()  # that of the request
    bench.clock.advance(WAIT)
    while bench.pipeline.decide_due() and sum(sizes) < 1500:
        bench.clock.advance(0.001)
    assert sizes[0] == _DECISIONS_AT_ONCE
    assert sizes[-1] in {7, 8}
    bench.clock.advance(1.0)
    bench.pipeline.decide_due()
    assert 17 <= sizes[-1] <= 20


async def test_traces_are_decided_while_the_state_is_written_down() -> None:
    """The state is that before, whatever is decided until it is complete."""
    clock, disk = ManualClock(), FakeDisk()
    process = await Process(clock, {"decision_wait": "1s", "policies": [{"name": "a", "type": "always_sample"}]}).start(
        disk
    )
    journal = process.pipeline.journal
    assert journal is not None
    message = ExportTraceServiceRequest()
    message.resource_spans.add().scope_spans.add().spans.append(span(1))
    await process.send(message)
    clock.advance(2)
    assert journal._roll(0)
    process.decide()
    assert process.sampler.held_spans == 0
    await journal.checkpointed()
    await journal.synced(journal._checkpoint_at)
    saved = JournalReader(disk.left(), RING).saved()
    assert saved is not None
    assert b"always_sample" not in saved.parts["sampler"]
    assert sections(saved.parts["sampler"]).get("kept.young") is None
    await process.end()


async def test_what_waits_is_redacted(make: Make) -> None:
    """The bytes of a kept span hold the token, not the value."""
    bench = make()
    await bench.send(span(1, error=True, name="mail jane.roe@example.com"))
    bench.pipeline.decide_all()
    (trace,) = bench.destination.traces
    exported = wire.frame_traces(trace.groups)
    assert b"jane.roe@example.com" not in exported
    assert b"[EMAIL]" in exported
    assert bench.observed.findings["email"] == 1


async def test_an_agent_whose_usage_is_not_its_calls_leaves_marked(make: Make) -> None:
    """The agent tells 99 tokens, the call beneath it 5: the agent's span says what was counted."""
    bench = make()
    agent, call = span(1, 1, error=True), span(1, 2)
    call.parent_span_id = agent.span_id
    for each, operation, tokens in ((agent, "invoke_agent", 99), (call, "chat", 5)):
        each.attributes.add(key="gen_ai.operation.name").value.string_value = operation
        each.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = tokens
    await bench.send(call, agent)
    bench.clock.advance(WAIT)
    bench.pipeline.decide_due()
    (trace,) = bench.destination.traces
    left = {each.span_id: each for each in map(Span.FromString, trace.groups[0].spans)}
    marks = {each.key: each.value for each in left[agent.span_id].attributes if each.key.startswith("spansieve.usage.")}
    assert marks["spansieve.usage.disagrees"].bool_value
    assert marks["spansieve.usage.counted.input_tokens"].int_value == 5
    assert not [each for each in left[call.span_id].attributes if each.key.startswith("spansieve.usage.")]


async def test_bad_spans_are_rejected_and_the_good_ones_go_on(make: Make) -> None:
    """The sender is told how many; the books know the reason."""
    bench = make()
    bad = span(2)
    bad.span_id = b"short"
    rejected, message = await bench.send(span(1), bad)
    assert rejected == 1
    assert "1 of 2 spans rejected" in message
    assert (Signal.TRACES, Outcome.REJECTED, Reason.INVALID_ID, 1) in list(bench.ledger.outcomes())


async def test_a_span_that_comes_twice_is_a_duplicate(make: Make) -> None:
    """In one request or in two, the second one's fate is said, and the books balance."""
    bench = make()
    await bench.send(span(1, error=True), span(1, error=True))
    await bench.send(span(1, error=True))
    bench.clock.advance(WAIT)
    bench.pipeline.decide_due()
    assert bench.books() == {"received": 3, "dropped": 2, "in_flight": 1}
    assert (Signal.TRACES, Outcome.DROPPED, Reason.DUPLICATE, 2) in bench.ledger.outcomes()


async def test_late_spans_follow_the_verdict_at_once(make: Make) -> None:
    """A span of a kept trace is exported, one of a sampled-out trace ends, neither waits."""
    bench = make()
    await bench.send(span(1, error=True), span(2))
    bench.pipeline.decide_all()
    await bench.send(span(1, 2), span(2, 2))
    assert bench.books() == {"received": 4, "sampled_out": 2, "in_flight": 2}
    assert [trace.decision.trigger for trace in bench.destination.traces] == [Trigger.SHUTDOWN, Trigger.LATE_SPAN]


async def test_over_the_memory_limit_senders_are_refused(make: Make) -> None:
    """With the time after which to try again, and without a trace in the books."""
    bench = make(limit_bytes=4096)
    await bench.send(*(span(n, error=True, name="x" * 1000) for n in range(1, 4)))
    with pytest.raises(Unavailable) as caught:
        await bench.send(span(9, name="x" * 2000))
    assert caught.value.retry_after > 0
    assert bench.ledger.received(Signal.TRACES) == 3


async def test_what_is_being_read_counts_against_the_memory_limit(make: Make) -> None:
    """Bodies whose end has not come leave no room for others, until they are let go of."""
    bench = make(limit_bytes=4096)
    bench.pipeline.hold(4090, 0)
    with pytest.raises(Unavailable):
        await bench.send(span(1))
    with pytest.raises(Unavailable):
        bench.pipeline.hold(7, 0)
    assert bench.pipeline.held_bytes == 4090
    bench.pipeline.hold(-4090, 4090)
    await bench.send(span(1))


async def test_a_request_that_will_never_fit_is_too_large(make: Make) -> None:
    """Its sender is not told to try again."""
    with pytest.raises(TooLarge):
        await make(limit_bytes=4096).send(span(1, name="x" * 4096))


async def test_once_the_destination_takes_what_is_held_senders_are_welcome_again(make: Make) -> None:
    """Back-pressure ends with its cause."""
    bench = make(limit_bytes=4096)
    await bench.send(*(span(n, error=True, name="x" * 1000) for n in range(1, 4)))
    bench.pipeline.decide_all()
    bench.destination.export_all()
    assert await bench.send(span(9, name="x" * 2000)) == (0, "")


async def test_near_the_memory_limit_the_oldest_traces_are_decided_early(make: Make) -> None:
    """By reason of memory, oldest first."""
    bench = make(limit_bytes=4096)
    await bench.send(span(1, error=True, name="x" * 1500))
    await bench.send(span(2, error=True, name="x" * 1500))
    await bench.send(span(3, error=True, name="x" * 100))
    early = [(trace.trace_id[-1], trace.decision.trigger) for trace in bench.destination.traces]
    assert early == [(1, Trigger.MEMORY_PRESSURE)]


async def test_a_malformed_request_leaves_nothing_behind(make: Make) -> None:
    """No item is received, and the message quotes nothing."""
    bench = make()
    with pytest.raises(MalformedRequest) as caught:
        await bench.pipeline.accept(request(Signal.TRACES, b"jane.roe@example.com"))
    assert "jane" not in caught.value.description
    assert bench.books() == {}


async def test_a_stage_that_fails_leaves_nothing_behind(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect in redaction refuses the request; nothing of it is in the books, the buffer or the destination."""

    def fail(self: Redactor, decoded: DecodedSpans) -> RedactedSpans:
        raise RuntimeError

    bench = make()
    monkeypatch.setattr(Redactor, "request", fail)
    with pytest.raises(RuntimeError):
        await bench.send(span(1))
    assert bench.books() == {}
    assert bench.pipeline.held_bytes == 0


async def test_log_records_are_redacted_and_go_on_at_once(make: Make) -> None:
    """They are not sampled."""
    bench = make()
    message = ExportLogsServiceRequest()
    record = message.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = "mail jane.roe@example.com"
    await bench.pipeline.accept(request(Signal.LOGS, message.SerializeToString()))
    ((signal, payload, items),) = bench.destination.requests
    assert (signal, items) == (Signal.LOGS, 1)
    assert b"jane" not in payload


async def test_an_applications_metric_under_a_derived_name_stops_here(make: Make) -> None:
    """It is counted as dropped, because it is derived here; its neighbour goes on."""
    bench = make()
    message = ExportMetricsServiceRequest()
    metrics = message.resource_metrics.add().scope_metrics.add().metrics
    metrics.add(name="gen_ai.client.token.usage").histogram.data_points.add(count=1)
    metrics.add(name="queue.size").gauge.data_points.add(as_int=3)
    await bench.pipeline.accept(request(Signal.METRICS, message.SerializeToString()))
    ((_, payload, items),) = bench.destination.requests
    assert items == 1
    assert b"gen_ai" not in payload
    assert (Signal.METRICS, Outcome.DROPPED, Reason.DERIVED_HERE, 1) in list(bench.ledger.outcomes())


async def test_an_empty_request_is_a_success(make: Make) -> None:
    """OTLP asks for it."""
    bench = make()
    for signal in Signal:
        answer = await bench.pipeline.accept(request(signal, b""))
        assert (answer.rejected, answer.message) == (0, "")
    assert bench.destination.requests == []


async def test_the_stages_are_timed_in_their_order(make: Make) -> None:
    """One observation for each stage of a request."""
    bench = make()
    await bench.send(span(1))
    assert bench.observed.stages == ["decode", "redact", "measure", "sample"]


async def test_a_request_that_would_wait_too_long_is_refused(make: Make) -> None:
    """By the pace of the redaction so far; the sender is told to come back when what waits is done."""
    bench = make()
    await bench.send(span(1))
    bench.thread.waiting_bytes, pace = 100_000, bench.thread.seconds_per_byte
    bench.thread.seconds_per_byte = 0.0001
    with pytest.raises(Unavailable) as caught:
        await bench.send(span(2))
    bench.thread.waiting_bytes, bench.thread.seconds_per_byte = 0, pace
    assert (caught.value.reason, caught.value.retry_after) == ("overload", pytest.approx(10, rel=0.01))
    assert bench.ledger.received(Signal.TRACES) == 1


async def test_rules_may_change_between_requests(make: Make) -> None:
    """The next request goes by the new ones."""
    bench = make()
    await bench.send(span(1, error=True))
    bench.pipeline.rules = default_rules()
    await bench.send(span(2, error=True, name="mail jane.roe@example.com"))
    assert bench.observed.findings["email"] == 1
