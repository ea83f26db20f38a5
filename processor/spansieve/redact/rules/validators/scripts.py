"""Values behind a word for them in languages without Latin letters, which no literal anchor can tell."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from spansieve import strict_yaml

Span = tuple[int, int]

_REACH: Final = 72  # characters in front of a value that are looked at
_SHORTEST_BARE: Final = 6  # characters of a secret that nothing but a space parts from its word
_SAYS: Final = r"[:=\uff1a\uff1d|]|->|→|[-\u2013\u2014]"  # that a value follows

_WORDS: dict[str, Sequence[str]] = strict_yaml.shipped("spansieve.redact.rules.validators", "words.yaml")


def _any(words: Iterable[str]) -> str:
    """Write words as alternatives, the longest first, with any space between their parts."""
    return "|".join(r"\s{1,3}".join(map(re.escape, word.split())) for word in sorted(words, key=len, reverse=True))


_IS = _any(_WORDS["is"])
_BEHIND = r"[\"'`*_]{0,3}\s{0,3}(?:(?P<said>%s)[\"'`*_]{0,3}\s{0,3}){0,2}[\"'`«\u201c\u300c*]{0,3}\Z"
# What stands between the word and a colon says whose secret it is, or what for.
_SECRET = re.compile(
    rf"(?:{_any(_WORDS['secret'])})(?:{_BEHIND % (_SAYS + '|' + _IS)}"
    rf"|(?:\s{{1,2}}[^\W\d_]{{1,16}}){{1,4}}\s?(?P<for>[:=\uff1a])\s{{0,3}}[\"'`*]{{0,3}}\Z)",
    re.IGNORECASE,
)
_BIRTH = re.compile(rf"(?:{_any(_WORDS['birth'])}){_BEHIND % (_SAYS + '|' + _IS)}", re.IGNORECASE)
_PHONE = re.compile(rf"(?:{_any(_WORDS['phone'])})\.?{_BEHIND % (_SAYS + '|' + _IS)}", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")


def secret(text: str, start: int, end: int) -> Span | None:
    """Whether a word for a secret stands in front of a candidate; right in front, a number or a word is none."""
    match = _SECRET.search(text, max(0, start - _REACH), start)
    if match is None:
        return None
    if match["said"] is None and match["for"] is None:
        mixed = _DIGIT.search(text, start, end) and _LETTER.search(text, start, end)
        return (start, end) if mixed and end - start >= _SHORTEST_BARE else None
    return start, end


def birth(text: str, start: int, end: int) -> Span | None:
    """Whether a word for birth stands in front of a date."""
    return (start, end) if _BIRTH.search(text, max(0, start - _REACH), start) else None


def phone(text: str, start: int, end: int) -> Span | None:
    """Whether a word for a telephone stands in front of digits."""
    return (start, end) if _PHONE.search(text, max(0, start - _REACH), start) else None
