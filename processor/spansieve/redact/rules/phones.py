"""Telephone numbers, by the numbering plans of the `phonenumbers` package (ITU-T E.164 and national plans)."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

import phonenumbers
from phonenumbers import PhoneMetadata

from spansieve.redact.text.numbers import digits_of

Span = tuple[int, int]

_GROUPS = re.compile(r"\d+")
# A date, or a social security number: both have rules and shapes of their own; years from and to.
_NO_PHONE = re.compile(
    r"\(?(?:"
    r"\d{3}[-\u2010-\u2014 ]\d{2}[-\u2010-\u2014 ]\d{4}(?!\d)"
    r"|(?:19|20)\d\d[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/. ](?:0?[1-9]|[12]\d|3[01])[-/. ](?:19|20)\d\d(?!\d)"
    r"|(?:(?:0[1-9]|[12]\d|3[01])/(?:0[1-9]|1[0-2])|(?:0[1-9]|1[0-2])/(?:0[1-9]|[12]\d|3[01]))/\d\d(?![\d/])"
    r"|(?:19|20)\d\d ?[-\u2010-\u2014] ?(?:19|20)\d\d(?! ?[-\u2010-\u2014.]?\d)"
    r")"
)
# Characters by number, as Unicode's tables have them; one with letters may follow.
_CODE_POINTS = re.compile(r"0\d{3}(?:[ .]0\d{3})+(?![ .-]?[1-9]|[ .-]?0\d{0,2}(?![0-9A-Za-z]))").match
_TIME = re.compile(r"(?<=[^0-9])(?:[01]\d|2[0-3])\Z").search  # the hours of a time of day, if minutes follow
_MINUTES = re.compile(r":[0-5]\d(?!\d)").match
_DECIMALS = re.compile(r"(?=[^.]*\.\d)(?=[^ ]* |[^.]*-\.)[0-9. -]*\Z").match
# Begins with a set, so that `re` looks for that first.
_MONTH = re.compile(
    r"[JFMASOND](?<=\b(?=Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec).)[a-z]{2,8}\.? {1,2}\Z"
).search
# What stands in front of ZIP+4 codes that begin with a zero, as others do that are no telephone numbers.
_ZIP = re.compile(r"\d{5}-\d{4}").fullmatch
_OF_ZIP = 10  # characters
_MOST_DIGITS = 15  # E.164
_MOST_STOPS = 6
_ONE = 17  # characters that are hardly more than one number
_FEWEST_ALONE = 9  # digits of a number in a list of such
_LEAST_DIGITS = 7  # of a number that no word tells; shorter ones are decimals more often
_SURE = 12  # characters, in which there are so many digits
_STATE = re.compile(r"\b(?:CT|MA|ME|NH|NJ|NY|PR|RI|VT)[,.]?[\s#*/;]{1,8}\Z").search
# North American shapes that nothing else has: parentheses, or hyphens or dots throughout. Made-up exchanges count too.
_NANP = re.compile(
    r"(?:1[ .-])?(?:\([2-9]\d\d\) ?\d{3}[ .\u2010-\u2014-]"
    r"|[2-9]\d\d[.\u2010-\u2014-]\d{3}[.\u2010-\u2014-])\d{4}"
)
_EXTENSION = re.compile(r" ?(?:x|ext\.?|extension) ?\d{1,6}\Z")


def known_region(region: str) -> bool:
    """Whether there is a numbering plan for a region (ISO 3166 alpha-2)."""
    return region in phonenumbers.SUPPORTED_REGIONS


def checker(regions: Sequence[str]) -> Callable[[str, int, int], Span | None]:
    """Check numbers that stand alone: with a country code they must be possible, else valid in a region."""
    is_valid = _valid_in(regions)

    def check(text: str, start: int, end: int) -> Span | None:
        if text[start] == "0" and _CODE_POINTS(text, start):
            return None
        if text[start] in "+\uff0b" or text.startswith("00", start):
            base = _without_extension(text, start, end)
            if text[start] == "0" and text.find(".", start, base) >= 0 and _DECIMALS(text[start:base]):
                return None
            return _extended(_longest(text, start, base, _possible_abroad), base, end)
        if _NO_PHONE.match(text, start):
            return None
        base = _without_extension(text, start, end)
        if _NANP.fullmatch(text, start, base):
            return start, end
        if (without := _without_hours(text, start, base)) < base:
            base = end = without
        found = _longest(text, start, base, is_valid)
        return None if found is None or _is_no_number(text, start, base) else _extended(found, base, end)

    check.days = False  # type: ignore[attr-defined]  # see rules.shapes
    return check


def context_checker(regions: Sequence[str]) -> Callable[[str, int, int], Span | None]:
    """Check numbers beside a word that says telephone: any seven to fifteen digits but a date."""
    is_valid = _valid_in(regions)

    def check(text: str, start: int, end: int) -> Span | None:
        if _NO_PHONE.match(text, start):
            return None
        base = _without_extension(text, start, end)
        if (without := _without_hours(text, start, base)) < base:
            base = end = without
        valid = _longest(text, start, base, is_valid)
        valid = valid or _longest(text, start, base, lambda number: 7 <= sum(map(str.isdigit, number)) <= 15)
        return _extended(valid, base, end)

    check.days = False  # type: ignore[attr-defined]  # see rules.shapes
    return check


def _without_extension(text: str, start: int, end: int) -> int:
    """Give the end of a number without its extension (`x123`, `ext. 123`)."""
    if text.find("x", start, end) < 0:
        return end
    extension = _EXTENSION.search(text, start, end)
    return end if extension is None else extension.start()


def _without_hours(text: str, start: int, end: int) -> int:
    """Give the end of a number without the hours of a time behind it, if it ends in some: `… 10:50`."""
    if text[end : end + 1] != ":" or _MINUTES(text, end) is None:
        return end
    hours = _TIME(text, start, end)
    return end if hours is None else hours.start() - 1


def _is_no_number(text: str, start: int, end: int) -> bool:
    """Whether digits that begin as a national number does are written as none is: with decimals, or as a postcode."""
    number = text[start:end]
    if "." in number and (".." in number or _DECIMALS(number)):
        return True
    if number.count("(") != number.count(")") or (
        len(number) < _SURE and sum(map(str.isdigit, number)) < _LEAST_DIGITS
    ):
        return True
    low = start - 16 if start > 16 else 0
    if text[start - 1 : start] == " " and _MONTH(text, low, start) is not None:
        return True
    return end - start == _OF_ZIP and _ZIP(number) is not None and _STATE(text, low, start) is not None


def _extended(span: Span | None, base: int, end: int) -> Span | None:
    """Take the extension in, when all in front of it is the number."""
    return (span[0], end) if span is not None and span[1] == base else span


def _longest(text: str, start: int, end: int, accept: Callable[[str], bool]) -> Span | None:
    """Try the candidate, then without its last group of digits, and so on: what follows a number may be another."""
    if 7 <= end - start <= _ONE and text[end - 1].isdecimal() and accept(text[start:end]):
        return start, end
    for stop in _stops(text, start, end):
        if stop - start >= 7 and accept(text[start:stop]):
            return start, stop
    return None


def _stops(text: str, start: int, end: int) -> Iterator[int]:
    """Where a number may end that has no more digits than E.164 allows, the likeliest first: the farthest.

    But where its first group seems to come again, a list of numbers goes on.
    """
    ends: list[int] = []
    again: list[int] = []
    count = 0
    first = ""
    for match in _GROUPS.finditer(text, start, end):
        group = match[0]
        if count >= _FEWEST_ALONE and group[0] == first[0] == "0" and len(group) == len(first):
            again.append(ends[-1])
        count += len(group)
        if count > _MOST_DIGITS:
            break
        first = first or group
        ends.append(match.end())
    yield from again
    yield from reversed(ends[-_MOST_STOPS:])


def _possible_abroad(number: str) -> bool:
    """Whether a number with its country code has a length that the country's plan knows."""
    digits = digits_of(number)
    digits = digits.removeprefix("00") if number.startswith("00") else digits
    width, lengths = _plan(digits[:3])
    size = len(digits) - width
    return size in lengths or (size - 1 in lengths and digits[width] == "0")


