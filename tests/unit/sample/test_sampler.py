"""Traces wait, are decided, and late spans follow."""

import pytest

from spansieve.model import Because, Decision, Trigger
from spansieve.sample import Decided, Sampler, Tally
from spansieve.sample.policies import AlwaysSample, Latency, Policy, StatusCode
from spansieve.sample.probes import Probes
from unit.sample.helpers_sample import part, plan, sampler, trace_id

ERRORS: Policy = StatusCode("errors", frozenset({"ERROR"}))
LATE = Decision(keep=True, policy="errors", trigger=Trigger.LATE_SPAN, threshold=0)
A, B, C = trace_id(1), trace_id(2), trace_id(3)


def tail_of(*policies: Policy, cache: int = 100, **waits: float) -> Sampler:
    """One that waits 30 seconds."""
    return sampler(plan(*(policies or (ERRORS,)), **waits), cache)


def test_nothing_is_due_before_the_wait_is_over() -> None:
    """29.9 seconds are not 30."""
    tail = tail_of()
    tail.add([part(A)], now=100.0)
    assert tail.take_due(now=129.9, limit=10) == Decided()
    assert tail.held_traces == 1


def test_the_wait_counts_from_the_first_span() -> None:
    """Later spans do not put the decision off."""
    tail = tail_of()
    tail.add([part(A)], now=100.0)
    tail.add([part(A)], now=125.0)
    assert tail.next_due() == 130.0
    assert tail.take_due(now=130.0, limit=10).sampled_out == [(A, 2)]


def test_nothing_waits_nothing_is_due() -> None:
    """An idle sampler has no next decision."""
    assert tail_of().next_due() is None


def test_an_error_in_any_part_keeps_all_parts() -> None:
    """The trace is decided as a whole, and leaves with its spans in the order in which they came."""
    tail = tail_of()
    parts = [part(A, spans=2), part(A, spans=3, errors=1), part(A)]
    for number, each in enumerate(parts):
        tail.add([each], now=100.0 + number)
    (kept,) = tail.take_due(now=130.0, limit=10).kept
    assert kept.groups == tuple(group for each in parts for group in each.groups)
    assert (kept.facts.spans, kept.facts.errors) == (6, 1)
    assert kept.decision == Decision(keep=True, policy="errors", trigger=Trigger.WAIT_EXPIRED, threshold=0)


def test_the_oldest_are_decided_first() -> None:
    """Up to the limit; the others stay due."""
    tail = tail_of()
    for number, each in enumerate((B, A, C)):
        tail.add([part(each)], now=100.0 + number)
    assert [each for each, _ in tail.take_due(now=200.0, limit=2).sampled_out] == [B, A]
    assert [each for each, _ in tail.take_due(now=200.0, limit=2).sampled_out] == [C]


