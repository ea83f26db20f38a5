"""What Presidio's own recognisers find for certain, the policy `default` takes away.

Presidio is the oracle here, not a dependency: install `presidio-analyzer` beside the tests to run this. Its findings
count from a score that only a checksum, a strong pattern or a numbering plan reaches; below is its noise.
"""

import importlib
from random import Random
from typing import Any

import pytest
from demo.planted import luhn_digit

from spansieve import redact
from spansieve.redact import policy

pytest.importorskip("presidio_analyzer", reason="presidio-analyzer is not installed: it is an oracle, no dependency")

_RULES = policy.compile(policy.parse(policy.shipped("default")))
_CARRIERS = (
    "{}",
    "My number is {}, thank you.",
    "Contact: {} (urgent)",
    'log line key="{}" done',
    "{{'value': '{}'}}",
    "first\n{}\nlast",
)
_BESIDE = {"CRYPTO": "BTC wallet "}  # what has to stand before the value: see EXPLAINED
_SCORES = {"PHONE_NUMBER": 0.4, "US_SSN": 0.5, "IP_ADDRESS": 0.6, "MAC_ADDRESS": 0.6}
_CERTAIN = 1.0  # what a validator of Presidio has confirmed

EXPLAINED = {
    "127.0.0.1": "loopback is nobody's address",
    "0.0.0.0": "no address at all",
    "::1": "loopback is nobody's address",
    "00:00:00:00:00:00": "no device has it",
    "ff:ff:ff:ff:ff:ff": "broadcast, no device has it",
    "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy": "a Bitcoin address counts beside a word that says wallet or coin",
}
"""What Presidio finds and the policy leaves, and why."""


def _recogniser(name: str) -> Any:  # noqa: ANN401 - Presidio's classes
    tldextract = importlib.import_module("tldextract")
    # The e-mail recogniser would fetch the list of public suffixes from the network.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    return getattr(importlib.import_module("presidio_analyzer.predefined_recognizers"), name)()


def _card(random: Random) -> str:
    digits = random.choice(("4", "51", "37", "6011")) + "".join(random.choices("0123456789", k=11))
    size = 14 if digits.startswith("37") else 15
    digits = digits.ljust(size, "7")[:size]
    digits += luhn_digit(digits)
    if size == 15 and random.random() < 0.6:
        return random.choice(" -").join(digits[i : i + 4] for i in range(0, 16, 4))
    return digits


def _iban(random: Random) -> str:
    bban = "".join(random.choices("0123456789", k=18))
    check = 98 - int(bban + "131400") % 97  # DE00 moved to the end, letters as numbers (ISO 7064, MOD 97-10)
    raw = f"DE{check:02}{bban}"
    return raw if random.random() < 0.5 else " ".join(raw[i : i + 4] for i in range(0, 22, 4))


def _ssn(random: Random) -> str:
    return f"{random.randrange(100, 600)}-{random.randrange(10, 99)}-{random.randrange(1000, 9999)}"


def _ip(random: Random) -> str:
    if random.random() < 0.4:
        return ":".join(f"{random.randrange(1, 65536):x}" for _ in range(8))
    return ".".join(str(random.randrange(1, 224)) for _ in range(4))


def _phone(random: Random) -> str:
    area, line = random.choice((212, 303, 415)), random.randrange(1000, 9999)
    return random.choice((f"+1 {area} 736 {line}", f"({area}) 736-{line}", f"+44 20 7946 {line}", f"{area}-736-{line}"))


def _mac(random: Random) -> str:
    return random.choice(":-").join(f"{random.randrange(1, 255):02x}" for _ in range(6))


def _email(random: Random) -> str:
    name = "".join(random.choices("abcdefgh._+-123", k=8)).strip("._+-") or "a"
    return f"{name}@{random.choice(('example', 'mail.corp', 'b-c'))}.{random.choice(('com', 'co.uk', 'org', 'io'))}"


def _bitcoin(random: Random) -> str:
    return random.choice(("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"))


_KINDS = {
    "EMAIL_ADDRESS": ("EmailRecognizer", _email),
    "CREDIT_CARD": ("CreditCardRecognizer", _card),
    "IBAN_CODE": ("IbanRecognizer", _iban),
    "US_SSN": ("UsSsnRecognizer", _ssn),
    "IP_ADDRESS": ("IpRecognizer", _ip),
    "PHONE_NUMBER": ("PhoneRecognizer", _phone),
    "MAC_ADDRESS": ("MacAddressRecognizer", _mac),
    "CRYPTO": ("CryptoRecognizer", _bitcoin),
}


@pytest.mark.parametrize("entity", _KINDS)
def test_what_presidio_is_certain_of_is_gone(entity: str) -> None:
    """Each of its findings, on generated values in sentences, JSON and code, is no longer in the text."""
    name, make = _KINDS[entity]
    recogniser = _recogniser(name)
    random = Random(entity)
    missed, found = [], 0
    for _ in range(60):
        value = make(random)
        for carrier in _CARRIERS:
            text = carrier.format(_BESIDE.get(entity, "") + value)
            clean, _ = redact.text(text, _RULES)
            for each in recogniser.analyze(text, [entity], None):
                span = text[each.start : each.end]
                if each.score >= _SCORES.get(entity, _CERTAIN) and (span not in EXPLAINED or entity in _BESIDE):
                    found += 1
                    if span in clean:
                        missed.append((text, clean))
    assert found >= 100, "the oracle has nothing to say"
    assert missed == []


@pytest.mark.parametrize("value", EXPLAINED)
def test_what_is_left_is_left_on_purpose(value: str) -> None:
    """The differences are these, each with its reason."""
    assert redact.text(f"at {value} now", _RULES)[0] == f"at {value} now"
