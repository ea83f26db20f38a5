"""Shares that adapt, and whole conversations."""

from spansieve.facts import KeyPart, LlmFacts, TraceFacts
from spansieve.sample.conversations import Conversation
from spansieve.sample.dynamic import EmaDynamic
from spansieve.sample.probability import threshold_of_rate
from spansieve.tracestate import NEVER, adjusted_count
from unit.sample.helpers_sample import facts


def of(template: str) -> TraceFacts:
    """Facts of a trace with this template."""
    return facts(llm=LlmFacts(calls=1, templates=frozenset({template})))


def policy(goal: float = 10, max_keys: int = 500) -> EmaDynamic:
    """A policy by template."""
    return EmaDynamic("rare", [KeyPart.TEMPLATE], goal, adjustment_interval=15.0, weight=0.5, max_keys=max_keys)


def play(dynamic: EmaDynamic, traffic: dict[str, int], intervals: int = 10) -> dict[str, int]:
    """The thresholds after some intervals of the same traffic."""
    for interval in range(intervals):
        for template, traces in traffic.items():
            for _ in range(traces):
                dynamic.threshold(of(template), interval * 15.0)
    return {template: dynamic.threshold(of(template), intervals * 15.0) for template in traffic}


def test_what_is_new_is_kept() -> None:
    """A key that was not met in the last intervals has the rate one."""
    assert policy().threshold(of("a"), 0.0) == 0


def test_rare_is_kept_and_frequent_is_thinned_out() -> None:
    """Of 10,000 and 3 traces an interval, every one of the three and a fraction of the others."""
    found = play(policy(), {"frequent": 10_000, "rare": 3})
    assert found["rare"] == 0
    assert adjusted_count(found["frequent"]) > 5


def test_averages_and_rates_are_those_of_the_definition() -> None:
    """Worked out by hand: one in 10 of 104 is 10.4; b's part of it by logarithms 3.6 of its 4, a's the 8.4 left."""
    dynamic = EmaDynamic("rare", [KeyPart.TEMPLATE], 10, adjustment_interval=15.0, weight=0.25, max_keys=500)
    for template, traces in {"a": 100, "b": 4}.items():
        for _ in range(traces):
            dynamic.threshold(of(template), 0.0)
    found = {template: dynamic.threshold(of(template), 15.0) for template in "ab"}
    assert found == {"a": threshold_of_rate(12), "b": threshold_of_rate(2)}
    assert dynamic.state()[0] == {"a": 100.0, "b": 4.0}
    for _ in range(19):
        dynamic.threshold(of("a"), 16.0)
    dynamic.threshold(of("c"), 30.0)
    assert dynamic.state()[0] == {"a": 100 * 0.75 + 20 * 0.25, "b": 4 * 0.75 + 1 * 0.25}
    dynamic.threshold(of("c"), 60.0)
    assert dynamic.state()[0] == {"a": 80 * 0.75**2, "b": 3.25 * 0.75**2, "c": 0.75}


def test_goal_is_met_on_average() -> None:
    """One in ten of all, whatever the mixture."""
    traffic = {"a": 5000, "b": 1000, "c": 100, "d": 10}
    found = play(policy(10), traffic)
    kept = sum(traces / adjusted_count(found[template]) for template, traces in traffic.items())
    assert 0.5 < kept / (sum(traffic.values()) / 10) <= 1.1


def test_more_frequent_is_never_kept_more_often() -> None:
    """Rates grow with what a key brings."""
    found = play(policy(), {"a": 5000, "b": 1000, "c": 100, "d": 10})
    assert found["a"] >= found["b"] >= found["c"] >= found["d"]


def test_forgotten_after_silence() -> None:
    """A key that has not come for long is new again."""
    dynamic = policy()
    play(dynamic, {"frequent": 1000, "other": 1000})
    dynamic.threshold(of("other"), 10_000.0)
    assert dynamic.threshold(of("frequent"), 10_000.0) == 0


def test_keys_are_bounded() -> None:
    """A million templates are told apart up to the bound, and the rest is one together."""
    dynamic = policy(max_keys=10)
    for number in range(1000):
        dynamic.threshold(of(f"template {number}"), 0.0)
    assert len(dynamic.state()[1]) <= 11


def test_dynamic_goes_on_from_its_state() -> None:
    """As if there had been no restart."""
    dynamic, again = policy(), policy()
    play(dynamic, {"frequent": 1000, "rare": 1})
    again.restore(dynamic.state())
    assert again.threshold(of("frequent"), 151.0) == dynamic.threshold(of("frequent"), 151.0) > 0


def in_conversation(name: str) -> TraceFacts:
    """Facts of a trace in a conversation."""
    return facts(llm=LlmFacts(conversations=frozenset({name})))


def test_share_of_conversations_is_whole() -> None:
    """About a quarter of a thousand, and each of them always or never."""
    conversation = Conversation("whole", 25, follow=False)
    kept = [conversation.threshold(in_conversation(f"c{number}"), 0.0) == 0 for number in range(1000)]
    again = [conversation.threshold(in_conversation(f"c{number}"), 1.0) == 0 for number in range(1000)]
    assert kept == again
    assert 200 < sum(kept) < 300


def test_conversation_of_a_kept_trace_is_followed() -> None:
    """From there on; others are not."""
    conversation = Conversation("whole", 0, follow=True)
    assert conversation.threshold(in_conversation("a"), 0.0) == NEVER
    conversation.note_kept(in_conversation("a"))
    assert [conversation.threshold(in_conversation(name), 0.0) for name in "ab"] == [0, NEVER]


def test_followed_conversations_are_bounded() -> None:
    """The last ten thousand."""
    conversation = Conversation("whole", 0, follow=True)
    for number in range(10_001):
        conversation.note_kept(in_conversation(f"c{number}"))
    assert conversation.threshold(in_conversation("c0"), 0.0) == NEVER
    assert conversation.threshold(in_conversation("c1"), 0.0) == 0
