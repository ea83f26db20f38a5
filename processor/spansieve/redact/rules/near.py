"""Where in a text to look for the literals that say nothing unless a long run of a key's letters follows.

A database of Vectorscan is slower for each literal in it, whether a text has any or not. The key of a service is a long
run of letters and digits with `sk-` or the like before it; prose has hardly any such run, and they are found at memory
speed. So the literals that keys begin with have a database of their own, which sees what is around runs only.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from spansieve.redact.text import excerpt
from spansieve.redact.text.excerpt import Span

LONGEST_HEAD: Final = 48
"""Bytes from the start of a key to that of its long run, at most."""

_SMALL = 1024  # bytes: to cut out of fewer would cost more than it saves
_SPARSE = 512  # bytes to a run, if windows are to cost less than they save
_BESIDE = 4  # bytes beside a literal that tell whether a word begins or ends there


class Excerpt(excerpt.Windows):
    """What a text has in some windows, with NUL behind each. `buffer` is to be searched; `at` gives a place in it."""

    __slots__ = ("buffer",)

    def __init__(self, text: bytes, spans: Iterable[Span]) -> None:
        """Cut out windows, which are in order and do not meet."""
        super().__init__(spans)
        self.buffer = b"\0".join((*self.cut(text), b""))


def windows(size: int, runs: Sequence[tuple[int, int]], longest: int) -> list[Span]:
    """Say where literals of `longest` bytes at most may stand before these runs, or in them, in order.

    With many runs, or few bytes in all, that is the whole text.
    """
    if size < _SMALL or len(runs) * _SPARSE > size:
        return [(0, size)]
    before, behind = LONGEST_HEAD + _BESIDE, longest + _BESIDE
    return excerpt.joined(((start - before, end + behind) for start, end in sorted(runs)), size)
