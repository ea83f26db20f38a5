"""Check digits of national numbers of America, Asia, Oceania and Africa.

Each function is handed the number without separators, letters in upper case, in the scheme's own shape (schemes.yaml),
and says whether it could have been issued. The source of each rule stands in its docstring.
"""

from spansieve.redact.rules.validators.checksums import ALPHABET, is_date, luhn, short_date, weighted


def us_npi(number: str) -> bool:
    """National Provider Identifier: Luhn over the number behind 80840 (45 CFR 162.406)."""
    return number[0] in "12" and luhn("80840" + number)


def us_dea(number: str) -> bool:
    """DEA registration: two letters, six digits, and the last digit of odd places plus twice the even ones."""
    digits = number[2:]
    return (weighted(digits, (1, 2, 1, 2, 1, 2))) % 10 == int(digits[6])


def us_ein(number: str) -> bool:
    """Employer identification number: a prefix that the IRS has assigned to a campus."""
    return int(number[:2]) in _EIN_PREFIXES


_EIN_PREFIXES = frozenset(range(1, 100)) - {0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97}


def us_aba(number: str) -> bool:
    """Routing number of the American Bankers Association: a Federal Reserve district, weights 3 7 1."""
    prefix = int(number[:2])
    known = prefix <= 12 or 21 <= prefix <= 32 or 61 <= prefix <= 72 or prefix == 80
    return known and number != "000000000" and weighted(number, (3, 7, 1) * 3) % 10 == 0


def ca_sin(number: str) -> bool:
    """Social insurance number: Luhn. None starts with 8, and those with 0 are samples, which count."""
    return number[0] != "8" and number != "0" * 9 and luhn(number)


def br_cpf(number: str) -> bool:
    """Cadastro de Pessoas Físicas: two check digits modulo 11; eleven equal digits are none."""
    return len(set(number)) > 1 and all(
        (weighted(number, range(n + 1, 1, -1)) if n == 9 else weighted(number[:10], range(11, 1, -1))) * 10 % 11 % 10
        == int(number[n])
        for n in (9, 10)
    )


def br_cnpj(number: str) -> bool:
    """Cadastro Nacional da Pessoa Jurídica: two check digits modulo 11."""
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    return len(set(number)) > 1 and all(
        (11 - weighted(number[:n], weights[13 - n :]) % 11) % 11 % 10 == int(number[n]) for n in (12, 13)
    )


def mx_curp(number: str) -> bool:
    """Clave Única de Registro de Población: a date, a sex, a state and a check digit of base 37 modulo 10."""
    if number[10] not in "HMX" or not short_date(number[4:6], number[6:8], number[8:10]):
        return False
    alphabet = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    total = sum(alphabet.index(character) * (18 - place) for place, character in enumerate(number[:17]))
    return -total % 10 == int(number[17])


def mx_rfc(number: str) -> bool:
    """Registro Federal de Contribuyentes of a person: its date."""
    return short_date(number[4:6], number[6:8], number[8:10])


