"""What a text has near some spans of it, to be searched in the place of all of it."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import AnyStr, Final

_WORTH: Final = 0.75  # of a text: what has as much is searched as a whole

Span = tuple[int, int]

Place = tuple[int, int]
"""An offset in a text, and what is there."""


def joined(windows: Iterable[Span], size: int) -> list[Span]:
    """Windows of a text of this size, in order of their starts; those that meet are one."""
    merged: list[Span] = []
    for start, end in windows:
        low, high = max(0, start), min(end, size)
        if merged and low <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], high)
        elif low < high:
            merged.append((low, high))
    return merged


class Windows:
    """Windows of a text, in order and apart, as they stand one behind the other, with a character between them."""

    __slots__ = ("_shifts", "_spans", "_starts")

    def __init__(self, spans: Iterable[Span]) -> None:
        """Take windows, which are in order and do not meet."""
        self._spans = list(spans)
        self._starts: list[int] = []
        self._shifts: list[int] = []
        begin = 0
        for start, end in self._spans:
            self._starts.append(begin)
            self._shifts.append(start - begin)
            begin += end - start + 1

    def cut(self, text: AnyStr) -> list[AnyStr]:
        """What the text has in them."""
        return [text[start:end] for start, end in self._spans]

    def at(self, place: int) -> int:
        """Where in the text a place in the joined windows is."""
        return place + self._shifts[bisect_right(self._starts, place) - 1]


class Excerpt(Windows):
    """Some windows of a text, with NUL between them. `text` is to be searched."""

    __slots__ = ("text",)

    def __init__(self, text: str, windows: Iterable[Span]) -> None:
        """Cut windows, which are in order of their starts."""
        spans = joined(windows, len(text))
        if sum(end - start for start, end in spans) > _WORTH * len(text):
            spans = [(0, len(text))]
        super().__init__(spans)
        self.text = "\0".join(self.cut(text))

    def placed(self, places: list[Place]) -> list[Place]:
        """Places of the excerpt, as they are in the text."""
        if self._shifts == [0]:
            return places
        return [(self.at(at), what) for at, what in places]
