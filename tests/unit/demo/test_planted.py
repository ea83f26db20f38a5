import base64
import json
from random import Random

import phonenumbers
import pytest
from demo import planted


@pytest.mark.parametrize("kind", planted.KINDS)
def test_same_seed_same_value(kind: str) -> None:
    """A value is decided by its kind and the seed alone."""
    assert planted.plant(kind, Random(7)) == planted.plant(kind, Random(7))


@pytest.mark.parametrize("kind", planted.KINDS)
def test_needles_stand_in_the_text(kind: str) -> None:
    """What is searched for later is what the prompt holds."""
    value = planted.plant(kind, Random(7))
    assert value.needles
    assert all(needle in value.text for needle in value.needles)


@pytest.mark.parametrize(("digits", "check"), [("7992739871", "3"), ("424242424242424", "2"), ("37828224631000", "5")])
def test_luhn_digit(digits: str, check: str) -> None:
    """The check digit is that of known valid numbers."""
    assert planted.luhn_digit(digits) == check


@pytest.mark.parametrize("seed", range(20))
def test_iban_is_valid(seed: int) -> None:
    """The rearranged number is 1 modulo 97, and it is as long as German ones are."""
    iban = planted.iban(Random(seed))
    assert len(iban) == 22
    assert int(iban[4:] + "1314" + iban[2:4]) % 97 == 1


@pytest.mark.parametrize("seed", range(20))
def test_phone_could_be_dialled(seed: int) -> None:
    """A numbering plan knows numbers of this form."""
    assert phonenumbers.is_possible_number(phonenumbers.parse(planted.phone(Random(seed)), "US"))


def test_jwt_holds_claims() -> None:
    """The second part of the token is readable by whoever finds it."""
    part = planted.jwt(Random(1)).split(".")[1]
    assert "@" in json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"]


def test_pem_needles_are_the_lines_of_its_body() -> None:
    """A key counts as seen when one line of it is."""
    block = planted.plant("pem", Random(1))
    assert len(block.needles) == 4
    assert not any(needle.startswith("-----") for needle in block.needles)
