"""When a trace is decided: the root's arrival, parts of what is too large, repeated spans, budgets."""

from dataclasses import replace

import pytest

from spansieve.facts import LlmFacts
from spansieve.model import Because, SpanGroup, Trigger
from spansieve.sample import Plan
from spansieve.sample.budget import Budget
from spansieve.sample.conversations import Conversation
from spansieve.sample.decision import Rule
from spansieve.sample.policies import AlwaysSample, Latency, StatusCode
from spansieve.sample.rates import Bucket, RateLimiting
from unit.sample.helpers_sample import part, plan, sampler, span, trace_id

ERRORS = Rule(StatusCode("errors", frozenset({"ERROR"})), floor=True)
A, B, C = trace_id(1), trace_id(2), trace_id(3)


def test_root_shortens_the_wait() -> None:
    """Two seconds after the root, thirty after the first span without one."""
    tail = sampler(plan(ERRORS, after_root=2.0))
    tail.add([part(A), part(B)], now=0.0)
    tail.add([part(A, has_root=True)], now=5.0)
    assert tail.next_due() == 7.0
    decided = tail.take_due(now=7.0, limit=10)
    assert [(trace, decision.trigger) for trace, decision in decided.verdicts] == [(A, Trigger.ROOT_ARRIVED)]
    assert tail.next_due() == 30.0


def test_root_never_lengthens_the_wait() -> None:
    """A root in the last second does not put the decision off."""
    tail = sampler(plan(ERRORS, after_root=10.0))
    tail.add([part(A)], now=0.0)
    tail.add([part(A, has_root=True)], now=29.0)
    assert tail.next_due() == 30.0


@pytest.mark.parametrize("before", [None, 20.0])
def test_a_reload_shortens_the_wait_of_roots_that_have_come(before: float | None) -> None:
    """Counted from when each came, whether or not roots shortened the wait before."""
    tail = sampler(plan(ERRORS, after_root=before))
    tail.add([part(A)], now=0.0)
    tail.add([part(B)], now=1.0)
    tail.add([part(B, has_root=True)], now=6.0)
    tail.add([part(A, has_root=True)], now=7.0)
    tail.reconfigure(plan(ERRORS, after_root=2.0))
    assert tail.next_due() == 8.0
    assert [trace for trace, _ in tail.take_due(now=9.0, limit=10).verdicts] == [B, A]


def test_a_reload_can_let_roots_shorten_nothing_any_more() -> None:
    """Traces whose root has come wait in full again."""
    tail = sampler(plan(ERRORS, after_root=2.0))
    tail.add([part(A, has_root=True)], now=1.0)
    tail.reconfigure(plan(ERRORS))
    assert tail.next_due() == 31.0


def test_too_large_is_decided_in_parts() -> None:
    """What was sampled out of it does not decide on the rest."""
    tail = sampler(plan(ERRORS, largest_bytes=150))
    first = tail.add([part(A, size=100)], now=0.0)
    second = tail.add([part(A, size=100)], now=1.0)
    third = tail.add([part(A, size=200, errors=1)], now=2.0)
    assert (first.verdicts, second.sampled_out) == ([], [(A, 2)])
    assert [each.decision.trigger for each in third.kept] == [Trigger.TOO_LARGE]
    assert [each.decision.trigger for each in tail.add([part(A)], now=3.0).kept] == [Trigger.LATE_SPAN]


def test_trace_as_large_as_its_bound_waits_on() -> None:
    """One byte more does not."""
    tail = sampler(plan(ERRORS, largest_bytes=150))
    assert tail.add([part(A, size=150)], now=0.0).verdicts == []
    assert len(tail.add([part(B, size=151)], now=0.0).verdicts) == 1


def test_spans_that_a_request_repeats_are_counted() -> None:
    """Those that its split found, with those that the trace had."""
    tail = sampler(plan(ERRORS))
    first = part(A, spans=2)
    assert tail.add([replace(first, repeated=3)], now=0.0).repeated_spans == 3
    assert tail.add([replace(first, repeated=1)], now=0.0).repeated_spans == 3


def test_span_that_is_sent_twice_counts_once() -> None:
    """A sender repeats what it got no answer for; what is new in a repeated request is taken."""
    tail = sampler(plan(ERRORS))
    first = part(A, spans=2, size=200)
    tail.add([first], now=0.0)
    assert tail.add([first], now=1.0).repeated_spans == 2
    fresh = span(A, 999_999, status=2, end_ms=50).SerializeToString()
    group = first.groups[0]
    mixed = replace(first, groups=(SpanGroup(group.envelope, (*group.spans, fresh)),))
    assert tail.add([mixed], now=2.0).repeated_spans == 2
    (kept,) = tail.take_due(now=30.0, limit=1).kept
    assert (kept.facts.spans, kept.facts.errors, sum(len(each.spans) for each in kept.groups)) == (3, 1, 3)


