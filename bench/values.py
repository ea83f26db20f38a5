"""Valid values of each class, made with their check digits from a seeded generator, and the sentences that carry them.

The check digits are computed here by other means than in the package (by trying digits, or by the closed formula), so
that a mistake there is not repeated here.
"""

import base64
import hashlib
import ipaddress
import json
import string
from collections.abc import Callable, Iterator
from random import Random

Make = Callable[[Random], str]

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ALNUM = string.ascii_letters + string.digits


def digits(random: Random, count: int, first: str = "123456789") -> str:
    """Random digits that do not start with 0."""
    return random.choice(first) + "".join(random.choices(string.digits, k=count - 1))


def letters(random: Random, count: int, of: str = _ALNUM) -> str:
    """Random characters of an alphabet."""
    return "".join(random.choices(of, k=count))


def luhn(body: str) -> str:
    """Digits with their check digit."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 - place % 2)
        total += doubled // 10 + doubled % 10
    return body + str((10 - total % 10) % 10)


def complete(body: str, valid: Callable[[str], bool], check: str = string.digits) -> str | None:
    """The body with the one character behind it that makes it valid, if there is one."""
    return next((body + last for last in check if valid(body + last)), None)


def grouped(number: str, sizes: tuple[int, ...], separator: str) -> str:
    """A number cut into groups."""
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return separator.join([*parts, number[at:]]) if at < len(number) else separator.join(parts)


def until(make: Callable[[Random], str | None], random: Random) -> str:
    """Try until a number can be completed: some schemes skip bodies whose check digit would be ten."""
    while (value := make(random)) is None:
        pass
    return value


def short_date(random: Random) -> tuple[str, str, str]:
    """Year, month and day as two digits each."""
    return f"{random.randrange(40, 100):02d}", f"{random.randrange(1, 13):02d}", f"{random.randrange(1, 29):02d}"


def _sum(number: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))


# --- reaches a person

_FIRST = [
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "grace",
    "heidi",
    "ivan",
    "judy",
    "joão",
    "müller",
    "zoë",
    "łukasz",
    "o'brien",
    "anne-marie",
]
_HOSTS = [
    "example.com",
    "example.co.uk",
    "mail.example.org",
    "corp.internal",
    "xn--bcher-kva.example",
    "example.museum",
    "test.local",
]


def email(random: Random) -> str:
    """An address of mail."""
    local = random.choice(_FIRST) + random.choice(["", ".x", "_1", "+tag", "-q", str(random.randrange(99))])
    return f"{local}@{random.choice(_HOSTS)}"


_PHONES: tuple[tuple[str, int], ...] = (
    ("+1 212 {3} {4}", 0),
    ("+1-415-{3}-{4}", 0),
    ("(212) 7{2}-{4}", 0),
    ("+44 20 7946 {4}", 0),
    ("+49 30 {7}", 0),
    ("+33 1 42 {2} {2} {2}", 0),
    ("+91 98{3} {5}", 0),
    ("+61 2 9{3} {4}", 0),
    ("+81 3 5{3} {4}", 0),
    ("+55 11 9{4}-{4}", 0),
    ("+34 91 {3} {2} {2}", 0),
    ("415-7{2}-{4}", 0),
    ("+46 8 {3} {3} {2}", 0),
    ("+3120{7}", 0),
    ("+14155{6}", 0),
)


def phone(random: Random) -> str:
    """A telephone number, international or in the form of the default policy's regions."""
    shape, _ = random.choice(_PHONES)
    for size in "234567":
        while f"{{{size}}}" in shape:
            shape = shape.replace(f"{{{size}}}", digits(random, int(size), "23456789"), 1)
    return shape


# --- pays

_ISSUERS = (
    ("4", 16),
    ("51", 16),
    ("55", 16),
    ("2221", 16),
    ("34", 15),
    ("37", 15),
    ("36", 14),
    ("6011", 16),
    ("65", 16),
    ("3528", 16),
    ("62", 16),
    ("4", 19),
    ("5018", 16),
)


def card(random: Random) -> str:
    """A card's number of one of the networks, in one piece or in groups."""
    prefix, size = random.choice(_ISSUERS)
    number = luhn(prefix + letters(random, size - len(prefix) - 1, string.digits))
    sizes = (4, 6) if size == 15 else (4, 6) if size == 14 else (4, 4, 4)
    return random.choice([number, grouped(number, sizes, " "), grouped(number, sizes, "-")])


_IBANS = {
    "DE": "8n10n",
    "GB": "4a14n",
    "FR": "10n11c2n",
    "NL": "4a10n",
    "ES": "20n",
    "IT": "1a10n12c",
    "CH": "5n12c",
    "AT": "16n",
    "PL": "24n",
    "SE": "20n",
    "NO": "11n",
    "BE": "12n",
    "PT": "21n",
    "IE": "4a14n",
}


