"""What was told of traces of which no span has come yet.

An SDK sends log records a second after they were written, and spans after five: what an evaluation in the application
tells of a call is here before the call.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from spansieve import pieces
from spansieve.facts import NO_LLM, LlmFacts

_AT_ONCE: Final = 50
"""Notes that are made into bytes together."""
_MOST: Final = 10_000
_MOST_SCORES: Final = 40_000
"""Over all traces, which may have 64 each: some 10 MB with the longest names."""


class EarlyNotes:
    """The notes, each until its trace comes, or for a time; beyond a fixed number the oldest goes. One owner."""

    def __init__(self) -> None:
        self._notes: OrderedDict[bytes, tuple[float, LlmFacts]] = OrderedDict()
        self._scores = 0

    def __len__(self) -> int:
        return len(self._notes)

    def __contains__(self, trace_id: bytes) -> bool:
        return trace_id in self._notes

    def add(self, trace_id: bytes, told: LlmFacts, now: float) -> None:
        """Note what is told of a trace. `now` never runs backwards."""
        _, earlier = self._remove(trace_id)
        told = earlier.plus(told) if earlier is not NO_LLM else told
        self._notes[trace_id] = now, told
        self._scores += len(told.lowest_scores)
        while len(self._notes) > _MOST or self._scores > _MOST_SCORES:
            self._remove(next(iter(self._notes)))

    def take(self, trace_id: bytes) -> LlmFacts:
        """Remove what was told of a trace; NO_LLM when that is nothing."""
        return self._remove(trace_id)[1]

    def forget(self, before: float) -> None:
        """Forget what was told before then, and never again since."""
        while self._notes and next(iter(self._notes.values()))[0] < before:
            self._remove(next(iter(self._notes)))

    def state(self) -> Iterator[list[tuple[str, float, Mapping[str, Any]]]]:
        """What `restore` takes, of JSON's types: as it is now, made some at a time."""
        ids, notes = list(self._notes), list(self._notes.values())
        return (
            [
                (trace_id.hex(), noted, _told(facts))
                for trace_id, (noted, facts) in zip(ids[lot], notes[lot], strict=True)
            ]
            for lot in pieces.lots(len(ids), _AT_ONCE)
        )

    def restore(self, state: Iterable[Sequence[Sequence[Any]]]) -> None:
        """Know these again, and no others."""
        self._notes.clear()
        self._scores = 0
        for trace_id, at, told in (each for some in state for each in some):
            fields: dict[str, Any] = {name: frozenset(v) if isinstance(v, list) else v for name, v in told.items()}
            self.add(bytes.fromhex(trace_id), LlmFacts(**fields), at)

    def _remove(self, trace_id: bytes) -> tuple[float, LlmFacts]:
        at, told = self._notes.pop(trace_id, (0.0, NO_LLM))
        self._scores -= len(told.lowest_scores)
        return at, told


def _told(facts: LlmFacts) -> Mapping[str, Any]:
    """The fields that tell something."""
    fields = zip(facts._fields, facts, NO_LLM, strict=True)
    return {name: sorted(v) if isinstance(v, frozenset) else v for name, v, nothing in fields if v != nothing}
