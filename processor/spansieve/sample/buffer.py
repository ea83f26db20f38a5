"""Traces that wait for their decision, and those that wait a little longer after one that was against them."""

import heapq
import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from spansieve.facts import LlmFacts, TraceFacts
from spansieve.model import Decision, TraceSlice, Trigger
from spansieve.sample.pending import Held, PendingTrace

_SPARE_POSITIONS: Final = 1000


@dataclass(frozen=True, slots=True)
class Waits:
    """How long traces wait, in seconds, and how large (bytes) one may grow before it is decided in parts.

    `after_root` shortens the wait once the root has come, None leaves it; `late_error` is for how long a trace that
    was sampled out is still held, for an error that comes late.
    """

    decision: float
    after_root: float | None = None
    late_error: float = 0.0
    largest_bytes: int = 1 << 62

    def due(self, trace: PendingTrace) -> float:
        """When a trace falls due, in monotonic seconds."""
        return min(trace.first_seen + self.decision, self.after(trace.root_seen))

    def after(self, root_seen: float) -> float:
        """When a trace falls due at the latest whose root came then."""
        return math.inf if self.after_root is None else root_seen + self.after_root


class TraceBuffer:
    """Pending traces by id. One owner, no locks.

    What is held is bounded by whoever admits requests (`memory_limiter`), not here: nothing is dropped to make room.
    `held` makes traces and adds to them; who takes a trace ends it there.
    """

    def __init__(self, waits: Waits, held: Held) -> None:
        self._waits = waits
        self._held = held
        # An OrderedDict, since a plain dict that is popped at its front walks over the holes there again and again.
        self._pending: OrderedDict[bytes, PendingTrace] = OrderedDict()
        # All wait equally long, so that they fall due in the order of arrival; and so do those whose root has come, in
        # the order of their roots, which are noted while that shortens the wait. When that is follows from the waits:
        # a reload that changes them touches none of a hundred thousand traces.
        self._rooted: deque[tuple[float, bytes]] = deque()
        self._large: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._pending)

    def __contains__(self, trace_id: bytes) -> bool:
        return trace_id in self._pending

    def add(self, part: TraceSlice, now: float) -> int:
        """Let a part of a trace wait; its first part starts the trace's clock. `now` never runs backwards.

        Gives how many of its spans were left out, because the trace has them already: senders repeat themselves.
        """
        trace_id = part.trace_id
        trace = self._pending.get(trace_id)
        if trace is None:
            facts, repeated = part.facts, 0
            trace = self._pending[trace_id] = self._held.begin(part, now)
        else:
            facts, part, repeated = self._held.add(trace, part, now)
        if trace.root_seen == now and self._waits.after_root is not None:
            self._rooted.append((now, trace_id))
        if facts.size > self._waits.largest_bytes:
            self._large.add(trace_id)
        return repeated

    def note(self, trace_id: bytes, told: LlmFacts) -> None:
        """Add to the facts of a trace, if it waits."""
        if (trace := self._pending.get(trace_id)) is not None:
            self._held.note(trace, told)

    def oldest_position(self) -> int | None:
        """The journal position of the trace that came first; None when nothing waits."""
        return next((trace.position for trace in self._pending.values()), None)

    def next_due(self) -> float | None:
        """When the next trace falls due, in monotonic seconds; None when nothing waits."""
        first = self._first()
        return None if first is None else self._waits.due(first)

    def take_due(self, now: float) -> tuple[PendingTrace, Trigger] | None:
        """Remove the next trace that is due at `now`; None when none is."""
        trace = self._first()
        if trace is None or (due := self._waits.due(trace)) > now:
            return None
        waited_in_full = due >= trace.first_seen + self._waits.decision
        return self.take(trace.trace_id), Trigger.WAIT_EXPIRED if waited_in_full else Trigger.ROOT_ARRIVED

    def take_large(self) -> PendingTrace | None:
        """Remove a trace that has grown beyond its bound; None when there is none."""
        return self.take(self._large.pop()) if self._large else None

    def take_heaviest(self) -> PendingTrace:
        """Remove the trace that it helps most to decide early: the oldest. Raises KeyError when nothing waits."""
        return self.take(next(iter(self._pending)))

    def take(self, trace_id: bytes) -> PendingTrace:
        """Remove a trace. Raises KeyError when it does not wait."""
        trace = self._pending.pop(trace_id)
        self._large.discard(trace_id)
        return trace

    def set_waits(self, waits: Waits) -> None:
        """Change how long traces wait, those that wait already included."""
        noted = self._waits.after_root is not None
        self._waits = waits
        if waits.after_root is None:
            self._rooted.clear()
        elif not noted:
            traces = self._pending.values()
            self._rooted.extend(sorted((each.root_seen, each.trace_id) for each in traces if each.has_root))

    def _first(self) -> PendingTrace | None:
        """The trace that falls due next."""
        oldest = next(iter(self._pending.values()), None)
        while self._rooted:
            at, trace_id = self._rooted[0]
            trace = self._pending.get(trace_id)
            if trace is not None and trace.root_seen == at:
                return trace if oldest is None or self._waits.after(at) <= self._waits.due(oldest) else oldest
            self._rooted.popleft()
        return oldest


class Limbo:
    """Traces that were sampled out a moment ago, with their decision, and which shadows had kept them. One owner.

    What is added to them is added by `held`; who takes a trace for good ends it there.
    """

    def __init__(self, held: Held) -> None:
        self._waiting: OrderedDict[bytes, tuple[float, PendingTrace, Decision, frozenset[str]]] = OrderedDict()
        self._positions: list[tuple[int, bytes]] = []  # a heap; those whose trace is gone are passed over
        self._held = held

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, trace_id: bytes) -> bool:
        return trace_id in self._waiting

    def put(self, trace: PendingTrace, decision: Decision, until: float, shadows: frozenset[str] = frozenset()) -> None:
        """Hold a trace until then (monotonic seconds)."""
        self._waiting[trace.trace_id] = until, trace, decision, shadows
        if len(self._positions) > 2 * len(self._waiting) + _SPARE_POSITIONS:
            self._positions = [(each.position, trace_id) for trace_id, (_, each, _, _) in self._waiting.items()]
            heapq.heapify(self._positions)
        else:
            heapq.heappush(self._positions, (trace.position, trace.trace_id))

    def add(self, part: TraceSlice, now: float) -> tuple[TraceFacts, TraceSlice, int]:
        """Add a part to its trace, as `Held.add` does. Raises KeyError when the trace is not here."""
        trace = self._waiting[part.trace_id][1]
        return self._held.add(trace, part, now)

    def take(self, trace_id: bytes) -> tuple[PendingTrace, Decision, frozenset[str]]:
        """Remove a trace. Raises KeyError when it is not here."""
        return self._waiting.pop(trace_id)[1:]

    def oldest_position(self) -> int | None:
        """The lowest journal position of those that wait; None when none does."""
        positions = self._positions
        while positions:
            position, trace_id = positions[0]
            waiting = self._waiting.get(trace_id)
            if waiting is not None and waiting[1].position == position:
                return position
            heapq.heappop(positions)
        return None

    def next_due(self) -> float | None:
        """Until when the first one waits; None when none does."""
        for until, *_ in self._waiting.values():
            return until
        return None

    def take_first(self) -> tuple[PendingTrace, Decision, frozenset[str]]:
        """Remove the trace that has waited longest. Raises KeyError when none waits."""
        return self.take(next(iter(self._waiting)))
