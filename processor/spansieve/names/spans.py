"""From the tokens' probabilities to spans of characters."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import numpy.typing as npt

from spansieve.names import tokens as _tokens
from spansieve.names.tagger import LOCATION, PERSON

Span = tuple[int, int, int]
"""Start, end and PERSON or LOCATION, in characters of the text."""

GROWTH = (0.6, 0.4)
"""Of the least probabilities of PERSON and LOCATION the share that is enough beside a token that reaches one."""

_DOUBT = 0.2  # a token: how much more than for a place must speak for a person
_AROUND = 200
"""Characters on either side that are looked at, to see what a name is a part of."""
_ENDS = (" ", "\n", "\t", '"', "<", ">", "(", ",", ";", "|", "`")
_END = re.compile(r"[\s\"<>(),;|`]")
_OPAQUE = re.compile(
    r"^(?=[^\d]*\d)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)+$"  # eu-west-4
    r"|[^\s@]@[\w-]+\.\w|://|^www\.|^~?/[\w.-]+/|^[A-Za-z]:\\|\.(?:com|org|net|io|dev|local|internal|example"
    r"|py|js|ts|go|rs|java|rb|json|ya?ml|md|txt|csv|log|html?|pdf|png|jpe?g|docx?|xlsx?|sql|sh)\b"
)
_DECLARING = (
    r"(?:class|struct|interface|enum|trait|protocol|record|object|type|new|extends|implements|impl|fn|func|def)"
)
_CAMEL_CASE = re.compile(rf"(?P<declared>{_DECLARING} )?[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+)+")
_DECLARES = re.compile(rf"\b{_DECLARING} {{1,4}}\Z")
_WORD = re.compile(r"[^\W\d_]{2}|[^\W\d_\x00-\u2e7f]")  # two letters, or one of a script that writes words in one
_ABBREVIATED = 2  # letters before a full stop that ends no sentence, as in «J. Roe», «St. John»
_SIGNED = ("_", "@")
_TITLE = re.compile(r"\b(?:(?:(?i:mr|mrs|ms|mx|dr|prof|professor)|Miss|MISS)\b\.? ?)+\Z")
_AFTER = re.compile(r",? (?:Ph\.?D|M\.?D|D\.?D\.?S|DVM|MBA|Esq|Jr|Sr|I{2,3}|IV)\b\.?")
_LONGEST_TITLE = 24  # characters before a name that are looked at for titles
_NICKNAME = re.compile(r" ?[\"“('] ?[^\W\d_]+(?: [^\W\d_]+)? ?[\"”)'] ?")
_LONGEST_NICKNAME = 24  # characters between two parts of a name, quotation marks included
_HANDLE = re.compile(r"(?<![\w.])@ \w+")
_JOINING = frozenset({".", "-", "'", "\u2019", ".-"})
_BLANKS = " \n\t\r\v\f\x1c\x1d\x1e\x1f\x85\xa0"


def found(
    text: str, tokens: Sequence[str], probabilities: npt.NDArray[np.float32], thresholds: tuple[float, float]
) -> list[Span]:
    """Put tokens that are names together. `tokens` are those of the text with a line's end before it.

    Neighbours of which each is a name of some kind are one span, of the kind that most speaks for: for a person by
    _DOUBT, unless no place is looked for. `thresholds` are the least probabilities of PERSON and of LOCATION; beside a
    token that reaches them a share of that, GROWTH, is enough: of a name or an address no part is to be left behind.
    """
    named = probabilities[:, 1:3]
    some = named.sum(axis=1)
    sure = (named >= thresholds).any(axis=1) | (some >= max(thresholds))
    if not sure.any():
        return []
    beside = (named >= np.multiply(thresholds, GROWTH)).any(axis=1)
    hits = np.flatnonzero(sure | beside)
    places = _tokens.offsets(tokens)
    spans: list[_Growing] = []
    last = -9
    for at, (person, place), is_sure in zip(hits.tolist(), named[hits].tolist(), sure[hits].tolist(), strict=True):
        bare = tokens[at].lstrip(_BLANKS)
        if not bare or not bare[0].isalnum() or (len(bare) == 1 and not is_sure and not bare.isascii()):
            continue
        end = places[at + 1] - 1
        if spans and _goes_on(tokens, last, at):
            span = spans[-1]
            span.end = end
            span.balance += person - place
            span.tokens += 1
            span.sure = span.sure or is_sure
        else:
            spans.append(_Growing(end - len(bare), end, person - place, is_sure))
        last = at
    doubt = _DOUBT if thresholds[1] <= 1 else -1.0
    made = [
        (each.start, each.end, PERSON if each.balance > doubt * each.tokens else LOCATION)
        for each in spans
        if each.sure
    ]
    return _whole(text, [span for span in made if _handle(text, span) or not _is_no_name(text, *span)])


def _whole(text: str, spans: Sequence[Span]) -> list[Span]:
    """Add to persons their titles, as in «Dr. Jane Roe PhD», nicknames between, and to a part of a handle the rest."""
    whole: list[Span] = []
    last = 0
    for span in spans:
        start, end, label = span
        if start < last:  # in the same handle
            continue
        if label == PERSON:
            if handle := _handle(text, span):
                start, end = handle
            elif title := _TITLE.search(text, max(last, start - _LONGEST_TITLE), start):
                start = title.start()
            if after := _AFTER.match(text, end):
                end = after.end()
            if whole and _is_nickname(text, whole[-1], start):
                start = whole.pop()[0]
        whole.append((start, end, label))
        last = end
    return whole


def _is_nickname(text: str, before: Span, start: int) -> bool:
    """Whether only a nickname stands between a person's name and one that starts there, as in «Jane "JR" Roe»."""
    return (
        before[2] == PERSON
        and start - before[1] <= _LONGEST_NICKNAME
        and _NICKNAME.fullmatch(text, before[1], start) is not None
    )


