"""From the configuration's policies to the sampler's."""

from typing import Any

import pytest
import yaml

from spansieve.config import ConfigError, GatewayConfig
from spansieve.facts import LlmFacts, TraceFacts
from spansieve.model import Because, Trigger
from spansieve.sample import Plan
from spansieve.sample.probes import NumberProbe, Probes, TextProbe, TraceStateProbe, TruthProbe
from spansieve.sampling_plan import plan
from unit.sample.helpers_sample import facts, trace_id

HIGH = trace_id((1 << 56) - 1)


def planned(policies: str, probes: Probes | None = None, **more: Any) -> Plan:  # noqa: ANN401 - any section
    """The plan of a configuration with these policies."""
    config = GatewayConfig.model_validate({"sampling": {"policies": yaml.safe_load(policies), **more}})
    return plan(config.sampling, probes or Probes())


def keeps(policies: str, given: TraceFacts) -> bool:
    """Whether a plan keeps a trace of the highest randomness."""
    return planned(policies).rules.decide(HIGH, given, Trigger.WAIT_EXPIRED, 0.0).decision.keep


LLM = LlmFacts(
    calls=3,
    failed_calls=3,
    cost_usd=1.0,
    input_tokens=10_000,
    ttft_s=3.0,
    time_per_output_token_s=0.2,
    error_classes=frozenset({"safety_block"}),
    failed_tools=1,
    thumbs_down=1,
    lowest_scores={"tone": 0.1},
)


@pytest.mark.parametrize(
    "policy",
    [
        "{type: always_sample}",
        "{type: status_code, status_code: {status_codes: [ERROR]}}",
        "{type: latency, latency: {threshold_ms: 100}}",
        "{type: probabilistic, probabilistic: {sampling_percentage: 1}}",
        "{type: span_count, span_count: {min_spans: 5}}",
        "{type: span_count, span_count: {max_spans: 20}}",
        "{type: rate_limiting, rate_limiting: {spans_per_second: 10}}",
        "{type: bytes_limiting, bytes_limiting: {bytes_per_second: 1000}}",
        "{type: llm_cost, llm_cost: {min_usd: 1}}",
        "{type: llm_tokens, llm_tokens: {min_tokens: 10000}}",
        "{type: llm_ttft, llm_ttft: {threshold_ms: 3000}}",
        "{type: llm_time_per_output_token, llm_time_per_output_token: {threshold_ms: 200}}",
        "{type: llm_retries, llm_retries: {min_failed_calls: 3}}",
        "{type: llm_error, llm_error: {classes: [safety_block]}}",
        "{type: llm_safety_block}",
        "{type: evaluation, evaluation: {below: 0.5}}",
        "{type: thumbs_down}",
        "{type: tool_error}",
        "{type: redacted, redacted: {entities: [CARD]}}",
        "{type: dynamic, dynamic: {keys: [template], goal_sampling_rate: 10}}",
        "{type: and, and: {and_sub_policy: [{name: a, type: always_sample}, {name: b, type: tool_error}]}}",
        "{type: not, not: {not_sub_policy: {name: a, type: latency, latency: {threshold_ms: 5000}}}}",
        "{type: composite, composite: {max_total_spans_per_second: 100, policy_order: [a],"
        " composite_sub_policy: [{name: a, type: always_sample}]}}",
    ],
)
def test_each_type_keeps_what_it_is_for(policy: str) -> None:
    """A failed, slow, dear trace with everything wrong in it; and one with nothing only where that is the point."""
    bad = facts(spans=9, errors=1, duration_ms=200, redacted={"CARD": 1}, llm=LLM)
    assert keeps(f"[{{name: x, {policy[1:]}]", bad)


