"""What was found clean before: telemetry repeats itself, so most of a request needs no second look.

Only what the rules left as it was is remembered, in the process's memory and within bounds: what is redacted anyway.
"""

from collections.abc import Set as AbstractSet
from typing import Final, Generic, TypeVar

CAPACITY: Final = 32_768
"""Pieces remembered: with LONGEST, some 10 MB at most."""

LONGEST: Final = 256
"""Bytes or characters of a piece that is remembered; what is longer is mostly content, and does not come again."""

_P = TypeVar("_P", bytes, str)


class Remembered(Generic[_P]):
    """Pieces of telemetry that were clean, at least `capacity` / 2 of those used last.

    Two generations, as in cache.Cache: what is used is in the young one, and when that is half of `capacity` it becomes
    the old one. `latest` is the young one, for who asks often: what is not in it may still be known. It is another set
    after each `known`, `again` and `add`.
    """

    __slots__ = ("_half", "_old", "latest")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._half = capacity // 2
        self.latest: set[_P] = set()
        self._old: set[_P] = set()

    def known(self, pieces: AbstractSet[_P]) -> set[_P]:
        """Give those that are remembered."""
        found = self.latest & pieces
        return found | self.again(pieces) if len(found) < len(pieces) else found

    def again(self, pieces: AbstractSet[_P]) -> set[_P]:
        """Give those that are remembered in the old generation, which are then in the young one."""
        found = self._old & pieces
        if found:
            self._keep(found)
        return found

    def add(self, pieces: AbstractSet[_P]) -> None:
        """Remember pieces, but for those that are too long."""
        self._keep({piece for piece in pieces if len(piece) <= LONGEST})

    def _keep(self, pieces: AbstractSet[_P]) -> None:
        if len(self.latest) + len(pieces) > self._half:
            self._old, self.latest = self.latest, set()
        if len(pieces) <= self._half:
            self.latest |= pieces

    def __len__(self) -> int:
        return len(self.latest | self._old)