def _handle(text: str, span: Span) -> tuple[int, int] | None:
    """The handle, such as @jane_roe, that a person's name is a part of."""
    start, end, label = span
    if label != PERSON:
        return None
    at = text.rfind("@", max(0, start - _AROUND), start)
    found = _HANDLE.match(text, at) if at >= 0 else None
    return found.span() if found is not None and found.end() >= end else None


@dataclass(slots=True)
class _Growing:
    """A span that may go on. `balance` is positive when more speaks for a person than for a place."""

    start: int
    end: int
    balance: float
    sure: bool
    tokens: int = 1


def _is_no_name(text: str, start: int, end: int, label: int) -> bool:
    """Whether what looks like a name is only digits, or a part of an address of mail, a URL, a path, an identifier."""
    if not _WORD.search(text, start, end) and (label == PERSON or not text[start:end].isdigit()):
        return True
    if text[start - 1 : start] in _SIGNED or text[end : end + 1] == "_" or _is_declared(text, start, end):
        return True
    left = max(map(text.rfind, _ENDS, repeat(max(0, start - _AROUND)), repeat(start))) + 1
    right = _END.search(text, end, end + _AROUND)
    chunk = text[max(left, start - _AROUND) : right.start() if right else end + _AROUND]
    return len(chunk) > end - start and _OPAQUE.search(chunk) is not None


def _is_declared(text: str, start: int, end: int) -> bool:
    """Whether that is a name of code: `JohnSmith` behind `class`, or called. Elsewhere it may be a person's."""
    name = _CAMEL_CASE.fullmatch(text, start, end)
    if name is None:
        return False
    return bool(name["declared"] or text[end : end + 1] == "(" or _DECLARES.search(text, max(0, start - 16), start))


def _goes_on(tokens: Sequence[str], last: int, at: int) -> bool:
    """Whether a name goes on from one token to another: they are neighbours in a line, or a joining sign is between.

    An ampersand joins where no blanks are around it («B&O»): «Jane & John» are two.
    """
    between = tokens[last + 1 : at + 1]
    if any("\n" in token for token in between):
        return False
    if len(between) == 1:
        return True
    if between[0] == "&" and len(between) == 2:
        return between[1][0] not in _BLANKS
    sign = between[0].strip(_BLANKS)
    if len(between) > 2 or sign not in _JOINING:
        return False
    return sign != "." or len(tokens[last].strip(_BLANKS)) <= _ABBREVIATED


__all__ = ["LOCATION", "PERSON", "Span", "found"]
