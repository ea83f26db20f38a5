"""What a kept span says of its being kept: policy, reason, rate as attributes, `ot=th` in its tracestate. Pure."""

from dataclasses import dataclass, field
from typing import Self

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve import tracestate
from spansieve.model import Decision, SampledTrace
from spansieve.wire import double_attribute, string_attribute, trace_state, trace_state_field

POLICY_ATTRIBUTE = "tailsampling.policy"
"""Which policy kept the span's trace: the Collector's name for it."""
REASON_ATTRIBUTE = "spansieve.sampling.reason"
"""Why that policy kept it: see model.Because."""
RATE_ATTRIBUTE = "spansieve.sampling.rate"
"""How many traces one like it stands for, as far as this gateway goes; absent when that is not known."""

_MOST_ADDED = 32  # bytes by which `th` makes a tracestate longer


@dataclass(frozen=True, slots=True)
class Stamp:
    """The stamp of one trace: `plain` is put behind each span that has no tracestate, which most have not."""

    decision: Decision
    randomness: int
    attributes: bytes = field(repr=False)
    plain: bytes = field(repr=False)

    @classmethod
    def of(cls, trace: SampledTrace) -> Self:
        """Make the stamp of a kept trace."""
        decision = trace.decision
        attributes = string_attribute(POLICY_ATTRIBUTE, decision.policy)
        attributes += string_attribute(REASON_ATTRIBUTE, decision.because)
        plain = attributes
        if decision.threshold is not None:
            rate = double_attribute(RATE_ATTRIBUTE, tracestate.adjusted_count(decision.threshold))
            attributes += rate
            plain = attributes + trace_state_field(tracestate.with_threshold("", decision.threshold))
        return cls(decision, trace.facts.randomness_of(trace.trace_id), attributes, plain)

    @property
    def size(self) -> int:
        """Bytes that a span grows by at most."""
        return len(self.plain) + _MOST_ADDED

    def on(self, span: bytes) -> bytes:
        """A serialized span with the stamp.

        A stage can only raise the threshold of those before it. Where they say none, it is taken for one that kept all,
        as the Collector does; one that contradicts the randomness, or cannot be read, is unknown, and stays so.
        """
        given = trace_state(span)
        if not given:
            return span + self.plain
        wanted = tracestate.with_threshold(given, self._threshold(given))
        if wanted != given:
            message = Span.FromString(span)
            message.trace_state = wanted
            span = message.SerializeToString()
        return span + self.attributes

    def _threshold(self, given: str) -> int | None:
        own, before = self.decision.threshold, tracestate.threshold(given)
        if own is None or (before is None and "th:" in given) or (before or 0) > self.randomness:
            return None
        return max(own, before or 0)
