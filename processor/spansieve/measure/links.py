"""Remembers which span stands above which, for the time in which parts of a trace arrive."""

from collections.abc import Iterator, Sequence
from typing import Protocol

_DEPTH = 64  # spans above one another that are followed; traces that are deeper, or bend back on themselves, end there


class Ids(Protocol):
    """The ids of a span."""

    @property
    def trace_id(self) -> bytes:
        """Of its trace."""
        ...

    @property
    def span_id(self) -> bytes:
        """Its own."""
        ...

    @property
    def parent_span_id(self) -> bytes:
        """Empty for a trace's root."""
        ...


class Links:
    """The parents of the spans that came last: of at least `capacity` / 2 of them, at most `capacity`.

    Two generations, as in `Seen`. Owner: one Once.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 2:
            raise ValueError("the memory of links holds at least two")
        self._half = capacity // 2
        self._young: dict[bytes, bytes] = {}
        self._old: dict[bytes, bytes] = {}

    @property
    def generations(self) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        """Everything that is remembered, trace id and span id → parent span id: the younger, and the older ones."""
        return self._young, self._old

    @generations.setter
    def generations(self, given: tuple[dict[bytes, bytes], dict[bytes, bytes]]) -> None:
        self._young, self._old = given

    def add(self, spans: Sequence[Ids]) -> None:
        """Remember the parents of spans; an empty one is that of a trace's root."""
        young, half = self._young, self._half
        if len(young) + len(spans) <= half:
            for each in spans:
                young[each.trace_id + each.span_id] = each.parent_span_id
            return
        for each in spans:
            if len(young) >= half:
                self._old, young = young, {}
                self._young = young
            young[each.trace_id + each.span_id] = each.parent_span_id

    def chain(self, trace_id: bytes, span: bytes) -> Iterator[bytes]:
        """Return the spans above one, from its parent on, as far as is known; the last is empty if the root is."""
        for _ in range(_DEPTH):
            key = trace_id + span
            parent = self._young.get(key)
            if parent is None:
                parent = self._old.get(key)
                if parent is None:
                    return
            yield parent
            if not parent:
                return
            span = parent

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
