"""Telephone numbers, by the numbering plans of the `phonenumbers` package (ITU-T E.164 and national plans)."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber

Span = tuple[int, int]

_GROUPS = re.compile(r"\d+")
# A date, or a social security number: both have rules and shapes of their own.
_NO_PHONE = re.compile(
    r"\d{3}[-\u2010-\u2014 ]\d{2}[-\u2010-\u2014 ]\d{4}(?!\d)"
    r"|(?:19|20)\d\d[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/. ](?:0?[1-9]|[12]\d|3[01])[-/. ](?:19|20)\d\d(?!\d)"
)
# North American shapes that nothing else has: parentheses, or hyphens or dots throughout. Made-up exchanges count too.
_NANP = re.compile(
    r"(?:1[ .-])?(?:\([2-9]\d\d\) ?\d{3}[ .\u2010-\u2014-]"
    r"|[2-9]\d\d[.\u2010-\u2014-]\d{3}[.\u2010-\u2014-])\d{4}"
)


def known_region(region: str) -> bool:
    """Whether there is a numbering plan for a region (ISO 3166 alpha-2)."""
    return region in phonenumbers.SUPPORTED_REGIONS


def checker(regions: Sequence[str]) -> Callable[[str, int, int], Span | None]:
    """Check numbers that stand alone: with a country code they must be possible, else valid in a region."""
    plans = [_Plan(region) for region in regions]

    def check(text: str, start: int, end: int) -> Span | None:
        if text[start] in "+\uff0b" or text.startswith("00", start):
            return _longest(text, start, end, _possible_abroad)
        if _NO_PHONE.match(text, start):
            return None
        if _NANP.fullmatch(text, start, end):
            return start, end
        return _longest(text, start, end, lambda number: _valid(number, plans))

    return check


def context_checker(regions: Sequence[str]) -> Callable[[str, int, int], Span | None]:
    """Check numbers beside a word that says telephone: any seven to fifteen digits but a date."""
    plans = [_Plan(region) for region in regions]

    def check(text: str, start: int, end: int) -> Span | None:
        if _NO_PHONE.match(text, start):
            return None
        valid = _longest(text, start, end, lambda number: _valid(number, plans))
        return valid or _longest(text, start, end, lambda number: 7 <= sum(map(str.isdigit, number)) <= 15)

    return check


def _longest(text: str, start: int, end: int, accept: Callable[[str], bool]) -> Span | None:
    """Try the candidate, then without its last group of digits, and so on: what follows a number may be another."""
    ends = [match.end() for match in _GROUPS.finditer(text, start, end)]
    for stop in reversed(ends[-4:]):
        if stop - start >= 7 and accept(text[start:stop]):
            return start, stop
    return None


def _possible_abroad(number: str) -> bool:
    parsed = _parse("+" + number[2:] if number.startswith("00") else number, None)
    return parsed is not None and phonenumbers.is_possible_number(parsed)


class _Plan:
    """A region's numbering plan. Its patterns alone decide most candidates, in a hundredth of what parsing takes."""

    def __init__(self, region: str) -> None:
        metadata: Any = PhoneMetadata.metadata_for_region(region, None)
        self.region = region
        self.national: re.Pattern[str] = re.compile(metadata.general_desc.national_number_pattern)
        self.prefix: re.Pattern[str] = re.compile(metadata.national_prefix_for_parsing or "(?!)")

    def accepts(self, number: str, digits: str) -> bool:
        """Whether a number is one that the plan assigns."""
        if not self.national.fullmatch(digits):
            prefix = self.prefix.match(digits)
            if prefix is None or not self.national.fullmatch(digits, prefix.end()):
                return False
        parsed = _parse(number, self.region)
        return parsed is not None and phonenumbers.is_valid_number_for_region(parsed, self.region)


def _valid(number: str, plans: Sequence[_Plan]) -> bool:
    digits = "".join(_GROUPS.findall(number))
    return any(plan.accepts(number, digits) for plan in plans)


def _parse(number: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(number, region)
    except NumberParseException:
        return None
