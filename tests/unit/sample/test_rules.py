"""How rules come to one verdict."""

from dataclasses import replace
from itertools import permutations

import pytest

from spansieve.model import Because, Trigger
from spansieve.sample.conversations import Conversation
from spansieve.sample.decision import Rule, Rules, Verdict
from spansieve.sample.policies import All, AlwaysSample, Latency, Policy, Probabilistic, StatusCode
from spansieve.sample.probability import rejection_threshold
from spansieve.sample.rates import Bucket, Composite, RateLimiting, Share
from spansieve.tracestate import written
from unit.sample.helpers_sample import facts, trace_id

ERRORS = Rule(StatusCode("errors", frozenset({"ERROR"})), floor=True)
SLOW = Rule(Latency("slow", 10))
TENTH = Rule(Probabilistic("tenth", 10))
QUARTER = Rule(Probabilistic("quarter", 25))
HIGH, MIDDLE, LOW = trace_id(0xFF << 48), trace_id(0xD0 << 48), trace_id(0)


def rate(spans: int = 10) -> Rule:
    """A rate that has room for so many spans."""
    return Rule(RateLimiting("rate", Bucket(spans, spans), "spans"), otherwise=Because.RATE)


def verdict(trace: bytes, *rules: Rule, trigger: Trigger = Trigger.WAIT_EXPIRED, **said: float) -> Verdict:
    """What rules say of a trace."""
    return Rules(rules).decide(trace, facts(**said), trigger, 0.0)


@pytest.mark.parametrize("rules", list(permutations([ERRORS, SLOW, TENTH, QUARTER])))
@pytest.mark.parametrize("said", [{}, {"errors": 1}, {"duration_ms": 50}])
@pytest.mark.parametrize("trace", [HIGH, MIDDLE, LOW])
def test_order_makes_no_difference(trace: bytes, said: dict[str, float], rules: tuple[Rule, ...]) -> None:
    """Whether a trace is kept, with which threshold and on a floor, is the same in any order of the rules."""
    one, other = verdict(trace, *rules, **said), verdict(trace, ERRORS, SLOW, TENTH, QUARTER, **said)
    assert (one.decision.keep, one.decision.threshold, one.decision.because, one.floor) == (
        other.decision.keep,
        other.decision.threshold,
        other.decision.because,
        other.floor,
    )


def test_first_that_keeps_is_credited() -> None:
    """The order of the configuration decides, and a share is credited where nobody keeps the whole kind."""
    assert verdict(HIGH, ERRORS, SLOW, TENTH, errors=1, duration_ms=50).decision.policy == "errors"
    assert verdict(HIGH, TENTH, SLOW, ERRORS, errors=1, duration_ms=50).decision.policy == "slow"
    assert verdict(HIGH, TENTH, QUARTER, SLOW).decision.policy == "tenth"


def test_a_share_of_all_is_no_whole_kind() -> None:
    """What adapts may keep all of a kind for a while: no reason to follow its conversation, or to go before others."""
    rules = Rule(AlwaysSample("for now"), share=True), Rule(Latency("slow", 10))
    found = [verdict(HIGH, *rules, duration_ms=ms).decision for ms in (5, 50)]
    assert [(each.policy, each.because, each.threshold) for each in found] == [
        ("for now", Because.PROBABILITY, 0),
        ("slow", Because.MATCHED, 0),
    ]


@pytest.mark.parametrize(("rules", "th"), [((TENTH,), "e666"), ((TENTH, QUARTER), "c"), ((TENTH, SLOW), "0")])
def test_threshold_is_that_of_all_rules_together(rules: tuple[Rule, ...], th: str) -> None:
    """Whoever keeps the larger share had kept the trace, too."""
    decision = verdict(HIGH, *rules, duration_ms=50).decision
    assert decision.threshold is not None
    assert written(decision.threshold) == th


