"""Personal data and secrets that belong to nobody, made to be found again.

Every value is generated when it is needed, so that no credential-shaped text stands in the repository. Numbers come
from ranges that are kept for fiction and documentation where such ranges exist: `example.*` (RFC 2606), 198.51.100.0/24
and 203.0.113.0/24 (RFC 5737), +44 20 7946 0xxx (Ofcom's numbers for drama), 555-01xx.
"""

import base64
import json
import string
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

_FIRST = ("alba", "bruno", "carla", "dario", "elin", "femi", "greta", "hugo", "ines", "jonas")
_LAST = ("abel", "brandt", "costa", "duran", "egede", "farah", "gruber", "hansen", "ito", "jansen")
_ALPHANUMERIC = string.ascii_letters + string.digits
_PEM_LINES = 4


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted value: `text` is how it stands in a prompt, `needles` are what must not be seen again.

    They are the same but for a PEM block, whose lines may be joined in many ways: each line of its body is a needle.
    """

    kind: str
    text: str
    needles: tuple[str, ...]


def email(random: Random) -> str:
    name = f"{random.choice(_FIRST)}.{random.choice(_LAST)}{random.randrange(1000):03}"
    return f"{name}@mail{random.randrange(10)}.example.com"


def phone(random: Random) -> str:
    if random.random() < 0.5:
        return f"+44 20 7946 0{random.randrange(1000):03}"
    return f"({random.choice((212, 303, 415))}) 555-01{random.randrange(100):02}"


def card(random: Random) -> str:
    """Sixteen digits with a valid Luhn check digit, plain or in groups of four."""
    digits = "42" + "".join(random.choices(string.digits, k=13))
    digits += luhn_digit(digits)
    return digits if random.random() < 0.5 else " ".join(digits[i : i + 4] for i in range(0, 16, 4))


def luhn_digit(digits: str) -> str:
    """The check digit of ISO/IEC 7812-1 that makes `digits` + digit valid."""
    doubled = (int(d) * (2 - i % 2) for i, d in enumerate(reversed(digits)))
    return str(-sum(n // 10 + n % 10 for n in doubled) % 10)


def ssn(random: Random) -> str:
    return f"{random.randrange(100, 600):03}-{random.randrange(1, 100):02}-{random.randrange(1, 10_000):04}"


def iban(random: Random) -> str:
    """A German IBAN with valid check digits (ISO 13616: mod 97 of the rearranged number is 1)."""
    account = "".join(random.choices(string.digits, k=18))
    return f"DE{98 - int(account + '131400') % 97:02}{account}"


def ip(random: Random) -> str:
    return f"{random.choice(('198.51.100', '203.0.113'))}.{random.randrange(1, 255)}"


def api_key(random: Random) -> str:
    prefix, alphabet, length = random.choice(
        (
            ("sk-proj-", _ALPHANUMERIC, 48),
            ("AKIA", string.ascii_uppercase + "234567", 16),
            ("ghp_", _ALPHANUMERIC, 36),
        )
    )
    return prefix + "".join(random.choices(alphabet, k=length))


def jwt(random: Random) -> str:
    """A signed token as an application sees it (RFC 7519); the signature is noise."""
    claims = {"sub": email(random), "iat": 1_700_000_000 + random.randrange(10**7)}
    parts = (json.dumps({"alg": "HS256", "typ": "JWT"}).encode(), json.dumps(claims).encode(), random.randbytes(32))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def pem(random: Random) -> str:
    """A PKCS #8 block (RFC 7468) around noise, four lines of 64 characters."""
    lines = "\n".join(base64.b64encode(random.randbytes(48)).decode() for _ in range(_PEM_LINES))
    return f"-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----"


KINDS: dict[str, Callable[[Random], str]] = {
    "email": email,
    "phone": phone,
    "card": card,
    "ssn": ssn,
    "iban": iban,
    "ip": ip,
    "api_key": api_key,
    "jwt": jwt,
    "pem": pem,
}


def plant(kind: str, random: Random) -> Planted:
    """Make a value of a kind. Raises KeyError for a kind that is not in KINDS."""
    text = KINDS[kind](random)
    return Planted(kind, text, tuple(text.splitlines()[1:-1]) if kind == "pem" else (text,))