def ar_cuit(number: str) -> bool:
    """Clave Única de Identificación: a type, modulo 11."""
    if number[:2] not in ("20", "23", "24", "25", "26", "27", "30", "33", "34"):
        return False
    return (11 - weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11 == int(number[10])


def cl_rut(number: str) -> bool:
    """Rol Único Tributario: modulo 11, with K for ten."""
    body = number[:-1]
    total = sum(int(digit) * (2, 3, 4, 5, 6, 7)[place % 6] for place, digit in enumerate(reversed(body)))
    return "0123456789K0"[(11 - total % 11) % 11] == number[-1]


_VERHOEFF_D = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_P = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def in_aadhaar(number: str) -> bool:
    """Aadhaar: Verhoeff's check digit (dihedral group of ten); the first digit is 2 to 9 (UIDAI)."""
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = int(_VERHOEFF_D[check][int(_VERHOEFF_P[place % 8][int(digit)])])
    return number[0] in "23456789" and check == 0 and number != number[::-1]


def in_pan(number: str) -> bool:
    """Permanent account number: the fourth letter tells the kind of holder (Income Tax Department)."""
    return number[3] in "ABCFGHJLPT" and number[5:9] != "0000"


def in_pan_of_a_person(number: str) -> bool:
    """Permanent account number whose fourth letter says that a person holds it."""
    return number[3] == "P" and in_pan(number)


def in_gstin(number: str) -> bool:
    """GSTIN: a state, a PAN, and a check character of base 36."""
    if not (1 <= int(number[:2]) <= 38 or number[:2] in ("97", "99")):
        return False
    total = 0
    for place, character in enumerate(number[:14]):
        product = ALPHABET.index(character) * (1 + place % 2)
        total += product // 36 + product % 36
    return ALPHABET[-total % 36] == number[14]


def sg_nric(number: str) -> bool:
    """NRIC and FIN: weights 2 7 6 5 4 3 2, with a table of letters for each series."""
    series, check = number[0], number[8]
    total = weighted(number[1:], (2, 7, 6, 5, 4, 3, 2)) + {"T": 4, "G": 4, "M": 3}.get(series, 0)
    if series in "ST":
        return "JZIHGFEDCBA"[total % 11] == check
    if series == "M":
        return "XWUTRQPNJLK"[10 - total % 11] == check
    return series in "FG" and "XWUTRQPNMLK"[total % 11] == check


def cn_resident(number: str) -> bool:
    """Resident identity number: a date, ISO 7064 MOD 11-2 (GB 11643)."""
    if number[0] not in "12345678" or not is_date(int(number[6:10]) or 1, int(number[10:12]), int(number[12:14])):
        return False
    if not "1850" <= number[6:10] <= "2099":
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[weighted(number, weights) % 11] == number[17]


def hk_id(number: str) -> bool:
    """Hong Kong identity card: letters as 10 to 35, weights 9 to 1, modulo 11."""
    body = number if len(number) == 9 else " " + number
    total = 36 * 9 if body[0] == " " else ALPHABET.index(body[0]) * 9
    total += sum(ALPHABET.index(c) * (8 - place) for place, c in enumerate(body[1:8]))
    return (total + (10 if body[8] == "A" else int(body[8]))) % 11 == 0


def tw_id(number: str) -> bool:
    """National identification card of Taiwan: the letter as two digits, weights, modulo 10."""
    letter = 10 + "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0])
    digits = f"{letter}{number[1:]}"
    return weighted(digits, (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)) % 10 == 0


def kr_rrn(number: str) -> bool:
    """Resident and foreigner registration: a date and a century digit. Since October 2020 there is no check digit."""
    return number[6] in "12345678" and short_date(number[:2], number[2:4], number[4:6])


def jp_my_number(number: str) -> bool:
    """Individual number: weights 6 5 4 3 2 7 6 5 4 3 2, modulo 11 (ordinance 85 of 2014)."""
    remainder = weighted(number, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if remainder <= 1 else 11 - remainder) == int(number[11])


def th_id(number: str) -> bool:
    """Identification number of Thailand: weights 13 to 2, modulo 11."""
    return number[0] != "0" and (11 - weighted(number, range(13, 1, -1)) % 11) % 10 == int(number[12])


def my_kad(number: str) -> bool:
    """MyKad: a date and a place of birth."""
    return short_date(number[:2], number[2:4], number[4:6]) and number[6:8] not in ("00", "17", "18", "19", "20")


def il_id(number: str) -> bool:
    """Teudat zehut: Luhn over nine digits."""
    return number != "0" * 9 and luhn(number)


def au_tfn(number: str) -> bool:
    """Tax file number: weights 1 4 3 7 5 8 6 9 10, modulo 11."""
    return number != "0" * 9 and weighted(number, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def au_abn(number: str) -> bool:
    """Australian business number: 1 less in front, weights 10 1 3 to 19, modulo 89."""
    total = (int(number[0]) - 1) * 10 + weighted(number[1:], (1, 3, 5, 7, 9, 11, 13, 15, 17, 19))
    return number[0] != "0" and total % 89 == 0


def au_medicare(number: str) -> bool:
    """Medicare card: weights 1 3 7 9, modulo 10 in the ninth place; the first digit is 2 to 6."""
    return number[0] in "23456" and weighted(number, (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(number[8])


def nz_ird(number: str) -> bool:
    """IRD number: weights 3 2 7 6 5 4 3 2, or for ten 7 4 3 2 5 2 7 6, modulo 11."""
    padded = number.zfill(9)
    check = -weighted(padded, (3, 2, 7, 6, 5, 4, 3, 2)) % 11
    if check == 10:
        check = -weighted(padded, (7, 4, 3, 2, 5, 2, 7, 6)) % 11
    return 10_000_000 <= int(number) < 150_000_000 and check == int(padded[8])


def za_id(number: str) -> bool:
    """Identity number of South Africa: a date, a status, Luhn."""
    return short_date(number[:2], number[2:4], number[4:6]) and number[10] in "012" and luhn(number)


def any_number(number: str) -> bool:
    """What has no check digit: not all characters the same."""
    return len(set(number)) > 1
