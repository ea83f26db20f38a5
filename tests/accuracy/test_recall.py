"""Recall on valid values, made for the purpose, in the sentences of a dozen kinds of text."""

import pytest
from bench.values import (
    CARRIERS,
    NATIONAL,
    TIER_1,
    bitcoin,
    carried,
    password,
    url_credentials,
)

from unit.redact.helpers_redact import clean

_COUNT = 220
_LEAST = 0.99
_SEED = 20260101


def _recall(cases: list[tuple[str, str]]) -> float:
    return sum(_is_gone(value, clean(text)) for value, text in cases) / len(cases)


def _is_gone(value: str, text: str) -> bool:
    """Neither the value stands there nor one of its groups; names of schemes may."""
    groups = [group for group in value.split() if len(group) > 3 and any(map(str.isdigit, group))]
    return value not in text and not any(group in text for group in groups)


@pytest.mark.parametrize("kind", TIER_1)
def test_values_of_the_first_tier_are_found(kind: str) -> None:
    """At least 99 of 100 values of each class go, whatever carries them."""
    assert _recall(list(carried(TIER_1[kind], _COUNT, _SEED))) >= _LEAST


@pytest.mark.parametrize("scheme", NATIONAL)
def test_national_numbers_are_found(scheme: str) -> None:
    """So do the numbers of each national scheme, with their name where the digits alone say too little."""
    assert _recall(list(carried(NATIONAL[scheme], _COUNT, _SEED))) >= _LEAST


def test_credentials_of_urls_are_found() -> None:
    """The user and the password of a URL go; its host stays."""
    cases = [
        (value, text.replace(value, f"postgres://{value}@db.example/app"))
        for value, text in carried(url_credentials, _COUNT, _SEED)
    ]
    assert _recall(cases) >= _LEAST


@pytest.mark.parametrize("form", ["password={}", "password: {}", "my password is {}", "DB_PASSWORD='{}'"])
def test_passwords_in_text_are_found(form: str) -> None:
    """A password goes wherever a text assigns it."""
    cases = [(value, f"Note: {form.format(value)} and so on") for value, _ in carried(password, _COUNT, _SEED)]
    assert _recall(cases) >= _LEAST


def test_addresses_of_wallets_are_found() -> None:
    """An address of Bitcoin goes beside a word that says so."""
    cases = [(value, f"send it to my bitcoin wallet {value} today") for value, _ in carried(bitcoin, _COUNT, _SEED)]
    assert _recall(cases) >= _LEAST


def test_every_carrier_is_used() -> None:
    """A class is tried in all sentences, and often."""
    texts = [text for _, text in carried(TIER_1["email"], _COUNT, _SEED)]
    assert all(any(text.startswith(c.format("\0").partition("\0")[0]) for text in texts) for c in CARRIERS)
    assert len(texts) >= 200
