"""Social security and individual taxpayer numbers of the United States."""

import re

Span = tuple[int, int]

_GROUPS = re.compile(r"\d+")


def ssn(text: str, start: int, end: int) -> Span | None:
    """Whether a candidate is a social security number, or an ITIN."""
    digits = "".join(_GROUPS.findall(text[start:end]))
    # Hyphens say it all: such a shape is nothing else. With other separators the numbers that SSA never issues are out.
    if "-" in text[start:end]:
        return start, end
    return (start, end) if _issued_ssn(digits) or _issued_itin(digits) else None


def _issued_ssn(digits: str) -> bool:
    return digits[:3] not in ("000", "666") and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def _issued_itin(digits: str) -> bool:
    group = int(digits[3:5])
    return digits[0] == "9" and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99)


def itin(text: str, start: int, end: int) -> Span | None:
    """Whether a candidate is an individual taxpayer number (IRS publication 1915)."""
    return (start, end) if _issued_itin("".join(_GROUPS.findall(text[start:end]))) else None
