"""Values split over the parts of one message: parts of text, chunks of a stream, elements of a list.

Neighbours are read as one text; of a long one only its ends, since a value that is split is at an end.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

from spansieve.redact import anchors, jsontext

KEYS: Final = frozenset(
    {
        "text", "content", "delta", "chunk", "chunks", "part", "parts", "message", "body", "data", "token", "tokens",
        "output", "input", "completion", "prompt", "arguments", "value", "values", "string", "response", "reasoning",
        "thinking",
    }
)  # fmt: skip
"""Last words of the keys under which text comes in parts."""

_END = 128  # characters of a long part that are read with its neighbour's
_NUMBER = 64  # characters that a number or an address has at most
_GAP = "\n\0\n"


def carries_parts(key: str) -> bool:
    """Whether what stands under a key may be continued by what stands under the same key next."""
    return key in KEYS or key.rpartition(".")[2].rpartition("_")[2].lower() in KEYS


def of_tokens(tokens: Sequence[jsontext.Token]) -> list[list[int]]:
    """Group the strings of a JSON text that stand under the same key, by index, in order."""
    by_key: dict[str, list[int]] = {}
    for index, token in enumerate(tokens):
        if token.kind == jsontext.STRING:
            by_key.setdefault(token.key, []).append(index)
    return [group for key, group in by_key.items() if len(group) > 1 and carries_parts(key)]


def closes(text: str) -> bool:
    """Whether a text is so long that nothing reaches from what is before it to what is behind."""
    return len(text) > 2 * _END


def at_the_ends(texts: Sequence[Sequence[str]]) -> list[str]:
    """Of the texts of one key in each of several pieces: those that a value may be split over where pieces meet.

    Of the first piece its last texts, of the last one its first, and all of those between, which are short.
    """
    first: list[str] = []
    for text in reversed(texts[0]):
        if closes(text):
            first.append(text[-_END:])
            break
        first.append(text)
    found = first[::-1]
    for each in texts[1:-1]:
        found += each
    for text in texts[-1]:
        if closes(text):
            found.append(text[:_END])
            break
        found.append(text)
    return found


class Joint:
    """Neighbouring texts as one."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._pieces = list(pieces)
        self._spans: list[tuple[int, int, int, int]] = []  # start and end in the joint, piece, offset in it
        self._edits: dict[int, list[tuple[int, int, str]]] = {}
        out: list[str] = []
        size = 0
        for number, piece in enumerate(pieces):
            if len(piece) <= 2 * _END:
                sections: Iterable[tuple[int, int]] = [(0, len(piece))]
            else:
                sections = [(0, _END), (len(piece) - _END, len(piece))]
            for offset, end in sections:
                if offset:
                    out.append(_GAP)
                    size += len(_GAP)
                out.append(piece[offset:end])
                self._spans.append((size, size + end - offset, number, offset))
                size += end - offset
        self.text = "".join(out)
        self._starts = [span[0] for span in self._spans]

    def crosses(self, start: int, end: int) -> bool:
        """Whether a span of the joint lies in more than one piece."""
        first = self._spans[bisect_right(self._starts, start) - 1][2]
        last = self._spans[bisect_right(self._starts, end - 1) - 1][2]
        return first != last

    def beside(self, places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """The places from which something may cross from one piece to the next."""
        starts = [start for start, _, _, offset in self._spans if not offset]
        kept = []
        for at, anchor in places:
            if anchor > anchors.BASE58:
                kept.append((at, anchor))
            else:
                following = bisect_right(starts, at)
                if at - starts[following - 1] <= _NUMBER or (
                    following < len(starts) and starts[following] - at <= _NUMBER
                ):
                    kept.append((at, anchor))
        return kept

    def replace(self, start: int, end: int, new: str) -> None:
        """Put a text in the place of a span: in the first piece of it; of the others their part goes."""
        at = bisect_right(self._starts, start) - 1
        while at < len(self._spans) and self._spans[at][0] < end:
            low, high, number, offset = self._spans[at]
            if max(low, start) < min(high, end):
                cut = (max(low, start) - low + offset, min(high, end) - low + offset, new)
                self._edits.setdefault(number, []).append(cut)
                new = ""
            at += 1

    def pieces(self) -> list[str]:
        """Give the pieces as they are now."""
        for number, edits in self._edits.items():
            for start, end, new in sorted(edits, reverse=True):
                piece = self._pieces[number]
                self._pieces[number] = piece[:start] + new + piece[end:]
        return self._pieces
