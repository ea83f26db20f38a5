"""Arithmetic that the check digits of many numbers share."""

from collections.abc import Iterable
from datetime import date

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Digits and letters in the order of their values."""


def weighted(digits: str, weights: Iterable[int]) -> int:
    """Sum the digits, each times its weight, as far as there are weights."""
    return sum((ord(digit) - 48) * weight for digit, weight in zip(digits, weights, strict=False))


def luhn(digits: str) -> bool:
    """Check the last digit of a number (ISO/IEC 7812-1 annex B)."""
    raw = digits.encode()
    return (sum(raw[-1::-2].translate(_ONCE)) + sum(raw[-2::-2].translate(_TWICE))) % 10 == 0


_ONCE = bytes((code - 48) % 10 for code in range(256))
_TWICE = bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)[(code - 48) % 10] for code in range(256))


def mod_11_10(digits: str) -> bool:
    """Check the last digit of a number (ISO/IEC 7064, MOD 11,10)."""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (product + int(digits[-1])) % 10 == 1


def is_date(year: int, month: int, day: int) -> bool:
    """Whether there was such a day."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def short_date(year: str, month: str, day: str) -> bool:
    """Whether two digits each are a day of the twentieth or twenty-first century."""
    return is_date(2000 + int(year), int(month), int(day)) or is_date(1900 + int(year), int(month), int(day))
