"""Checks that turn a candidate into a finding: checksums, ranges, lengths. A rule names its check.

A check is handed the text and the span of the candidate, and answers with the span of the value, which may be
narrower (a card number in front of which a date stands) or wider, or None.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Sequence

from spansieve.redact import phones

Span = tuple[int, int]
Checker = Callable[[str, int, int], Span | None]

_GROUPS = re.compile(r"\d+")
_NOT_ALNUM = re.compile(r"[^0-9A-Za-z]+")
_MAIL_LEFT = re.compile(r"[\w.+%&~#!-]{1,256}+\Z")
_KEEP_MACS = frozenset({"000000000000", "ffffffffffff"})

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


def luhn(digits: str) -> bool:
    """Check the last digit of a number (ISO/IEC 7812-1 annex B)."""
    total = sum(ord(digit) - 48 for digit in digits[-1::-2])
    total += sum((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)[ord(digit) - 48] for digit in digits[-2::-2])
    return total % 10 == 0


def is_card(digits: str) -> bool:
    """Whether digits are a payment card's number: an issuer's range, its length, the check digit."""
    for low, high, width, lengths in _ISSUERS:
        if len(digits) in lengths and low <= int(digits[:width]) <= high:
            return luhn(digits)
    return False


def _card(text: str, start: int, end: int) -> Span | None:
    groups = [match.span() for match in _GROUPS.finditer(text, start, end)]
    for last in range(len(groups), 0, -1):
        digits = "".join(text[a:b] for a, b in groups[:last])
        if 12 <= len(digits) <= 19 and digits.isascii() and is_card(digits):
            return groups[0][0], groups[last - 1][1]
    return None


def is_iban(compact: str) -> bool:
    """Whether letters and digits without spaces are an IBAN: the country's length and modulo 97 (ISO 13616, 7064)."""
    compact = compact.upper()
    if len(compact) != _IBAN_LENGTHS.get(compact[:2], -1):
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def _iban(text: str, start: int, end: int) -> Span | None:
    wanted = _IBAN_LENGTHS.get(text[start : start + 2].upper())
    if wanted is None:
        return None
    at = start
    taken: list[str] = []
    while at < end and len(taken) < wanted:
        if text[at].isascii() and text[at].isalnum():
            taken.append(text[at])
        at += 1
    if at < len(text) and text[at].isascii() and text[at].isalnum():
        return None
    return (start, at) if is_iban("".join(taken)) else None


def _ssn(text: str, start: int, end: int) -> Span | None:
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


def _itin(text: str, start: int, end: int) -> Span | None:
    return (start, end) if _issued_itin("".join(_GROUPS.findall(text[start:end]))) else None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _is_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_private(address.ipv4_mapped)
        return address in _UNIQUE_LOCAL or address.is_link_local
    return any(address in network for network in _PRIVATE)


def _is_nobody(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Addresses of no machine: unspecified, loopback, masks and broadcast."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return _is_nobody(address.ipv4_mapped)
    if address.is_unspecified or address.is_loopback:
        return True
    return isinstance(address, ipaddress.IPv4Address) and address.packed[0] == 255


_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")))
_UNIQUE_LOCAL = ipaddress.IPv6Network("fc00::/7")


def _ip_public(text: str, start: int, end: int) -> Span | None:
    address = _address(text[start:end])
    if address is None or _is_nobody(address) or _is_private(address):
        return None
    return start, end


def _ip_private(text: str, start: int, end: int) -> Span | None:
    address = _address(text[start:end])
    return (start, end) if address is not None and not _is_nobody(address) and _is_private(address) else None


def _ipv6(check: Checker) -> Checker:
    def checked(text: str, start: int, end: int) -> Span | None:
        while text[end - 1] == "." or (text[end - 1] == ":" and text[end - 2] != ":"):
            end -= 1  # the end of a sentence, or what the address introduces
        candidate = text[start:end]
        # `add::be` is a name in C++ before it is an address: one needs a digit, or more colons.
        if candidate.count(":") < 3 and not any(map(str.isdigit, candidate)):
            return None
        return check(text, start, end)

    return checked


def _mac(text: str, start: int, end: int) -> Span | None:
    return None if _NOT_ALNUM.sub("", text[start:end]).lower() in _KEEP_MACS else (start, end)


def _email(text: str, start: int, end: int) -> Span | None:
    """Take in what is longer than RFC 5321 allows before the @, so that no part of it stays."""
    longer = _MAIL_LEFT.search(text[max(0, start - 256) : start]) if start else None
    return (start - len(longer[0]) if longer else start), end


def _basic(text: str, start: int, end: int) -> Span | None:
    """RFC 7617: base64 of user:password."""
    raw = text[start:end]
    try:
        decoded = base64.b64decode(raw + "=" * (-len(raw) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return (start, end) if b":" in decoded else None


_PLAIN: dict[str, tuple[Checker, int]] = {
    "card": (_card, 1),
    "iban": (_iban, 1),
    "us_ssn": (_ssn, 1),
    "us_itin": (_itin, 1),
    "ipv4_public": (_ip_public, 1),
    "ipv4_private": (_ip_private, 1),
    "ipv6_public": (_ipv6(_ip_public), 1),
    "ipv6_private": (_ipv6(_ip_private), 1),
    "mac": (_mac, 1),
    "email": (_email, 1),
    "basic_credentials": (_basic, 1),
}
# Telephone numbers cost more: about 20 µs for each region that is tried.
_PHONES: dict[str, Callable[[Sequence[str]], Checker]] = {
    "phone": phones.checker,
    "phone_in_context": phones.context_checker,
}
VALIDATORS = frozenset(_PLAIN) | frozenset(_PHONES)
"""The names that a policy may use."""


def checker(name: str, regions: Sequence[str]) -> tuple[Checker, int]:
    """Give the check of this name, and what one call costs in units of the budget."""
    if name in _PHONES:
        return _PHONES[name](regions), 4 * len(regions)
    return _PLAIN[name]


known_region = phones.known_region
