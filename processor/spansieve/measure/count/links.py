"""Remembers which span stands above which, for the time in which parts of a trace arrive."""

from collections.abc import Iterator, Sequence
from typing import Protocol

_KEY, _SPAN = 24, 8  # bytes of a trace id and a span id, and of a span id
_ROOT = bytes(_SPAN)  # stands for no parent; no span has this id
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

    Two generations, as in `Seen`, beside each what was added to it in one piece: what came twice counts twice there.
    Owner: one Once.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 2:
            raise ValueError("the memory of links holds at least two")
        self._half = capacity // 2
        self._young: dict[bytes, bytes] = {}
        self._old: dict[bytes, bytes] = {}
        self._joined = bytearray(), bytearray()  # of the young, and of the old: each span's key and its parent

    @property
    def generations(self) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        """Everything that is remembered, trace id and span id → parent span id: the younger, and the older ones."""
        return self._young, self._old

    def state(self) -> tuple[bytearray, bytearray]:
        """Both generations, as bytes: what stands there stays, and more comes."""
        return self._joined

    def restore(self, young: bytes, old: bytes) -> None:
        """Take over what `state` returned."""
        self._young, self._old = _parents(young), _parents(old)
        self._joined = bytearray(young), bytearray(old)

    def add(self, spans: Sequence[Ids]) -> None:
        """Remember the parents of spans; an empty one is that of a trace's root."""
        room = self._half - len(self._joined[0]) // (_KEY + _SPAN)
        if len(spans) > room:
            self.add(spans[:room])
            self._young, self._old = {}, self._young
            self._joined = bytearray(), self._joined[0]
            for at in range(room, len(spans), self._half):
                self.add(spans[at : at + self._half])
            return
        young, told = self._young, list[bytes]()
        for each in spans:
            key, parent = each.trace_id + each.span_id, each.parent_span_id
            young[key] = parent
            told += key, parent or _ROOT
        self._joined[0].extend(b"".join(told))

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


def _parents(joined: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for at in range(0, len(joined), _KEY + _SPAN):
        parent = joined[at + _KEY : at + _KEY + _SPAN]
        found[joined[at : at + _KEY]] = b"" if parent == _ROOT else parent
    return found
