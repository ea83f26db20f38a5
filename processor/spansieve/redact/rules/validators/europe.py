"""Check digits of national numbers of Europe.

Each function is handed the number without separators, letters in upper case, in the scheme's own shape (schemes.yaml),
and says whether it could have been issued. The source of each rule stands in its docstring.
"""

from spansieve.redact.rules.validators.checksums import ALPHABET, is_date, luhn, mod_11_10, short_date, weighted


def gb_nhs(number: str) -> bool:
    """NHS number: weights 10 to 2, modulo 11 (NHS data dictionary)."""
    check = (11 - weighted(number, range(10, 1, -1)) % 11) % 11
    return len(set(number)) > 1 and check == int(number[9])


def gb_nino(number: str) -> bool:
    """National insurance number: prefixes that HMRC does not allocate are out (manual NIM39110)."""
    prefix = number[:2]
    if prefix in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ") or prefix[0] in "DFIQUV" or prefix[1] in "DFIQUVO":
        return False
    return number[8] in "ABCD"


def gb_utr(number: str) -> bool:
    """Unique taxpayer reference: the first digit checks the other nine."""
    return "21987654321"[weighted(number[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11] == number[0]


def gb_driver(number: str) -> bool:
    """Driving licence of Great Britain: month and day in the digits (a woman's month is 50 higher)."""
    return int(number[6:8]) % 50 in range(1, 13) and 1 <= int(number[8:10]) <= 31


def ie_pps(number: str) -> bool:
    """Personal public service number: weights 8 to 2 and 9 for a second letter, modulo 23."""
    second = 0 if len(number) == 8 or number[8] == "W" else ord(number[8]) - 64
    return "WABCDEFGHIJKLMNOPQRSTUV"[(weighted(number, range(8, 1, -1)) + 9 * second) % 23] == number[7]


def de_tax(number: str) -> bool:
    """Steuerliche Identifikationsnummer: one digit stands two or three times, ISO 7064 MOD 11,10 (§ 139b AO)."""
    body = sorted(number[:10].count(digit) for digit in set(number[:10]))
    return number[0] != "0" and body[-1] in (2, 3) and body[-2] == 1 and mod_11_10(number)


def de_pension(number: str) -> bool:
    """Versicherungsnummer of the pension insurance: a date, a letter, digit sums (VKVV § 4)."""
    day = int(number[2:4])
    if not (1 <= day <= 31 or 51 <= day <= 81) or not 1 <= int(number[4:6]) <= 12:
        return False
    digits = number[:8] + f"{ord(number[8]) - 64:02d}" + number[9:11]
    products = (int(d) * w for d, w in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    return sum(p // 10 + p % 10 for p in products) % 10 == int(number[11])


def de_identity(number: str) -> bool:
    """Number of an identity card or passport: weights 7 3 1 (ICAO 9303, part 3)."""
    total = sum(ALPHABET.index(c) * (7, 3, 1)[place % 3] for place, c in enumerate(number[:9]))
    return total % 10 == int(number[9])


def at_svnr(number: str) -> bool:
    """Sozialversicherungsnummer: the fourth digit checks, then the date of birth (months up to 15 occur)."""
    if number[0] == "0" or not 1 <= int(number[4:6]) <= 31 or not 1 <= int(number[6:8]) <= 15:
        return False
    return (weighted(number[:3], (3, 7, 9)) + weighted(number[4:], (5, 8, 4, 2, 1, 6))) % 11 == int(number[3])


def ch_ahv(number: str) -> bool:
    """AHV number: 756 and the check digit of EAN-13."""
    return number.startswith("756") and weighted(number, (1, 3) * 6 + (1,)) % 10 == 0


def fr_nir(number: str) -> bool:
    """Numéro d'inscription au répertoire: sex, month, and 97 less the number modulo 97; 2A and 2B are Corsica."""
    month = int(number[3:5])
    if number[0] not in "123478" or not (1 <= month <= 12 or 20 <= month <= 42 or month >= 50):
        return False
    body = number[:13].replace("2A", "19", 1).replace("2B", "18", 1) if not number[:13].isdigit() else number[:13]
    return body.isdigit() and 97 - int(body) % 97 == int(number[13:])


def fr_tax(number: str) -> bool:
    """Numéro fiscal de référence: modulo 511 (Direction générale des finances publiques)."""
    return number[0] in "0123" and int(number[:10]) % 511 == int(number[10:])


def es_nif(number: str) -> bool:
    """Número de identificación fiscal: the letter is the number modulo 23."""
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number[:8]) % 23] == number[8]


def es_nie(number: str) -> bool:
    """Número de identidad de extranjero: X, Y and Z stand for 0, 1 and 2."""
    return number[0] in "XYZ" and es_nif(str("XYZ".index(number[0])) + number[1:])


def it_codice_fiscale(number: str) -> bool:
    """Codice fiscale: month letters, days (a woman's 40 higher), a check letter (D.M. 23 December 1976)."""
    if number[8] not in "ABCDEHLMPRST" or not 1 <= int(number[9:11]) % 40 <= 31:
        return False
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
    values = [ord(c) - (48 if c.isdigit() else 65) for c in number[:15]]
    total = sum(odd[value] if place % 2 == 0 else value for place, value in enumerate(values))
    return chr(65 + total % 26) == number[15]


def it_partita_iva(number: str) -> bool:
    """Partita IVA: Luhn over eleven digits."""
    return number != "0" * 11 and luhn(number)


def pt_nif(number: str) -> bool:
    """Número de identificação fiscal: weights 9 to 2, modulo 11."""
    check = 11 - weighted(number, range(9, 1, -1)) % 11
    return number[0] in "125689" and (0 if check > 9 else check) == int(number[8])


def gr_amka(number: str) -> bool:
    """AMKA: a date and Luhn."""
    return short_date(number[4:6], number[2:4], number[:2]) and luhn(number)


def nl_bsn(number: str) -> bool:
    """Burgerservicenummer: weights 9 to 2 and -1, modulo 11."""
    return number != "0" * 9 and weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def be_national(number: str) -> bool:
    """Rijksregisternummer: a date, 97 less the number modulo 97, behind a 2 for those born since 2000."""
    month, day = int(number[2:4]) % 20, int(number[4:6])
    if month > 12 or day > 31:
        return False
    body, check = number[:9], int(number[9:])
    return check in (97 - int(body) % 97, 97 - int("2" + body) % 97)


def lu_national(number: str) -> bool:
    """Matricule: a date of birth, Luhn over the first twelve digits."""
    return is_date(int(number[:4]) or 1, int(number[4:6]), int(number[6:8])) and luhn(number[:12])


def se_personnummer(number: str) -> bool:
    """Personnummer and samordningsnummer (day 60 higher): a date, Luhn over ten digits."""
    ten = number[-10:]
    return short_date(ten[:2], ten[2:4], f"{(int(ten[4:6]) - 1) % 60 + 1:02d}") and luhn(ten)


def fi_hetu(number: str) -> bool:
    """Henkilötunnus: a date, then the nine digits modulo 31 name a character."""
    digits = number[:6] + number[-4:-1]
    if not digits.isdigit() or not short_date(number[4:6], number[2:4], number[:2]):
        return False
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == number[-1]


def dk_cpr(number: str) -> bool:
    """Personnummer: a date. The check digit is no longer given to all (CPR-kontoret, 2007)."""
    return short_date(number[4:6], number[2:4], number[:2])


def no_fnr(number: str) -> bool:
    """Fødselsnummer and D-nummer (day 40 higher): a date, two check digits modulo 11."""
    if not 1 <= int(number[:2]) % 40 <= 31 or not 1 <= int(number[2:4]) % 40 <= 12:
        return False
    first = (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)
    second = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)
    return weighted(number, first) % 11 == 0 and weighted(number, second) % 11 == 0


def pl_pesel(number: str) -> bool:
    """PESEL: a date whose month tells the century, weights 1 3 7 9."""
    if not 1 <= int(number[2:4]) % 20 <= 12 or not 1 <= int(number[4:6]) <= 31:
        return False
    return weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def pl_nip(number: str) -> bool:
    """NIP: weights 6 5 7 2 3 4 5 6 7, modulo 11."""
    return weighted(number, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(number[9])


def cz_rodne_cislo(number: str) -> bool:
    """Rodné číslo, of Czechs and Slovaks: a date (a woman's month 50 higher), ten digits divisible by 11."""
    if not 1 <= int(number[2:4]) % 50 % 20 <= 12 or not 1 <= int(number[4:6]) <= 31:
        return False
    return len(number) == 9 or int(number) % 11 == 0 or (int(number[:9]) % 11 == 10 and number[9] == "0")


def ro_cnp(number: str) -> bool:
    """Cod numeric personal: sex, date, weights 2 7 9 1 4 6 3 5 8 2 7 9, modulo 11."""
    if number[0] == "0" or not short_date(number[1:3], number[3:5], number[5:7]):
        return False
    check = weighted(number, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return (1 if check == 10 else check) == int(number[12])


def bg_egn(number: str) -> bool:
    """EGN: a date (months 20 and 40 higher for other centuries), weights modulo 11."""
    if not 1 <= int(number[2:4]) % 20 <= 12 or not 1 <= int(number[4:6]) <= 31:
        return False
    return weighted(number, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(number[9])


def hr_oib(number: str) -> bool:
    """OIB: ISO 7064 MOD 11,10."""
    return mod_11_10(number)


def hu_taj(number: str) -> bool:
    """TAJ: weights 3 and 7, modulo 10."""
    return weighted(number, (3, 7) * 4) % 10 == int(number[8])


def hu_tax(number: str) -> bool:
    """Adóazonosító jel: an 8, then places as weights, modulo 11."""
    return number[0] == "8" and weighted(number, range(1, 10)) % 11 == int(number[9])


def si_emso(number: str) -> bool:
    """EMŠO (and JMBG): a date, weights 7 6 5 4 3 2, modulo 11."""
    if not 1 <= int(number[:2]) <= 31 or not 1 <= int(number[2:4]) <= 12:
        return False
    check = 11 - weighted(number, (7, 6, 5, 4, 3, 2) * 2) % 11
    return (0 if check == 11 else check) == int(number[12])


def baltic(number: str) -> bool:
    """Isikukood (EE) and asmens kodas (LT): a date, two rounds of weights modulo 11."""
    if number[0] not in "12345678" or not short_date(number[1:3], number[3:5], number[5:7]):
        return False
    check = weighted(number, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weighted(number, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return check == int(number[10])


def lv_personas(number: str) -> bool:
    """Personas kods: a date and weights modulo 11, or 32 to 39 in front, since 2017, without either."""
    if "32" <= number[:2] <= "39":
        return True
    if not short_date(number[4:6], number[2:4], number[:2]):
        return False
    return (1101 - weighted(number, (1, 6, 3, 7, 9, 10, 5, 8, 4, 2))) % 11 % 10 == int(number[10])


def tr_kimlik(number: str) -> bool:
    """T.C. kimlik number: two check digits modulo 10; the first digit is not 0."""
    digits = [int(digit) for digit in number]
    tenth = (7 * sum(digits[0:9:2]) - sum(digits[1:8:2])) % 10
    return digits[0] != 0 and tenth == digits[9] and sum(digits[:10]) % 10 == digits[10]
