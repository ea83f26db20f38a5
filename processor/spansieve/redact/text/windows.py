"""Long texts in windows, for recognisers that are not ours to make linear, or take no text of any length."""

from collections.abc import Iterator
from typing import Final

_SIZE: Final = 4096  # characters
_OVERLAP: Final = 256  # of two windows: a value at the end of one is whole in the next


def windows(text: str) -> Iterator[tuple[int, int]]:
    """Cut a text into windows of some thousand characters that overlap, at a space if there is one near."""
    low = 0
    while len(text) - low > _SIZE:
        end = low + _SIZE
        high = text.rfind(" ", end - _OVERLAP, end) + 1 or end
        yield low, high
        next_low = high - _OVERLAP
        low = text.find(" ", next_low, high) + 1 or next_low
    yield low, len(text)