@pytest.mark.parametrize(
    "policy",
    [
        "{type: status_code, status_code: {status_codes: [ERROR]}}",
        "{type: llm_error, llm_error: {classes: [rate_limit]}}",
        "{type: llm_safety_block}",
        "{type: tool_error}",
        "{type: llm_cost, llm_cost: {min_usd: 1}}",
        "{type: drop, drop: {drop_sub_policy: [{name: a, type: always_sample}]}}, *errors",
        "{type: conversation, conversation: {sampling_percentage: 100}}",
        "{type: always_sample, shadow: true}, *errors",
    ],
)
def test_none_keeps_what_is_not_its_own(policy: str) -> None:
    """A trace without anything of note."""
    errors = "{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}"
    assert not keeps(f"[{{name: x, {policy[1:].replace('*errors', errors)}]", facts())


@pytest.mark.parametrize(
    ("policy", "floor"),
    [
        ("{type: status_code, status_code: {status_codes: [ERROR]}}", True),
        ("{type: status_code, status_code: {status_codes: [ERROR, OK]}}", False),
        ("{type: llm_error, llm_error: {classes: [rate_limit]}}", True),
        ("{type: llm_safety_block}", True),
        ("{type: tool_error}", True),
        ("{type: latency, latency: {threshold_ms: 1}}", False),
    ],
)
def test_errors_are_the_floor(policy: str, *, floor: bool) -> None:
    """What is kept for failing alone, no budget undoes."""
    (rule,) = planned(f"[{{name: x, {policy[1:]}]").rules.every
    assert rule.floor is floor


def test_probes_look_for_what_policies_ask() -> None:
    """Also those within other policies."""
    probes = Probes()
    planned(
        """
        - {name: a, type: string_attribute, string_attribute: {key: tier, values: [gold], enabled_regex_matching: true}}
        - {name: b, type: and, and: {and_sub_policy: [
            {name: c, type: numeric_attribute, numeric_attribute: {key: code, min_value: 500, max_value: 599}},
            {name: d, type: boolean_attribute, boolean_attribute: {key: debug, value: true}}]}}
        - {name: e, type: trace_state, trace_state: {key: vendor, values: [keep]}}
        """,
        probes,
    )
    assert probes.keys == {"tier", "code", "debug"}
    bits = probes.use([TextProbe("tier", ("gold",), regex=True), NumberProbe("code", 500, 599)])
    others = probes.use([TruthProbe("debug", value=True), TraceStateProbe("vendor", ("keep",))])
    assert sorted({**bits, **others}.values()) == [1, 2, 4, 8]


def test_inverted_attribute_policy() -> None:
    """Keeps where it was not found."""
    policy = "[{name: a, type: string_attribute, string_attribute: {key: t, values: [x], invert_match: true}}]"
    assert keeps(policy, facts(marks=0))
    assert not keeps(policy, facts(marks=1))


def test_rate_within_and_is_asked_last() -> None:
    """What it keeps has no probability."""
    (rule,) = planned(
        "[{name: a, type: and, and: {and_sub_policy: [{name: b, type: tool_error},"
        " {name: c, type: rate_limiting, rate_limiting: {spans_per_second: 1}}]}}]"
    ).rules.every
    assert rule.otherwise is Because.RATE


def test_waits_and_budget() -> None:
    """In seconds and bytes."""
    found = planned(
        "[{name: a, type: always_sample}]",
        decision_wait_after_root_received="3s",
        late_error_wait="500ms",
        maximum_trace_size_mib=0.5,
        budget={"traces_per_minute": 10},
    )
    assert (found.waits.after_root, found.waits.late_error, found.waits.largest_bytes) == (3.0, 0.5, 1 << 19)
    assert found.budget is not None


def test_a_wait_of_zero_after_the_root_is_none() -> None:
    """As in the Collector, whose default it is."""
    found = planned("[{name: a, type: always_sample}]", decision_wait_after_root_received="0s")
    assert found.waits.after_root is None


@pytest.mark.parametrize(
    ("settings", "kept"), [("{spans_per_second: 10}", 5), ("{spans_per_second: 10, burst_capacity: 12}", 3)]
)
def test_rate_limiting_saves_up_a_burst(settings: str, kept: int) -> None:
    """Spans for two seconds, unless it says how many: traces of four, all at once."""
    rules = planned(f"[{{name: x, type: rate_limiting, rate_limiting: {settings}}}]").rules
    decided = [rules.decide(HIGH, facts(spans=4), Trigger.WAIT_EXPIRED, 0.0).decision.keep for _ in range(9)]
    assert decided.count(True) == kept


