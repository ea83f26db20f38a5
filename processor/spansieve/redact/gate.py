"""Which of many patterns can match around an anchor at all: one look by Vectorscan in place of a search by each.

Dozens of patterns hang on `<digits>`, of which one or two can match a given number. What the gate lets through is a
superset: the exact patterns decide. Where Vectorscan is not installed it lets all through.
"""

import re
from collections.abc import Sequence

from spansieve.redact import patterns, vectorscan

_WIDEST = 256  # characters that a pattern may reach: what reaches farther is always let through
_APART = 48  # characters between anchors from which on they are looked at one by one
_FEW = 3  # patterns that are as soon tried as asked about
_BEYOND = re.compile(r"[^\x00-\x7f]")
_OTHER = chr(patterns.OTHER)

_Member = tuple[str, int, int]  # a pattern, how far it reaches before and after its anchor


class Gate:
    """All patterns of a policy, by number, and the anchors that they hang on."""

    __slots__ = ("_at_anchor", "_of_anchor", "reach")

    def __init__(self, members: Sequence[_Member], of_anchor: Sequence[Sequence[int]]) -> None:
        """Compile the gate: pattern, reach before and after the anchor for each member; the members of each anchor."""
        self._of_anchor = tuple(map(tuple, of_anchor))
        self._at_anchor = tuple(_at_anchor(members, each) for each in of_anchor)
        self.reach = tuple(max((max(members[number][1:]) for number in each), default=0) for each in of_anchor)
        """Of each anchor: how far from it a pattern may look, in characters."""

    def likely(self, text: str, places: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
        """Give the patterns that can match around these places, which are sorted, each with its places."""
        by_anchor: dict[int, list[int]] = {}
        for at, anchor in places:
            by_anchor.setdefault(anchor, []).append(at)
        found: dict[int, list[int]] = {}
        for anchor, spots in by_anchor.items():
            asked = self._at_anchor[anchor]
            if asked is None:
                for number in self._of_anchor[anchor]:
                    found.setdefault(number, []).extend(spots)
            else:
                asked.let_through(text, spots, found)
        for spots in found.values():
            spots.sort()
        return found


class _AtAnchor:
    """The patterns of one anchor: those that are asked about, and those that always pass."""

    __slots__ = ("_after", "_always", "_before", "_scan")

    def __init__(self, scanner: vectorscan.Scanner, near: Sequence[_Member], always: Sequence[int]) -> None:
        self._scan = scanner.scan
        self._before = max(before for _, before, _ in near)
        self._after = max(after for _, _, after in near)
        self._always = always

    def let_through(self, text: str, spots: list[int], found: dict[int, list[int]]) -> None:
        """Add these places to the patterns that can match around them."""
        for number in self._always:
            found.setdefault(number, []).extend(spots)
        before, after, scan = self._before, self._after, self._scan
        first, count = 0, len(spots)
        while first < count:
            last = first + 1
            while last < count and spots[last] - spots[last - 1] < _APART:
                last += 1
            window = text[max(0, spots[first] - before) : spots[last - 1] + after]
            if not window.isascii():
                window = _BEYOND.sub(_OTHER, window)
            for number, _ in scan(window.encode("latin-1")):
                if number in found:
                    found[number] += spots[first:last]
                else:
                    found[number] = spots[first:last]
            first = last


def _at_anchor(members: Sequence[_Member], numbers: Sequence[int]) -> _AtAnchor | None:
    near = [number for number in numbers if max(members[number][1:]) <= _WIDEST]
    if len(near) <= _FEW:
        return None
    scanner = vectorscan.scanner(tuple((patterns.outline(members[number][0]), number) for number in near), ())
    if scanner is None:
        return None
    return _AtAnchor(scanner, [members[number] for number in near], [n for n in numbers if n not in near])