def iban(random: Random) -> str:
    """An account of one of fourteen countries, in one piece or in groups of four."""
    country = random.choice(sorted(_IBANS))
    body, count = "", ""
    for character in _IBANS[country]:
        if character.isdigit():
            count += character
            continue
        of = {"n": string.digits, "a": string.ascii_uppercase, "c": string.ascii_uppercase + string.digits}[character]
        body += letters(random, int(count), of)
        count = ""
    number = int("".join(str(int(c, 36)) for c in body + country + "00"))
    whole = f"{country}{98 - number % 97:02d}{body}"
    return random.choice([whole, " ".join(whole[i : i + 4] for i in range(0, len(whole), 4))])


# --- identifies a machine


def ipv4(random: Random) -> str:
    """An address that is not loopback, a mask or a network's own."""
    first = random.choice([8, 52, 81, 100, 172, 185, 192, 203])
    return f"{first}.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}"


def ipv6(random: Random) -> str:
    """A global address, long or compressed."""
    address = ipaddress.IPv6Address((0x2001 << 112) | random.getrandbits(100))
    return random.choice([address.compressed, address.exploded, address.exploded.upper()])


def mac(random: Random) -> str:
    """A hardware address in one of its three forms."""
    raw = [f"{random.randrange(1, 256):02x}" for _ in range(6)]
    dotted = "".join(raw)
    return random.choice([":".join(raw), "-".join(raw).upper(), f"{dotted[:4]}.{dotted[4:8]}.{dotted[8:]}"])


# --- opens doors


def jwt(random: Random) -> str:
    """A JSON Web Token."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": str(random.getrandbits(32)), "iat": random.getrandbits(31)}]
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*coded, letters(random, 43)])


def pem(random: Random) -> str:
    """A private key."""
    kind = random.choice(["", "RSA ", "EC ", "OPENSSH "])
    lines = "\n".join(letters(random, 64) for _ in range(4))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"


_KEYS: tuple[tuple[str, int], ...] = (
    ("sk-" + "proj-", 48),
    ("sk-" + "ant-api03-", 93),
    ("sk-" + "or-v1-", 64),
    ("gsk_", 52),
    ("hf_", 34),
    ("xai-", 80),
    ("AIza", 35),
    ("AKIA", 0),
    ("ghp_", 36),
    ("github_" + "pat_", 82),
    ("glpat-", 20),
    ("xoxb-", 0),
    ("pplx-", 48),
    ("r8_", 37),
    ("nvapi-", 64),
    ("SG.", 0),
    ("npm_", 36),
    ("sk_" + "live_", 24),
    ("csk-", 48),
    ("vck_", 56),
    ("lin_api_", 40),
    ("shpat_", 0),
    ("dapi", 0),
    ("pcsk_", 64),
)


def api_key(random: Random) -> str:
    """A key of a provider, by its prefix."""
    prefix, size = random.choice(_KEYS)
    if size:
        return prefix + "7" + letters(random, size - 1)
    hexadecimal = letters(random, 32, "0123456789abcdef")
    tails = {
        "AKIA": letters(random, 16, string.ascii_uppercase + "234567"),
        "xoxb-": f"{digits(random, 12)}-{digits(random, 12)}-{letters(random, 24)}",
        "SG.": f"{letters(random, 22)}.{letters(random, 43)}",
    }
    return prefix + tails.get(prefix, hexadecimal)


def url_credentials(random: Random) -> str:
    """A user and a password, as a URL holds them: the value is what stands between :// and @."""
    return f"{random.choice(_FIRST[:8])}:{letters(random, 12)}"


def password(random: Random) -> str:
    """A password without a space."""
    return letters(random, random.randrange(8, 20), _ALNUM + "!#%+?") + "7x"


def bitcoin(random: Random) -> str:
    """An address of Bitcoin in base 58."""
    raw = random.choice([b"\0", b"\5"]) + random.randbytes(20)
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = BASE58[rest] + text
    return ("1" if raw[0] == 0 else "") + text


def ethereum(random: Random) -> str:
    """An address of Ethereum."""
    return "0x" + letters(random, 40, "0123456789abcdef")


# --- national


def us_ssn(random: Random) -> str:
    """A social security number that could have been issued."""
    area = random.choice([a for a in range(1, 900) if a != 666])
    separator = random.choice("- ")
    return f"{area:03d}{separator}{random.randrange(1, 100):02d}{separator}{random.randrange(1, 10000):04d}"


def us_itin(random: Random) -> str:
    """An individual taxpayer number."""
    return (
        f"9{random.randrange(100):02d}-{random.choice([50, 65, 70, 88, 90, 92, 94, 99])}-{random.randrange(10000):04d}"
    )


