"""Checks that turn a candidate into a finding: checksums, ranges, lengths. A rule names its check.

A check is handed the text and the span of the candidate, and answers with the span of the value, which may be
narrower (a card number in front of which a date stands) or wider, or None.
"""

from collections.abc import Callable, Sequence
from functools import cache

from spansieve.redact.rules import phones
from spansieve.redact.rules.validators import network, payment, people, schemes, scripts, united_states, wallets

__all__ = ["VALIDATORS", "Checker", "Span", "checker", "known_country", "known_region"]

Span = tuple[int, int]
Checker = Callable[[str, int, int], Span | None]

_PLAIN: dict[str, tuple[Checker, int]] = {
    "card": (payment.card, 1),
    "card_in_hex": (payment.card_in_hex, 1),
    "iban": (payment.iban, 1),
    "us_ssn": (united_states.ssn, 1),
    "us_itin": (united_states.itin, 1),
    "ipv4_public": (network.ipv4_public, 1),
    "ipv4_private": (network.ipv4_private, 1),
    "ipv6_public": (network.ipv6(network.ip_public), 2),
    "ipv6_private": (network.ipv6(network.ip_private), 2),
    "mac": (network.mac, 1),
    "email": (network.email, 1),
    "basic_credentials": (network.basic, 1),
    "base58_check": (wallets.base58_check, 4),
    "bech32": (wallets.bech32, 4),
    "random_looking": (wallets.random_looking, 1),
    "birth_date": (people.birth_date, 1),
    "coordinates": (people.coordinates, 1),
    "secret_by_other_script": (scripts.secret, 2),
    "birth_by_other_script": (scripts.birth, 2),
    "phone_by_other_script": (scripts.phone, 2),
}
# Telephone numbers cost more: about 10 µs.
_PHONES: dict[str, Callable[[Sequence[str]], Checker]] = {
    "phone": phones.checker,
    "phone_in_context": phones.context_checker,
}
# Groups of the table schemes.yaml.
_NUMBERS = {"national_number": "national", "document_number": "documents", "account_number": "accounts"}
VALIDATORS = frozenset(_PLAIN) | frozenset(_PHONES) | frozenset(_NUMBERS)
"""The names that a policy may use."""

_numbers = cache(schemes.group)


def checker(name: str, regions: Sequence[str], countries: Sequence[str] | None = None) -> tuple[Checker, int]:
    """Give the check of this name, and what one call costs in units of the budget.

    `regions` are those of telephone numbers, `countries` those of other numbers: None for all.
    """
    if name in _PHONES:
        return _PHONES[name](regions), 8
    if name in _NUMBERS:
        return _numbers(_NUMBERS[name], None if countries is None else frozenset(countries)), 1
    return _PLAIN[name]


known_region = phones.known_region
known_country = schemes.known_country
