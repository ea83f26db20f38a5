"""The strings of a whole JSON text, found at memory speed by its quotes: only those that matter are looked at.

In JSON that parses, every second piece between quotes is a string (RFC 8259), once the escaped quotes are blanked out.
`jsontext` reads what does not parse, and whatever this declines.
"""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from spansieve.redact.jsontext import KEY, STRING, Token, decoded
from spansieve.redact.parts import carries_parts

_BLANK = "\1\1"
_LONGEST_KEY = 64
_SPACE = 64  # characters that may stand before a colon: writers of JSON put one at most


class Quoted:
    """The pieces of a JSON text between its quotes; those with odd numbers are strings."""

    __slots__ = ("_pieces", "_starts", "_text")

    def __init__(self, text: str) -> None:
        """Take a text that a JSON parser takes."""
        masked = text
        if "\\" in text:
            masked = text.replace("\\\\", _BLANK).replace('\\"', _BLANK)
        self._text = text
        self._pieces = masked.split('"')
        self._starts = list(accumulate((len(piece) + 1 for piece in self._pieces), initial=0))

    def number(self, at: int) -> int:
        """The number of the piece in which a place is."""
        return bisect_right(self._starts, at) - 1

    def span(self, number: int) -> tuple[int, int]:
        """Where a piece starts and ends, without its quotes."""
        return self._starts[number], self._starts[number + 1] - 1

    def is_key(self, number: int) -> bool:
        """Whether a string is a key."""
        return self._pieces[number + 1].lstrip().startswith(":")

    def key(self, number: int) -> int | None:
        """The number of the key that is nearest to a string: its own, or that of what it is in."""
        pieces = self._pieces
        before = number - 1
        end = len(pieces[before])
        while True:
            outside = pieces[before][:end].rstrip()
            if outside.endswith(":"):
                return before - 1
            opened = self._opened(before, len(outside))
            if opened is None:
                return None
            before, end = opened

    def _opened(self, before: int, end: int) -> tuple[int, int] | None:
        """Where the list or object opens that a place in a piece outside of strings is in."""
        depth = 0
        pieces = self._pieces
        while before >= 0:
            piece = pieces[before]
            for at in range(end - 1, -1, -1):
                character = piece[at]
                if character in "]}":
                    depth += 1
                elif character in "[{":
                    if depth == 0:
                        return before, at
                    depth -= 1
            before -= 2
            end = len(pieces[before]) if before >= 0 else 0
        return None

    def leaf(self, number: int, above: str) -> Token:
        """A string as `jsontext` gives it. `above` is the key of what is in nothing that has one."""
        text = self._text
        start, end = self.span(number)
        plain, encoded = decoded(text[start:end])
        if self.is_key(number):
            return Token(start - 1, end + 1, KEY, "", plain, encoded=encoded)
        of = self.key(number)
        key = above if of is None else decoded(text[slice(*self.span(of))])[0]
        return Token(start - 1, end + 1, STRING, key, plain, encoded=encoded)

    def long(self, least: int) -> list[int]:
        """The strings of so many characters or more, by number."""
        pieces = self._pieces
        return [number for number in range(1, len(pieces) - 1, 2) if len(pieces[number]) >= least]

    def outside(self, numbers: Iterable[int]) -> tuple[list[str], list[int]]:
        """What is between these strings, which are in order, and where each piece of it starts."""
        pieces: list[str] = []
        starts = [0]
        for number in numbers:
            start, end = self.span(number)
            pieces.append(self._text[starts[-1] : start])
            starts.append(end)
        pieces.append(self._text[starts[-1] :])
        return pieces, starts

    def escaped(self) -> list[int]:
        """The strings with escapes, by number."""
        pieces = self._pieces
        return [number for number in range(1, len(pieces) - 1, 2) if "\\" in pieces[number] or _BLANK in pieces[number]]

    def groups(self) -> list[list[int]] | None:
        """The strings, by number, that stand under the same key and may continue one another.

        None where such a key holds a list of strings, whose order this does not know.
        """
        pieces = self._pieces
        by_key: dict[str, list[int]] = {}
        known: dict[str, bool] = {}
        for number, (piece, after) in enumerate(zip(pieces[1::2], pieces[2::2], strict=False)):
            if ":" not in after[:_SPACE] or len(piece) > _LONGEST_KEY:
                continue
            carries = known.get(piece)
            if carries is None:
                carries = known[piece] = carries_parts(piece)
            if carries:
                after = after.strip()  # noqa: PLW2901 - the same without its spaces
                if after == ":":
                    by_key.setdefault(piece, []).append(2 * number + 3)
                elif after.startswith(":") and after.endswith("["):
                    return None
        return [group for group in by_key.values() if len(group) > 1]