def _br_cpf(random: Random) -> str:
    body = digits(random, 9)
    for first in (10, 11):
        rest = sum(int(d) * w for d, w in zip(body, range(first, 1, -1), strict=True)) % 11
        body += str(0 if rest < 2 else 11 - rest)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def _br_cnpj(random: Random) -> str:
    body = digits(random, 8) + "0001"
    for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
        rest = _sum(body, weights) % 11
        body += str(0 if rest < 2 else 11 - rest)
    return f"{body[:2]}.{body[2:5]}.{body[5:8]}/{body[8:12]}-{body[12:]}"


def _es_nif(random: Random) -> str:
    body = digits(random, 8)
    return body + "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23]


def _es_nie(random: Random) -> str:
    first, body = random.choice("XYZ"), digits(random, 7)
    return first + body + "TRWAGMYFPDXBNJZSQVHLCKE"[int(str("XYZ".index(first)) + body) % 23]


def _fr_nir(random: Random) -> str:
    year, month, _ = short_date(random)
    place = f"{random.randrange(1, 96):02d}{random.randrange(1, 990):03d}"
    body = f"{random.choice('12')}{year}{month}{place}{random.randrange(1, 999):03d}"
    whole = f"{body}{97 - int(body) % 97:02d}"
    return random.choice([whole, grouped(whole, (1, 2, 2, 2, 3, 3, 2), " ")])


def _be_national(random: Random) -> str:
    year, month, day = short_date(random)
    body = f"{year}{month}{day}{random.randrange(1, 998):03d}"
    return f"{year}.{month}.{day}-{body[6:]}.{97 - int(body) % 97:02d}"


def _ch_ahv(random: Random) -> str:
    body = "756" + digits(random, 9)
    check = -sum(int(d) * (1, 3)[i % 2] for i, d in enumerate(body)) % 10
    return f"756.{body[3:7]}.{body[7:11]}.{body[11]}{check}"


def _se_personnummer(random: Random) -> str:
    whole = luhn("".join(short_date(random)) + digits(random, 3))
    return f"{whole[:6]}-{whole[6:]}"


def _fi_hetu(random: Random) -> str:
    year, month, day = short_date(random)
    serial = random.randrange(2, 900)
    check = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(f"{day}{month}{year}{serial:03d}") % 31]
    return f"{day}{month}{year}-{serial:03d}{check}"


def _no_fnr(random: Random) -> str | None:
    year, month, day = short_date(random)
    body = f"{day}{month}{year}{digits(random, 3)}"
    for weights in ((3, 7, 6, 1, 8, 9, 4, 5, 2), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)):
        check = -_sum(body, weights) % 11
        if check == 10:
            return None
        body += str(check)
    return body


def _sg_nric(random: Random) -> str:
    series, body = random.choice("ST"), digits(random, 7)
    total = _sum(body, (2, 7, 6, 5, 4, 3, 2)) + (4 if series == "T" else 0)
    return series + body + "JZIHGFEDCBA"[total % 11]


def _cn_resident(random: Random) -> str:
    _, month, day = short_date(random)
    body = f"110105{random.randrange(1950, 2006)}{month}{day}{digits(random, 3)}"
    total = sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(body))
    return body + "0123456789X"[(12 - total % 11) % 11]


def _kr_rrn(random: Random) -> str:
    return f"{''.join(short_date(random))}-{random.choice('12')}{digits(random, 6)}"


def _in_aadhaar(random: Random) -> str:
    # The dihedral group by its own definition, not by Verhoeff's printed table.
    def times(a: int, b: int) -> int:
        if a < 5:
            return (a + b) % 5 + (0 if b < 5 else 5) if b < 5 else (a + b) % 5 + 5
        return (a - b) % 5 + 5 if b < 5 else (a - b) % 5

    permutation = [list(range(10))]
    step = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    for _ in range(7):
        permutation.append([step[value] for value in permutation[-1]])

    def valid(number: str) -> bool:
        check = 0
        for place, digit in enumerate(reversed(number)):
            check = times(check, permutation[place % 8][int(digit)])
        return check == 0

    whole = complete(digits(random, 11, "23456789"), valid)
    if whole is None:
        raise AssertionError("every number has a check digit of Verhoeff's")
    return grouped(whole, (4, 4, 4), " ")


def _mod_97(random: Random) -> str:
    body = digits(random, 9)
    while sum(int(d) * w for d, w in zip(body, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True)) % 11:
        body = digits(random, 9)
    return "BSN " + body


def _gb_nhs(random: Random) -> str | None:
    body = digits(random, 9)
    check = -sum(int(d) * (10 - i) for i, d in enumerate(body)) % 11
    return None if check == 10 else grouped(f"{body}{check}", (3, 3, 4), " ")


