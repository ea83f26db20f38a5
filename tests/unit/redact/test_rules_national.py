"""Check digits and shapes of national numbers, against numbers that issuers and standards publish as examples."""

import pytest

from spansieve.redact.rules.validators import devices, europe, schemes, wallets, world
from unit.redact.helpers_redact import clean, found

_NUMBERS = [
    (world.us_npi, "1234567893"),
    (world.us_dea, "AB1234563"),
    (world.us_ein, "123456789"),
    (world.us_aba, "111000025"),
    (world.ca_sin, "046454286"),
    (world.br_cpf, "11144477735"),
    (world.br_cnpj, "11222333000181"),
    (world.mx_curp, "HEGG560427MVZRRL04"),
    (world.ar_cuit, "20055361682"),
    (world.cl_rut, "125319092"),
    (europe.gb_nhs, "9434765919"),
    (europe.gb_utr, "1955839661"),
    (europe.ie_pps, "1234567T"),
    (europe.ie_pps, "1234567FA"),
    (europe.de_tax, "86095742719"),
    (europe.de_pension, "15070649C103"),
    (europe.de_identity, "T220001293"),
    (europe.at_svnr, "1237010180"),
    (europe.ch_ahv, "7569217076985"),
    (europe.fr_nir, "295109912611193"),
    (europe.fr_tax, "3023217600053"),
    (europe.es_nif, "12345678Z"),
    (europe.es_nie, "X1234567L"),
    (europe.it_codice_fiscale, "RSSMRA85T10A562S"),
    (europe.it_partita_iva, "00743110157"),
    (europe.pt_nif, "123456789"),
    (europe.gr_amka, "01013099997"),
    (europe.nl_bsn, "111222333"),
    (europe.be_national, "85073003328"),
    (europe.lu_national, "1893120105732"),
    (europe.se_personnummer, "8112289874"),
    (europe.fi_hetu, "131052308T"),
    (europe.no_fnr, "15108695088"),
    (europe.pl_pesel, "44051401359"),
    (europe.pl_nip, "8567346215"),
    (europe.cz_rodne_cislo, "7103192745"),
    (europe.ro_cnp, "1800101221144"),
    (europe.bg_egn, "7523169263"),
    (europe.hr_oib, "33392005961"),
    (europe.hu_taj, "111111110"),
    (europe.hu_tax, "8071592153"),
    (europe.si_emso, "0101006500006"),
    (europe.baltic, "37605030299"),
    (europe.lv_personas, "16117519997"),
    (europe.tr_kimlik, "10000000146"),
    (world.in_aadhaar, "234123412346"),
    (world.in_gstin, "27AAPFU0939F1ZV"),
    (world.sg_nric, "S1234567D"),
    (world.sg_nric, "T1234567J"),
    (world.sg_nric, "F1234567N"),
    (world.sg_nric, "G1234567X"),
    (world.cn_resident, "11010519491231002X"),
    (world.hk_id, "A1234563"),
    (world.tw_id, "A123456789"),
    (world.jp_my_number, "123456789018"),
    (world.th_id, "1101700230708"),
    (world.il_id, "000000018"),
    (world.au_tfn, "123456782"),
    (world.au_abn, "51824753556"),
    (world.au_medicare, "2123456701"),
    (world.nz_ird, "49091850"),
    (world.za_id, "8001015009087"),
    (devices.imei, "490154203237518"),
    (devices.vin, "1M8GDM9AXKP042788"),
]
# Schemes in which another last character may be right too: prefixes alone, a date alone, a check elsewhere.
_NO_LAST_CHECK = {
    "us_ein",
    "us_aba",
    "fr_nir",
    "gb_utr",
    "at_svnr",
    "au_medicare",
    "ie_pps",
    "vin",
    "be_national",
    "cz_rodne_cislo",
    "lu_national",
}


@pytest.mark.parametrize(("check", "number"), _NUMBERS, ids=lambda value: getattr(value, "__name__", value))
def test_a_published_number_passes(check: schemes.Check, number: str) -> None:
    """An example of the issuer is valid."""
    assert check(number)


@pytest.mark.parametrize(
    ("check", "number"),
    [case for case in _NUMBERS if case[0].__name__ not in _NO_LAST_CHECK],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_another_check_character_fails(check: schemes.Check, number: str) -> None:
    """Of the ten digits, or the letters, in the last place one is right."""
    last = "0123456789" if number[-1].isdigit() else "ABCDEFGHJKLMNPQRSTUVWXYZ"
    right = [character for character in last if check(number[:-1] + character)]
    assert right == [number[-1]]


@pytest.mark.parametrize(
    "text",
    [
        "NINO AB 12 34 56 C",
        "PAN ABCPE1234F",
        "RSSMRA85T10A562S",
        "HEGG560427MVZRRL04",
        "131052-308T",
        "MORGA753116SM9IJ",
        "756.9217.0769.85",
        "27AAPFU0939F1ZV",
        "A123456(3)",
        "15108695088",
        "2 95 10 99 126 111 93",
        "DEA number AB1234563",
        "nhs number is 9434765919",
        "9434765919 (NHS)",
        "PESEL: 44051401359",
        "my individual number 123456789018",
        "主民番号 971013-1019902",
    ],
)
def test_a_number_goes_in_its_own_shape(text: str) -> None:
    """A shape that only one scheme has is enough; others need their name before or behind them."""
    assert found(text) == {"national_id": 1}


@pytest.mark.parametrize(
    "text",
    [
        "44051401359",
        "9434765919",
        "123456789018",
        "AB1234563",
        "GB 12 34 56 C",
        "ABCDE1234F",
        "756.9217.0769.86",
        "971313-1019902",
        "A123456(4)",
        "4111 1111 1112 3456",
    ],
)
def test_a_number_that_could_be_anything_stays(text: str) -> None:
    """Without its name, with another check digit or in a longer row of groups it is no number of a person."""
    assert clean(f"see {text} there") == f"see {text} there"


@pytest.mark.parametrize("address", ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"])
def test_an_address_in_base_58_has_a_checksum(address: str) -> None:
    """The published address passes, and with another character it does not."""
    wrong = address[:-1] + ("b" if address[-1] != "b" else "c")
    assert wallets.base58_check(address, 0, len(address)) == (0, len(address))
    assert wallets.base58_check(wrong, 0, len(wrong)) is None


def test_all_checks_of_the_table_are_there() -> None:
    """Each group of the table can be read, and names functions that exist."""
    assert [isinstance(schemes.group(name), schemes.Numbers) for name in ("national", "documents", "accounts")] == [
        True
    ] * 3
