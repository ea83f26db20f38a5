"""Coding agents tell a call as a span, as a log record, or as both, without an id of the other: it counts once."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve import measure
from spansieve.measure import Meter
from spansieve.model import RedactedBatch, Signal
from unit.measure.helpers_measure import START_NS, Value, key_values, measured, prices, request, series, span

_LONG_AFTER = 1000.0
_tellers = st.sampled_from(["span", "log", "both"])


@dataclass(frozen=True)
class _Told:
    """What is sent, and what there was."""

    items: tuple[Span | LogRecord, ...]
    calls: int
    tokens: int  # of input


@st.composite
def _sessions(draw: st.DrawFn) -> _Told:
    items: list[Span | LogRecord] = []
    tokens = 0
    calls = draw(st.integers(1, 8))
    has_ids = draw(st.booleans())
    by_session = {session: draw(_tellers) for session in "st"}
    for number in range(calls):
        session = draw(st.sampled_from(["s", "t"]))
        used = draw(st.integers(1, 3))  # few, so that calls are alike
        tokens += used
        attributes: dict[str, Value] = {
            "model": "claude-sonnet-4-5",
            "session.id": session,
            "input_tokens": used,
            "output_tokens": 1,
        }
        if has_ids:
            attributes["request_id"] = f"req_{number}"
        # Without an id of the answer, alike calls are told apart by their number: who tells of them has to be the same.
        tellers = draw(_tellers) if has_ids else by_session[session]
        if tellers != "log":
            items.append(span(attributes | {"span.type": "llm_request"}, name="claude_code.llm_request"))
        if tellers != "span":
            record = LogRecord(time_unix_nano=START_NS + number * 1_000_000)
            record.attributes.extend(key_values({"event.name": "api_request", **attributes}))
            if draw(st.booleans()):  # tracing is on: a span that is current, but is not the call's
                record.trace_id, record.span_id = bytes(15) + b"\1", b"\xff" * 8
            items.append(record)
    return _Told(tuple(items), calls, tokens)


def _send(items: tuple[Span | LogRecord, ...], meter: Meter, now: float) -> None:
    spans = [each for each in items if isinstance(each, Span)]
    measured(request(spans, scope="com.anthropic.claude_code.tracing"), meter, now)
    if logs := [each for each in items if isinstance(each, LogRecord)]:
        records = ExportLogsServiceRequest()
        scope = records.resource_logs.add().scope_logs.add()
        scope.scope.name = "com.anthropic.claude_code.events"
        scope.log_records.extend(logs)
        measure.batch(RedactedBatch(Signal.LOGS, records, len(logs), {}), meter, now)


@settings(max_examples=200, deadline=None)
@given(told=_sessions(), data=st.data())
def test_a_call_counts_once_whoever_tells_it(told: _Told, data: st.DataObject) -> None:
    """In any order and batching, sent again or not, over a restart or not: the calls and tokens that there were."""
    shuffled = tuple(data.draw(st.permutations(told.items)))
    cut = data.draw(st.integers(0, len(shuffled)))
    meter = Meter(prices())
    _send(shuffled[:cut], meter, 0.0)
    if data.draw(st.booleans()):
        state, meter = b"".join(meter.state()), Meter(prices())
        meter.restore(state)
    _send(shuffled[cut:], meter, 1.0)
    if data.draw(st.booleans()):
        _send(shuffled, meter, 2.0)
    meter.settle(_LONG_AFTER)
    assert _sum(meter, "spansieve.llm.requests", "ok") == told.calls
    assert _sum(meter, "spansieve.llm.tokens", "input") == told.tokens


def _sum(meter: Meter, name: str, last_label: str) -> float:
    found = series(meter, name).items()
    return sum(value for labels, value in found if labels[-1] == last_label and isinstance(value, float | int))
