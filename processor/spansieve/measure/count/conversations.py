"""How deep conversations go, and how long they last: a conversation ends when nothing more is heard of it.

A turn is a trace with an LLM call: an agent that calls its model five times for one question takes one turn.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from spansieve import pieces

CAPACITY = 20_000
"""Conversations followed at a time."""

TURNS = 100_000
"""Turns remembered at a time, over all conversations; about 10 MB."""

_AT_ONCE = 100
"""Conversations that are written down together: tens of µs, but for those of very many turns."""

_TRACE_ID = 16  # bytes
_NO_TRACE = bytes(_TRACE_ID)  # stands for none; no trace has this id


class Ended(NamedTuple):
    """A conversation that ended: by silence, or `evicted`, to make room for another."""

    service: str
    turns: int
    duration_s: float  # from the start of the first call to the end of the last
    evicted: bool


@dataclass(slots=True)
class _Conversation:
    start_ns: int
    end_ns: int
    heard: float
    traces: bytes | set[bytes]  # one trace's id, or those of several
    age: int  # in which of its owner's ages it was made

    @property
    def turns(self) -> int:
        """How many traces there were."""
        return len(self.traces) if isinstance(self.traces, set) else 1

    @property
    def joined(self) -> bytes:
        """The ids of the traces, one behind the other."""
        return self.traces if isinstance(self.traces, bytes) else b"".join(sorted(self.traces))

    def copy(self, age: int) -> "_Conversation":
        """Another one of which the same is known."""
        traces = self.traces.copy() if isinstance(self.traces, set) else self.traces
        return _Conversation(self.start_ns, self.end_ns, self.heard, traces, age)


class Conversations:
    """The conversations that have not ended. Times are seconds, never backwards. Owner: one Meter.

    At most `capacity` of them with at most `turns` turns in all; beyond it, the one that was silent longest is evicted.
    """

    def __init__(self, idle_s: float, capacity: int = CAPACITY, turns: int = TURNS) -> None:
        self._idle_s = idle_s
        self._capacity = capacity
        self._max_turns = turns
        self._turns = 0
        self._quiet_until = -math.inf  # no conversation ends before
        self._age = 0  # conversations of earlier ages belong to a state: who changes one makes a copy
        # The one that was heard of longest ago stands first.
        self._active: dict[tuple[str, str], _Conversation] = {}

    def __len__(self) -> int:
        return len(self._active)

    def heard(self, service: str, conversation: str, trace_id: bytes, start_ns: int, end_ns: int, now: float) -> None:
        """Enter a call of a conversation: its id (not empty), its trace, its times (Unix nanoseconds).

        All calls of a conversation that are of no trace are one turn.
        """
        trace_id = trace_id or _NO_TRACE
        key = service, conversation
        active = self._active
        found = active.pop(key, None)
        if found is None:
            active[key] = _Conversation(start_ns, end_ns, now, trace_id, self._age)
            self._turns += 1
            return
        if found.age != self._age:
            found = found.copy(self._age)
        active[key] = found
        found.heard = now
        if start_ns < found.start_ns:  # noqa: PLR1730 - a function for it costs as much as all the rest
            found.start_ns = start_ns
        if end_ns > found.end_ns:  # noqa: PLR1730 - as above
            found.end_ns = end_ns
        traces = found.traces
        if isinstance(traces, set):
            if trace_id in traces:
                return
            traces.add(trace_id)
        elif trace_id == traces:
            return
        else:
            found.traces = {traces, trace_id}
        self._turns += 1

    def ended(self, now: float) -> Iterable[Ended]:
        """Forget and return the conversations that ended by now, and those for which there is no room."""
        if now < self._quiet_until and len(self._active) <= self._capacity and self._turns <= self._max_turns:
            return ()
        ended = tuple(self._ended(now))
        # What is heard from now on ends later than that, and what was heard longest ago stands first.
        oldest = next(iter(self._active.values())).heard if self._active else now
        self._quiet_until = oldest + self._idle_s
        return ended

    def _ended(self, now: float) -> Iterator[Ended]:
        while self._active:
            key, found = next(iter(self._active.items()))
            silent = now >= found.heard + self._idle_s
            if not silent and len(self._active) <= self._capacity and self._turns <= self._max_turns:
                return
            del self._active[key]
            self._turns -= found.turns
            duration = max(0, found.end_ns - found.start_ns) / 1e9
            yield Ended(key[0], found.turns, duration, evicted=not silent)

    def state(self) -> Iterator[list[Any]]:
        """All conversations as they are now, some at a time, as JSON can write them: column by column.

        They are copied when their turn comes, or before they change.
        """
        self._age += 1
        keys, active = list(self._active), list(self._active.values())
        return (_columns(keys[lot], active[lot]) for lot in pieces.lots(len(keys), _AT_ONCE))

    def restore(self, state: Iterable[list[Any]]) -> None:
        """Take over what `state` returned."""
        self._active.clear()
        self._turns = 0
        self._quiet_until = -math.inf
        for *columns, traces in state:
            joined = bytes.fromhex(traces)
            begin = 0
            for (service, conversation), start_ns, end_ns, heard, size in zip(*columns, strict=True):
                ids = {joined[at : at + _TRACE_ID] for at in range(begin, begin + size, _TRACE_ID)}
                begin += size
                self._active[service, conversation] = _Conversation(start_ns, end_ns, heard, ids, self._age)
                self._turns += len(ids)


def _columns(keys: list[tuple[str, str]], active: list[_Conversation]) -> list[Any]:
    traces = [each.joined for each in active]
    return [
        keys,
        [each.start_ns for each in active],
        [each.end_ns for each in active],
        [each.heard for each in active],
        [len(each) for each in traces],
        b"".join(traces).hex(),
    ]
