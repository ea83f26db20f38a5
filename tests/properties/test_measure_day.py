"""A day of calls, told by many, late, again, out of order and over restarts: totals are the plain sums."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve import measure
from spansieve.measure import Meter, MeterSettings
from spansieve.model import RedactedBatch, Signal
from unit.measure.helpers_measure import START_NS, Value, chat, key_values, measured, prices, request, series

_DAY_S = 86_400.0
_TRACES = 120
_BATCH_S = 1.0
_HALF = "ot=th:8"  # a sender kept one of two


@dataclass
class _Day:
    """What is sent and when, as (seconds, scope, item), and what there was."""

    seeded: random.Random
    sent: list[tuple[float, str, Span | LogRecord]] = field(default_factory=list)
    sums: Counter[str] = field(default_factory=Counter)
    ids: int = 0

    def send(self, at: float, scope: str, item: Span | LogRecord) -> None:
        """Send something within seconds, and perhaps again within minutes."""
        at += self.seeded.random() * 4
        self.sent.append((at, scope, item))
        while self.seeded.random() < 0.15:
            at += self.seeded.choice([2, 60, 600]) * self.seeded.random()
            self.sent.append((at, scope, item))


@dataclass
class _Trace:
    """One trace of the day; `late` is how much later than it happened it is sent, all of it."""

    day: _Day
    begin: float
    late: float
    state: str
    trace_id: bytes
    root: Span = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.span({}, 0, 6)
        self.tell("http", self.root)

    def span(self, attributes: Mapping[str, Value], start: float, seconds: float, parent: bytes = b"") -> Span:
        """A span so long after the trace's begin."""
        self.day.ids += 1
        start_ns = START_NS + round((self.begin + start) * 1e9)
        return Span(
            trace_id=self.trace_id,
            span_id=self.day.ids.to_bytes(8, "big"),
            parent_span_id=parent,
            name=str(attributes.get("name", "step")),
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + round(seconds * 1e9),
            trace_state=self.state,
            attributes=key_values(attributes),
        )

    def tell(self, scope: str, item: Span | LogRecord) -> None:
        """Send it after it ended."""
        end_ns = item.end_time_unix_nano if isinstance(item, Span) else item.time_unix_nano
        self.day.send((end_ns - START_NS) / 1e9 + self.late, scope, item)


def _plain(trace: _Trace, used: dict[str, Value]) -> None:
    trace.tell("opentelemetry.instrumentation.openai_v2", trace.span(used, 1, 2, trace.root.span_id))


def _with_log(trace: _Trace, used: dict[str, Value]) -> None:
    one = trace.span(used, 1, 2, trace.root.span_id)
    trace.tell("some.scope", one)
    name = "gen_ai.client.inference.operation.details"
    times = {"time_unix_nano": one.end_time_unix_nano}
    ids = {"trace_id": one.trace_id, "span_id": one.span_id}
    trace.tell("log:some.scope", LogRecord(event_name=name, attributes=key_values(used), **times, **ids))


def _beneath_a_framework(trace: _Trace, used: dict[str, Value]) -> None:
    outer = trace.span(used | {"langsmith.span.kind": "llm"}, 1, 3, trace.root.span_id)
    trace.tell("openai", trace.span(used, 1, 2, outer.span_id))
    trace.tell("langsmith", outer)


def _beneath_an_agent(trace: _Trace, used: dict[str, Value]) -> None:
    agent = trace.span(used | {"gen_ai.operation.name": "invoke_agent"}, 1, 3, trace.root.span_id)
    trace.tell("some.scope", trace.span(used, 1, 2, agent.span_id))
    trace.tell("some.scope", agent)


def _by_a_coding_agent(trace: _Trace, used: dict[str, Value]) -> None:
    told: dict[str, Value] = {
        "model": used["gen_ai.request.model"],
        "session.id": "s",
        "input_tokens": used["gen_ai.usage.input_tokens"],
        "output_tokens": used["gen_ai.usage.output_tokens"],
        "request_id": f"req_{trace.day.ids}",
    }
    one = trace.span(told | {"span.type": "llm_request"}, 1, 2, trace.root.span_id)
    trace.tell("com.anthropic.claude_code.tracing", one)
    record = LogRecord(time_unix_nano=one.end_time_unix_nano)
    record.attributes.extend(key_values({"event.name": "api_request", **told}))
    trace.tell("log:com.anthropic.claude_code.events", record)


_TELLERS: tuple[Callable[[_Trace, dict[str, Value]], None], ...] = (
    _plain,
    _with_log,
    _beneath_a_framework,
    _beneath_an_agent,
    _by_a_coding_agent,
)


def _day(seed: int) -> _Day:
    seeded = random.Random(seed)
    day = _Day(seeded)
    for _ in range(_TRACES):
        sampled = seeded.random() < 0.1
        late = seeded.choice([0.0] * 9 + [7200 * seeded.random()])
        # The randomness of a trace that its sender sampled is in the share that was kept.
        trace_id = seeded.randbytes(9) + (b"\xff" if sampled else seeded.randbytes(1)) + seeded.randbytes(6)
        trace = _Trace(day, seeded.random() * _DAY_S, late, _HALF if sampled else "", trace_id)
        for _ in range(seeded.choice([1, 1, 2, 5])):
            given_, output = seeded.randrange(1, 5000), seeded.randrange(1, 500)
            model = f"model-{seeded.randrange(400)}"  # more than labels take
            used = chat(request__model=model, usage__input_tokens=given_, usage__output_tokens=output)
            seeded.choice(_TELLERS)(trace, used)
            count = 2 if sampled else 1
            day.sums.update(calls=count, input=count * given_, output=count * output)
    day.sent.sort(key=lambda each: each[0])
    return day


def _send(items: list[tuple[float, str, Span | LogRecord]], meter: Meter, now: float) -> None:
    for scope in dict.fromkeys(scope for _, scope, _ in items):
        here = [item for _, of, item in items if of == scope]
        if not scope.startswith("log:"):
            measured(request([each for each in here if isinstance(each, Span)], scope=scope), meter, now)
            continue
        records = ExportLogsServiceRequest()
        group = records.resource_logs.add().scope_logs.add()
        group.scope.name = scope.removeprefix("log:")
        group.log_records.extend(each for each in here if isinstance(each, LogRecord))
        measure.batch(RedactedBatch(Signal.LOGS, records, len(here), {}), meter, now)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_day_is_the_sum_of_its_calls(seed: int) -> None:
    """To the call and to the token, in counters and histograms, whatever labels overflow."""
    day = _day(seed)
    few = MeterSettings(label_limit=20)
    meter, at, now = Meter(prices(), few), 0, 0.0
    while at < len(day.sent):
        now = day.sent[at][0]
        end = next((n for n in range(at, len(day.sent)) if day.sent[n][0] >= now + _BATCH_S), len(day.sent))
        batch = day.sent[at:end]
        day.seeded.shuffle(batch)
        _send(batch, meter, now)
        at = end
        if day.seeded.random() < 0.05:
            state, meter = b"".join(meter.state()), Meter(prices(), few)
            meter.restore(state)
    meter.settle(now + 1000)
    counted: Counter[str] = Counter()
    for labels, value in series(meter, "gen_ai.client.token.usage").items():
        assert isinstance(value, tuple)
        counted[labels[-1]] += round(value[1])
    for value in series(meter, "spansieve.llm.requests").values():
        assert isinstance(value, float)
        counted["calls"] += round(value)
    assert counted == day.sums
