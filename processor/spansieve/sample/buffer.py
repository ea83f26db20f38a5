"""Traces that wait for their decision."""

from collections import OrderedDict

from spansieve.model import PendingTrace, TraceSlice


class TraceBuffer:
    """Pending traces by id, oldest first. One owner, no locks.

    All wait equally long, so the order of arrival is the order in which they fall due. What is held is bounded by
    whoever admits requests (`memory_limiter`), not here: nothing is dropped to make room.
    """

    def __init__(self, decision_wait: float) -> None:
        self._decision_wait = decision_wait
        # An OrderedDict, since a plain dict that is popped at its front walks over the holes there again and again.
        self._pending: OrderedDict[bytes, PendingTrace] = OrderedDict()
        self._bytes = 0
        self._spans = 0

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def held_bytes(self) -> int:
        """Bytes of spans and envelopes that wait."""
        return self._bytes

    @property
    def held_spans(self) -> int:
        """Spans that wait."""
        return self._spans

    def add(self, part: TraceSlice, now: float) -> None:
        """Let a part of a trace wait; its first part starts the trace's clock. `now` never runs backwards."""
        trace = self._pending.get(part.trace_id)
        if trace is None:
            due = now + self._decision_wait
            trace = PendingTrace(part.trace_id, now, due, list(part.groups), part.facts)
            self._pending[part.trace_id] = trace
        else:
            trace.groups += part.groups
            trace.facts += part.facts
        self._bytes += part.facts.size
        self._spans += part.facts.spans

    def next_due(self) -> float | None:
        """When the oldest trace falls due, in monotonic seconds; None when nothing waits."""
        for trace in self._pending.values():
            return trace.due
        return None

    def take_oldest(self) -> PendingTrace:
        """Remove the trace that came first. Raises KeyError when nothing waits."""
        _, trace = self._pending.popitem(last=False)
        self._bytes -= trace.facts.size
        self._spans -= trace.facts.spans
        return trace

    def set_decision_wait(self, decision_wait: float) -> None:
        """Change how long traces wait, those that wait already included: counted from their first span."""
        self._decision_wait = decision_wait
        for trace in self._pending.values():
            trace.due = trace.first_seen + decision_wait