def test_late_spans_of_a_kept_trace_are_kept_at_once() -> None:
    """Credited to the policy that kept the trace, whatever they hold."""
    tail = tail_of()
    tail.add([part(A, errors=1)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    added = tail.add([part(A, spans=2)], now=31.0)
    assert [each.decision for each in added.kept] == [LATE]
    assert (added.sampled_out_spans, tail.held_traces) == (0, 0)


def test_late_spans_of_a_sampled_out_trace_end_at_once() -> None:
    """Even an error among them does not bring the trace back."""
    tail = tail_of()
    tail.add([part(A)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    added = tail.add([part(A, spans=2, errors=2)], now=31.0)
    assert (added.kept, added.sampled_out_spans, tail.held_traces) == ([], 2, 0)
    assert [(trace, decision.trigger) for trace, decision in added.verdicts] == [(A, Trigger.LATE_SPAN)]


def test_spans_of_a_forgotten_trace_wait_anew() -> None:
    """Without a memory late spans are a trace of their own."""
    tail = tail_of(cache=0)
    tail.add([part(A)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    tail.add([part(A)], now=31.0)
    assert tail.next_due() == 61.0


def test_kept_and_sampled_out_traces_are_remembered_apart() -> None:
    """Each about as many as its cache holds: of the kept ones two halves, each of one at least."""
    tail = Sampler(plan(ERRORS), 1, 100, Probes())
    tail.add([part(A, errors=1), part(B, errors=1)], now=0.0)
    tail.add([part(trace_id(number)) for number in range(10, 20)], now=0.0)
    tail.take_due(now=30.0, limit=100)
    assert tail.remembered == 12


def test_flush_decides_all_on_what_is_known() -> None:
    """At the end nothing waits any more."""
    tail = tail_of()
    tail.add([part(A, errors=1), part(B, spans=4)], now=0.0)
    decided = tail.flush(Trigger.SHUTDOWN, now=1.0)
    assert [(each.trace_id, each.decision.trigger) for each in decided.kept] == [(A, Trigger.SHUTDOWN)]
    assert (decided.sampled_out, decided.sampled_out_spans) == ([(B, 4)], 4)
    assert (tail.held_traces, tail.held_spans, tail.held_bytes) == (0, 0, 0)


@pytest.mark.parametrize(("share", "traces"), [(0.0, 0), (0.1, 1), (1.0, 1), (1.1, 2), (100.0, 3)])
def test_evict_decides_the_oldest_until_enough_is_free(share: float, traces: int) -> None:
    """Whole traces, no more of them than needed for a share of what one takes."""
    tail = tail_of(AlwaysSample("all"))
    for each in (A, B, C):
        tail.add([part(each)], now=0.0)
    kept = tail.evict(int(share * tail.held_bytes / 3), now=0.0).kept
    assert [each.trace_id for each in kept] == [A, B, C][:traces]
    assert {each.decision.trigger for each in kept} <= {Trigger.MEMORY_PRESSURE}


def test_an_evicted_trace_is_decided() -> None:
    """Its later spans follow the verdict instead of starting it anew."""
    tail = tail_of(AlwaysSample("all"))
    tail.add([part(A)], now=0.0)
    tail.evict(1, now=0.0)
    assert len(tail.add([part(A)], now=1.0).kept) == 1


def test_what_is_held_is_counted() -> None:
    """Spans and traces that wait."""
    tail = tail_of()
    tail.add([part(A, spans=2), part(B, spans=3)], now=0.0)
    tail.add([part(A, spans=1)], now=1.0)
    assert (tail.held_spans, tail.held_traces) == (6, 2)


def test_verdicts_are_counted_by_policy_and_trigger() -> None:
    """Traces and spans, sampled-out ones without a policy."""
    tail = tail_of()
    tail.add([part(A, spans=2, errors=1), part(B, spans=3)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    tail.add([part(A, spans=4)], now=31.0)
    kept = Tally(keep=True, policy="errors", trigger=Trigger.WAIT_EXPIRED, because=Because.MATCHED)
    late = kept._replace(trigger=Trigger.LATE_SPAN)
    out = Tally(keep=False, policy="", trigger=Trigger.WAIT_EXPIRED, because=Because.NO_MATCH)
    assert tail.decided_traces == {kept: 1, late: 1, out: 1}
    assert tail.decided_spans == {kept: 2, late: 4, out: 3}
    assert tail.remembered == 2


def test_new_policies_decide_traces_that_wait() -> None:
    """A reload takes effect at the next decision."""
    tail = tail_of(Latency("slow", 10_000))
    tail.add([part(A)], now=0.0)
    tail.reconfigure(plan(AlwaysSample("all")))
    assert [each.decision.policy for each in tail.take_due(now=30.0, limit=10).kept] == ["all"]


@pytest.mark.parametrize("wait", [5.0, 60.0])
def test_a_new_wait_counts_from_the_first_span(wait: float) -> None:
    """Shorter or longer, for traces that wait already and for those to come."""
    tail = tail_of()
    tail.add([part(A)], now=100.0)
    tail.reconfigure(plan(ERRORS, decision=wait))
    assert tail.next_due() == 100.0 + wait
    tail.add([part(B)], now=101.0)
    tail.take_due(now=100.0 + wait, limit=1)
    assert tail.next_due() == 101.0 + wait


def test_verdicts_survive_new_policies() -> None:
    """A sampled-out trace stays out, whatever its late spans would earn today."""
    tail = tail_of()
    tail.add([part(A)], now=0.0)
    tail.take_due(now=30.0, limit=1)
    tail.reconfigure(plan(AlwaysSample("all")))
    assert tail.add([part(A)], now=31.0).sampled_out_spans == 1
