"""Check digits against Faker, which makes such numbers by code of its own."""

import re
from collections.abc import Iterator

import pytest
from faker import Faker

from spansieve.redact.rules.validators import europe, world
from spansieve.redact.rules.validators.schemes import Check

_SCHEMES = [
    (europe.at_svnr, "de_AT", "ssn"),
    (europe.baltic, "et_EE", "ssn"),
    (europe.be_national, "nl_BE", "ssn"),
    (europe.ch_ahv, "de_CH", "ssn"),
    (europe.cz_rodne_cislo, "cs_CZ", "birth_number"),
    (europe.de_pension, "de_DE", "rvnr"),
    (europe.es_nie, "es_ES", "nie"),
    (europe.es_nif, "es_ES", "nif"),
    (europe.fi_hetu, "fi_FI", "ssn"),
    (europe.fr_nir, "fr_FR", "ssn"),
    (europe.gr_amka, "el_GR", "ssn"),
    (europe.hr_oib, "hr_HR", "ssn"),
    (europe.it_codice_fiscale, "it_IT", "ssn"),
    (europe.it_partita_iva, "it_IT", "vat_id"),
    (europe.lv_personas, "lv_LV", "ssn"),
    (europe.nl_bsn, "nl_NL", "ssn"),
    (europe.no_fnr, "no_NO", "ssn"),
    (europe.pl_nip, "pl_PL", "nip"),
    (europe.pl_pesel, "pl_PL", "pesel"),
    (europe.ro_cnp, "ro_RO", "ssn"),
    (europe.se_personnummer, "sv_SE", "ssn"),
    (europe.tr_kimlik, "tr_TR", "ssn"),
    (world.br_cnpj, "pt_BR", "cnpj"),
    (world.br_cpf, "pt_BR", "cpf"),
    (world.ca_sin, "en_CA", "ssn"),
    (world.cl_rut, "es_CL", "rut"),
    (world.cn_resident, "zh_CN", "ssn"),
    (world.il_id, "he_IL", "ssn"),
    (world.mx_curp, "es_MX", "curp"),
    (world.th_id, "th_TH", "ssn"),
    (world.tw_id, "zh_TW", "ssn"),
]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NUMBERS = 200
_WITHOUT_CHECK = {"cz_rodne_cislo"}  # those of nine digits, from before 1954


def _made(locale: str, kind: str) -> Iterator[str]:
    """Numbers of a kind, without separators and without a country in front."""
    faker = Faker(locale)
    faker.seed_instance(4711)
    for _ in range(_NUMBERS):
        compact = re.sub("[^0-9A-Z]", "", str(getattr(faker, kind)()).upper())
        yield compact[2:] if kind == "vat_id" else compact


def _changed(number: str) -> Iterator[str]:
    """The number with another digit, or another letter, in each of its places."""
    for place, character in enumerate(number):
        kind = "0123456789" if character.isdigit() else _LETTERS
        yield number[:place] + kind[(kind.index(character) + 1) % len(kind)] + number[place + 1 :]


@pytest.mark.parametrize(("check", "locale", "kind"), _SCHEMES, ids=[check.__name__ for check, _, _ in _SCHEMES])
def test_numbers_that_another_makes_pass(check: Check, locale: str, kind: str) -> None:
    """All two hundred."""
    assert [number for number in _made(locale, kind) if not check(number)] == []


@pytest.mark.parametrize(
    ("check", "locale", "kind"),
    [each for each in _SCHEMES if each[0].__name__ not in _WITHOUT_CHECK],
    ids=[check.__name__ for check, _, _ in _SCHEMES if check.__name__ not in _WITHOUT_CHECK],
)
def test_a_changed_character_is_noticed(check: Check, locale: str, kind: str) -> None:
    """In nine places of ten at least: check digits are there for what is mistyped."""
    changed = [other for number in _made(locale, kind) for other in _changed(number)]
    assert sum(map(check, changed)) < len(changed) / 10
