"""What makes a trace worth keeping: policies that look at one trace alone.

A policy answers with a threshold T of consistent probability sampling, for it to be kept iff the trace's randomness is
T or more: 0 is yes, NEVER no, and what is between keeps a share. So several policies combine without a choice of order:
who says yes with the lowest T decides, and that T is the probability with which the trace had been kept.

Types and parameters are those of the Collector's tail sampling processor; where the meaning differs, the class says so.
Each policy sees the facts of a whole trace, so the order of its spans cannot matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from spansieve.facts import TraceFacts
from spansieve.sample.probability import rejection_threshold
from spansieve.tracestate import NEVER

SPENT: Final = NEVER + 1
"""The threshold of a policy that would keep the trace, had it room in its rate. It keeps nothing, as NEVER does."""


class Policy(Protocol):
    """One reason to keep a trace, or to drop it. `name` credits it in metrics, logs and on the spans that are kept."""

    @property
    def name(self) -> str:
        """Distinct among the policies of a configuration."""
        ...

    def threshold(self, facts: TraceFacts, now: float) -> int:
        """T, from 0 to NEVER, or SPENT. Asked once for each trace that is decided; `now` is in monotonic seconds.

        Where a rate is to be spent, the facts carry the trace's randomness, explicit or not: a trace that is not in a
        share spends nothing.
        """
        ...


def is_kept(threshold: int, facts: TraceFacts) -> bool:
    """Whether a trace of these facts may be kept under a threshold: surely not, if its randomness is known and less."""
    return threshold < NEVER if facts.randomness is None else threshold <= facts.randomness


def _vote(keep: bool) -> int:  # noqa: FBT001 - a truth value turned into a threshold
    return 0 if keep else NEVER


@dataclass(frozen=True, slots=True)
class AlwaysSample:
    """Keep every trace."""

    name: str

    def threshold(self, facts: TraceFacts, now: float) -> int:  # noqa: ARG002 - the signature of a Policy
        """Keep."""
        return 0


@dataclass(frozen=True, slots=True)
class StatusCode:
    """Keep a trace that holds a span of one of these statuses: ERROR, OK, UNSET.

    A status that OTLP does not know counts as UNSET.
    """

    name: str
    codes: frozenset[str]

    def __post_init__(self) -> None:
        if not self.codes or self.codes - {"ERROR", "OK", "UNSET"}:
            raise ValueError(f"status codes are ERROR, OK and UNSET, one or more of them: {sorted(self.codes)}")

    def threshold(self, facts: TraceFacts, now: float) -> int:  # noqa: ARG002 - the signature of a Policy
        """Keep when any span has one of the statuses."""
        codes = self.codes
        return _vote(
            (facts.errors > 0 and "ERROR" in codes)
            or (facts.oks > 0 and "OK" in codes)
            or (facts.spans > facts.errors + facts.oks and "UNSET" in codes)
        )


@dataclass(frozen=True, slots=True)
class Latency:
    """Keep a trace that lasts longer than `threshold_ms`, and no longer than `upper_threshold_ms` when that is not 0.

    It lasts from its earliest start to its latest end, in whole milliseconds, rounded down as the Collector does. With
    an upper bound the Collector looks at each span as it comes, so that a trace that grows past the bound may still
    match there: here only the whole duration counts.
    """

    name: str
    threshold_ms: int
    upper_threshold_ms: int = 0

    def threshold(self, facts: TraceFacts, now: float) -> int:  # noqa: ARG002 - the signature of a Policy
        """Keep when the duration is within the bounds."""
        duration_ms = facts.duration_ms
        return _vote(duration_ms > self.threshold_ms and not 0 < self.upper_threshold_ms < duration_ms)


@dataclass(frozen=True, slots=True)
class Probabilistic:
    """Keep `percentage` percent of all traces, consistently: who keeps a larger share keeps these as well.

    Randomness is the low 56 bits of the trace id (W3C Trace Context Level 2) or an explicit `rv`. The Collector's
    policy of this name hashes the trace id with a salt instead: the same share, but other traces.
    """

    name: str
    percentage: float
    _threshold: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_threshold", rejection_threshold(self.percentage))

    def threshold(self, facts: TraceFacts, now: float) -> int:  # noqa: ARG002 - the signature of a Policy
        """The same for every trace."""
        return self._threshold


@dataclass(frozen=True, slots=True)
class SpanCount:
    """Keep a trace of `min_spans` spans or more, and of no more than `max_spans` when that is not 0."""

    name: str
    min_spans: int
    max_spans: int = 0

    def threshold(self, facts: TraceFacts, now: float) -> int:  # noqa: ARG002 - the signature of a Policy
        """Keep when the number of spans is within the bounds."""
        return _vote(facts.spans >= self.min_spans and not 0 < self.max_spans < facts.spans)


@dataclass(frozen=True, slots=True)
class Marked:
    """Keep a trace in which a probe matched: a span, a resource or a tracestate said something, see probes.py.

    `string_attribute`, `numeric_attribute`, `boolean_attribute` and `trace_state` are this. With `invert` it keeps the
    traces in which it matched nowhere. Of numbers the Collector sees integers only, and takes a bound of 0 for none.
    """

    name: str
    mark: int  # one bit
    invert: bool = False

    def threshold(self, facts: TraceFacts, now: float) -> int:  # noqa: ARG002 - the signature of a Policy
        """Keep when the probe matched."""
        return _vote(bool(facts.marks & self.mark) is not self.invert)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Keep a trace in which a number reaches a bound: `fact` names it among the facts of its LLM calls."""

    name: str
    fact: str
    bound: float

    def threshold(self, facts: TraceFacts, now: float) -> int:  # noqa: ARG002 - the signature of a Policy
        """Keep when it does."""
        number: float = getattr(facts.llm, self.fact)
        return _vote(number >= self.bound)