@lru_cache(maxsize=1024)
def _plan(digits: str) -> tuple[int, frozenset[int]]:
    """How many of a number's first three digits are its calling code, and how many may stand behind it."""
    for width in (1, 2, 3):
        if lengths := _lengths(digits[:width]):
            return width, lengths
    return 0, frozenset()


def _lengths(code: str) -> frozenset[int]:
    """How many digits may stand behind a calling code; none for what is no code."""
    if not code.isascii() or not code.isdigit():
        return frozenset()
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ()) if code[0] != "0" else ()
    found: set[int] = set()
    for region in regions:
        metadata: Any = (
            PhoneMetadata.metadata_for_nongeo_region(int(code), None)
            if region == "001"
            else PhoneMetadata.metadata_for_region(region, None)
        )
        found.update(metadata.general_desc.possible_length)
    return frozenset(found)


_KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip


def _valid_in(regions: Sequence[str]) -> Callable[[str], bool]:
    """Say of a number, however it is written, whether the plan of one of these regions assigns it."""
    assigned = _assigned(tuple(regions)).fullmatch

    def is_valid(number: str) -> bool:
        return assigned(digits_of(number)) is not None

    return is_valid


@cache
def _assigned(regions: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern for the digits of all numbers that the plans of some regions assign, with or without trunk prefix.

    It is what `phonenumbers.is_valid_number_for_region` asks, in a hundredth of the time that parsing takes.
    """
    plans = []
    for region in regions:
        metadata: Any = PhoneMetadata.metadata_for_region(region, None)
        kinds = (getattr(metadata, kind) for kind in _KINDS)
        patterns = {kind.national_number_pattern for kind in kinds if kind is not None}
        assigned = "|".join(sorted(pattern for pattern in patterns if pattern not in (None, "NA")))
        plans.append(f"(?:{metadata.national_prefix_for_parsing or '(?!)'})?(?:{assigned})")
    return re.compile("|".join(plans) or "(?!)")
