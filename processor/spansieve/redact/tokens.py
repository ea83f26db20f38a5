"""Texts within a text in base64 (RFC 4648, both alphabets) or hexadecimal."""

import binascii
import re
from collections.abc import Iterator
from typing import Final

import numpy as np

SHORTEST: Final = 15
"""Characters: eleven of a text, in base64. A shorter run is a word, an id or a name."""

STANDARD: Final = str.maketrans("-_", "+/")
"""From the URL-safe alphabet to the standard one."""

_RUN = re.compile(rf"[A-Za-z0-9+/_-]{{{SHORTEST},}}+={{0,2}}")
_PART = re.compile(rf"[A-Za-z0-9+]{{{SHORTEST},}}+={{0,2}}")
_HEX = re.compile(r"(?:0[xX])?((?:[0-9A-Fa-f]{2}){8,})")
_MEMBER = bytes.maketrans(
    bytes(range(256)),
    bytes(
        97 if chr(c) in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/_-" else 32 for c in range(256)
    ),
)
_NEEDLE = b"a" * SHORTEST
_FOUR = np.frombuffer(b"aaaa", np.uint32)[0]
_FIRST = np.ones(1, np.bool_)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
_LARGE, _HUGE = 1 << 12, 1 << 20  # bytes between which numpy is faster, and its memory no matter
_HEAD = 64  # characters that are decoded to see whether the rest is worth it


def runs(text: bytes) -> list[tuple[int, int]]:
    """Give each long run of the alphabets' characters, in any order: a few passes at memory speed."""
    shape = text.translate(_MEMBER)
    return _runs_of_large(shape) if _LARGE <= len(text) < _HUGE else _runs(shape)


def _runs(shape: bytes) -> list[tuple[int, int]]:
    found = []
    rfind = shape.rfind  # which needs half the time of `find` here
    at = rfind(_NEEDLE)
    while at >= 0:
        start = rfind(b" ", 0, at) + 1
        found.append((start, at + SHORTEST))
        at = rfind(_NEEDLE, 0, start)
    return found


def _runs_of_large(shape: bytes) -> list[tuple[int, int]]:
    """The same, without a branch for each word: fifteen characters hold three aligned groups of four."""
    fours = np.frombuffer(shape, np.uint32, len(shape) // 4) == _FOUR
    threes = (fours[2:] & fours[1:-1] & fours[:-2]).nonzero()[0]
    if len(threes) > 1:
        threes = threes[np.concatenate((_FIRST, threes[1:] - threes[:-1] > 1))]  # the first of each row
    found: list[tuple[int, int]] = []
    for four in threes.tolist():
        start, end = shape.rfind(b" ", 0, 4 * four) + 1, shape.find(b" ", 4 * four)
        end = len(shape) if end < 0 else end
        if end - start >= SHORTEST:
            found.append((start, end))
    return found


# Nine ASCII characters in base64 (RFC 4648), or eight in hexadecimal. The first letter of four holds the upper bits of
# the first byte, and so on: bytes from 0x20 to 0x7f leave few letters. Nearly no id or key looks so by accident.
SAYS: Final = (
    rb"(?:[I-Za-f][CDEFGHSTUVWXijklmnyz0123][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_\-]){3}",
    rb"(?:[2-7][0-9A-Fa-f]){8}",
)
"""What a run has in it, as patterns in which case counts, when a text that is worth reading may stand there."""

_SAYS = re.compile(b"|".join(SAYS))


def may_say(text: bytes, start: int, end: int) -> bool:
    """Whether a text that is worth reading may stand encoded in a run."""
    return _SAYS.search(text, start, end) is not None


def says_text(token: str) -> bool:
    """Whether a whole token, however it is wrapped, is a text in base64."""
    return _decode("".join(token.split())) is not None


def decoded(text: str, at: int) -> Iterator[tuple[int, int, str]]:
    """Give what is said by the run that starts at a place, or by parts of it: where it stands, and its text."""
    match = _RUN.match(text, at)
    if match is not None:
        yield from _said(text, match)


def decoded_all(text: str) -> Iterator[tuple[int, int, str]]:
    """Give each token that says something: where it stands, padding included, and its text."""
    for match in _RUN.finditer(text):
        yield from _said(text, match)


def _said(text: str, match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    for start, end in _candidates(text, match.start(), match.end()):
        if end - start > _HEAD and not _head(text, start, end):
            continue
        if (plain := _decode(text[start:end])) is not None:
            yield start, end, plain


def _candidates(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A run, and its parts between what separates words in identifiers and paths."""
    yield start, end
    parts = [match.span() for match in _PART.finditer(text, start, end)]
    if parts != [(start, end)]:
        yield from parts


def _head(text: str, start: int, end: int) -> bool:
    """Whether a token begins as a text does."""
    raw = text[start : min(end, start + _HEAD)]
    return _decode(raw, cut=end - start > _HEAD) is not None


def _decode(token: str, *, cut: bool = False) -> str | None:
    """The text that a token says, or None when it is an id, a digest, a key, an image …"""
    match = _HEX.fullmatch(token)
    if match is not None:
        return _text(bytes.fromhex(match[1]), cut=cut)
    token = token.rstrip("=").translate(STANDARD)
    if len(token) % 4 == 1:
        return None
    try:
        raw = binascii.a2b_base64(token + "=" * (-len(token) % 4))
    except binascii.Error:
        return None
    return _text(raw, cut=cut)


def _text(raw: bytes, *, cut: bool) -> str | None:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        if not cut or error.start < len(raw) - 3:
            return None
        text = raw[: error.start].decode()
    return None if _CONTROL.search(text) else text