@dataclass(frozen=True, slots=True)
class ErrorClassIn:
    """Keep a trace in which an LLM call failed for one of these reasons."""

    name: str
    classes: frozenset[str]

    def threshold(self, facts: TraceFacts, now: float) -> int:  # noqa: ARG002 - the signature of a Policy
        """Keep when one did."""
        return _vote(not self.classes.isdisjoint(facts.llm.error_classes))


@dataclass(frozen=True, slots=True)
class ScoreBelow:
    """Keep a trace whose evaluation came out below a bound: the one of this name, or any for an empty name."""

    name: str
    evaluation: str
    bound: float

    def threshold(self, facts: TraceFacts, now: float) -> int:  # noqa: ARG002 - the signature of a Policy
        """Keep when one did."""
        scores: Mapping[str, float] = facts.llm.lowest_scores
        if self.evaluation:
            return _vote(scores.get(self.evaluation, self.bound) < self.bound)
        return _vote(any(score < self.bound for score in scores.values()))


@dataclass(frozen=True, slots=True)
class Redacted:
    """Keep a trace from which values of these entities were taken, `minimum` of them or more; any for no entity."""

    name: str
    entities: frozenset[str]
    minimum: int = 1

    def threshold(self, facts: TraceFacts, now: float) -> int:  # noqa: ARG002 - the signature of a Policy
        """Keep when there were so many."""
        taken = sum(n for entity, n in facts.redacted.items() if not self.entities or entity in self.entities)
        return _vote(taken >= self.minimum)


@dataclass(frozen=True, slots=True)
class All:
    """`and`: keep a trace that each of the policies keeps. T is the highest of theirs. Who `spends` has a rate."""

    name: str
    policies: tuple[Policy, ...]
    spends: bool = False

    def threshold(self, facts: TraceFacts, now: float) -> int:
        """The highest threshold; who comes after one that does not keep is not asked: no rate is spent in vain."""
        highest = 0
        for policy in self.policies:
            highest = max(highest, policy.threshold(facts, now))
            if highest >= NEVER or (self.spends and not is_kept(highest, facts)):
                break
        return highest


@dataclass(frozen=True, slots=True)
class Not:
    """Keep a trace that the policy does not keep for sure: a share cannot be inverted, and counts as kept."""

    name: str
    policy: Policy

    def threshold(self, facts: TraceFacts, now: float) -> int:
        """0 for what keeps nothing, NEVER for all else."""
        return _vote(self.policy.threshold(facts, now) >= NEVER)
