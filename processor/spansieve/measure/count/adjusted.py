"""How many spans one stands for, when its sender sampled: the adjusted count of its trace state."""

from functools import lru_cache

from spansieve import tracestate

GREATEST = 1_000_000.0
"""No sender keeps less than one in a million. A trace state that says so is a mistake, or meant to spoil a total."""

_REMEMBERED = 1024


@lru_cache(maxsize=_REMEMBERED)
def adjusted_count(trace_state: str) -> float | None:
    """Return how many spans one with this trace state stands for: 1 when its sender did not sample.

    None when the trace state cannot be right; it is whole unless the sender's probability is no power of two or so.
    Source: OpenTelemetry specification, trace/tracestate-probability-sampling.md.
    """
    if "th:" not in trace_state:
        return 1.0
    threshold = tracestate.threshold(trace_state)
    if threshold is None:
        return None
    count = tracestate.adjusted_count(threshold)
    return count if count <= GREATEST else None
