"""Numbers as values: a card sent as an integer is a card; times, counts and measures stay numbers."""

import re
from typing import Final

LEAST: Final = 10**11
"""From here on a number alone may be a card's: shorter ones are someone's only beside a word that says so."""

_PLACE = re.compile(r"(?:\A|[._ -])(?:lat|latitude|lon|lng|longitude)\Z", re.IGNORECASE)
_MOST = 10**19  # 19 digits, the longest card number
_DIGITS = re.compile(r"\d+")
_NO_DIGITS = bytes(code for code in range(256) if chr(code) not in "0123456789")


def digits_of(text: str) -> str:
    """Give the digits of a text without what is between them."""
    if text.isascii():
        return text.encode().translate(None, _NO_DIGITS).decode()
    return "".join(_DIGITS.findall(text))


def is_whole(number: float) -> bool:
    """Whether a number may be an identifier: one with a fraction, or below zero, measures something."""
    return number >= 0 and (isinstance(number, int) or number.is_integer())


def may_identify(number: float) -> bool:
    """Whether a number alone, under a key that says nothing, has as many digits as a card."""
    return LEAST <= number < _MOST


def is_place(key: str) -> bool:
    """Whether what stands under a key is a coordinate on the globe: a fraction, and yet it tells where someone is."""
    return _PLACE.search(key) is not None


def text(number: float) -> str:
    """Write a number as the rules know it: a whole one by its digits, also where it is stored with a fraction."""
    if isinstance(number, float) and number.is_integer() and abs(number) < _MOST:
        return str(int(number))
    return str(number)


def plain(literal: str) -> str:
    """Write a number of a JSON text as the rules know it: `4.111111111111111e15` is 4111111111111111."""
    if literal.isdecimal() or len(literal) > 40:
        return literal
    try:
        return text(float(literal))
    except ValueError:
        return literal
