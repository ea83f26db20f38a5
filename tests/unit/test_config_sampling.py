"""The ends of what sampling policies and plain values may be: what is just allowed, and what is just not."""

import pytest

from spansieve import config
from spansieve.config import ConfigError

AB = "[{name: a, type: always_sample}, {name: b, type: always_sample}]"
AA = "[{name: a, type: always_sample}, {name: a, type: always_sample}]"


def policy(name: str, settings: str) -> str:
    """A configuration with one policy of this type."""
    return f"sampling: {{policies: [{{name: x, type: {name}, {name}: {{{settings}}}}}]}}"


def composite(policies: str, order: str, shares: str) -> str:
    """A configuration with one composite policy."""
    return policy(
        "composite",
        f"max_total_spans_per_second: 10, composite_sub_policy: {policies}, policy_order: {order}, "
        f"rate_allocation: {shares}",
    )


@pytest.mark.parametrize(
    "text",
    [
        composite(AB, "[b, a]", "[{policy: a, percent: 60}, {policy: b, percent: 40}]"),
        composite(AB, "[a, b]", "[{policy: a, percent: 100}]"),
        policy("latency", "threshold_ms: 5000, upper_threshold_ms: 5001"),
        policy("latency", "threshold_ms: 5000, upper_threshold_ms: 0"),
        policy("span_count", "min_spans: 7, max_spans: 7"),
        policy("span_count", "min_spans: 7, max_spans: 0"),
        "receivers: {otlp: {protocols: {grpc: {endpoint: '127.0.0.1:65535'}}}}",
        "shutdown_timeout: 29s",
        "storage: {max_mib: 16}",
    ],
)
def test_the_last_value_that_makes_sense_is_accepted(text: str) -> None:
    """As documented: the ends belong to what is allowed."""
    config.parse(text, {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (composite(AA, "[a, a]", "[]"), "each policy of composite_sub_policy once"),
        (composite(AB, "[a]", "[]"), "each policy of composite_sub_policy once"),
        (composite(AB, "[a, a]", "[]"), "each policy of composite_sub_policy once"),
        (composite(AB, "[a, b]", "[{policy: a, percent: 1}, {policy: a, percent: 1}]"), "one of its policies twice"),
        (composite(AB, "[a, b]", "[{policy: c, percent: 1}]"), "'c', which is none of its policies"),
        (composite(AB, "[a, b]", "[{policy: a, percent: 61}, {policy: b, percent: 40}]"), "more than 100 percent"),
        (policy("latency", "threshold_ms: 5000, upper_threshold_ms: 5000"), "keeps nothing"),
        (policy("latency", "threshold_ms: 1, upper_threshold_ms: 1"), "keeps nothing"),
        (policy("span_count", "min_spans: 2, max_spans: 1"), "keeps nothing"),
        ("receivers: {otlp: {protocols: {grpc: {endpoint: '127.0.0.1:65536'}}}}", "a port from 0 to 65535"),
        ("shutdown_timeout: 30s", "29"),
        ("shutdown_timeout: 25", "needs a unit of ms, s, m or h"),
        ("shutdown_timeout: 2.5", "needs a unit of ms, s, m or h"),
    ],
)
def test_the_next_one_is_refused(text: str, says: str) -> None:
    """With what is wrong with it."""
    with pytest.raises(ConfigError, match=says):
        config.parse(text, {})


@pytest.mark.parametrize("value", ["[25]", "{s: 25}"])
def test_what_is_no_number_is_not_asked_for_a_unit(value: str) -> None:
    """A list with a unit would be no duration either."""
    with pytest.raises(ConfigError) as refused:
        config.parse(f"shutdown_timeout: {value}", {})
    assert "needs a unit" not in str(refused.value)
