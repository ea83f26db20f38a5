"""Whether a word of context may stand near a number: asked of far more numbers than there are words near.

A rule's own pattern decides (see keys.words); this only says where it need not be asked.
"""

import re
from collections.abc import Iterable, Mapping

_GAPS = re.compile(r"[ _.-]+")
_ASCII = re.compile(r"[a-z]+")
_PLURALS = ("", "s", "es")
# Letters in lower case; all else divides words.
_LETTERS = bytes(ord(chr(code).lower()) if code < 128 and chr(code).isalpha() else 32 for code in range(256))


class Context:
    """The words of all rules that count beside one."""

    __slots__ = ("_always", "_of", "_words")

    def __init__(self, words: Mapping[int, Iterable[str]]) -> None:
        """Take words and phrases, as policies write them, by index of their rule."""
        of: dict[bytes, set[int]] = {}
        always: set[int] = set()
        for rule, phrases in words.items():
            for phrase in phrases:
                pieces = _pieces(phrase.lower())
                for piece in pieces:
                    of.setdefault(piece.encode(), set()).add(rule)
                if not pieces:  # a word without a letter of ASCII: it cannot be told from other text
                    always.add(rule)
        self._of = {piece: frozenset(rules) for piece, rules in of.items()}
        self._words = frozenset(of)
        self._always = frozenset(always)

    def near(self, text: str, low: int, high: int) -> frozenset[int]:
        """The rules of which a word, or what looks like one, begins and ends between two places of a text."""
        raw = text[max(0, low) : high].encode("latin-1", "replace")
        words = raw.translate(_LETTERS).split()
        if self._words.isdisjoint(words):
            return self._always
        return self._always.union(*(self._of[word] for word in self._words.intersection(words)))


def _pieces(phrase: str) -> set[str]:
    """How a phrase may begin in a text in which all but ASCII letters divides words; nothing for one without any."""
    parts = _GAPS.split(phrase)
    beginnings = {"".join(parts[:count]) for count in range(1, len(parts) + 1)}
    longest = {max(_ASCII.findall(each), key=len, default="") for each in beginnings}
    return set() if "" in longest else {piece + plural for piece in longest for plural in _PLURALS}
