"""The sampler beside a plain model of it: who is kept, when, by which policy, with which threshold and which spans."""

from collections import OrderedDict
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from spansieve.facts import LlmFacts
from spansieve.model import Because, Decision, Trigger
from spansieve.sample import Decided
from spansieve.sample.budget import Budget
from spansieve.sample.policies import AtLeast, Probabilistic, StatusCode
from spansieve.sample.probability import rejection_threshold
from unit.sample.helpers_sample import part, plan, sampler, trace_id

_WAIT, _LATE = 10.0, 3.0
_SHARE = rejection_threshold(25)
_POLICIES = (
    StatusCode("errors", frozenset({"ERROR"})),
    Probabilistic("baseline", 25),
    AtLeast("unhappy", "thumbs_down", 1),
)
_RANDOMNESS = (0, 1 << 54, 3 << 54)  # on both sides of the share
_NEW_EVERY = 20.0  # seconds: by then most are decided
_ages = st.sampled_from([0, 0, 1])

_Verdict = tuple[bytes, int, str, str, int | None]
"""A trace, how many of its spans a verdict is about, policy (empty: sampled out), trigger, threshold."""


@dataclass
class _Trace:
    """What the model knows of a trace that is held."""

    first: float
    last: float
    spans: int = 0
    errors: int = 0
    down: int = 0


class _Model:
    """What the sampler is meant to do, without regard to memory."""

    def __init__(self) -> None:
        self.waiting: OrderedDict[bytes, _Trace] = OrderedDict()
        self.limbo: OrderedDict[bytes, tuple[float, _Trace]] = OrderedDict()  # until when, and what
        self.kept: dict[bytes, tuple[str, int]] = {}
        self.out: set[bytes] = set()
        self.early: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def add(self, trace: bytes, spans: int, errors: int, now: float) -> list[_Verdict]:
        """Spans come."""
        for noted, (at, _) in list(self.early.items()):
            if at < now - _WAIT:
                del self.early[noted]
        if trace in self.limbo:
            held = self.limbo.pop(trace)[1]
            self._enter(held, spans, errors, now)
            return self._anew(trace, held, now, is_reason=errors > 0)
        if trace in self.kept:
            policy, threshold = self.kept[trace]
            return [(trace, spans, policy, "late_span", threshold)]
        if trace in self.out:
            return [(trace, spans, "", "late_span", None)]
        if trace not in self.waiting:
            self.waiting[trace] = _Trace(now, now, down=self.early.pop(trace, (0.0, 0))[1])
        self._enter(self.waiting[trace], spans, errors, now)
        return []

    def note(self, trace: bytes, down: int, now: float) -> list[_Verdict]:
        """A log record tells of it."""
        if trace in self.limbo:
            held = self.limbo.pop(trace)[1]
            held.down += down
            return self._anew(trace, held, now, is_reason=down > 0)
        if trace in self.waiting:
            self.waiting[trace].down += down
        elif trace not in self.kept and trace not in self.out:
            self.early[trace] = now, self.early.pop(trace, (0.0, 0))[1] + down
        return []

    def go_on(self, now: float) -> list[_Verdict]:
        """What is due is decided; what was held for a late error long enough ends."""
        verdicts: list[_Verdict] = []
        while self.waiting and next(iter(self.waiting.values())).first + _WAIT <= now:
            trace, held = self.waiting.popitem(last=False)
            if (by := _wanted(trace, held)) is not None:
                verdicts.append(self._keep(trace, held, by, "wait_expired"))
            else:
                self.limbo[trace] = _until(held, now), held
        while self.limbo and next(iter(self.limbo.values()))[0] <= now:
            trace, (_, held) = self.limbo.popitem(last=False)
            self.out.add(trace)
            verdicts.append((trace, held.spans, "", "wait_expired", None))
        return verdicts

    def _enter(self, held: _Trace, spans: int, errors: int, now: float) -> None:
        held.last, held.spans, held.errors = now, held.spans + spans, held.errors + errors

    def _anew(self, trace: bytes, held: _Trace, now: float, *, is_reason: bool) -> list[_Verdict]:
        if is_reason and (by := _wanted(trace, held)) is not None:
            return [self._keep(trace, held, by, "late_error")]
        until = _until(held, now)
        if until <= now:  # more and more comes of it: let go, and the rest is another trace
            return [(trace, held.spans, "", "goes_on", None)]
        self.limbo[trace] = until, held
        return []

    def _keep(self, trace: bytes, held: _Trace, by: tuple[str, int], trigger: str) -> _Verdict:
        self.kept[trace] = by
        return trace, held.spans, by[0], trigger, by[1]