@pytest.mark.parametrize(
    "rule",
    [TENTH, Rule(Probabilistic("tenth", 10), otherwise=Because.RATE), Rule(Probabilistic("tenth", 10), drops=True)],
    ids=["keeps", "otherwise", "drops"],
)
@pytest.mark.parametrize("shadow", [False, True])
def test_randomness_that_is_the_threshold_is_enough(rule: Rule, *, shadow: bool) -> None:
    """As the convention has it: kept iff R >= T."""
    edge = rejection_threshold(10)
    for given, matches in ((edge - 1, False), (edge, True)):
        found = verdict(trace_id(given), replace(rule, shadow=shadow))
        told = found.shadows == ("tenth",) if shadow else found.decision.policy == "tenth"
        assert told is matches


@pytest.mark.parametrize(
    "rule", [SLOW, Rule(Latency("slow", 10), otherwise=Because.RATE), Rule(Latency("slow", 10), drops=True)]
)
@pytest.mark.parametrize("shadow", [False, True])
def test_each_kind_of_rule_looks_at_the_trace(rule: Rule, *, shadow: bool) -> None:
    """At what is known of it."""
    for duration, matches in ((5.0, False), (50.0, True)):
        found = verdict(HIGH, replace(rule, shadow=shadow), duration_ms=duration)
        told = found.shadows == ("slow",) if shadow else found.decision.policy == "slow"
        assert told is matches


def test_share_that_misses_is_told_from_no_match() -> None:
    """A trace that a share left out stands for none, one that nobody wanted neither, but for another reason."""
    assert verdict(LOW, TENTH).decision.because is Because.NOT_IN_SHARE
    assert verdict(LOW, SLOW).decision.because is Because.NO_MATCH


def test_drop_goes_before_all() -> None:
    """Even before an error's policy, and names the policy that dropped."""
    decision = verdict(HIGH, ERRORS, Rule(AlwaysSample("health"), drops=True), errors=1).decision
    assert (decision.keep, decision.policy, decision.because) == (False, "health", Because.DROP_POLICY)


def test_rates_are_asked_last_and_have_no_probability() -> None:
    """Their room is for what nothing else keeps."""
    rules = Rules([rate(1), SLOW])
    assert rules.decide(HIGH, facts(duration_ms=50), Trigger.WAIT_EXPIRED, 0.0).decision.policy == "slow"
    first, second = (rules.decide(HIGH, facts(), Trigger.WAIT_EXPIRED, 0.0).decision for _ in range(2))
    assert (first.because, first.threshold, second.because) == (Because.RATE, None, Because.OVER_RATE)


def test_a_rate_is_blamed_for_what_it_would_have_kept_alone() -> None:
    """A trace that its `and` does not want, and one that no conversation bears, were wanted by nobody."""
    slow_up_to_a_rate = Rule(
        All("slow rate", (Latency("slow", 10), RateLimiting("r", Bucket(1, 1), "spans")), spends=True),
        otherwise=Because.RATE,
    )
    conversations = Rule(Conversation("talks", 0, follow=True), otherwise=Because.CONVERSATION)
    rules = Rules([slow_up_to_a_rate, conversations])
    found = [rules.decide(HIGH, facts(duration_ms=ms), Trigger.WAIT_EXPIRED, 0.0).decision for ms in (5, 50, 50, 5)]
    assert [each.because for each in found] == [Because.NO_MATCH, Because.RATE, Because.OVER_RATE, Because.NO_MATCH]


def test_a_share_within_a_rate_is_blamed_for_what_it_leaves_out() -> None:
    """Not the rate, which was not asked."""
    tenth_up_to_a_rate = Rule(
        All("some", (Probabilistic("tenth", 10), RateLimiting("r", Bucket(1, 1), "spans")), spends=True),
        otherwise=Because.RATE,
    )
    assert verdict(LOW, tenth_up_to_a_rate).decision.because is Because.NOT_IN_SHARE


def test_shadow_changes_nothing_and_is_told() -> None:
    """It would have kept the trace."""
    found = verdict(HIGH, Rule(AlwaysSample("all"), shadow=True), SLOW)
    assert (found.decision.keep, found.shadows) == (False, ("all",))


