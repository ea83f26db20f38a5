"""What each policy keeps."""

import pytest

from spansieve.model import Trigger
from spansieve.sample.decision import decide
from spansieve.sample.policies import AlwaysSample, Latency, Probabilistic, StatusCode, rejection_threshold
from unit.sample.helpers_sample import facts, trace_id

ANY = trace_id(0)


def test_always_sample_keeps() -> None:
    """Even the least interesting trace."""
    assert AlwaysSample("all").evaluate(ANY, facts())


@pytest.mark.parametrize(
    ("codes", "spans", "errors", "oks", "keep"),
    [
        ({"ERROR"}, 3, 1, 0, True),
        ({"ERROR"}, 3, 0, 3, False),
        ({"OK"}, 3, 2, 1, True),
        ({"OK"}, 3, 3, 0, False),
        ({"UNSET"}, 3, 1, 1, True),
        ({"UNSET"}, 3, 1, 2, False),
        ({"ERROR", "OK"}, 2, 0, 1, True),
        ({"ERROR", "OK"}, 2, 0, 0, False),
        ({"ERROR", "UNSET"}, 2, 0, 2, False),
    ],
)
def test_status_code_keeps_a_trace_with_any_such_span(
    codes: set[str], spans: int, errors: int, oks: int, *, keep: bool
) -> None:
    """One span of one of the statuses is enough."""
    policy = StatusCode("status", frozenset(codes))
    assert policy.evaluate(ANY, facts(spans=spans, errors=errors, oks=oks)) is keep


@pytest.mark.parametrize("codes", [set(), {"FAILED"}, {"ERROR", "error"}])
def test_status_code_refuses_unknown_statuses(codes: set[str]) -> None:
    """A policy that could never match as written is a mistake."""
    with pytest.raises(ValueError, match="ERROR, OK and UNSET"):
        StatusCode("status", frozenset(codes))


@pytest.mark.parametrize(
    ("threshold", "upper", "duration", "keep"),
    [
        (5000, 0, 4999.999999, False),
        (5000, 0, 5000, True),
        (5000, 0, 3_600_000, True),
        (0, 0, 0, True),
        (100, 200, 99.999, False),
        (100, 200, 100, True),
        (100, 200, 200, True),
        (100, 200, 200.999, True),
        (100, 200, 201, False),
    ],
)
def test_latency_keeps_within_its_bounds(threshold: int, upper: int, duration: float, *, keep: bool) -> None:
    """Whole milliseconds, both bounds included; an upper bound of 0 is none."""
    assert Latency("slow", threshold, upper).evaluate(ANY, facts(duration_ms=duration)) is keep


@pytest.mark.parametrize(
    ("percentage", "threshold"),
    [
        (100, 0),
        (50, 0x80000000000000),
        (25, 0xC0000000000000),
        (75, 0x40000000000000),
        (10, 0xE6666666666666),
        (1, 0xFD70A3D70A3D71),
        (0.1, 0xFFBE76C8B43958),
        (12.5, 0xE0000000000000),
        (0, 1 << 56),
    ],
)
def test_the_threshold_is_that_of_the_specification(percentage: float, threshold: int) -> None:
    """T = (1 - p) * 2^56, and 10 % is th:e666…, 25 % is th:c, 100 % is th:0."""
    assert rejection_threshold(percentage) == threshold


@pytest.mark.parametrize("percentage", [-0.1, 100.1, float("nan")])
def test_a_percentage_is_from_0_to_100(percentage: float) -> None:
    """Anything else is a mistake."""
    with pytest.raises(ValueError, match="from 0 to 100"):
        Probabilistic("baseline", percentage)


@pytest.mark.parametrize(
    ("percentage", "randomness", "keep"),
    [
        (100, 0, True),
        (25, 0xC0000000000000, True),
        (25, 0xBFFFFFFFFFFFFF, False),
        (10, 0xE6666666666666, True),
        (10, 0xE6666666666665, False),
        (0, 0xFFFFFFFFFFFFFF, False),
    ],
)
def test_probabilistic_keeps_from_the_threshold_on(percentage: float, randomness: int, *, keep: bool) -> None:
    """R >= T, and nothing at 0 percent."""
    assert Probabilistic("baseline", percentage).evaluate(trace_id(randomness), facts()) is keep


def test_only_the_low_56_bits_count() -> None:
    """The other nine bytes of the id say nothing of its randomness."""
    policy = Probabilistic("baseline", 25)
    low = (0xC0000000000000).to_bytes(7, "big")
    assert policy.evaluate(b"\x00" * 8 + b"\x01" + low, facts())
    assert policy.evaluate(b"\xff" * 9 + low, facts())


def test_the_first_policy_that_keeps_is_credited() -> None:
    """The order of the configuration decides."""
    policies = (StatusCode("errors", frozenset({"ERROR"})), Latency("slow", 10), AlwaysSample("all"))
    decision = decide(ANY, facts(errors=1, duration_ms=50), policies, Trigger.WAIT_EXPIRED)
    assert (decision.keep, decision.policy, decision.trigger) == (True, "errors", Trigger.WAIT_EXPIRED)


def test_without_a_policy_that_keeps_the_trace_is_sampled_out() -> None:
    """And nobody is credited."""
    decision = decide(ANY, facts(), (Latency("slow", 10),), Trigger.SHUTDOWN)
    assert (decision.keep, decision.policy) == (False, "")
