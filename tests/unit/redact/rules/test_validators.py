"""Checksums and ranges, against numbers that the standards give."""

import pytest

from spansieve.redact.rules import validators
from spansieve.redact.rules.validators import checksums, payment


@pytest.mark.parametrize("digits", ["79927398713", "4111111111111111", "0"])
def test_luhn_takes_a_right_check_digit(digits: str) -> None:
    """The example of ISO/IEC 7812-1 passes."""
    assert checksums.luhn(digits)


@pytest.mark.parametrize("wrong", range(10))
def test_luhn_takes_one_check_digit_of_ten(wrong: int) -> None:
    """And no other."""
    assert checksums.luhn(f"7992739871{wrong}") is (wrong == 3)


@pytest.mark.parametrize("digits", ["1111111111111117", "9999999999999995", "411111111111111", "0000000000000000"])
def test_digits_of_no_issuer_are_no_card(digits: str) -> None:
    """The issuer's range and the length count, not the check digit alone."""
    assert not payment.is_card(digits)


@pytest.mark.parametrize(
    "iban", ["GB29NWBK60161331926819", "DE89370400440532013000", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"]
)
def test_ibans_of_the_registry_pass(iban: str) -> None:
    """Examples that SWIFT's registry gives."""
    assert payment.is_iban(iban)
    assert payment.is_iban(iban.lower())


@pytest.mark.parametrize("iban", ["GB29NWBK60161331926818", "GB29NWBK6016133192681", "XX89370400440532013000", ""])
def test_a_wrong_iban_fails(iban: str) -> None:
    """Check digits, length and country must be right."""
    assert not payment.is_iban(iban)


def _spans(name: str, text: str) -> str | None:
    check, _ = validators.checker(name, ["US", "GB", "DE"])
    span = check(text, 0, len(text))
    return None if span is None else text[span[0] : span[1]]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("card", "4111 1111 1111 1111 12", "4111 1111 1111 1111"),
        ("card", "4111 1111", None),
        ("card", "4 1 1 1  1 1 1 1  1 1 1 1  1 1 1 1", "4 1 1 1  1 1 1 1  1 1 1 1  1 1 1 1"),
        ("card", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 0", None),
        ("iban", "GB29 NWBK 6016 1331 9268 19 and so on", "GB29 NWBK 6016 1331 9268 19"),
        ("iban", "GB29NWBK60161331926819X", None),
        ("us_ssn", "000-12-3456", "000-12-3456"),
        ("us_ssn", "000 12 3456", None),
        ("us_ssn", "666 12 3456", None),
        ("us_ssn", "219 00 3456", None),
        ("us_itin", "900-70-0000", "900-70-0000"),
        ("us_itin", "900-10-0000", None),
        ("ipv4_public", "198.51.100.1", "198.51.100.1"),
        ("ipv4_public", "10.0.0.1", None),
        ("ipv4_public", "127.9.9.9", None),
        ("ipv4_public", "256.1.1.1", None),
        ("ipv4_private", "10.0.0.1", "10.0.0.1"),
        ("ipv4_private", "8.8.8.8", None),
        ("ipv6_public", "2001:db8::1.", "2001:db8::1"),
        ("ipv6_public", "::1", None),
        ("ipv6_public", "::ffff:10.0.0.1", None),
        ("ipv6_private", "::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        ("ipv6_private", "fe80::1%eth0", "fe80::1%eth0"),
        ("mac", "00:00:00:00:00:00", None),
        ("mac", "00:00:00:00:00:01", "00:00:00:00:00:01"),
        ("basic_credentials", "dTpw", "dTpw"),
        ("basic_credentials", "functionality", None),
        ("phone", "020 7946 0958 12", "020 7946 0958"),
        ("phone", "+1 415 555 2671", "+1 415 555 2671"),
        ("phone", "+999 1", None),
        ("phone", "0049 30 1234567", "0049 30 1234567"),
        ("phone", "2024-07-18", None),
        ("phone", "078-05-1120", None),
        ("phone_in_context", "8675309", "8675309"),
        ("phone_in_context", "18.07.2024", None),
    ],
)
def test_a_check_gives_the_value_or_nothing(name: str, text: str, value: str | None) -> None:
    """A check narrows a candidate to the value in it."""
    assert _spans(name, text) == value


@pytest.mark.parametrize(
    ("name", "before", "value", "after", "counts"),
    [
        ("birth_date", "DOB (mm/dd/yyyy): ", "05/12/1980", "", True),
        ("birth_date", "**Geburtsdatum:** ", "12.05.1980", "", True),
        ("birth_date", "<dob>", "05/12/1980", "</dob>", True),
        ("birth_date", "nato a Roma il ", "12/05/1980", "", True),
        ("birth_date", "born to run, seen on ", "05/12/1980", "", False),
        ("birth_date", "natural ", "05/12/1980", "", False),
        ("coordinates", "lat: ", "52.520008", "", True),
        ("coordinates", "GPS at about ", "52.520008, 13.404954", "", True),
        ("coordinates", "GPS at about ", "52.520008", "", False),
        ("coordinates", "lat: ", "95.520008, 13.404954", "", False),
        ("coordinates", "loss ", "0.123456", "", False),
    ],
)
def test_some_numbers_are_known_by_the_word_in_front(
    name: str, before: str, value: str, after: str, *, counts: bool
) -> None:
    """A date is one of birth, and a number a place, only right behind a word that says so."""
    check, _ = validators.checker(name, ())
    assert check is not None
    start, end = len(before), len(before) + len(value)
    assert check(before + value + after, start, end) == ((start, end) if counts else None)
