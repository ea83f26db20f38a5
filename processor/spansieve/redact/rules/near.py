"""Where in a text to look for the literals that say nothing unless a long run of a key's letters follows.

A database of Vectorscan is slower for each literal in it, whether a text has any or not. The key of a service is a long
run of letters and digits with `sk-` or the like before it; prose has hardly any such run, and they are found at memory
speed. So the literals that keys begin with have a database of their own, which sees what is around runs only.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

LONGEST_HEAD: Final = 48
"""Bytes from the start of a key to that of its long run, at most."""

_SMALL = 1024  # bytes: to cut out of fewer would cost more than it saves
_SPARSE = 512  # bytes to a run, if windows are to cost less than they save
_BESIDE = 4  # bytes beside a literal that tell whether a word begins or ends there

Windows = Iterable[tuple[int, int]]


class Excerpt:
    """What a text has in some windows, with NUL behind each. `buffer` is to be searched; `at` gives a place in it."""

    __slots__ = ("_shifts", "_starts", "buffer")

    def __init__(self, text: bytes, windows: Windows) -> None:
        """Cut out windows, which are in order and do not meet."""
        self._starts: list[int] = []
        self._shifts: list[int] = []
        pieces: list[bytes] = []
        begin = 0
        for start, end in windows:
            self._starts.append(begin)
            self._shifts.append(start - begin)
            pieces.append(text[start:end])
            begin += end - start + 1
        self.buffer = b"\0".join((*pieces, b""))

    def at(self, place: int) -> int:
        """Where in the whole text a place of the excerpt is."""
        return place + self._shifts[bisect_right(self._starts, place) - 1]


def windows(size: int, runs: Sequence[tuple[int, int]], longest: int) -> Windows:
    """Say where literals of `longest` bytes at most may stand before these runs, or in them, in order.

    With many runs, or few bytes in all, that is the whole text. A window may end beyond the text.
    """
    if size < _SMALL or len(runs) * _SPARSE > size:
        return [(0, size)]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(runs):
        low, high = max(0, start - LONGEST_HEAD - _BESIDE), end + longest + _BESIDE
        if merged and low <= merged[-1][1]:
            merged[-1] = merged[-1][0], high
        else:
            merged.append((low, high))
    return merged
