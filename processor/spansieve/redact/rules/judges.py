"""What makes a match a finding: a check of it, and what stands around it. One function for each pattern.

Made when a policy is compiled, so that a match that needs no check, no word beside it and no look ahead of it is not
asked whether it does.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from spansieve.redact.rules.backwards import Before

if TYPE_CHECKING:
    from spansieve.redact.rules.compiled import CompiledRule, Detector, KeyFacts

Judge = Callable[[str, "re.Match[str]", "KeyFacts"], "Finding | None"]
"""Says what a match in a text under such a key is, if it is a finding at all."""

Finding = tuple[int, int, "CompiledRule", str]
"""Start, end, rule, and the text that was found, which may be written otherwise in the place itself."""


class Road(NamedTuple):
    """All that a pattern's matches go through.

    `rule` is its index, `match` tries the pattern at a place, `cost` is what a call of `judge` counts of the
    budget; `in_context`: a word beside it is needed.
    """

    rule: int
    match: Callable[..., "re.Match[str] | None"]
    judge: Judge
    cost: int
    in_context: bool


CONTEXT_BEFORE: Final = 48
CONTEXT_AFTER: Final = 24
_LONGEST_WORD: Final = 40
_LONGEST_TOKEN: Final = 34
_TOKEN: Final = re.compile(r"\[[A-Z][A-Z0-9_]{0,31}\]")


def road(rule: "CompiledRule", detector: "Detector") -> Road:
    """Put together what the matches of a rule's pattern go through."""
    return Road(rule.index, detector.match, _judge(rule, detector), detector.cost, detector.in_context)


def _judge(rule: "CompiledRule", detector: "Detector") -> Judge:
    group, check, in_context = detector.group, detector.check, detector.in_context
    if in_context:
        return _beside_words(rule, detector)
    if rule.unless is not None:
        return _unless(rule, detector, rule.unless)
    if check is None:

        def unchecked(text: str, match: re.Match[str], _: "KeyFacts") -> "Finding | None":
            start, end = match.span(group)
            return start, end, rule, text[start:end]

        return unchecked

    def checked(text: str, match: re.Match[str], _: "KeyFacts") -> "Finding | None":
        start, end = match.span(group)
        span = check(text, start, end)
        if span is None:
            return None
        start, end = span
        return start, end, rule, text[start:end]

    return checked


def _unless(rule: "CompiledRule", detector: "Detector", stands_before: Before) -> Judge:
    group, check = detector.group, detector.check

    def judged(text: str, match: re.Match[str], _: "KeyFacts") -> "Finding | None":
        begins, end = match.span(group)
        span = (begins, end) if check is None else check(text, begins, end)
        if span is None or stands_before(text, begins):
            return None
        start, end = span
        return start, end, rule, text[start:end]

    return judged


def _beside_words(rule: "CompiledRule", detector: "Detector") -> Judge:
    group, check = detector.group, detector.check

    def judged(text: str, match: re.Match[str], facts: "KeyFacts") -> "Finding | None":
        start, end = match.span(group)
        if excused(text, start, end, rule, facts, in_context=True):
            return None
        span = (start, end) if check is None else check(text, start, end)
        return None if span is None else (*span, rule, text[span[0] : span[1]])

    return judged


def excused(text: str, start: int, end: int, rule: "CompiledRule", facts: "KeyFacts", *, in_context: bool) -> bool:
    """Whether what stands around a candidate, or does not stand there, makes it none."""
    if rule.unless is not None and rule.unless(text, start):
        return True
    if not in_context or rule.index in facts.context or rule.context is None:
        return False
    context = rule.context
    if _said(context, text, start - CONTEXT_BEFORE if start > CONTEXT_BEFORE else 0, start):
        return False
    word = _said(context, text, end, end + CONTEXT_AFTER + _LONGEST_WORD)
    return word is None or word.end() > end + CONTEXT_AFTER


def _said(context: re.Pattern[str], text: str, low: int, high: int) -> re.Match[str] | None:
    """Find the first word that someone wrote. A typed token is none: all numbers behind one finding would follow it."""
    for word in context.finditer(text, low, high):
        at = text.rfind("[", max(0, word.start() - _LONGEST_TOKEN), word.start())
        token = _TOKEN.match(text, at) if at >= 0 else None
        if token is None or token.end() <= word.end():
            return word
    return None
