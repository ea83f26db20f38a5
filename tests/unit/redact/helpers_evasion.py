"""Ways in which a value is written so that a plain pattern misses it, and values of the classes that must be found."""

import base64
import json
from collections.abc import Callable
from random import Random
from urllib.parse import quote

from unit.redact.helpers_redact import iban_complete, luhn_complete

Transform = Callable[[str, Random], str]

_ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_FIRST = [
    "alice",
    "bob.miller",
    "j.doe",
    "maria_lopez",
    "o.brien",
    "chen.wei",
    "k8",
    "anna-lena",
    "sam+spam",
    "xavier99",
]
_HOSTS = ["example.com", "corp.internal", "mail.example.co.uk", "example.org", "sub.example.net"]


def _letters(random: Random, count: int) -> str:
    return "".join(random.choices(_ALNUM, k=count))


def _base32(random: Random, count: int) -> str:
    return "".join(random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=count))


def _digits(random: Random, count: int) -> str:
    return "".join(random.choices("0123456789", k=count))


def _card(random: Random) -> str:
    prefix, size = random.choice([("4", 16), ("51", 16), ("55", 16), ("37", 15), ("6011", 16), ("2221", 16)])
    number = luhn_complete(prefix + _digits(random, size - 1 - len(prefix)))
    if size == 16 and random.random() < 0.5:
        return random.choice(" -").join(number[at : at + 4] for at in range(0, 16, 4))
    return number


def _phone(random: Random) -> str:
    line = f"{random.randint(200, 989)}"
    return random.choice(
        [
            f"+1 415 {line} {_digits(random, 4)}",
            f"+1415{line}{_digits(random, 4)}",
            f"(212) {line}-{_digits(random, 4)}",
            f"212-{line}-{_digits(random, 4)}",
            f"+44 20 7946 {_digits(random, 4)}",
            f"+49 30 12{_digits(random, 5)}",
        ]
    )


def _jwt(random: Random) -> str:
    def part(tree: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(tree).encode()).decode().rstrip("=")

    claims = {"sub": _digits(random, 8), "name": _letters(random, 8)}
    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{_letters(random, 43)}"


MAKERS: dict[str, Callable[[Random], str]] = {
    "email": lambda random: f"{random.choice(_FIRST)}@{random.choice(_HOSTS)}",
    "phone": _phone,
    "card": _card,
    "ssn": lambda random: f"{random.randint(100, 665)}-{random.randint(10, 99)}-{random.randint(1000, 9999)}",
    "iban": lambda random: random.choice(
        [
            iban_complete("DE", _digits(random, 18)),
            iban_complete("GB", "NWBK" + _digits(random, 14)),
            iban_complete("NL", "ABNA" + _digits(random, 10)),
        ]
    ),
    "ip": lambda random: ".".join(map(str, (random.choice([8, 52, 93, 203]), *random.choices(range(10, 250), k=3)))),
    "api_key": lambda random: random.choice(
        [
            f"sk-proj-{_letters(random, 20)}7{_letters(random, 20)}",
            f"ghp_{_letters(random, 36)}",
            f"AKIA{_base32(random, 16)}",
        ]
    ),
    "jwt": _jwt,
}  # fmt: skip

CARRIERS = [
    "{}",
    "please contact {} as soon as you can",
    "value={} end",
    "The customer gave us ({}), which we noted.",
    "error: lookup of {} failed\nretrying in 5 s",
    "[{}]",
]


def _json_escape(value: str) -> str:
    return "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in value)


def _deep(value: str) -> str:
    return json.dumps({"a": json.dumps({"b": [json.dumps({"c": f"line\n{value}\nline"})]})})


