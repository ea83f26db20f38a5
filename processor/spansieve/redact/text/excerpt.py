"""What a text has near some spans of it, to be searched in the place of all of it."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

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


class Excerpt:
    """Some windows of a text, with NUL between them. `text` is to be searched."""

    __slots__ = ("_shifts", "_starts", "_windows", "text")

    def __init__(self, text: str, windows: Iterable[Span]) -> None:
        """Cut windows, which are in order of their starts."""
        self._windows = joined(windows, len(text))
        if sum(end - start for start, end in self._windows) > _WORTH * len(text):
            self._windows = [(0, len(text))]
        self._starts: list[int] = []
        self._shifts: list[int] = []
        begin = 0
        for start, end in self._windows:
            self._starts.append(begin)
            self._shifts.append(start - begin)
            begin += end - start + 1
        self.text = "\0".join([text[start:end] for start, end in self._windows])

    def placed(self, places: list[Place]) -> list[Place]:
        """Places of the excerpt, as they are in the text."""
        if len(self._windows) == 1 and not self._shifts[0]:
            return places
        return [(at + self._shifts[bisect_right(self._starts, at) - 1], what) for at, what in places]
