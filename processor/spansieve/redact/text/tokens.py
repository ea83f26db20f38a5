"""Texts within a text in base64 (RFC 4648, both alphabets) or hexadecimal."""

import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

SHORTEST: Final = 15
"""Characters: eleven of a text, in base64. A shorter run is a word, an id or a name."""

MEMBERS: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/_-"
"""The characters of runs: those of both alphabets, among them all of hexadecimal."""

STANDARD: Final = str.maketrans("-_", "+/")
"""From the URL-safe alphabet to the standard one."""

_RUN = re.compile(rf"[A-Za-z0-9+/_-]{{{SHORTEST},}}+={{0,2}}")
_PART = re.compile(rf"[A-Za-z0-9+]{{{SHORTEST},}}+={{0,2}}")
_HEX = re.compile(r"(?:0[xX])?((?:[0-9A-Fa-f]{2}){8,})")
_MEMBER = bytes.maketrans(bytes(range(256)), bytes(97 if code in MEMBERS else 32 for code in range(256)))
_NEEDLE = b"a" * SHORTEST
_FOUR = np.array(0x01010101, np.uint32)
_MEMBERS = np.array(ord("a"), np.uint8)
_LAST_BETWEEN = np.array(ord("*"), np.uint8)  # of the characters that come before all of the alphabets'
_BEYOND = 3 * 4 + 3  # bytes from the last group of which two more follow to where its row ends at the latest
_SPARSE = 256  # bytes to three groups: with more of them, all characters are read
_ANY_RUN = re.compile(rb"[A-Za-z0-9+/_-]{%d}" % SHORTEST).search
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
_LARGE, _HUGE = 1 << 12, 1 << 20  # bytes between which numpy is faster, and its memory no matter
_ALWAYS = 64  # characters of a run that is read whatever it has in it
_HEAD = 64  # characters that are decoded to see whether the rest is worth it


def runs(text: bytes) -> list[tuple[int, int]]:
    """Give each long run of the alphabets' characters, in any order: a few passes at memory speed."""
    if not _LARGE <= len(text) < _HUGE:
        return _runs(text.translate(_MEMBER))
    # Nearly all words end at a space, a quote or a bracket, which come before all of the alphabets' characters.
    threes = _threes(np.greater(np.frombuffer(text, np.uint8, len(text) & -4), _LAST_BETWEEN))
    if len(threes) * _SPARSE > len(text):
        return _runs_of_large(text.translate(_MEMBER))
    return [
        (first + start, first + end)
        for first, last in _rows(threes.tolist())
        if _ANY_RUN(text, first, last)
        for start, end in _runs(text[first:last].translate(_MEMBER))
    ]


def _runs(shape: bytes) -> list[tuple[int, int]]:
    found = []
    rfind = shape.rfind  # which needs half the time of `find` here
    at = rfind(_NEEDLE)
    while at >= 0:
        start = rfind(b" ", 0, at) + 1
        found.append((start, at + SHORTEST))
        at = rfind(_NEEDLE, 0, start)
    return found


def _threes(members: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Give each three aligned groups of four bytes that are all members, by the first: fifteen in a row hold some.

    Without a branch for each word.
    """
    fours = members.view(np.uint32) == _FOUR
    threes: npt.NDArray[np.intp] = (fours[2:] & fours[1:-1] & fours[:-2]).nonzero()[0]
    return threes


def _rows(threes: Iterable[int]) -> list[tuple[int, int]]:
    """Give from where to where, at most, the rows reach in which these groups are."""
    rows: list[tuple[int, int]] = []
    start = after = -1
    for three in threes:
        if three == after:
            rows[-1] = start, 4 * three + _BEYOND
        else:
            start = 4 * three - 3 if three else 0
            rows.append((start, 4 * three + _BEYOND))
        after = three + 1
    return rows


def _runs_of_large(shape: bytes) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    members = np.frombuffer(shape, np.uint8, len(shape) & -4) == _MEMBERS
    done = 0
    for three in _threes(members).tolist():
        if 4 * three >= done:
            start, end = shape.rfind(b" ", 0, 4 * three) + 1, shape.find(b" ", 4 * three)
            done = len(shape) if end < 0 else end
            if done - start >= SHORTEST:
                found.append((start, done))
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
    raw = text.encode("latin-1", "replace")
    for start, end in sorted(runs(raw)):  # sooner than by `re`
        if end - start >= _ALWAYS or may_say(raw, start, end):
            yield from decoded(text, start)


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
