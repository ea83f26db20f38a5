"""The verdict on a trace."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from spansieve.facts import TraceFacts
from spansieve.model import Because, Decision, Trigger
from spansieve.sample.policies import SPENT, Policy
from spansieve.tracestate import NEVER


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy in its place.

    `drops`: a trace that it matches is sampled out, whatever the others say. `otherwise`: what it keeps has no known
    probability, for this reason, as a rate's; it is asked only about traces that nothing else keeps. `floor`: what it
    keeps is kept whatever the budget says. `shadow`: its vote is counted, and changes nothing; one with an `otherwise`
    is asked about as many traces as it would be in force. `share`: it keeps a share of what it matches, be it all of
    it for a while, and no whole kind.
    """

    policy: Policy
    drops: bool = False
    otherwise: Because | None = None
    floor: bool = False
    shadow: bool = False
    share: bool = False


class Rules:
    """All rules, by what they do. `every` has them in the order in which they were written."""

    __slots__ = ("_drop", "_keep", "_otherwise", "_shadow", "_shadow_otherwise", "every")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.every = tuple(rules)
        in_force = [rule for rule in self.every if not rule.shadow]
        self._shadow = [rule.policy for rule in self.every if rule.shadow and rule.otherwise is None]
        self._shadow_otherwise = [rule.policy for rule in self.every if rule.shadow and rule.otherwise is not None]
        self._drop = [rule.policy for rule in in_force if rule.drops]
        self._otherwise = [(rule.policy, rule.otherwise) for rule in in_force if rule.otherwise is not None]
        self._keep = [rule for rule in in_force if not rule.drops and rule.otherwise is None]

    def decide(self, trace_id: bytes, facts: TraceFacts, trigger: Trigger, now: float) -> "Verdict":
        """Keep the trace when any rule says so and none that drops is against it.

        The order of the rules makes no difference to whether a trace is kept, save among those with an `otherwise`; the
        first that keeps it is credited, of those that keep it as a whole kind if there are any. T is that of all rules
        together, their lowest. Under memory pressure a trace is decided before it is whole, so that its probability is
        not known; nor is that of one of a kind of which a share is dropped: what is left has the lower randomness,
        which no T can say.
        """
        given = facts.randomness_of(trace_id)
        shadows: tuple[str, ...] = ()
        if self._shadow:
            shadows = tuple([each.name for each in self._shadow if each.threshold(facts, now) <= given])
        is_known = trigger is not Trigger.MEMORY_PRESSURE
        for against in self._drop:
            of_drop = against.threshold(facts, now)
            if of_drop <= given:
                return Verdict(_out(against.name, trigger, Because.DROP_POLICY), shadows=shadows)
            is_known = is_known and of_drop >= NEVER
        lowest, credited, because, floor = self._votes(facts, given, now)
        if credited is not None:
            known = lowest if is_known else None
            return Verdict(_kept(credited, trigger, because, known), floor, shadows)
        if self._otherwise or self._shadow_otherwise:
            facts = facts._replace(randomness=given)
        if self._shadow_otherwise:
            shadows += tuple([each.name for each in self._shadow_otherwise if each.threshold(facts, now) <= given])
        had_no_room = False
        for policy, because in self._otherwise:
            threshold = policy.threshold(facts, now)
            if threshold <= given:
                return Verdict(_kept(policy.name, trigger, because), shadows=shadows)
            lowest = min(lowest, threshold)
            had_no_room = had_no_room or threshold == SPENT
        why = Because.NOT_IN_SHARE if lowest < NEVER else Because.OVER_RATE if had_no_room else Because.NO_MATCH
        return Verdict(_out("", trigger, why), shadows=shadows)

    def _votes(self, facts: TraceFacts, given: int, now: float) -> tuple[int, str | None, Because, bool]:
        """T of all that keep, who is credited and why, and whether a floor is among those that surely keep."""
        lowest, credited, whole, floor = NEVER, None, None, False
        for rule in self._keep:  # each is asked, also when one has decided: some keep count
            threshold = rule.policy.threshold(facts, now)
            lowest = min(lowest, threshold)
            if threshold <= given and credited is None:
                credited = rule.policy.name
            if not threshold and not rule.share:
                whole = whole or rule.policy.name
                floor = floor or rule.floor
        if whole is not None:
            return lowest, whole, Because.MATCHED, floor
        return lowest, credited, Because.PROBABILITY, floor


class Verdict(NamedTuple):
    """A decision, whether a floor bears it, and the names of the shadows that would have kept the trace."""

    decision: Decision
    floor: bool = False
    shadows: tuple[str, ...] = ()


def _kept(policy: str, trigger: Trigger, because: Because, threshold: int | None = None) -> Decision:
    return Decision(True, policy, trigger, because, threshold)  # noqa: FBT003 - keep


def _out(policy: str, trigger: Trigger, because: Because) -> Decision:
    return Decision(False, policy, trigger, because)  # noqa: FBT003 - keep