def _wide(value: str, _: Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" for c in value)


def _digits_of(zero: int) -> Transform:
    return lambda value, _: "".join(chr(zero + int(c)) if c.isdigit() else c for c in value)


def _insert(what: str) -> Transform:
    def transform(value: str, random: Random) -> str:
        for at in sorted(random.sample(range(1, len(value)), 3), reverse=True):
            value = value[:at] + what + value[at:]
        return value

    return transform


def _swap(old: str, new: str) -> Transform:
    return lambda value, _: value.translate(str.maketrans(dict.fromkeys(old, new)))


def _groups(separator: str) -> Transform:
    def transform(value: str, _: Random) -> str:
        plain = value.translate(str.maketrans("", "", " -"))
        return separator.join(plain[at : at + 4] for at in range(0, len(plain), 4))

    return transform


def _wrap(value: str, random: Random) -> str:
    spots = [at for at in range(2, len(value)) if value[at - 1].isdigit() and value[at].isdigit()]
    at = random.choice(spots)
    return value[:at] + "\n" + value[at:]


_ALL = tuple(MAKERS)
_NUMBERS = ("phone", "card", "ssn", "iban", "ip")
_DASHED = ("phone", "card", "ssn", "api_key")

CLASSES: dict[str, tuple[tuple[str, ...], Transform]] = {
    "plain": (_ALL, lambda value, _: value),
    "json escapes": (_ALL, lambda value, _: json.dumps([0])[:-2] + f'"{_json_escape(value)}"]'),
    "bare json escapes": (_ALL, lambda value, _: _json_escape(value)),
    "json in json in json, next to line ends": (_ALL, lambda value, _: _deep(value)),
    "escaped line ends around": (_ALL, lambda value, _: f"first\\n{value}\\nlast"),
    "html decimal entities": (_ALL, lambda value, _: "".join(c if c.isalnum() else f"&#{ord(c)};" for c in value)),
    "html hexadecimal entities": (_ALL, lambda value, _: "".join(f"&#x{ord(c):x};" for c in value)),
    "html named entities": (
        _ALL,
        lambda value, _: value.translate(
            str.maketrans({"@": "&commat;", ".": "&period;", "-": "&hyphen;", "+": "&plus;"})
        ),
    ),
    "url-encoded": (_ALL, lambda value, _: quote(value, safe="")),
    "url-encoded, every character": (_ALL, lambda value, _: "".join(f"%{ord(c):02X}" for c in value)),
    "url-encoded twice": (_ALL, lambda value, _: quote("".join(f"%{ord(c):02x}" for c in value), safe="")),
    "url query": (_ALL, lambda value, _: f"https://example.com/?user={quote(value, safe='').replace('%20', '+')}&n=2"),
    "groups in a url query": (
        ("card", "iban"),
        lambda value, random: f"https://example.com/?pay={_groups('+')(value, random)}&n=2",
    ),
    "base64": (_ALL, lambda value, _: base64.b64encode(f"it is {value}".encode()).decode()),
    "base64url without padding": (
        _ALL,
        lambda value, _: base64.urlsafe_b64encode(f"is {value}".encode()).decode().rstrip("="),
    ),
    "base64 of base64": (_ALL, lambda value, _: base64.b64encode(base64.b64encode(f"it is {value}".encode())).decode()),
    "base64 of json": (_ALL, lambda value, _: base64.b64encode(json.dumps({"v": value, "n": 1}).encode()).decode()),
    "hex": (_ALL, lambda value, _: value.encode().hex()),
    "hex, upper case": (_ALL, lambda value, _: value.encode().hex().upper()),
    "zero-width spaces": (_ALL, _insert("\u200b")),
    "zero-width joiners": (_ALL, _insert("\u200d")),
    "soft hyphens": (_ALL, _insert("\u00ad")),
    "byte order marks": (_ALL, _insert("\ufeff")),
    "fullwidth": (_ALL, _wide),
    "arabic-indic digits": (_NUMBERS, _digits_of(0x660)),
    "devanagari digits": (_NUMBERS, _digits_of(0x966)),
    "mathematical digits": (_NUMBERS, _digits_of(0x1D7CE)),
    "no-break spaces": (("phone", "card"), _swap(" ", "\u00a0")),
    "narrow and figure spaces": (("phone", "card"), _swap(" ", "\u2007")),
    "no-break hyphens": (_DASHED, _swap("-", "\u2011")),
    "en dashes": (_DASHED, _swap("-", "\u2013")),
    "minus signs": (_DASHED, _swap("-", "\u2212")),
    "spaces every four": (("card", "iban"), _groups(" ")),
    "dashes every four": (("card", "iban"), _groups("-")),
    "line end inside": (("phone", "card", "ssn", "iban"), _wrap),
    "cyrillic homoglyphs": (
        ("email", "api_key"),
        lambda value, _: value.translate(str.maketrans("aeopcks", "\u0430\u0435\u043e\u0440\u0441\u043a\u0455")),
    ),
    "greek homoglyphs": (
        ("email",),
        lambda value, _: value.translate(str.maketrans("oaiv", "\u03bf\u03b1\u03b9\u03bd")),
    ),
    "terminal colours around": (_ALL, lambda value, _: f"\x1b[1;32m{value}\x1b[0m"),
    "terminal colours, a match marked by grep": (_ALL, lambda value, _: f"of\x1b[01;31m\x1b[K{value}\x1b[m\x1b[K"),
    "terminal colours, escaped in json": (_ALL, lambda value, _: json.dumps({"out": f"\x1b[36m{value}\x1b[0m"})),
    "terminal colours without their control character": (_ALL, lambda value, _: f"[33m{value}[0m"),
    "terminal colours inside": (("phone", "card", "ssn", "ip"), _insert("\x1b[1m")),
    "glued to an identifier": (_ALL, lambda value, _: f"id_{value}_x"),
    "python repr": (_ALL, lambda value, _: repr({"v": [value], "n": None, "s": "it's"})),
    "cut json": (_ALL, lambda value, _: json.dumps({"a": {"text": f"to {value} and", "b": "x"}})[:-6]),
}  # fmt: skip
"""Each way, with the kinds of value that it applies to."""
