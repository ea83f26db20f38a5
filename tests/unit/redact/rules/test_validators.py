"""Checksums and ranges, against numbers that the standards give."""

from collections.abc import Callable

import pytest

from spansieve.redact.rules import validators
from spansieve.redact.rules.validators import checksums, devices, payment


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
        ("phone", "0221 / 4598 2210", "0221 / 4598 2210"),
        ("phone", "020 7946 0958 020 7946 0959 020", "020 7946 0958"),
        ("phone", "020 7946 0958 10:30", "020 7946 0958"),
        ("phone", "0061 0301 0302", None),
        ("phone", "0634 0645 062E", None),
        ("phone", "012.474", None),
        ("phone", "012.345 67 8", None),
        ("phone", "0777 (0..511", None),
        ("phone", "006-.005-.026.005", None),
        ("phone_in_context", "18.07.2024", None),
        ("phone_in_context", "(2018-08-02", None),
        ("phone_in_context", "2007-2009", None),
        ("phone_in_context", "09/09/25", None),
        ("card", "41 11 11 11 11 11 11 11", "41 11 11 11 11 11 11 11"),
        ("card", "4111-1111 1111-1111", "4111-1111 1111-1111"),
        ("card", "4111.1111 1111 1111", None),
        ("card", "411.1111111111111", None),
        ("card", "60 120 300 360 420", None),
        ("card", "360 420 780 840 900 1", None),
        ("ipv4_public", "0.14.2.1", None),
        ("ipv6_public", "f64::", None),
        ("ipv6_public", "::4", None),
        ("ipv6_public", "2001::", "2001::"),
        ("ipv6_public", "ffff:ffff:ffff::", None),
        ("ipv6_public", "0a:1b:2c:3d:4e:5f:60:71", None),
        ("random_looking", "jwtTestEC256PrivateKey", None),
        ("random_looking", "x25519.X25519PrivateKey", None),
        ("random_looking", "9fKx72LmQp04ZtVb8RsW", "9fKx72LmQp04ZtVb8RsW"),
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
        ("phone_by_other_script", "手机号是", "13912345678", "", True),
        ("phone_by_other_script", "тел.: ", "916 123-45-67", "", True),
        ("phone_by_other_script", "订单号", "13912345678", "", False),
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


@pytest.mark.parametrize(
    ("check", "number", "counts"),
    [
        (devices.imei, "490154203237518", True),
        (devices.imei, "490154203237519", False),
        (devices.imei, "000000000000000", False),
        (devices.iccid, "89148000000745809013", True),
        (devices.iccid, "89148000000745809014", False),
        (devices.iccid, "8991101200003204510", True),
        (devices.iccid, "8991101200003204514", True),  # nineteen digits may be without their check digit
        (devices.iccid, "79927398713", False),  # right by Luhn, and no SIM's
        (devices.iccid, "7991101200003204510", False),
        (devices.vin, "1HGCM82633A004352", True),
        (devices.vin, "1HGCM82633A00435", False),
        (devices.vin, "IHGCM82633A004352", False),
        (devices.vin, "ABCDEFGHJKLMNPR12", False),
        (devices.vin, "ABCDEFGHJKLMNP123", True),
        (devices.document, "AB1234", True),
        (devices.document, "AB123", False),
        (devices.document, "ABC123", False),
        (devices.document, "ABCDE1234", False),
        (devices.document, "ABCD1234", True),
        (devices.document, "1" * 9, False),
        (devices.document, "12" * 10, True),
        (devices.document, "12" * 10 + "1", False),
        (devices.plate, "AB12", True),
        (devices.plate, "AB1", False),
        (devices.plate, "ABCDE12345", True),
        (devices.plate, "ABCDE123456", False),
        (devices.plate, "123456", False),
        (devices.account, "123456", True),
        (devices.account, "12345", False),
        (devices.account, "12345678901234567", True),
        (devices.account, "123456789012345678", False),
        (devices.account, "1111111", False),
        (devices.account, "12345A", False),
    ],
)
def test_numbers_of_devices_and_documents(check: Callable[[str], bool], number: str, *, counts: bool) -> None:
    """Their lengths, letters and check digits, at both ends of what is allowed."""
    assert check(number) is counts


@pytest.mark.parametrize(
    ("middle", "counts"),
    [(group, 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99) for group in range(100)],
)
def test_groups_that_taxpayer_numbers_have(middle: int, *, counts: bool) -> None:
    """The middle digits that IRS publication 1915 names, and no others."""
    assert (_spans("us_itin", f"900 {middle:02} 1234") is not None) is counts
    assert _spans("us_itin", f"800 {middle:02} 1234") is None


@pytest.mark.parametrize(
    ("text", "counts"),
    [("219 09 9999", True), ("219 09 0000", False), ("912 09 9999", False), ("001 01 0001", True)],
)
def test_numbers_that_ssa_never_issued_need_their_hyphens(text: str, *, counts: bool) -> None:
    """With blanks in them they may be anything."""
    assert (_spans("us_ssn", text) is not None) is counts
    assert _spans("us_ssn", text.replace(" ", "-")) == text.replace(" ", "-")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("5A084111111111111111FF", "4111111111111111"),
        ("5A08378282246310005F00", "378282246310005F"),
        ("57104111111111111111D2512101000000000", "4111111111111111D251210100000000"),
        ("5A084111111111111112", None),
        ("5A08411111111111111", None),
        ("5A074111111111111111", None),
    ],
)
def test_a_card_in_the_data_of_a_chip_is_as_long_as_it_says(data: str, value: str | None) -> None:
    """Two digits of hexadecimal are a byte, of which there are as many as the one in front says."""
    span = payment.card_in_hex(data, 4, len(data))
    assert (None if span is None else data[span[0] : span[1]]) == value
