"""Verdicts remembered, so that spans which come after the decision follow it."""

from array import array
from collections.abc import Iterator
from typing import Final

import orjson

from spansieve import pieces
from spansieve.model import Because, Decision, Trigger
from spansieve.pieces import Sections

_ID: Final = 16
_NUMBER: Final = 4
_NOT_KEPT: Final = b"\xff" * _NUMBER
_AT_ONCE: Final = 100
"""Decisions in a piece of the state."""


class DecisionMemory:
    """Which traces were kept, by which decision, and which were sampled out.

    They are bounded apart: kept traces are few and their late spans matter, sampled-out ones are many. Each kind stands
    in two generations, of which the older goes when the younger has half the size; use carries over into the younger.
    Kept ones take about 200 bytes each. Of sampled-out ones 64 bits of the id are kept, about 80 bytes each, and one
    new trace in 10^13 is taken for one of a million. A forgotten trace is a new one when its late spans come. A size of
    0 remembers nothing. Beside each generation stands what was noted in it in one piece, which only grows: for `state`.
    """

    def __init__(self, sampled_cache_size: int, non_sampled_cache_size: int) -> None:
        self._young_kept = _Kept()
        self._old_kept = _Kept()
        self._half_kept = (sampled_cache_size + 1) // 2
        self._young: set[int] = set()
        self._old: set[int] = set()
        self._joined = array("Q"), array("Q")  # the same: young, old
        self._half = non_sampled_cache_size // 2

    def __len__(self) -> int:
        return len(self._young_kept.traces) + len(self._old_kept.traces) + len(self._young) + len(self._old)

    def keep(self, trace_id: bytes, decision: Decision) -> None:
        """Note that a trace was kept."""
        if not self._half_kept:
            return
        if self._young_kept.noted >= self._half_kept:
            self._old_kept, self._young_kept = self._young_kept, _Kept()
        self._young_kept.note(trace_id, decision)
        self._old_kept.traces.pop(trace_id, None)

    def drop(self, trace_id: bytes) -> None:
        """Note that a trace was sampled out."""
        if trace_id in self._young_kept.traces or trace_id in self._old_kept.traces:
            self._old_kept.traces.pop(trace_id, None)
            self._young_kept.strike(trace_id)
        if not self._half:
            return
        if len(self._young) >= self._half:
            self._old, self._young = self._young, set()
            self._joined = array("Q"), self._joined[0]
        self._note(_fingerprint(trace_id))

    def kept(self, trace_id: bytes) -> Decision | None:
        """The decision by which a trace was kept, which counts as use; None when that is not remembered."""
        decision = self._young_kept.traces.get(trace_id)
        if decision is None and (decision := self._old_kept.traces.get(trace_id)) is not None:
            self.keep(trace_id, decision)
        return decision

    def dropped(self, trace_id: bytes) -> bool:
        """Whether a trace was sampled out, as far as memory goes. Ask `kept` first."""
        fingerprint = _fingerprint(trace_id)
        if fingerprint in self._young:
            return True
        if fingerprint in self._old:
            self._note(fingerprint)  # use keeps it, as with those that were kept
            return True
        return False

    def state(self) -> Iterator[bytes]:
        """Pieces of what is remembered now (see pieces.py); their sections are what `restore` takes."""
        young, old = self._joined
        parts = (
            self._young_kept.state("young"),
            self._old_kept.state("old"),
            pieces.grown("dropped.young", young),
            pieces.grown("dropped.old", old),
        )
        return (piece for part in parts for piece in part)

    def restore(self, state: Sections) -> None:
        """Remember what was remembered, as far as today's sizes allow. Raises ValueError for what is no state."""
        old, young = _Kept(), _Kept()
        for generation, age in ((old, "old"), (young, "young")):
            for trace_id, decision in _noted(state, age):
                old.traces.pop(trace_id, None)
                if decision is None:
                    generation.strike(trace_id)
                else:
                    generation.note(trace_id, decision)
        self._old_kept, self._young_kept = (each.cut(self._half_kept) for each in (old, young))
        self._joined = array("Q"), array("Q")
        if self._half:
            for joined, age in zip(self._joined, ("young", "old"), strict=True):
                joined.frombytes(b"".join(state.get(f"dropped.{age}", ())))
        self._young, self._old = map(set, self._joined)

    def _note(self, fingerprint: int) -> None:
        """Remember one among the young."""
        if fingerprint not in self._young:
            self._young.add(fingerprint)
            self._joined[0].append(fingerprint)


class _Kept:
    """A generation of kept traces, with all that was noted of them, in order: ids, each with its decision's number."""

    __slots__ = ("_decisions", "_noted", "_numbers", "traces")

    def __init__(self) -> None:
        self.traces: dict[bytes, Decision] = {}
        self._noted = bytearray()
        self._decisions: list[Decision] = []  # one object for equal ones
        self._numbers: dict[Decision, int] = {}

    @property
    def noted(self) -> int:
        """How often something was; at least as many as there are traces."""
        return len(self._noted) // (_ID + _NUMBER)

    def note(self, trace_id: bytes, decision: Decision) -> None:
        """A trace was kept."""
        number = self._numbers.setdefault(decision, len(self._decisions))
        if number == len(self._decisions):
            self._decisions.append(decision)
        self.traces[trace_id] = self._decisions[number]
        self._noted += trace_id + number.to_bytes(_NUMBER, "big")

    def strike(self, trace_id: bytes) -> None:
        """A trace is not kept after all, neither in this generation nor in an older one."""
        self.traces.pop(trace_id, None)
        self._noted += trace_id + _NOT_KEPT

    def cut(self, most: int) -> "_Kept":
        """The same, or where there are more traces than that, another one with the last of them."""
        if len(self.traces) <= most:
            return self
        cut = _Kept()
        for trace_id, decision in list(self.traces.items())[len(self.traces) - most :]:
            cut.note(trace_id, decision)
        return cut

    def state(self, age: str) -> Iterator[bytes]:
        """Pieces of what was noted by now."""
        decisions = self._decisions[:]
        noted = pieces.grown(f"kept.{age}", self._noted)
        some = ([list(each) for each in decisions[lot]] for lot in pieces.lots(len(decisions), _AT_ONCE))
        return (piece for part in (pieces.lines(f"decisions.{age}", some), noted) for piece in part)


def _noted(state: Sections, age: str) -> Iterator[tuple[bytes, Decision | None]]:
    """What was noted in a generation; None for a trace that is not kept after all."""
    rows = [row for line in state.get(f"decisions.{age}", ()) for row in orjson.loads(line)]
    decisions = [
        Decision(keep, policy, Trigger(trigger), Because(because), threshold)
        for keep, policy, trigger, because, threshold in rows
    ]
    joined = b"".join(state.get(f"kept.{age}", ()))
    for at in range(0, len(joined), _ID + _NUMBER):
        number = joined[at + _ID : at + _ID + _NUMBER]
        yield joined[at : at + _ID], None if number == _NOT_KEPT else decisions[int.from_bytes(number, "big")]


def _fingerprint(trace_id: bytes) -> int:
    return int.from_bytes(trace_id[:8], "big") ^ int.from_bytes(trace_id[8:], "big")
