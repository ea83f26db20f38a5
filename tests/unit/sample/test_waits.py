"""When a trace is decided: the root's arrival, late errors, parts of what is too large, repeated spans, restarts."""

import random
from dataclasses import replace

import pytest

from spansieve.facts import LlmFacts
from spansieve.model import Because, Decision, SpanGroup, Trigger
from spansieve.sample import Plan, Sampler
from spansieve.sample.budget import Budget
from spansieve.sample.buffer import Limbo
from spansieve.sample.conversations import Conversation
from spansieve.sample.decision import Rule
from spansieve.sample.pending import Held, PendingTrace
from spansieve.sample.policies import AlwaysSample, AtLeast, Latency, Probabilistic, ScoreBelow, StatusCode
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


def test_memory_pressure_gives_up_late_errors_first() -> None:
    """Before it decides anything early."""
    tail = sampler(plan(ERRORS, late_error=5.0))
    tail.add([part(A, size=100)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    tail.add([part(B, size=100)], now=31.0)
    assert tail.evict(1, now=31.0).sampled_out == [(A, 1)]
    assert tail.held_traces == 1


def test_too_large_is_decided_in_parts() -> None:
    """What was sampled out of it does not decide on the rest."""
    tail = sampler(plan(ERRORS, largest_bytes=150))
    first = tail.add([part(A, size=100)], now=0.0)
    second = tail.add([part(A, size=100)], now=1.0)
    third = tail.add([part(A, size=200, errors=1)], now=2.0)
    assert (first.verdicts, second.sampled_out) == ([], [(A, 2)])
    assert [each.decision.trigger for each in third.kept] == [Trigger.TOO_LARGE]
    assert [each.decision.trigger for each in tail.add([part(A)], now=3.0).kept] == [Trigger.LATE_SPAN]


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
    """But not of what a floor bears."""
    tail = sampler(plan(ERRORS, AlwaysSample("all"), budget=Budget(1, None)))
    tail.add([part(A), part(B)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    tail.add([part(C, errors=1), part(trace_id(4))], now=60.0)
    thresholds = {each.trace_id: each.decision.threshold for each in tail.take_due(now=90.0, limit=10).kept}
    assert thresholds.get(C) == 0
    assert thresholds.get(trace_id(4)) is None


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


def test_shadow_is_counted() -> None:
    """By policy."""
    tail = sampler(plan(ERRORS, Rule(AlwaysSample("all"), shadow=True)))
    tail.add([part(A), part(B, errors=1)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    assert tail.shadow_kept == {"all": 2}


def test_note_adds_to_a_waiting_trace() -> None:
    """A score that a log record tells."""
    tail = sampler(plan(AtLeast("bad", "thumbs_down", 1)))
    tail.add([part(A), part(B)], now=0.0)
    tail.note(A, LlmFacts(thumbs_down=1), 0.0)
    assert [each.trace_id for each in tail.take_due(now=30.0, limit=10).kept] == [A]


def test_note_that_comes_before_its_trace_counts() -> None:
    """SDKs send log records sooner than spans; here the gateway was restarted in between."""
    tail, restarted = (sampler(plan(AtLeast("bad", "thumbs_down", 1))) for _ in range(2))
    tail.note(A, LlmFacts(thumbs_down=1), 0.0)
    restarted.restore(tail.state())
    restarted.add([part(A), part(B)], now=5.0)
    assert [each.trace_id for each in restarted.take_due(now=35.0, limit=10).kept] == [A]


def test_note_waits_for_its_trace_no_longer_than_a_trace_waits() -> None:
    """Then it is forgotten."""
    tail = sampler(plan(AtLeast("bad", "thumbs_down", 1)))
    tail.note(A, LlmFacts(thumbs_down=1), 0.0)
    tail.add([part(A)], now=31.0)
    assert tail.take_due(now=61.0, limit=10).kept == []


def test_note_for_a_trace_that_has_left_is_nothing() -> None:
    """It is not taken for one that is yet to come."""
    tail = sampler(plan(ERRORS))
    tail.add([part(A)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    tail.note(A, LlmFacts(thumbs_down=1), 31.0)
    assert b'"early":[]' in tail.state()


@pytest.mark.parametrize("in_state", [True, False])
def test_recalled_note_counts_once(*, in_state: bool) -> None:
    """After a restart, one that came before the checkpoint is in its state, or with spans that are recalled, too."""
    tail = sampler(plan(AtLeast("worse", "thumbs_down", 2)))
    if in_state:
        tail.note(A, LlmFacts(thumbs_down=1), 0.0)
    tail.recall(A, LlmFacts(thumbs_down=1), 0.0, known=True)
    tail.hold([part(A)], now=5.0)
    assert tail.take_due(now=35.0, limit=10).kept == []


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


def test_shadow_counts_once_for_a_trace_that_is_decided_twice() -> None:
    """A late error asks again."""
    tail = sampler(plan(Rule(AlwaysSample("all"), shadow=True), late_error=5.0))
    tail.add([part(A)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    tail.add([part(A, errors=1)], now=31.0)
    assert tail.shadow_kept == {"all": 1}


def test_shadow_of_a_rate_is_spent_on_what_nothing_else_keeps() -> None:
    """As it would be in force."""
    rate = Rule(RateLimiting("rate", Bucket(0.001, 2), "spans"), otherwise=Because.RATE, shadow=True)
    tail = sampler(plan(ERRORS, rate))
    tail.add([part(A, spans=2, errors=1), part(B, spans=2)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    assert tail.shadow_kept == {"rate": 1}


KEPT = Decision(keep=True, policy="errors", trigger=Trigger.WAIT_EXPIRED, threshold=0)
OUT = Decision(keep=False, policy="", trigger=Trigger.WAIT_EXPIRED, because=Because.NO_MATCH)


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
    assert tail.add([part(A)], now=1.0).sampled_out_spans == 1
    assert len(tail.add([part(B)], now=1.0).kept) == 1


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
    second.restore(first.state())
    assert before + run(second, cut, 40) == uninterrupted
    assert (second.decided_traces, second.decided_spans) == (whole.decided_traces, whole.decided_spans)
    assert second.remembered == whole.remembered


@pytest.mark.parametrize("saved", [b"", b"{}\n", b"[]\nxx", b'{"decisions":[],"sizes":[1,0,0,0]}\n'])
def test_state_that_is_none_is_refused(saved: bytes) -> None:
    """By a sentence, before anything is taken over."""
    with pytest.raises(ValueError, match="state of a sampler"):
        sampler(plan(ERRORS)).restore(saved)