def test_budget_samples_out_but_not_below_the_floor() -> None:
    """Slow traces end when it is spent, errors do not."""
    tail = sampler(plan(ERRORS, Latency("slow", 10), budget=Budget(1, None)))
    tail.add([part(A, duration_ms=50), part(B, duration_ms=50), part(C, errors=1)], now=0.0)
    decided = tail.take_due(now=30.0, limit=10)
    assert {each.trace_id for each in decided.kept} == {A, C}
    (out,) = [decision for trace, decision in decided.verdicts if trace == B]
    assert (out.keep, out.policy, out.because) == (False, "slow", Because.OVER_BUDGET)


def test_pressed_budget_leaves_the_probability_unknown() -> None:
    """But not of what a floor bears, nor when a minute has gone by."""
    tail = sampler(plan(ERRORS, AlwaysSample("all"), budget=Budget(2, None)))
    tail.add([part(trace_id(number)) for number in (10, 11, 12)], now=0.0)
    assert len(tail.take_due(now=30.0, limit=10).kept) == 2
    tail.add([part(B)], now=55.0)
    tail.add([part(A, errors=1)], now=59.0)
    tail.add([part(C)], now=90.0)
    kept = [each for at in (85.0, 89.0, 150.0) for each in tail.take_due(at, limit=10).kept]
    assert [(each.trace_id, each.decision.threshold) for each in kept] == [(B, None), (A, 0), (C, 0)]


def test_what_is_sampled_out_costs_no_budget() -> None:
    """It is for what is kept."""
    tail = sampler(plan(Latency("slow", 10), budget=Budget(1, None)))
    tail.add([part(A), part(B, duration_ms=50)], now=0.0)
    assert [each.trace_id for each in tail.take_due(now=30.0, limit=10).kept] == [B]


def test_failed_trace_has_its_conversation_followed() -> None:
    """The next one of the same conversation is kept, too."""
    tail = sampler(plan(ERRORS, Rule(Conversation("whole", 0, follow=True), otherwise=Because.CONVERSATION)))
    said = {"llm": LlmFacts(conversations=frozenset({"c"}))}
    tail.add([part(A, errors=1, **said)], now=0.0)
    tail.add([part(B, **said), part(C)], now=1.0)
    kept = tail.take_due(now=40.0, limit=10).kept
    assert [(each.trace_id, each.decision.because) for each in kept] == [
        (A, Because.MATCHED),
        (B, Because.CONVERSATION),
    ]


def test_conversation_of_what_is_sampled_out_is_not_followed() -> None:
    """Nor is that of a trace that was kept for another's sake."""
    tail = sampler(plan(ERRORS, Rule(Conversation("whole", 0, follow=True), otherwise=Because.CONVERSATION)))
    told = {"llm": LlmFacts(conversations=frozenset({"c"}))}
    tail.add([part(A, **told)], now=0.0)
    tail.add([part(B, **told)], now=1.0)
    assert tail.take_due(now=40.0, limit=10).kept == []


def test_shadow_is_counted() -> None:
    """By policy."""
    tail = sampler(plan(ERRORS, Rule(AlwaysSample("all"), shadow=True)))
    tail.add([part(A), part(B, errors=1)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    assert tail.shadow_kept == {"all": 2}


def test_reload_lets_rates_and_shares_go_on() -> None:
    """A bucket that is empty stays so, and a budget; one whose policy has another name now starts anew."""

    def of(name: str) -> Plan:
        rate = Rule(RateLimiting(name, Bucket(0.001, 2), "spans"), otherwise=Because.RATE)
        return plan(rate, budget=Budget(2, None), late_error=0.0)

    tail = sampler(of("rate"))
    tail.add([part(A, spans=2)], now=0.0)
    assert len(tail.take_due(now=30.0, limit=10).kept) == 1
    tail.reconfigure(of("rate"))
    tail.add([part(B)], now=30.0)
    assert tail.take_due(now=60.0, limit=10).kept == []
    tail.reconfigure(of("another"))
    tail.add([part(C)], now=60.0)
    assert len(tail.take_due(now=90.0, limit=10).kept) == 1


def test_shadow_of_a_rate_is_spent_on_what_nothing_else_keeps() -> None:
    """As it would be in force."""
    rate = Rule(RateLimiting("rate", Bucket(0.001, 2), "spans"), otherwise=Because.RATE, shadow=True)
    tail = sampler(plan(ERRORS, rate))
    tail.add([part(A, spans=2, errors=1), part(B, spans=2)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    assert tail.shadow_kept == {"rate": 1}


def test_oldest_position() -> None:
    """Of anything that waits, also for a late error."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    assert tail.oldest_position() is None
    tail.add([replace(part(A), position=7)], now=0.0)
    tail.add([replace(part(B), position=9)], now=1.0)
    assert tail.oldest_position() == 7
    tail.take_due(now=30.0, limit=1)
    assert tail.oldest_position() == 7
    tail.take_due(now=35.0, limit=1)
    assert tail.oldest_position() == 9
