"""Addresses of wallets, and how random a text is."""

import hashlib
import math
import re
from collections import Counter

Span = tuple[int, int]

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_CONSTANTS = (1, 0x2BC830A3)  # BIP 173, BIP 350
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_NAME_OF_KEY = re.compile(r"(?:[A-Za-z][A-Za-z0-9_]*\.)*[A-Za-z0-9_]*Key(?:s|Types?)?").fullmatch  # in a program
_UUID_PARTS = (8, 4, 4, 4, 12)
_LEAST_ENTROPY = 3.4  # bits a character; words and dotted names are below, keys of 20 characters and more above
_LEAST_OF_HEX = 3.0  # of hexadecimal digits: 6 in 100 random keys of 32 are below 3.4, one in 10,000 is below this
_HEX = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}").fullmatch


def base58_check(text: str, start: int, end: int) -> Span | None:
    """Whether a candidate is an address of Bitcoin: 25 bytes in base 58, the last four a double SHA-256."""
    number = 0
    for character in text[start:end]:
        number = number * 58 + _BASE58.index(character)
    try:
        raw = number.to_bytes(25, "big")
    except OverflowError:
        return None
    return (start, end) if hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:] else None


def bech32(text: str, start: int, end: int) -> Span | None:
    """Whether a candidate is a segregated-witness address (BIP 173, BIP 350)."""
    prefix, _, data = text[start:end].lower().rpartition("1")
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + [_BECH32.find(c) for c in data]
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATOR):
            check ^= generator if top >> place & 1 else 0
    return (start, end) if check in _BECH32_CONSTANTS else None


def random_looking(text: str, start: int, end: int) -> Span | None:
    """Whether a candidate is too random for a word, a path or a name; UUIDs are ids, not secrets; a type is neither."""
    candidate = text[start:end]
    if tuple(map(len, candidate.split("-"))) == _UUID_PARTS or not any(map(str.isdigit, candidate)):
        return None
    if _NAME_OF_KEY(candidate):
        return None
    size = len(candidate)
    entropy = -sum(n / size * math.log2(n / size) for n in Counter(candidate).values())
    return (start, end) if entropy >= (_LEAST_OF_HEX if _HEX(candidate) else _LEAST_ENTROPY) else None
