"""Whether a word of context may stand near a number: asked of far more numbers than there are words near.

A rule's own pattern decides (see keys.words); this only says where it need not be asked.
"""

import re
from collections.abc import Iterable

_GAPS = re.compile(r"[ _.-]+")
_ASCII = re.compile(r"[a-z]+")
_PLURALS = ("", "s", "es")
# Letters in lower case; all else divides words.
_LETTERS = bytes(ord(chr(code).lower()) if code < 128 and chr(code).isalpha() else 32 for code in range(256))


class Context:
    """The words of all rules that count beside one."""

    __slots__ = ("_always", "_words")

    def __init__(self, words: Iterable[str]) -> None:
        """Take words and phrases, as policies write them."""
        found = [_pieces(word.lower()) for word in words]
        self._words = frozenset(piece.encode() for pieces in found for piece in pieces)
        self._always = not all(found)  # a word without a letter of ASCII: it cannot be told from other text

    def near(self, text: str, low: int, high: int) -> bool:
        """Whether one of the words, or what looks like one of them, begins and ends between two places of a text."""
        if self._always:
            return True
        raw = text[max(0, low) : high].encode("latin-1", "replace")
        return not self._words.isdisjoint(raw.translate(_LETTERS).split())


def _pieces(phrase: str) -> set[str]:
    """How a phrase may begin in a text in which all but ASCII letters divides words; nothing for one without any."""
    parts = _GAPS.split(phrase)
    beginnings = {"".join(parts[:count]) for count in range(1, len(parts) + 1)}
    longest = {max(_ASCII.findall(each), key=len, default="") for each in beginnings}
    return set() if "" in longest else {piece + plural for piece in longest for plural in _PLURALS}
