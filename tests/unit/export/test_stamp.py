"""What a kept span says of its being kept."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.export.stamp import Stamp
from spansieve.facts import TraceFacts
from spansieve.model import Because, Decision, SampledTrace, Trigger

TENTH = 0xE6660000000000
HIGH = b"\x01" * 9 + (0xFF << 48).to_bytes(7, "big")


def stamp(threshold: int | None, because: Because = Because.PROBABILITY) -> Stamp:
    """The stamp of a trace that was kept with this threshold."""
    decision = Decision(
        keep=True, policy="baseline", trigger=Trigger.WAIT_EXPIRED, because=because, threshold=threshold
    )
    return Stamp.of(SampledTrace(HIGH, (), TraceFacts(1, 0, 0, 0, 0, has_root=True, size=0), decision))


def stamped(by: Stamp, trace_state: str = "") -> Span:
    """A span with a stamp, parsed again."""
    span = Span(trace_id=HIGH, span_id=b"\x01" * 8, trace_state=trace_state, name="chat")
    return Span.FromString(by.on(span.SerializeToString()))


def attributes(span: Span) -> dict[str, str | float]:
    """What the stamp says in attributes."""
    return {each.key: each.value.string_value or each.value.double_value for each in span.attributes}


def test_policy_reason_and_rate() -> None:
    """One in ten was kept by the baseline's share."""
    said = attributes(stamped(stamp(TENTH)))
    assert said.pop("spansieve.sampling.rate") == pytest.approx(9.99939)
    assert said == {"tailsampling.policy": "baseline", "spansieve.sampling.reason": "probability"}


def test_unknown_probability_says_no_rate() -> None:
    """Nothing rather than something wrong."""
    span = stamped(stamp(None, Because.RATE))
    assert attributes(span) == {"tailsampling.policy": "baseline", "spansieve.sampling.reason": "rate"}
    assert span.trace_state == ""


@pytest.mark.parametrize(
    ("threshold", "before", "after"),
    [
        (TENTH, "", "ot=th:e666"),
        (0, "", "ot=th:0"),
        (0, "ot=th:8", "ot=th:8"),
        (TENTH, "ot=th:8", "ot=th:e666"),
        (TENTH, "ot=th:f", "ot=th:f"),
        (TENTH, "vendor=x,ot=th:8;p:1", "ot=th:e666;p:1,vendor=x"),
        (TENTH, "vendor=x", "ot=th:e666,vendor=x"),
        (None, "ot=th:8", ""),
        (None, "ot=th:8;rv:ffffffffffffff,vendor=x", "ot=rv:ffffffffffffff,vendor=x"),
        (TENTH, "ot=th:zz", ""),
        (TENTH, "ot=th:ff8", ""),
    ],
)
def test_threshold_in_the_tracestate(threshold: int | None, before: str, after: str) -> None:
    """Raised, never lowered; erased where it is unknown, malformed, or says that the span should not be here."""
    assert stamped(stamp(threshold), before).trace_state == after


def test_rest_of_the_span_stays() -> None:
    """The stamp changes nothing else, with a tracestate and without."""
    for trace_state in ("", "vendor=x"):
        span = stamped(stamp(TENTH), trace_state)
        assert (span.trace_id, span.span_id, span.name) == (HIGH, b"\x01" * 8, "chat")


@pytest.mark.parametrize("trace_state", ["", "ot=th:8", "vendor=" + "x" * 300])
def test_size_is_an_upper_bound(trace_state: str) -> None:
    """Requests are cut by it."""
    by = stamp(TENTH)
    span = Span(trace_id=HIGH, span_id=b"\x01" * 8, trace_state=trace_state).SerializeToString()
    assert len(by.on(span)) - len(span) <= by.size
