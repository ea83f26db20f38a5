"""Characters that stand for plain ones: digits and letters of other alphabets, odd spaces and dashes, nothing at all.

By Unicode (UAX 15, compatibility forms), RFC 3987 and RFC 5895 for what passes for a dot, and a table of look-alikes.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Final

import numpy as np

from spansieve import strict_yaml

Ranges = tuple[tuple[int, int], ...]

# Formatting that no reader sees, and fillers.
_HIDDEN: Ranges = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xE0000, 0xE007F),
)  # fmt: skip
_SPACES: Ranges = (
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
)
_DASHES: Ranges = (
    (0x2010, 0x2015),
    (0x2212, 0x2212),
    (0x2E3A, 0x2E3B),
    (0xFE58, 0xFE58),
    (0xFE63, 0xFE63),
    (0xFF0D, 0xFF0D),
)
_LINES: Ranges = ((0x85, 0x85), (0x2028, 0x2029))
_COMPATIBLE: Ranges = (
    (0xAA, 0xBE), (0x2070, 0x209F), (0x2100, 0x211F), (0x2460, 0x24FF), (0xFE50, 0xFE6F), (0xFF01, 0xFFE6),
    (0x1D400, 0x1D7FF), (0x1F110, 0x1F189),
)  # fmt: skip
# Those that say by themselves that something is written in an odd way: not the dashes and signs of prose.
_STRANGE: Ranges = (
    (0x2010, 0x2012), (0x2015, 0x2015), (0x2212, 0x2212), (0xFE50, 0xFE6B), (0xFF05, 0xFF05), (0xFF0B, 0xFF0B),
    (0xFF0D, 0xFF19), (0xFF20, 0xFF3F), (0xFF41, 0xFF5A), (0xFF61, 0xFF61), (0x1D400, 0x1D7FF),
)  # fmt: skip


@cache
def _look_alikes() -> dict[str, str]:
    """Read the table: a letter of another script → the Latin one that it looks like."""
    table: dict[str, str] = strict_yaml.shipped("spansieve.redact.text", "confusables.yaml")
    return {like: str(latin) for latin, likes in table.items() for like in likes}


def _each(ranges: Ranges) -> list[str]:
    return [chr(code) for low, high in ranges for code in range(low, high + 1)]


def _compatible() -> dict[str, str]:
    forms = {c: unicodedata.normalize("NFKC", c) for c in _each(_COMPATIBLE)}
    return {c: form for c, form in forms.items() if form.isascii() and len(form) == 1}


_LIKE = _look_alikes()
_DECIMALS = {c: str(unicodedata.decimal(c)) for c in map(chr, range(0x80, 0x20000)) if c.isdecimal()}
_PLAIN: dict[str, str] = {
    **_compatible(),
    **_DECIMALS,
    **dict.fromkeys(_each(_SPACES), " "),
    **dict.fromkeys(_each(_DASHES), "-"),
    **dict.fromkeys(_each(_LINES), "\n"),
    **dict.fromkeys("\u3002\uff61", "."),
    **dict.fromkeys(_each(_HIDDEN), ""),
}
_TO_PLAIN = str.maketrans(_PLAIN)
_TO_LATIN = str.maketrans(_PLAIN | _LIKE)
_ODD = frozenset(_PLAIN) | frozenset(_LIKE)
_ODD_CODES = frozenset(map(ord, _ODD))


def _members(characters: Iterable[str]) -> str:
    """Write characters as the members of a set in a regex, neighbours as ranges."""
    codes = sorted(map(ord, characters))
    parts: list[str] = []
    first = last = codes[0]
    for code in [*codes[1:], -1]:
        if code == last + 1:
            last = code
            continue
        parts.append(f"\\U{first:08x}" + (f"-\\U{last:08x}" if last > first else ""))
        first = last = code
    return "".join(parts)


ODD = _members(_ODD)
"""All characters that may stand for another, or for nothing, as members of a set in a regex."""

# `re` has a table for the first 65,536 characters of a set; beyond, it tries range by range.
ODD_OR_BEYOND = _members(c for c in _ODD if c < "\U00010000") + "\\U00010000-\\U0010ffff"
"""The same and more: what a regex that is to be fast looks for first."""

_LETTERS, _HIDDEN_SET, _SPACE_SET = _members(_LIKE), _members(_each(_HIDDEN)), _members(_each(_SPACES))
# Odd characters in such company that a value may be hidden by them: accents, curly quotes, a dash in prose and an emoji
# hide nothing.
_TELLING = re.compile(
    rf"[{ODD_OR_BEYOND}](?:"
    rf"(?<=[{_members({*_DECIMALS, *_each(_STRANGE)})}])"
    rf"|(?<=[0-9)][{_SPACE_SET}])(?=[0-9(+])"
    r"|(?<=[0-9A-Za-z][\u2013\u2014\u3002])(?=[0-9A-Za-z])"
    rf"|(?<=[0-9A-Za-z@.:_+-][{_HIDDEN_SET}])|(?<=[{_HIDDEN_SET}])(?=[0-9A-Za-z@.:_+-])"
    rf"|(?<=[0-9A-Za-z@_][{_LETTERS}])|(?<=[{_LETTERS}])(?=[0-9A-Za-z@_])"
    r")"
)
_ASCII = bytes(range(128))
_FEW = 4
MOST_ODD: Final = 1 << 20
"""Places that are told of one text, and one more when there are more."""

_FEW_PLACES = 32  # that one in so many characters is not ASCII
_LAST_ASCII, _LAST_LATIN = np.array(0x7F, np.uint32), 0xFF
_UNKNOWN = ord("?")
_LARGE, _HUGE = 1 << 11, 1 << 20  # characters between which numpy is faster than codecs, and its memory no matter
_FAR = 0x20000  # stands for all characters from here on
_MAY_BE_ODD = np.zeros(_FAR + 1, np.bool_)
_MAY_BE_ODD[[min(ord(character), _FAR) for character in _ODD]] = True


def latin(text: str) -> tuple[bytes, list[int]]:
    """Write a text in Latin-1, with a question mark for each other character.

    Also gives where odd characters stand in such company that a value may be hidden by them, MOST_ODD of them and one
    more at most.
    """
    if text.isascii():
        return text.encode(), []
    if not _LARGE <= len(text) < _HUGE:
        return text.encode("latin-1", "replace"), _odd(text)
    codes = np.array([text]).view(np.uint32)  # the characters widened, in half the time of a codec
    raw = codes.astype(np.uint8)
    places = np.greater(codes, _LAST_ASCII).nonzero()[0]
    beyond = codes[places]
    if len(places) * _FEW_PLACES < len(text):
        odd = []
        writable = raw.data  # into which one byte is written in half the time
        for at, code in zip(places.tolist(), beyond.tolist(), strict=True):
            if code > _LAST_LATIN:
                writable[at] = _UNKNOWN
            if code in _ODD_CODES and _TELLING.match(text, at):
                odd.append(at)
        return raw.tobytes(), odd
    raw[places[beyond > _LAST_LATIN]] = _UNKNOWN
    places = places[_MAY_BE_ODD[np.minimum(beyond, _FAR)]]
    if len(places) * _FEW > len(text):
        return raw.tobytes(), [match.start() for match in _TELLING.finditer(text)]
    return raw.tobytes(), [at for at in places.tolist() if _TELLING.match(text, at)]


def _odd(text: str) -> list[int]:
    beyond = set(text.encode("utf-8", "replace").translate(None, _ASCII).decode()) & _ODD
    return list(islice(_places(text, beyond), MOST_ODD + 1)) if beyond else []


def _places(text: str, beyond: set[str]) -> Iterator[int]:
    if len(beyond) > _FEW:
        yield from (match.start() for match in _TELLING.finditer(text))
        return
    for character in beyond:  # each is found at memory speed
        at = text.find(character)
        while at >= 0:
            if _TELLING.match(text, at):
                yield at
            at = text.find(character, at + 1)


def run(characters: str, before: str, after: str) -> str:
    """Fold a run of odd characters. Letters of another script count only beside plain ones: else it is that script."""
    beside = (before.isascii() and (before.isalnum() or before in "@_-")) or (
        after.isascii() and (after.isalnum() or after in "@_-")
    )
    return characters.translate(_TO_LATIN if beside else _TO_PLAIN)


def word(text: str) -> str:
    """Fold a key: all of it is one word."""
    return text if text.isascii() else text.translate(_TO_LATIN)