def test_memory_pressure_leaves_the_probability_unknown() -> None:
    """Who was not seen whole may have been of another kind."""
    decision = verdict(HIGH, TENTH, trigger=Trigger.MEMORY_PRESSURE).decision
    assert (decision.keep, decision.threshold) == (True, None)


def test_explicit_randomness_goes_before_the_id() -> None:
    """As senders ask for that make ids that are not random."""
    assert verdict(LOW, TENTH, randomness=(1 << 56) - 1).decision.keep
    assert not verdict(HIGH, TENTH, randomness=0).decision.keep


@pytest.mark.parametrize(("rule", "floor"), [(ERRORS, True), (SLOW, False), (TENTH, False)])
def test_only_a_floor_is_one(rule: Rule, *, floor: bool) -> None:
    """What a budget may not touch is told with the verdict."""
    assert verdict(HIGH, rule, errors=1, duration_ms=50).floor is floor


def test_each_policy_is_asked_once() -> None:
    """Shares that adapt count what they are asked."""
    asked: list[str] = []

    class Asked:
        name = "asked"

        def threshold(self, *_: object) -> int:
            asked.append(self.name)
            return 0

    policy: Policy = Asked()
    verdict(HIGH, ERRORS, Rule(policy), errors=1)
    assert asked == ["asked"]


@pytest.mark.parametrize(
    "policy",
    [
        All("both", (TENTH.policy, RateLimiting("rate", Bucket(1, 1), "spans")), spends=True),
        Composite("all", (Share(TENTH.policy, Bucket(1, 1)),)),
    ],
    ids=["and", "composite"],
)
def test_what_is_not_in_a_share_spends_no_rate(policy: Policy) -> None:
    """A share up to a rate: what the share leaves out leaves the rate alone, however the randomness is told."""
    rules = Rules([Rule(policy, otherwise=Because.RATE)])
    for _ in range(3):
        assert not rules.decide(LOW, facts(), Trigger.WAIT_EXPIRED, 0.0).decision.keep
        assert not rules.decide(HIGH, facts(randomness=0), Trigger.WAIT_EXPIRED, 0.0).decision.keep
    kept = [rules.decide(HIGH, facts(), Trigger.WAIT_EXPIRED, 0.0).decision.keep for _ in range(2)]
    assert kept == [True, False]


def test_what_is_left_of_a_kind_that_is_dropped_in_part_has_no_probability() -> None:
    """It is what has the lower randomness: no threshold says that. What was of another kind keeps its own."""
    part = Rule(All("most", (Latency("slow", 10), Probabilistic("nine-tenths", 90))), drops=True)
    everything = Rule(AlwaysSample("all"))
    assert not verdict(HIGH, part, everything, duration_ms=50).decision.keep
    assert verdict(LOW, part, everything, duration_ms=50).decision.threshold is None
    assert verdict(LOW, part, everything).decision.threshold == 0


def test_what_is_dropped_wants_no_share() -> None:
    """A trace that a share of drops missed, and nobody wanted, is no trace that a share left out."""
    assert verdict(LOW, Rule(Probabilistic("noise", 25), drops=True), SLOW).decision.because is Because.NO_MATCH


@pytest.mark.parametrize("trigger", [Trigger.MEMORY_PRESSURE, Trigger.WAIT_EXPIRED])
def test_a_probability_that_is_not_known_stays_so(trigger: Trigger) -> None:
    """Whatever drops next, and does not match."""
    part = Rule(All("most", (Latency("slow", 10), Probabilistic("nine-tenths", 90))), drops=True)
    before = [part] if trigger is Trigger.WAIT_EXPIRED else []
    rules = [*before, Rule(Latency("slower", 1000), drops=True), Rule(AlwaysSample("all"))]
    decision = verdict(LOW, *rules, trigger=trigger, duration_ms=50).decision
    assert (decision.keep, decision.threshold) == (True, None)
