"""What is put in the place of findings, and where to look again afterwards: a replacement may uncover a neighbour."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice
from operator import gt, itemgetter

from spansieve.redact.find.matching import Place, Places
from spansieve.redact.rules.anchors import LONGEST
from spansieve.redact.rules.compiled import AROUND
from spansieve.redact.rules.judges import Finding
from spansieve.redact.text.normalise import Atom

Span = tuple[int, int]

Change = tuple[int, int, int]
"""What was replaced: start and end in the old text, and the length of what was put there."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_MEMBER = re.compile(r"(\\{0,7}[\"'])\s{0,4}:\s{0,4}\Z")
_MEMBER_GAP, _MEMBER_REACH = 5, 17  # characters from the colon on, and of the longest end of a key
_MEMBER_END = re.compile(r"\s{0,4}(?:[,}\]]|\Z)")

_ESCAPING = frozenset("%&\\+=\x1b[")
_BORDERS = frozenset({"\\n", "\\r", "\\t", '\\"', "\\'", "[", "[ "})  # none of them says a letter or a digit

_START, _END, _SPAN = itemgetter(0), itemgetter(1), itemgetter(0, 1)
_NONE, _FAR = -1 << 30, 1 << 60


def outside(places: Sequence[int], findings: Sequence[Finding], margin: int = 0) -> list[int]:
    """The places that no finding covers, with so many characters on both sides."""
    spans = sorted(map(_SPAN, findings))
    starts = list(map(_START, spans))
    reached = list(accumulate(map(_END, spans), max))
    left: list[int] = []
    for at in sorted(places):
        before = bisect_right(starts, at - margin)
        if not before or at >= reached[before - 1] - margin:
            left.append(at)
    return left


def merged(findings: list[Finding]) -> Iterator[Finding]:
    """Findings from left to right. What overlaps is one, so that no part stays; the longest gives rule and text."""
    findings.sort(key=_START)
    start, end, rule, found = findings[0]
    longest = end - start
    for following in findings[1:]:
        next_start, next_end, next_rule, next_found = following
        if next_start >= end:
            yield start, end, rule, found
            start, end, rule, found = following
            longest = end - start
            continue
        size = next_end - next_start
        end = max(end, next_end)
        if size > longest or (size == longest and next_rule.index < rule.index):
            rule, found, longest = next_rule, next_found, size
    yield start, end, rule, found


def replace(text: str, findings: list[Finding]) -> tuple[str, list[Change], list[str], bool]:
    """Put replacements in. What changes nothing, as a pseudonym seen again, is no change.

    Gives the new text, the changes from left to right, the name of the rule of each, and whether a letter or digit
    follows right after one: with it may begin what did not before.
    """
    findings.sort(key=_START)
    pieces: list[str] = []
    changes: list[Change] = []
    names: list[str] = []
    done = 0  # characters of the old text that are dealt with
    size = len(text)
    glued = False
    if len(findings) > 1 and any(map(gt, map(_END, findings), map(_START, islice(findings, 1, None)))):
        findings = list(merged(findings))
    for start, end, rule, found in findings:
        new = rule.replacement if rule.act is None else rule.act(found)
        if len(new) == end - start and new == text[start:end]:
            continue
        if text.find(":", start - _MEMBER_GAP if start > _MEMBER_GAP else 0, start) >= 0:
            new = _as_member(new, text, start, end)
        pieces += text[done:start], new
        if (end < size and text[end].isalnum()) or (start == done > 0 and new[:1].isalnum()):
            glued = True
        changes.append((start, end, len(new)))
        names.append(rule.name)
        done = end
    pieces.append(text[done:])
    return "".join(pieces), changes, names, glued


def _as_member(new: str, text: str, start: int, end: int) -> str:
    """What is put in the place of a number, in quotes like its key's if it is a member's whole value.

    So a Python dict stays one, and JSON that was cut off, or stands in the middle of a text, can still be read.
    """
    if not _NUMBER.fullmatch(text, start, end) or _NUMBER.fullmatch(new):
        return new
    key = _MEMBER.search(text, start - _MEMBER_REACH if start > _MEMBER_REACH else 0, start)
    return new if key is None or not _MEMBER_END.match(text, end) else key[1] + new + key[1]


def placed(changes: Sequence[Change]) -> list[Span]:
    """Where what was put in stands in the new text."""
    spans: list[Span] = []
    shift = 0
    for start, end, size in changes:
        spans.append((start + shift, start + shift + size))
        shift += size - (end - start)
    return spans


def moved(places: Places, changes: Sequence[Change]) -> Places:
    """The places outside of the changes, in order, as they are in the new text. They are given in order, too."""
    spans = ((at, at + 1) for at, _ in places)
    return [(places[n][0] + shift, places[n][1]) for n, shift in _outside(spans, changes)]


def outside_of(atoms: Sequence[Atom], changes: Sequence[Change]) -> list[Atom]:
    """What is written otherwise outside of the changes, as it stands in the new text. Both are in order."""
    kept = ((atoms[n], shift) for n, shift in _outside(((low, high) for low, high, _ in atoms), changes))
    return [(low + shift, high + shift, meant) for (low, high, meant), shift in kept]


def _outside(spans: Iterable[Span], changes: Sequence[Change]) -> Iterator[tuple[int, int]]:
    """Which of some spans are outside of the changes, and how far they are moved by them. Both are in order."""
    following = shift = 0
    for number, (low, high) in enumerate(spans):
        while following < len(changes) and changes[following][1] <= low:
            start, end, size = changes[following]
            shift += size - (end - start)
            following += 1
        if following == len(changes) or high <= changes[following][0]:
            yield number, shift


def before_escape(text: str, put: Sequence[Span]) -> bool:
    """Whether what stands right behind something that was put in may be read as a letter or a digit."""
    for _, end in put:
        following = text[end : end + 2]
        if following and (following[0] in _ESCAPING or following[0] > "\x7f") and following not in _BORDERS:
            return True
    return False


def beside(places: Places, changes: Sequence[Change], reach: Sequence[int]) -> Places:
    """The places outside of the changes from which a pattern sees any of them, in order, as they are in the new text.

    `reach` is that of each anchor's patterns, in characters. A negative anchor is that of a number on which what stands
    around has decided.
    """
    kept: Places = []
    places.sort()
    count = len(changes)
    following = counted = shift = 0  # how many more characters the first `counted` changes put in
    for at, anchor in places:
        following = bisect_right(changes, (at, _FAR), following)
        before = changes[following - 1][1] if following else _NONE
        if at < before:
            continue
        far = LONGEST + (reach[anchor] if anchor >= 0 else AROUND)
        if at - before <= far or (following < count and changes[following][0] - at <= far):
            for start, end, size in changes[counted:following]:
                shift += size - (end - start)
            counted = following
            kept.append((at + shift, anchor))
    return kept


def near(places: Sequence[Place], changed: Sequence[Span], reach: Sequence[int]) -> Places:
    """The places of a new text, in order, from which a pattern sees any of the spans that changed, in order too."""
    kept: Places = []
    following = 0
    count = len(changed)
    before = _NONE  # the end of the last change in front of the place
    for place in places:
        at, anchor = place
        far = LONGEST + (reach[anchor] if anchor >= 0 else AROUND)
        while following < count and changed[following][0] <= at:
            before = changed[following][1]
            following += 1
        if at - before <= far or (following < count and changed[following][0] - at <= far):
            kept.append(place)
    return kept
