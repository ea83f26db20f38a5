"""Payment cards (ISO/IEC 7812) and accounts (ISO 13616)."""

import re

from spansieve.redact.rules.validators.checksums import luhn
from spansieve.redact.text.numbers import digits_of

Span = tuple[int, int]

_GROUPS = re.compile(r"\d+")
_GROUP = _GROUPS.match
_BETWEEN = re.compile(r"\D+").findall
_GOES_ON = re.compile(r"[ ./-]\d").match
_IN_FOURS = 19  # characters
_FOUR = 4  # digits, as nearly all cards have them in a group: separators may differ
_FREE_GROUPS = 3  # groups that may be of any size; more are of one, but the last
_SPELLED = re.compile(r"\d(?: {1,2}\d)*").fullmatch
_SPELLED_ON = re.compile(r" {1,2}\d(?!\d)").match
_LEAST_DIGITS, _MOST_DIGITS = 12, 19
_FIRST_GROUPS = frozenset((*range(2, 9), *range(_LEAST_DIGITS, _MOST_DIGITS + 1)))  # digits; 9 and 6 are two numbers
_MOST_DOTS = 4  # five groups of digits; what has more is a version, an object's id in a tree, or a table

# ISO 13616: length of an IBAN by country (SWIFT's registry, release 99).
_IBAN_LENGTHS = {
    country: int(length)
    for length, countries in {
        "15": "NO", "16": "BE", "18": "DK FO FI GL NL SD FK", "19": "MK SI", "20": "AT BA EE KZ LT LU XK MN",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS VA", "23": "AE GI IL IQ OM TL SO", "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "LY PT ST", "26": "IS TR", "27": "BI DJ FR GR IT MC MR SM", "28": "AL AZ BY CY DO GT HN HU LB NI PL SV",
        "29": "BR EG PS QA UA", "30": "JO KW MU YE", "31": "MT SC", "32": "LC", "33": "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip

# ISO/IEC 7812 issuer ranges of the payment networks: first digits → lengths.
_ISSUERS: tuple[tuple[int, int, int, frozenset[int]], ...] = (
    (4, 4, 1, frozenset({13, 16, 19})),  # Visa
    (51, 55, 2, frozenset({16})),  # Mastercard
    (2221, 2720, 4, frozenset({16})),  # Mastercard
    (34, 34, 2, frozenset({15})),  # American Express
    (37, 37, 2, frozenset({15})),
    (300, 305, 3, frozenset({14})),  # Diners Club
    (3095, 3095, 4, frozenset({14})),
    (36, 36, 2, frozenset({14, 15, 16, 17, 18, 19})),
    (38, 39, 2, frozenset({14, 16, 17, 18, 19})),
    (6011, 6011, 4, frozenset({16, 17, 18, 19})),  # Discover
    (644, 659, 3, frozenset({16, 17, 18, 19})),
    (3528, 3589, 4, frozenset({16, 17, 18, 19})),  # JCB
    (62, 62, 2, frozenset({16, 17, 18, 19})),  # UnionPay
    (50, 50, 2, frozenset(range(12, 20))),  # Maestro
    (56, 58, 2, frozenset(range(12, 20))),
    (60, 61, 2, frozenset(range(12, 20))),
    (63, 63, 2, frozenset(range(12, 20))),
    (67, 69, 2, frozenset(range(12, 20))),
    (2200, 2204, 4, frozenset({16, 17, 18, 19})),  # Mir
    (9792, 9792, 4, frozenset({16})),  # Troy
)


def _lengths() -> dict[str, frozenset[int]]:
    """The lengths that the networks' ranges have for each four digits that a number may begin with."""
    found: dict[str, frozenset[int]] = {}
    for low, high, width, lengths in _ISSUERS:
        behind = 10 ** (4 - width)
        for first in range(low * behind, (high + 1) * behind):
            found[str(first)] = found.get(str(first), frozenset()) | lengths
    return found


_LENGTHS = _lengths()
_SHORTEST = {prefix: min(lengths) for prefix, lengths in _LENGTHS.items()}
_NO_LENGTHS: frozenset[int] = frozenset()


def is_card(digits: str) -> bool:
    """Whether digits are a payment card's number: an issuer's range, its length, the check digit."""
    return len(digits) in _LENGTHS.get(digits[:4], _NO_LENGTHS) and luhn(digits)


def card(text: str, start: int, end: int) -> Span | None:
    """Find a card's number at the start of digits in groups; what follows it may be a date."""
    digits = text[start:end]
    if digits.isdecimal() and digits.isascii():
        return (start, end) if is_card(digits) else None
    if end - start == _IN_FOURS and digits[4] == digits[9] == digits[14]:  # as nearly all are written
        joined = digits[:4] + digits[5:9] + digits[10:14] + digits[15:]
        if joined.isdecimal() and joined.isascii() and is_card(joined):
            return start, end
    digits = digits_of(digits)
    if not digits.isascii() or len(digits) < _SHORTEST.get(digits[:4], _MOST_DIGITS + 1):
        return None
    first = _GROUP(text, start)
    if first is None or text.count(".", start, end) > _MOST_DOTS:
        return None
    if first.end() - start == 1:
        return (start, end) if _is_spelled(text, start, end) and is_card(digits) else None
    if first.end() - start not in _FIRST_GROUPS:
        return None
    found = (start, end) if is_card(digits) else _card_ahead(text, start, end)
    return found if found is not None and _is_grouped(text, *found) else None


def _is_grouped(text: str, start: int, end: int) -> bool:
    """Whether a number is cut as people cut one, and is no list of decimals or of others."""
    number = text[start:end]
    sizes = [len(group) for group in _GROUPS.findall(number)]
    if len(set(_BETWEEN(number))) > 1 and ("." in number or sizes[0] < _FOUR):
        return False
    if len(sizes) <= _FREE_GROUPS:
        return len(sizes) != 2 or "." not in number
    goes_on = sizes[0] == _FOUR - 1 and _GOES_ON(text, end) is not None  # hundreds of anything
    return len(set(sizes[:-1])) == 1 and (sizes[0] >= _FOUR or sizes[-1] <= sizes[0]) and not goes_on


def card_in_hex(text: str, start: int, end: int) -> Span | None:
    """Find a card's number, or the image of its stripe, in data of a chip (EMV Book 3, annex B).

    Its length in bytes is in front. Two digits of hexadecimal are a byte; a number of odd length has an F behind it.
    """
    end = start + 2 * int(text[start - 2 : start], 16)
    value = text[start:end]
    number = re.split("[DFdf]", value, maxsplit=1)[0]
    return (start, end) if len(value) == end - start and is_card(number) else None


def _is_spelled(text: str, start: int, end: int) -> bool:
    """Whether digits stand one by one, as speech is written down, and no others in front or behind: a list has more."""
    if _SPELLED(text, start, end) is None or _SPELLED_ON(text, end) is not None:
        return False
    return not text[max(0, start - 3) : start].rstrip(" ")[-1:].isdigit()


def _card_ahead(text: str, start: int, end: int) -> Span | None:
    """The longest card's number that some of the groups are, from the first one on."""
    digits = ""
    ends: list[tuple[int, int]] = []  # where a group ends, and how many digits there are by then
    for match in _GROUPS.finditer(text, start, end):
        digits += match[0]
        if len(digits) > _MOST_DIGITS:
            break
        if len(digits) >= _LEAST_DIGITS:
            ends.append((match.end(), len(digits)))
    for stop, count in reversed(ends):
        if is_card(digits[:count]):
            return start, stop
    return None


_VALUES = {ord(letter): str(value) for value, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10)}


def is_iban(compact: str) -> bool:
    """Whether letters and digits without spaces are an IBAN: the country's length and modulo 97 (ISO 13616, 7064)."""
    compact = compact.upper()
    if len(compact) != _IBAN_LENGTHS.get(compact[:2], -1):
        return False
    rest = compact[4:]
    return int((rest if rest.isdecimal() else rest.translate(_VALUES)) + compact[:4].translate(_VALUES)) % 97 == 1


def iban(text: str, start: int, end: int) -> Span | None:
    """Find an IBAN at the start of letters and digits in groups, as long as its country says."""
    wanted = _IBAN_LENGTHS.get(text[start : start + 2].upper())
    if wanted is None:
        return None
    compact = text[start : start + wanted]
    if compact.isalnum() and compact.isascii() and not text[start + wanted : start + wanted + 1].isalnum():
        return (start, start + wanted) if is_iban(compact) else None
    at = start
    taken: list[str] = []
    while at < end and len(taken) < wanted:
        if text[at].isascii() and text[at].isalnum():
            taken.append(text[at])
        at += 1
    if at < len(text) and text[at].isascii() and text[at].isalnum():
        return None
    return (start, at) if is_iban("".join(taken)) else None
