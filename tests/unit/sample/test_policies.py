"""What each policy keeps."""

import pytest

from spansieve.facts import LlmFacts, TraceFacts
from spansieve.sample import policies
from spansieve.sample.policies import AlwaysSample, Latency, Policy, Probabilistic, StatusCode
from spansieve.tracestate import NEVER
from unit.sample.helpers_sample import facts


def keeps(policy: Policy, given: TraceFacts, now: float = 0.0) -> bool:
    """What a policy says that is no share: yes or no."""
    threshold = policy.threshold(given, now)
    assert threshold in (0, NEVER)
    return threshold == 0


def test_always_sample_keeps() -> None:
    """Even the least interesting trace."""
    assert keeps(AlwaysSample("all"), facts())


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
    assert keeps(policy, facts(spans=spans, errors=errors, oks=oks)) is keep


@pytest.mark.parametrize("codes", [set(), {"FAILED"}, {"ERROR", "error"}])
def test_status_code_refuses_unknown_statuses(codes: set[str]) -> None:
    """A policy that could never match as written is a mistake."""
    with pytest.raises(ValueError, match="ERROR, OK and UNSET"):
        StatusCode("status", frozenset(codes))


@pytest.mark.parametrize(
    ("threshold", "upper", "duration", "keep"),
    [
        (5000, 0, 4999.999999, False),
        (5000, 0, 5000.999, False),
        (5000, 0, 5001, True),
        (5000, 0, 3_600_000, True),
        (0, 0, 0, False),
        (100, 200, 100.999, False),
        (100, 200, 101, True),
        (100, 200, 200, True),
        (100, 200, 200.999, True),
        (100, 200, 201, False),
    ],
)
def test_latency_keeps_within_its_bounds(threshold: int, upper: int, duration: float, *, keep: bool) -> None:
    """Whole milliseconds, longer than the lower bound and no longer than the upper; an upper bound of 0 is none."""
    assert keeps(Latency("slow", threshold, upper), facts(duration_ms=duration)) is keep


@pytest.mark.parametrize("percentage", [-0.1, 100.1, float("nan")])
def test_a_percentage_is_from_0_to_100(percentage: float) -> None:
    """Anything else is a mistake."""
    with pytest.raises(ValueError, match="from 0 to 100"):
        Probabilistic("baseline", percentage)


@pytest.mark.parametrize(("least", "most", "spans", "keep"), [(3, 0, 2, False), (3, 0, 3, True), (3, 5, 6, False)])
def test_span_count_keeps_within_its_bounds(least: int, most: int, spans: int, *, keep: bool) -> None:
    """Both bounds included; an upper bound of 0 is none."""
    assert keeps(policies.SpanCount("many", least, most), facts(spans=spans)) is keep


@pytest.mark.parametrize(
    ("marks", "invert", "keep"), [(0b100, False, True), (0b011, False, False), (0b011, True, True)]
)
def test_marked_keeps_by_its_own_bit(marks: int, *, invert: bool, keep: bool) -> None:
    """What other probes found does not matter; inverted, it keeps what it did not find."""
    assert keeps(policies.Marked("tier", 0b100, invert), facts(marks=marks)) is keep


LLM = LlmFacts(
    calls=4,
    failed_calls=3,
    cost_usd=0.5,
    input_tokens=900,
    output_tokens=100,
    ttft_s=2.0,
    time_per_output_token_s=0.1,
    error_classes=frozenset({"rate_limit"}),
    failed_tools=1,
    thumbs_down=1,
    lowest_scores={"faithfulness": 0.4, "tone": 0.9},
)


@pytest.mark.parametrize(
    ("policy", "keep"),
    [
        (policies.AtLeast("dear", "cost_usd", 0.5), True),
        (policies.AtLeast("dear", "cost_usd", 0.51), False),
        (policies.AtLeast("long", "tokens", 1000), True),
        (policies.AtLeast("long", "tokens", 1001), False),
        (policies.AtLeast("late", "ttft_s", 2.0), True),
        (policies.AtLeast("slow", "time_per_output_token_s", 0.2), False),
        (policies.AtLeast("again", "failed_calls", 3), True),
        (policies.AtLeast("tool", "failed_tools", 1), True),
        (policies.AtLeast("bad", "thumbs_down", 1), True),
        (policies.ErrorClassIn("limited", frozenset({"rate_limit", "auth"})), True),
        (policies.ErrorClassIn("blocked", frozenset({"safety_block"})), False),
        (policies.ScoreBelow("unfaithful", "faithfulness", 0.5), True),
        (policies.ScoreBelow("unfaithful", "faithfulness", 0.4), False),
        (policies.ScoreBelow("rude", "tone", 0.5), False),
        (policies.ScoreBelow("any", "", 0.5), True),
        (policies.ScoreBelow("other", "relevance", 0.5), False),
    ],
)
def test_policies_for_llm_traces(policy: Policy, *, keep: bool) -> None:
    """Each looks at one thing that the calls of a trace came to."""
    assert keeps(policy, facts(llm=LLM)) is keep


@pytest.mark.parametrize(
    "policy",
    [
        policies.AtLeast("dear", "cost_usd", 0.01),
        policies.ErrorClassIn("limited", frozenset({"rate_limit"})),
        policies.ScoreBelow("any", "", 0.5),
        policies.Redacted("personal", frozenset()),
    ],
)
def test_a_trace_without_llm_calls_is_none_of_theirs(policy: Policy) -> None:
    """What is not there is neither dear nor bad."""
    assert not keeps(policy, facts())


@pytest.mark.parametrize(
    ("entities", "minimum", "keep"),
    [({"CARD"}, 1, True), ({"CARD"}, 2, False), ({"SSN"}, 1, False), (set(), 4, True), (set(), 5, False)],
)
def test_redacted_counts_values_of_its_entities(entities: set[str], minimum: int, *, keep: bool) -> None:
    """One card and three addresses were taken out."""
    policy = policies.Redacted("personal", frozenset(entities), minimum)
    assert keeps(policy, facts(redacted={"CARD": 1, "EMAIL": 3})) is keep


def test_all_is_as_strict_as_the_strictest() -> None:
    """Of two shares the smaller one, none at all when one says no, and all when each says yes."""
    quarter, tenth = Probabilistic("a", 25), Probabilistic("b", 10)
    assert policies.All("both", (quarter, tenth)).threshold(facts(), 0) == tenth.threshold(facts(), 0)
    assert policies.All("none", (quarter, Latency("slow", 10))).threshold(facts(), 0) == NEVER
    sure = (AlwaysSample("all"), Latency("slow", 10))
    assert policies.All("sure", sure).threshold(facts(duration_ms=50), 0) == 0


def test_not_inverts() -> None:
    """What is no share at all; a share counts as kept, since its inverse is none."""
    assert keeps(policies.Not("fast", Latency("slow", 10)), facts(duration_ms=5))
    assert not keeps(policies.Not("fast", Latency("slow", 10)), facts(duration_ms=50))
    assert not keeps(policies.Not("odd", Probabilistic("p", 50)), facts())
