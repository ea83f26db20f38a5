"""A sampler that goes on from a state, and from spans and verdicts that a journal holds."""

import pytest

from spansieve.facts import LlmFacts
from spansieve.model import Because, Decision, Trigger
from spansieve.sample import Decided, Sampler
from spansieve.sample.budget import Budget
from spansieve.sample.conversations import Conversation
from spansieve.sample.decision import Rule
from spansieve.sample.policies import AlwaysSample, Latency, Probabilistic, StatusCode
from spansieve.sample.rates import Bucket, RateLimiting
from unit.sample.helpers_sample import part, plan, sampler, trace_id

ERRORS = Rule(StatusCode("errors", frozenset({"ERROR"})), floor=True)
A, B, C = trace_id(1), trace_id(2), trace_id(3)
KEPT = Decision(keep=True, policy="errors", trigger=Trigger.WAIT_EXPIRED, threshold=0)
OUT = Decision(keep=False, policy="", trigger=Trigger.WAIT_EXPIRED, because=Because.NO_MATCH)


def test_large_trace_that_is_taken_out_under_a_verdict_is_not_decided_again() -> None:
    """As after a restart, when the verdict comes after its spans."""
    tail = sampler(plan(ERRORS, largest_bytes=150))
    tail.hold([part(A, size=200)], now=0.0)
    tail.follow(A, OUT, remember=True)
    assert tail.add([part(B)], now=1.0) == Decided()


def test_spans_that_are_held_twice_are_counted() -> None:
    """After a restart, when a sender repeated itself before."""
    tail = sampler(plan(ERRORS))
    first = part(A, spans=2)
    assert (tail.hold([first], now=0.0), tail.hold([first], now=1.0)) == (0, 2)


def test_follow_takes_a_trace_out_as_it_was_decided() -> None:
    """Whatever the policies would say."""
    tail = sampler(plan(AlwaysSample("all")))
    tail.hold([part(A, spans=2), part(B, spans=3)], now=0.0)
    assert tail.follow(A, OUT, remember=True) == 2
    kept = tail.follow(B, KEPT, remember=True)
    assert not isinstance(kept, int)
    assert kept is not None
    assert (kept.facts.spans, kept.decision) == (3, KEPT)
    assert tail.follow(C, KEPT, remember=False) is None
    assert (tail.held_traces, tail.held_bytes, tail.held_spans) == (0, 0, 0)
    assert tail.add([part(A)], now=1.0).sampled_out_spans == 1
    assert len(tail.add([part(B)], now=1.0).kept) == 1


def test_followed_trace_that_does_not_wait_is_counted_with_the_spans_that_the_verdict_tells() -> None:
    """And one that waits with its own."""
    tail = sampler(plan(ERRORS))
    tail.hold([part(A, spans=2)], now=0.0)
    for trace in (A, B):
        tail.follow(trace, OUT, remember=True, spans=7)
    assert ([*tail.decided_traces.values()], [*tail.decided_spans.values()]) == ([2], [9])


@pytest.mark.parametrize("remember", [True, False])
def test_conversation_of_a_trace_that_is_followed_is_kept_on(*, remember: bool) -> None:
    """What was decided after the checkpoint counts, as if there had been no crash; the rest is in the state."""
    told = LlmFacts(calls=1, conversations=frozenset({"c"}))
    tail = sampler(plan(ERRORS, Rule(Conversation("whole", 0, follow=True), otherwise=Because.CONVERSATION)))
    tail.hold([part(A, errors=1, llm=told)], now=0.0)
    tail.follow(A, KEPT, remember=remember)
    tail.add([part(B, llm=told)], now=1.0)
    assert len(tail.take_due(now=31.0, limit=10).kept) == remember


def test_hold_ignores_earlier_verdicts() -> None:
    """What comes of the spans is told by `follow`."""
    tail = sampler(plan(ERRORS))
    tail.add([part(A)], now=0.0)
    tail.take_due(now=30.0, limit=1)
    tail.hold([part(A)], now=31.0)
    assert tail.held_traces == 1


def run(tail: Sampler, begin: int, end: int) -> list[tuple[bytes, Decision]]:
    """Traffic of some seconds: one trace a second, each decided at once."""
    verdicts = []
    for second in range(begin, end):
        tail.add([part(trace_id(second << 44), errors=second % 7 == 0, duration_ms=second % 20)], now=float(second))
        verdicts += tail.take_due(now=float(second) + 0.5, limit=10).verdicts
    return verdicts


@pytest.mark.parametrize("cut", [1, 10, 25])
def test_restored_sampler_decides_as_if_it_had_never_stopped(cut: int) -> None:
    """Verdicts, counts, rates and budgets go on."""

    def fresh() -> Sampler:
        rate = Rule(RateLimiting("rate", Bucket(0.2, 2), "spans"), otherwise=Because.RATE)
        rules = (ERRORS, Latency("slow", 15), Probabilistic("share", 25), rate)
        return sampler(plan(*rules, budget=Budget(8, None), decision=0.25))

    whole, first, second = fresh(), fresh(), fresh()
    uninterrupted = run(whole, 0, 40)
    before = run(first, 0, cut)
    second.restore(b"".join(first.state()))
    assert before + run(second, cut, 40) == uninterrupted
    assert (second.decided_traces, second.decided_spans) == (whole.decided_traces, whole.decided_spans)
    assert second.remembered == whole.remembered


@pytest.mark.parametrize("saved", [b"", b"{}\n", b"[]\nxx", b'{"decisions":[],"sizes":[1,0,0,0]}\n'])
def test_state_that_is_none_is_refused(saved: bytes) -> None:
    """By a sentence, before anything is taken over."""
    with pytest.raises(ValueError, match="state of a sampler"):
        sampler(plan(ERRORS)).restore(saved)
