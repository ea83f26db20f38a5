"""Neighbouring parts of a message, read as one text for the sake of what is split over them."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from spansieve.redact.rules.anchors import BASE58
from spansieve.redact.text import parts

_NUMBER = 64  # characters that a number or an address has at most
_GAP = "\n\0\n"


class Joint:
    """Neighbouring texts as one."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._pieces = list(pieces)
        self._spans: list[tuple[int, int, int, int]] = []  # start and end in the joint, piece, offset in it
        self._edits: dict[int, list[tuple[int, int, str]]] = {}
        out: list[str] = []
        size = 0
        for number, piece in enumerate(pieces):
            if len(piece) <= 2 * parts.END:
                sections: Iterable[tuple[int, int]] = [(0, len(piece))]
            else:
                sections = [(0, parts.END), (len(piece) - parts.END, len(piece))]
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
            if anchor > BASE58:
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
