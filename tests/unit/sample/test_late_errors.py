"""What is sampled out waits a little longer, for an error or a judgement that comes late."""

import random
from dataclasses import replace

import pytest

from spansieve.facts import LlmFacts
from spansieve.model import Because, Decision, Trigger
from spansieve.sample import Decided
from spansieve.sample.buffer import Limbo
from spansieve.sample.decision import Rule
from spansieve.sample.pending import Held, PendingTrace
from spansieve.sample.policies import AlwaysSample, AtLeast, Latency, ScoreBelow, StatusCode
from unit.sample.helpers_sample import part, plan, sampler, trace_id

ERRORS = Rule(StatusCode("errors", frozenset({"ERROR"})), floor=True)
A, B, C = trace_id(1), trace_id(2), trace_id(3)


def test_late_error_brings_a_trace_back() -> None:
    """All its spans, as long as they are still held."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    tail.add([part(A, spans=2)], now=0.0)
    assert tail.take_due(now=30.0, limit=10).verdicts == []
    (kept,) = tail.add([part(A, spans=1, errors=1)], now=34.0).kept
    assert (kept.facts.spans, kept.decision.trigger, kept.decision.policy) == (3, Trigger.LATE_ERROR, "errors")
    assert (tail.held_traces, tail.held_bytes, tail.held_spans) == (0, 0, 0)


def test_late_failed_call_is_an_error() -> None:
    """Also when its span has no status."""
    tail = sampler(plan(AtLeast("again", "failed_calls", 1), late_error=5.0))
    tail.add([part(A)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    assert len(tail.add([part(A, llm=LlmFacts(failed_calls=1))], now=31.0).kept) == 1


def test_repeated_error_brings_nothing_back() -> None:
    """The trace had it when it was decided; repeating a request does not lengthen the wait either."""
    tail = sampler(plan(Rule(Latency("slow", 10)), late_error=5.0))
    first = part(A, errors=1)
    tail.add([first], now=0.0)
    tail.take_due(now=30.0, limit=10)
    assert tail.add([first], now=34.0).repeated_spans == 1
    assert (tail.next_due(), tail.held_spans) == (35.0, 1)


def test_trace_that_no_error_brings_back_ends() -> None:
    """After the wait for one, with the spans that came late."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    tail.add([part(A, spans=2)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    tail.add([part(A, spans=1)], now=33.0)
    assert tail.next_due() == 38.0
    assert tail.take_due(now=38.0, limit=10).sampled_out == [(A, 3)]
    assert tail.next_due() is None


def test_wait_for_a_late_error_counts_from_when_the_trace_was_due() -> None:
    """Also where it was decided later than that, as after a restart; or from its last spans."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    tail.add([part(A), part(B)], now=0.0)
    tail.add([part(B)], now=32.0)
    tail.take_due(now=33.0, limit=10)
    assert tail.take_due(now=35.0, limit=10).sampled_out == [(A, 1)]
    assert tail.take_due(now=37.0, limit=10).sampled_out == [(B, 2)]


def test_late_error_after_that_follows_the_verdict() -> None:
    """The spans are gone."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    tail.add([part(A)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    tail.take_due(now=35.0, limit=10)
    assert tail.add([part(A, errors=1)], now=36.0).sampled_out_spans == 1