def test_no_budget_unless_asked_for() -> None:
    """By default nothing is bounded by number."""
    assert planned("[{name: a, type: always_sample}]").budget is None


@pytest.mark.parametrize("pattern", ["(", "(?=x)"])
def test_what_cannot_be_looked_for_is_a_problem(pattern: str) -> None:
    """Named in a sentence."""
    attribute = f"{{key: t, values: ['{pattern}'], enabled_regex_matching: true}}"
    with pytest.raises(ConfigError, match=r"'a': .* RE2"):
        planned(f"[{{name: a, type: string_attribute, string_attribute: {attribute}}}]")


@pytest.mark.parametrize(
    ("composite", "says"),
    [
        ("policy_order: [a, b]", "policy_order"),
        ("policy_order: [a], rate_allocation: [{policy: z, percent: 5}]", "'z'"),
        ("policy_order: [a], rate_allocation: [{policy: a, percent: 5}, {policy: a, percent: 6}]", "twice"),
    ],
)
def test_composite_that_contradicts_itself(composite: str, says: str) -> None:
    """Refused with what is wrong."""
    with pytest.raises(ValueError, match=says):
        planned(
            "[{name: x, type: composite, composite: {max_total_spans_per_second: 10, "
            f"composite_sub_policy: [{{name: a, type: always_sample}}], {composite}}}}}]"
        )


@pytest.mark.parametrize(
    ("policy", "because"),
    [
        ("type: dynamic, dynamic: {keys: [template], goal_sampling_rate: 10}", Because.PROBABILITY),
        ("type: probabilistic, probabilistic: {sampling_percentage: 100}", Because.PROBABILITY),
        (
            "type: and, and: {and_sub_policy: [{name: b, type: always_sample}, "
            "{name: c, type: dynamic, dynamic: {keys: [model], goal_sampling_rate: 10}}]}",
            Because.PROBABILITY,
        ),
        ("type: and, and: {and_sub_policy: [{name: b, type: always_sample}]}", Because.MATCHED),
    ],
)
def test_a_policy_of_shares_keeps_no_whole_kind(policy: str, because: Because) -> None:
    """Not even while it keeps all that it sees."""
    verdict = planned(f"[{{name: a, {policy}}}]").rules.decide(HIGH, facts(), Trigger.WAIT_EXPIRED, 0.0)
    assert (verdict.decision.threshold, verdict.decision.because) == (0, because)


@pytest.mark.parametrize("order", ["rate, slow", "slow, rate"])
def test_no_rate_is_spent_on_what_its_and_does_not_keep(order: str) -> None:
    """Wherever in the `and` it stands: a fast trace leaves the room to the slow one after it."""
    parts = {
        "rate": "{name: r, type: rate_limiting, rate_limiting: {spans_per_second: 1, burst_capacity: 1}}",
        "slow": "{name: s, type: latency, latency: {threshold_ms: 100}}",
    }
    subs = ", ".join(parts[name] for name in order.split(", "))
    rules = planned(f"[{{name: a, type: and, and: {{and_sub_policy: [{subs}]}}}}]").rules
    found = [rules.decide(HIGH, facts(duration_ms=ms), Trigger.WAIT_EXPIRED, 0.0).decision for ms in (5, 500, 500)]
    assert [each.because for each in found] == [Because.NO_MATCH, Because.RATE, Because.OVER_RATE]


def test_new_plan_keeps_the_bits_of_the_old() -> None:
    """Traces that wait are marked by them."""
    probes = Probes()
    first = "[{name: a, type: string_attribute, string_attribute: {key: t, values: [x]}}]"
    second = "[{name: b, type: boolean_attribute, boolean_attribute: {key: d, value: true}}]"
    planned(first, probes)
    planned(second, probes)
    assert probes.keys == {"d"}
    (bit,) = probes.use([TextProbe("t", ("x",))]).values()
    assert bit == 1