def _gb_nino(random: Random) -> str:
    prefix = random.choice("ABCEGHJKLMNOPRSTWXYZ") + random.choice("ABCEHJLMPRSTWXYZ")
    if prefix in ("GB", "BG", "NK", "KN", "TN", "NT", "ZZ"):
        prefix = "AB"
    number = digits(random, 6)
    whole = f"{prefix}{number}{random.choice('ABCD')}"
    return random.choice([whole, f"{prefix} {number[:2]} {number[2:4]} {number[4:]} {whole[-1]}"])


def _ca_sin(random: Random) -> str:
    return grouped(luhn(digits(random, 8, "1234567")), (3, 3, 3), "-")


def _it_codice_fiscale(random: Random) -> str:
    odd = dict(
        zip(
            "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            (
                1,
                0,
                5,
                7,
                9,
                13,
                15,
                17,
                19,
                21,
                1,
                0,
                5,
                7,
                9,
                13,
                15,
                17,
                19,
                21,
                2,
                4,
                18,
                20,
                11,
                3,
                6,
                8,
                12,
                14,
                16,
                10,
                22,
                25,
                24,
                23,
            ),
            strict=True,
        )
    )
    body = (
        letters(random, 6, "BCDFGLMNPRSTV")
        + f"{random.randrange(40, 99)}{random.choice('ABCDEHLMPRST')}{random.randrange(1, 29):02d}"
    )
    body += random.choice("ABCDEFGHIL") + digits(random, 3)
    total = sum(odd[c] if i % 2 == 0 else int(c, 36) - (0 if c.isdigit() else 10) for i, c in enumerate(body))
    return body + string.ascii_uppercase[total % 26]


def _de_tax(random: Random) -> str:
    chosen = random.sample("0123456789", 9)
    while chosen[0] == "0":
        random.shuffle(chosen)
    body = [*chosen, random.choice(chosen[1:])]
    product = 10
    for digit in body:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return "Steuer-ID " + "".join(body) + str((11 - product) % 10)


def _pl_pesel(random: Random) -> str:
    body = "".join(short_date(random)) + digits(random, 4)
    return f"PESEL {body}{-_sum(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10}"


def _us_npi(random: Random) -> str:
    return "NPI " + luhn("80840" + digits(random, 9, "12"))[5:]


def _jp_my_number(random: Random) -> str:
    body = digits(random, 11)
    rest = _sum(body, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return f"My Number {body}{0 if rest < 2 else 11 - rest}"


def _au_tfn(random: Random) -> str:
    while True:
        body = digits(random, 9)
        if _sum(body, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0:
            return "TFN " + body


_NATIONAL: tuple[Callable[[Random], str | None], ...] = (
    _br_cpf,
    _br_cnpj,
    _es_nif,
    _es_nie,
    _fr_nir,
    _be_national,
    _ch_ahv,
    _se_personnummer,
    _fi_hetu,
    _no_fnr,
    _sg_nric,
    _cn_resident,
    _kr_rrn,
    _in_aadhaar,
    _mod_97,
    _gb_nhs,
    _gb_nino,
    _ca_sin,
    _it_codice_fiscale,
    _de_tax,
    _pl_pesel,
    _us_npi,
    _jp_my_number,
    _au_tfn,
)


def _national(which: Callable[[Random], str | None]) -> Make:
    return lambda random: until(which, random)


NATIONAL: dict[str, Make] = {make.__name__.strip("_"): _national(make) for make in _NATIONAL}
"""National numbers by scheme; those that count only beside their name come with it, as the words before the last."""

TIER_1: dict[str, Make] = {
    "email": email,
    "phone": phone,
    "card": card,
    "iban": iban,
    "us_ssn": us_ssn,
    "us_itin": us_itin,
    "ipv4": ipv4,
    "ipv6": ipv6,
    "mac": mac,
    "jwt": jwt,
    "private key": pem,
    "api key": api_key,
    "ethereum": ethereum,
}
"""Classes that need nothing beside them."""

CARRIERS = (
    "{}",
    "My details: {}, thank you.",
    "Please update the record to {} before noon",
    "user said ({}) twice",
    '{{"messages": [{{"role": "user", "content": "it is {}"}}]}}',
    "a={} b=2",
    "The tool returned\n{}\nand stopped.",
    "id_{}_x",
    "[INFO] got value '{}' from form",
    "Was it {}? Yes.",
    "«{}» même chose",
)
"""Sentences around a value."""


def carried(make: Make, count: int, seed: int) -> Iterator[tuple[str, str]]:
    """So many values of a class, each in a sentence: (value, text)."""
    random = Random(seed)  # noqa: S311 - no secret
    for number in range(count):
        value = make(random)
        carrier = CARRIERS[number % len(CARRIERS)]
        if "\n" in value and carrier.startswith("{{"):
            carrier = CARRIERS[0]
        yield value, carrier.format(value)
