"""What makes a trace worth keeping. Each policy sees the facts of a whole trace, so the order of spans cannot matter.

Types and parameters are those of the Collector's tail sampling processor; where the meaning differs, the class says so.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from spansieve.model import TraceFacts

_RANDOMNESS_BITS = 56
_NEVER = 1 << _RANDOMNESS_BITS


class Policy(Protocol):
    """One reason to keep a trace. `name` credits it in metrics, logs and on the spans that are kept."""

    @property
    def name(self) -> str:
        """Distinct among the policies of a configuration."""
        ...

    def evaluate(self, trace_id: bytes, facts: TraceFacts) -> bool:
        """Whether to keep the trace. Depends on the arguments only."""
        ...


@dataclass(frozen=True, slots=True)
class AlwaysSample:
    """Keep every trace."""

    name: str

    def evaluate(self, trace_id: bytes, facts: TraceFacts) -> bool:  # noqa: ARG002 - the signature of a Policy
        """Keep."""
        return True


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

    def evaluate(self, trace_id: bytes, facts: TraceFacts) -> bool:  # noqa: ARG002 - the signature of a Policy
        """Keep when any span has one of the statuses."""
        codes = self.codes
        return (
            (facts.errors > 0 and "ERROR" in codes)
            or (facts.oks > 0 and "OK" in codes)
            or (facts.spans > facts.errors + facts.oks and "UNSET" in codes)
        )


@dataclass(frozen=True, slots=True)
class Latency:
    """Keep a trace that lasts `threshold_ms` or longer, and no longer than `upper_threshold_ms` when that is not 0.

    It lasts from its earliest start to its latest end, in whole milliseconds, rounded down as the Collector does. With
    an upper bound the Collector leaves out the lower one itself (`>` for `>=`) and looks at each span as it comes, so
    that a trace that grows past the bound may still match there: here only the whole duration counts.
    """

    name: str
    threshold_ms: int
    upper_threshold_ms: int = 0

    def evaluate(self, trace_id: bytes, facts: TraceFacts) -> bool:  # noqa: ARG002 - the signature of a Policy
        """Keep when the duration is within the bounds."""
        duration_ms = (facts.end_ns - facts.start_ns) // 1_000_000
        return duration_ms >= self.threshold_ms and not 0 < self.upper_threshold_ms < duration_ms


def rejection_threshold(percentage: float) -> int:
    """T of OpenTelemetry's probability sampling: of 2^56 equally likely traces so many are rejected.

    T = (1 - percentage / 100) * 2^56, computed with integers from the decimal that the operator wrote, to the nearest.
    100 is 0, and 0 is 2^56, which no trace reaches. A probability below 2^-57 rounds to never.
    Source: specification/trace/tracestate-probability-sampling.md, «Rejection Threshold».
    """
    if not 0 <= percentage <= 100:
        raise ValueError(f"a percentage is from 0 to 100: {percentage}")
    return _NEVER - round(Fraction(str(percentage)) / 100 * _NEVER)


@dataclass(frozen=True, slots=True)
class Probabilistic:
    """Keep `percentage` percent of all traces, consistently: who keeps a larger share keeps these as well.

    A trace is kept iff its randomness, the low 56 bits of its id (W3C Trace Context Level 2), is `threshold` or more.
    The explicit randomness that a tracestate may carry (`ot=rv:`) is not looked at, and no `th` is written. The
    Collector's policy of this name hashes the trace id with a salt instead: the same share, but other traces.
    """

    name: str
    percentage: float
    threshold: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", rejection_threshold(self.percentage))

    def evaluate(self, trace_id: bytes, facts: TraceFacts) -> bool:  # noqa: ARG002 - the signature of a Policy
        """Keep when the randomness of the id reaches the threshold."""
        return int.from_bytes(trace_id[9:], "big") >= self.threshold