@pytest.mark.parametrize(
    "told",
    [LlmFacts(failed_tools=1), LlmFacts(thumbs_down=1), LlmFacts(lowest_scores={"faithfulness": 0.1})],
    ids=["failed tool", "thumbs down", "score"],
)
@pytest.mark.parametrize("by", ["span", "log"])
def test_late_failure_or_judgement_brings_a_trace_back(told: LlmFacts, by: str) -> None:
    """Not only a status does; a span may tell of it, or a log record."""
    bad = (AtLeast("tool", "failed_tools", 1), AtLeast("down", "thumbs_down", 1), ScoreBelow("bad", "", 0.5))
    tail = sampler(plan(*bad, late_error=5.0))
    tail.add([part(A, spans=2)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    decided = tail.note(A, told, 31.0) if by == "log" else tail.add([part(A, llm=told)], now=31.0)
    assert [each.decision.trigger for each in decided.kept] == [Trigger.LATE_ERROR]
    assert (tail.held_traces, tail.held_bytes, tail.held_spans) == (0, 0, 0)


def test_late_judgement_that_no_policy_asks_for_changes_nothing() -> None:
    """The trace waits on, and ends."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    tail.add([part(A)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    assert tail.note(A, LlmFacts(thumbs_down=1), 31.0).verdicts == []
    assert tail.take_due(now=35.0, limit=10).sampled_out == [(A, 1)]


def test_trace_that_goes_on_and_on_is_not_held_for_ever() -> None:
    """A part a second, as of a process that writes all its spans under one id: the journal can let go of it."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    ends = []
    for second in range(200):
        now = float(second)
        tail.add([replace(part(trace_id(second + 1000)), position=second)], now)
        for decided in (tail.add([replace(part(A), position=second)], now), tail.take_due(now, 100)):
            ends += [(now, decision.trigger) for trace, decision in decided.verdicts if trace == A]
        oldest = tail.oldest_position()
        assert oldest is not None
        assert second - oldest <= 65
    assert ends == [(at, Trigger.GOES_ON) for at in (65.0, 131.0, 197.0)]


def test_error_in_what_goes_on_is_kept() -> None:
    """The rest of such a trace is decided by itself."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    for second in range(70):
        tail.add([part(A)], float(second))
        tail.take_due(float(second), 100)
    tail.add([part(A, errors=1)], 70.0)
    (kept,) = tail.take_due(96.0, 100).kept
    assert (kept.decision.policy, kept.facts.spans) == ("errors", 5)


def test_trace_that_grows_beyond_its_bound_after_its_decision_ends() -> None:
    """What waits for a late error takes no more than what waits for a decision."""
    tail = sampler(plan(ERRORS, late_error=5.0, largest_bytes=250))
    tail.add([part(A), part(A)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    assert tail.held_traces == 1
    decided = tail.add([part(A)], now=31.0)
    assert [decision.trigger for _, decision in decided.verdicts] == [Trigger.TOO_LARGE]
    assert (tail.held_traces, decided.sampled_out) == (0, [(A, 3)])


def test_the_oldest_position_is_the_lowest_of_those_that_wait_for_a_late_error() -> None:
    """However they come, come again and go; and what is gone is not remembered for long."""
    chance = random.Random(1)
    out = Decision(keep=False, policy="", trigger=Trigger.WAIT_EXPIRED, because=Because.NO_MATCH)
    held = Held()
    limbo = Limbo(held)
    waiting: dict[bytes, PendingTrace] = {}
    for number in range(6000):
        if waiting and chance.random() < 0.5:
            trace, *_ = limbo.take(chance.choice([*waiting]))
            del waiting[trace.trace_id]
            if chance.random() < 0.5:
                continue
        else:
            trace = held.begin(replace(part(trace_id(number + 1)), position=chance.randrange(1000)), 0.0)
        limbo.put(trace, out, 0.0)
        waiting[trace.trace_id] = trace
        if number % 3 == 0:
            assert limbo.oldest_position() == min(each.position for each in waiting.values())
    assert len(limbo._positions) <= 2 * len(waiting) + 1001


def test_positions_of_what_is_gone_are_let_go() -> None:
    """Behind the oldest one, which stays, and without anyone asking."""
    out = Decision(keep=False, policy="", trigger=Trigger.WAIT_EXPIRED, because=Because.NO_MATCH)
    held = Held()
    limbo = Limbo(held)
    limbo.put(held.begin(replace(part(A), position=1), 0.0), out, 0.0)
    for number in range(5000):
        trace = held.begin(replace(part(trace_id(number + 10)), position=number + 10), 0.0)
        limbo.put(trace, out, 0.0)
        assert (trace.position, trace.trace_id) in limbo._positions
        limbo.take(trace.trace_id)
    assert len(limbo._positions) <= 1010
    limbo.put(held.begin(replace(part(B), position=9000), 0.0), out, 0.0)
    assert limbo.oldest_position() == 1
    limbo.take(A)
    assert limbo.oldest_position() == 9000


def test_next_due_is_the_earlier_of_a_decision_and_of_an_end() -> None:
    """Either may be."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    tail.add([part(A)], now=0.0)
    tail.add([part(B)], now=2.0)
    tail.take_due(now=30.0, limit=10)
    assert tail.next_due() == 32.0
    tail.take_due(now=32.0, limit=10)
    tail.add([part(C)], now=33.0)
    assert tail.next_due() == 35.0


def test_late_span_without_an_error_brings_nothing_back() -> None:
    """Even if the trace, with it, had been kept: what is asked again is asked for a reason."""
    tail = sampler(plan(Rule(Latency("slow", 10)), late_error=5.0))
    tail.add([part(A)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    assert tail.add([part(A, duration_ms=50)], now=31.0) == Decided()
    assert tail.take_due(now=36.0, limit=10).sampled_out == [(A, 2)]


def test_the_end_ends_what_waits_for_a_late_error() -> None:
    """And counts all its spans."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    tail.add([part(A, spans=2), part(B, spans=3)], now=0.0)
    tail.take_due(now=30.0, limit=1)
    assert tail.flush(Trigger.SHUTDOWN, now=31.0).sampled_out == [(A, 2), (B, 3)]
    assert (tail.held_traces, tail.held_bytes, tail.held_spans) == (0, 0, 0)


def test_memory_pressure_gives_up_no_more_late_errors_than_it_must() -> None:
    """And what it decides early waits for none."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    tail.add([part(A), part(B)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    assert tail.evict(1, now=31.0).sampled_out == [(A, 1)]
    tail.add([part(C)], now=31.0)
    assert tail.evict(tail.held_bytes, now=31.0).sampled_out == [(B, 1), (C, 1)]
    assert tail.held_bytes == 0


def test_memory_pressure_gives_up_late_errors_first() -> None:
    """Before it decides anything early."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    tail.add([part(A, size=100)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    tail.add([part(B, size=100)], now=31.0)
    assert tail.evict(1, now=31.0).sampled_out == [(A, 1)]
    assert tail.held_traces == 1


def test_shadow_counts_once_for_a_trace_that_is_decided_twice() -> None:
    """A late error asks again."""
    tail = sampler(plan(Rule(AlwaysSample("all"), shadow=True), late_error=5.0))
    tail.add([part(A)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    tail.add([part(A, errors=1)], now=31.0)
    assert tail.shadow_kept == {"all": 1}
