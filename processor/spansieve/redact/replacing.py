"""What is put in the place of findings, and where to look again afterwards: a replacement may uncover a neighbour."""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

from spansieve.redact.anchors import LONGEST
from spansieve.redact.compiled import AROUND, CompiledRule
from spansieve.redact.matching import Finding, Places

Span = tuple[int, int]

_BY_START = itemgetter(0)


def outside(runs: Sequence[int], findings: Sequence[Finding]) -> list[int]:
    """The places that no finding covers."""
    spans = sorted((start, end) for start, end, _, _ in findings)
    left: list[int] = []
    following = reached = 0
    for at in sorted(runs):
        while following < len(spans) and spans[following][0] <= at:
            reached = max(reached, spans[following][1])
            following += 1
        if at >= reached:
            left.append(at)
    return left


def glued(text: str, changed: Sequence[Span]) -> bool:
    """Whether a letter or digit follows right after a replacement: with it may begin what did not before."""
    return any(text[end : end + 1].isalnum() for _, end in changed)


def merged(findings: list[Finding]) -> Iterator[Finding]:
    """Findings from left to right. What overlaps is one, so that no part stays; the longest gives rule and text."""
    findings.sort(key=_BY_START)
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


def replace(
    text: str, findings: list[Finding], places: Places, count: Callable[[CompiledRule], None]
) -> tuple[str, Places, list[Span]]:
    """Put replacements in, and count them by rule: not those that change nothing, as a pseudonym seen again.

    Also gives the places where the remaining anchors are then, and where the replacements are.
    """
    pieces: list[str] = []
    moved: Places = []
    changed: list[Span] = []
    places.sort()
    place, last = 0, len(places)
    done = shift = 0  # characters of the old text that are dealt with; how many more there are by then in the new one
    for start, end, rule, found in merged(findings):
        new = rule.replacement if rule.act is None else rule.act(found)
        if new == text[start:end]:
            continue
        count(rule)
        pieces += text[done:start], new
        while place < last and (at := places[place][0]) < end:
            if at < start:
                moved.append((at + shift, places[place][1]))
            place += 1
        at = start + shift
        changed.append((at, at + len(new)))
        shift += len(new) - (end - start)
        done = end
    pieces.append(text[done:])
    moved += [(at + shift, anchor) for at, anchor in places[place:]]
    return "".join(pieces), moved, changed


def near(places: Places, changed: Sequence[Span], reach: Sequence[int]) -> Places:
    """The places, in order, from which a pattern sees any of the spans that changed, which are in order too.

    `reach` is that of each anchor's patterns, in characters. A negative anchor is that of a number on which what stands
    around has decided.
    """
    kept: Places = []
    following = 0
    count = len(changed)
    before = -1 << 30  # the end of the last change in front of the place
    for place in places:
        at, anchor = place
        far = LONGEST + (reach[anchor] if anchor >= 0 else AROUND)
        while following < count and changed[following][0] <= at:
            before = changed[following][1]
            following += 1
        if at - before <= far or (following < count and changed[following][0] - at <= far):
            kept.append(place)
    return kept