def _wanted(trace: bytes, held: _Trace) -> tuple[str, int] | None:
    """The first policy that wants a trace, shares after the others, and the lowest threshold of all of them."""
    in_share = int.from_bytes(trace[-7:], "big") >= _SHARE
    if not (held.errors or held.down or in_share):
        return None
    name = "errors" if held.errors else "unhappy" if held.down else "baseline"
    return name, 0 if held.errors or held.down else _SHARE


def _until(held: _Trace, now: float) -> float:
    due = min(now, held.first + _WAIT)
    return min(max(due, held.last), due + _WAIT) + _LATE


class Beside(RuleBasedStateMachine):
    """Any history; the sampler's verdicts are the model's, one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.tail = sampler(plan(*_POLICIES, decision=_WAIT, late_error=_LATE), 1000)
        self.model = _Model()
        self.now = 100.0

    def _compare(self, decided: Decided, expected: list[_Verdict]) -> None:
        spans = {trace.trace_id: sum(len(group.spans) for group in trace.groups) for trace in decided.kept}
        spans |= dict(decided.sampled_out)
        found = [
            (trace, spans[trace], decision.policy, decision.trigger.value, decision.threshold)
            for trace, decision in decided.verdicts
        ]
        assert sorted(map(str, found)) == sorted(map(str, expected))

    def _trace(self, randomness: int, age: int) -> bytes:
        """Return a trace of now, or one of a while ago."""
        generation = int(self.now / _NEW_EVERY) - age
        return generation.to_bytes(9, "big") + trace_id(randomness)[9:]

    @rule(
        randomness=st.sampled_from(_RANDOMNESS),
        age=_ages,
        spans=st.integers(1, 3),
        errors=st.sampled_from([0, 0, 0, 1]),
    )
    def add(self, randomness: int, age: int, spans: int, errors: int) -> None:
        """A request brings spans of a trace."""
        trace = self._trace(randomness, age)
        decided = self.tail.add([part(trace, spans=spans, errors=errors)], self.now)
        self._compare(decided, self.model.add(trace, spans, errors, self.now))

    @rule(randomness=st.sampled_from(_RANDOMNESS), age=_ages, down=st.sampled_from([0, 1]))
    def note(self, randomness: int, age: int, down: int) -> None:
        """A log record tells of a trace, early, in time or late."""
        trace = self._trace(randomness, age)
        decided = self.tail.note(trace, LlmFacts(thumbs_down=down), self.now)
        self._compare(decided, self.model.note(trace, down, self.now))

    @rule(seconds=st.sampled_from([0.5, 1.0, 2.0, 2.5, 3.0, 7.0, 10.0, 13.0]))
    def go_on(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds
        self._compare(self.tail.take_due(self.now, 1000), self.model.go_on(self.now))

    @rule(randomness=st.sampled_from(_RANDOMNESS), times=st.integers(4, 14))
    def linger(self, randomness: int, times: int) -> None:
        """Of one trace more and more comes, so that it is not yet over when it is decided."""
        age = 0
        for _ in range(times):
            generation = int(self.now / _NEW_EVERY)
            self.add(randomness, age, 1, 0)
            self.go_on(2.5)
            age += int(self.now / _NEW_EVERY) - generation


TestBeside = Beside.TestCase

_spent = st.tuples(
    st.sampled_from([0.0, 0.1, 1.0, 30.0, 61.0]),  # seconds that pass
    st.integers(0, 400),  # bytes
    st.sampled_from([Because.MATCHED, Because.PROBABILITY]),
    st.booleans(),  # on a floor
)


@given(st.lists(_spent, max_size=80), st.sampled_from([None, 6.0]), st.sampled_from([None, 600.0]))
def test_a_budget_is_never_overspent(
    history: list[tuple[float, int, Because, bool]], traces: float | None, size: float | None
) -> None:
    """From any moment on: what is saved up for a minute, and what comes in; a floor alone may go beyond."""
    budget, now = Budget(traces, size), 0.0
    kept: list[tuple[float, int]] = []
    for seconds, weight, because, floor in history:
        now += seconds
        decision = Decision(True, "p", Trigger.WAIT_EXPIRED, because, 0)  # noqa: FBT003 - keep
        allowed = budget.spend(decision, weight, now, floor=floor)
        assert allowed or not floor
        if allowed and not floor:
            kept.append((now, weight))
    for start, (since, _) in enumerate(kept):
        for end in range(start, len(kept)):
            minutes = (kept[end][0] - since) / 60
            if traces is not None:
                assert end - start + 1 <= traces * (1 + minutes) + 1e-6
            if size is not None:
                assert sum(weight for _, weight in kept[start : end + 1]) <= size * (1 + minutes) + 1e-6
