"""The engine, with its anchors, shapes and windows, against the same patterns tried at every place of a text."""

import re

from hypothesis import example, given, settings

from spansieve import redact
from spansieve.redact.find import replacing
from spansieve.redact.find.engine import REMOVED
from spansieve.redact.rules import judges
from spansieve.redact.rules.anchors import ESCAPE
from spansieve.redact.rules.compiled import NO_FACTS
from spansieve.redact.rules.judges import Finding
from spansieve.redact.text import jsontext, normalise, tokens
from unit.redact.helpers_redact import default_rules, mixed_texts
from unit.redact.helpers_suspects import is_suspect

_RULES = default_rules()


def _everywhere(text: str) -> str:
    """The text after each pattern was searched in all of it, and in all of its readings, until none finds more."""
    odd = "\\" in text or is_suspect(text)
    for _ in range(8):
        findings = _all(text)
        for reading in _readings(text) if odd else ():
            for start, end, rule, value in _all(reading.text):
                span = reading.span(start, end)
                if span is not None:
                    findings.append((*span, rule, value))
        if not findings:
            return text
        text = replacing.replace(text, findings)[0]
    return REMOVED


def _readings(text: str) -> list[normalise.Reading]:
    """All readings; where only encoded runs are odd, as the engine does, what these say."""
    runs = [start for start, _ in tokens.runs(text.encode("latin-1", "replace"))]
    escaped = any(anchor == ESCAPE for _, anchor in _RULES.anchors.scan([text]).get(0, ()))
    return normalise.decoded(text, sorted(runs)) if runs and not escaped else normalise.readings(text)


def _all(text: str) -> list[Finding]:
    found: list[Finding] = []
    for rule, detector in _RULES.detectors:
        at = 0
        while (match := detector.search.search(text, at)) is not None:
            at = match.start() + 1
            span: tuple[int, int] | None = match.span(detector.group)
            assert span is not None
            if judges.excused(text, *span, rule, NO_FACTS, in_context=detector.in_context):
                continue
            if detector.check is not None:
                span = detector.check(text, *span)
            if span is not None:
                found.append((*span, rule, text[span[0] : span[1]]))
                at = max(at, span[1])
    return [finding for finding in found if not _is_one_more_bracket(text, finding, found)]


def _is_one_more_bracket(text: str, finding: Finding, found: list[Finding]) -> bool:
    """Whether an earlier rule takes the same without the bracket in front: the engine then looks no further."""
    start, end, rule, _ = finding
    return text[start] == "(" and any(
        (other[0], other[1]) == (start + 1, end) and other[2].index < rule.index for other in found
    )


@settings(max_examples=150, deadline=None)
@given(mixed_texts)
@example("219 09 9999+1 415 555 2671")
@example("ok 078-05-1120 12 4111 1111 1111 1111")
@example("(078-05-1120")
@example("eyJhbGciOiJI.eyJzdWIiOiI.c2lneyJhbGciOiJI.eyJzdWIiOiI.c2ln\u00b2")
def test_anchors_lose_no_match(text: str) -> None:
    """What patterns find when searched everywhere they also find around anchors."""
    if jsontext.looks_like(text):
        text = re.sub(r'["\[{\\]', "", text)
    assert redact.text(text, _RULES)[0] == _everywhere(text)
