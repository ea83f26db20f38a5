"""Dates of birth and places on the globe: known by the word in front of them."""

import re

Span = tuple[int, int]

_BORN = re.compile(
    r"(?:\b(?:dob|d\.o\.b\.?|birth ?date|birth ?day|date of birth|birth|born|geb(?:\.|oren|urtsdatum|urtstag)?"
    r"|geboortedatum|(?:date de )?naissance|n[ée]e?|(?:fecha de )?nacimiento|nacid[oa]|(?:data di )?nascita|nat[oa]"
    r"|(?:data de )?nascimento"
    r"|nascid[oa]|(?:data )?urodzenia|urodzon[ya]|do[ğg]um(?: tarihi)?|f[öø]dt?d?|syntynyt"
    r"|födelsedatum|fødselsdato|syntymäaika|narozen[íay]?|narodenia|szület(?:ési dátum|ett)|nașterii|născută?"
    r"|rođenja|rojstva"
    r"|gimimo data|tanggal lahir|lahir|ngày sinh|sünniaeg))"
    r"(?: (?:is|was|am|on|le|el|il|em|op|den|dnia"
    r"|a [^\W\d_]{2,24} il|à [^\W\d_]{2,24} le|in [^\W\d_]{2,24} (?:am|on)))?"
    r"(?: ?\([a-z/. -]{2,16}\))?"
    r"(?:\*\*)?[\"'\]]{0,2}\s{0,3}(?:[:=|>#\uff1a-]|</[a-z]{2,8}>\s{0,4}<[a-z]{2,8}>)?(?:\*\*)?\s{0,16}[\"'|]{0,2}\s{0,3}\Z",
    re.IGNORECASE,
)
_REACH = 72  # characters in front of a date that are looked at
_NORTH = 90
_EAST = 180
_NUMBER = re.compile(r"-?\d{1,3}\.\d+")
_POINT = re.compile(
    r"\b(?:lat(?:itude|s)?|lon(?:gitude|g)?|lng|gps|coord(?:inate)?s|geo(?:location)?|maps)\b[^\r\n]{0,40}\Z",
    re.IGNORECASE,
)
_RIGHT_BEHIND = re.compile(
    r"\b(?:lat(?:itude)?|lon(?:gitude|g)?|lng)[\"']{0,2}\s{0,2}[:=]?\s{0,2}[\"']?\Z", re.IGNORECASE
)


def birth_date(text: str, start: int, end: int) -> Span | None:
    """Whether a word for birth stands right in front of a date; between them may be what forms and tables have."""
    return (start, end) if _BORN.search(text, max(0, start - _REACH), start) else None


birth_date.days = False  # type: ignore[attr-defined]  # ISO 8601 is left to the words of birth_date: see rules.shapes


def coordinates(text: str, start: int, end: int) -> Span | None:
    """Whether numbers are a place on the globe: a pair behind a word for one, or one right behind its axis."""
    found = _NUMBER.findall(text, start, end)
    if not found or any(abs(float(each)) > limit for each, limit in zip(found[::-1], (_EAST, _NORTH), strict=False)):
        return None
    word = _POINT if len(found) > 1 else _RIGHT_BEHIND
    return (start, end) if word.search(text, max(0, start - _REACH), start) else None
