"""Identifiers in which no rule finds anything, told by their form: a UUID (RFC 9562), alone or behind a short word.

They are most of what is new in telemetry. The digits of a UUID are no number (see `shapes`), and none is a text in
base64: whatever stands before it, one of its four hyphens is the first of four letters there, and so begins an octet
that UTF-8 does not have. What is left to ask is whether a literal anchor may stand in one, or in the word before it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from spansieve.redact.rules.literals import Literal

SHORTEST: Final = 36
"""Bytes of an identifier."""

_GROUPS = (8, 4, 4, 4, 12)
# With a digit in each group, without which they would not be one number.
_UUID = b"-".join(b"(?=[a-f]{0,%d}[0-9])[0-9a-f]{%d}" % (size - 1, size) for size in _GROUPS)
_ID = re.compile(b"([a-z]{1,14}[_-])?" + _UUID).fullmatch
_PLACES = b"-".join(b"0" * size for size in _GROUPS)
_HEXADECIMAL = frozenset(b"0123456789abcdef")
_WORD = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz")
_MOST_HEADS = 256


class Ids:
    """Tells identifiers in which none of a policy's literal anchors is. The memory never changes an answer."""

    __slots__ = ("_clear", "_literals", "_within")

    def __init__(self, literals: Iterable[Literal | None]) -> None:
        """Take the literal anchors of a policy."""
        self._literals = [each for each in literals if each is not None]
        self._clear: dict[bytes | None, bool] = {None: True}  # by the word in front
        self._within = tuple(each.raw for each in self._literals if any(_fits(each, b"")))

    def has(self, raw: bytes, start: int) -> bool:
        """Whether all that follows a place is an identifier without an anchor but its digits."""
        found = _ID(raw, start)
        if found is None:
            return False
        clear = self._clear.get(found[1])
        if clear is None:
            clear = self._learnt(found[1])
        if clear:
            for literal in self._within:
                if literal in raw:
                    return False
        return clear

    def _learnt(self, head: bytes) -> bool:
        """Find out whether an anchor may begin in the word in front."""
        if len(self._clear) >= _MOST_HEADS:
            self._clear = {None: True}
        clear = not any(at < len(head) for literal in self._literals for at in _fits(literal, head))
        self._clear[head] = clear
        return clear


def _fits(literal: Literal, head: bytes) -> Iterator[int]:
    """Where a literal, as far as it has no gap, may start in the identifiers that begin so."""
    raw = literal.raw
    begins_word = literal.word and len(raw) == literal.size
    place = head + _PLACES
    for at in range(len(place) - len(raw) + 1):
        if begins_word and at and place[at - 1] in _WORD:
            continue
        if _may_stand(raw, place, at, len(head)):
            yield at


def _may_stand(raw: bytes, place: Sequence[int], at: int, free: int) -> bool:
    """Whether bytes may stand at a place, in which from `free` on any hexadecimal digit may be where one is."""
    return all(
        each == there or (at + index >= free and there == _PLACES[0] and each in _HEXADECIMAL)
        for index, (each, there) in enumerate(zip(raw, place[at:], strict=False))
    )
