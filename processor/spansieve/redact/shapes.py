"""Which of many patterns can match a number at all: a look-up by the number's shape in place of a try of each.

Dozens of patterns hang on digits, of which one or two can match a given number. A shape is a number in symbols, each of
which stands for a class of characters: `0` for a digit, `x` for a letter or digit in a word of both, `?` for anything.
It decides where each pattern may match (never too little: the patterns themselves decide), and numbers of one shape
come again and again, so what was found out is remembered, within bounds.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from spansieve.redact import patterns

_parser: Any = re._parser  # type: ignore[attr-defined]  # noqa: SLF001 - the only way to look into a pattern

_SEPARATORS = " ./()+\\-\u00a0\u2010-\u2014\u202f"
_WORD = "[A-Za-z]*+[0-9][0-9A-Za-z]*+"  # with a digit in it
# From a digit back to where its number begins, in the text from right to left, and from there on to where it ends.
_BACK = _ON = re.compile(rf"[0-9A-Za-z]*+(?:[{_SEPARATORS}]{{1,3}}{_WORD})*").match
_GROUPS = re.compile(r"[0-9A-Fa-f:.-]*+").match
LONGEST: Final = 48
"""Characters of a number that has a shape. Longer ones are columns, tables or noise: all patterns are tried on them."""

_FARTHEST = LONGEST + 8  # characters that are read to see that a number is too long; it may be cut in a separator
_MOST_SHAPES = 8192
_BEHIND = 64  # characters of anything that are put behind a number: more than a pattern that begins in it may take

_TO_GROUP = {ord(digit): "h" for digit in "0123456789abcdefABCDEF"}
_TO_GROUP |= {ord(letter): "a" for letter in "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ"}
_MIXED = re.compile(r"[0Aa]*(?:0[Aa]|[Aa]0)[0Aa]*").sub
_DIGITS, _UPPER, _LOWER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_MEMBERS = {
    "0": _DIGITS,
    "A": _UPPER,
    "a": _LOWER,
    "x": _DIGITS + _UPPER + _LOWER,
    "h": "0123456789abcdefABCDEF",
}
_ANY, _EDGE = "?", "^"  # anything; the beginning or end of the text
_OTHER, _BEYOND = "!", "u"  # no letter, digit or separator; what is not ASCII
_OTHERS = {_OTHER: ",;=#%&*<>|~'\"\n\t_@{}[]", _BEYOND: "é用٣　"}  # examples
_KEPT = " ./()+-:\u00a0\u2010\u2011\u2012\u2013\u2014\u202f"
_TO_SYMBOL = bytes(
    ord("0" if chr(code) in _DIGITS else "A" if chr(code) in _UPPER else "a" if chr(code) in _LOWER else chr(code))
    if chr(code) in _DIGITS + _UPPER + _LOWER + _KEPT
    else ord(_OTHER)
    for code in range(256)
)


Token = tuple[int, int, str, int]
"""A number in a text: start, end, its shape, and how many symbols of that stand for what is before the number."""


def digits(text: str, at: int) -> Token | None:
    """Give the number around a digit: words with digits in them between separators, or None when it is too long."""
    low = at - _FARTHEST
    start = at + 1 - _BACK(text[at : (low if low > 0 else None) : -1]).end()  # type: ignore[union-attr]  # matches ""
    end = _ON(text, at, start + _FARTHEST).end()  # type: ignore[union-attr]  # matches ""
    if end - start >= LONGEST:
        return None
    left = start - 4 if start > 4 else 0
    symbols = _symbols(text[left : end + 2])
    shape = symbols[start - left : end - left]
    if "a" in shape or "A" in shape:
        shape = _MIXED(_mixed, shape)
    ahead = _ahead(symbols[: start - left])
    return start, end, ahead + shape + _behind(symbols[end - left :]), len(ahead)


def groups(text: str, at: int) -> Token | None:
    """Give the run of hexadecimal groups around a separator, or None when it is too long."""
    low = at - _FARTHEST
    start = at + 1 - _GROUPS(text[at : (low if low > 0 else None) : -1]).end()  # type: ignore[union-attr]  # matches ""
    end = _GROUPS(text, at, start + _FARTHEST).end()  # type: ignore[union-attr]  # matches ""
    if end - start >= LONGEST:
        return None
    before = _symbols(text[start - 1]).replace("0", "h") if start else _EDGE
    after = _symbols(text[end]).replace("0", "h") if end < len(text) else _EDGE
    return start, end, before + text[start:end].translate(_TO_GROUP) + after, 1


def end(text: str, at: int, *, hexadecimal: bool) -> int:
    """Give the end of the number around a digit or a separator, however long it is."""
    return (_GROUPS if hexadecimal else _ON)(text, at).end()  # type: ignore[union-attr]  # matches ""


def _symbols(text: str) -> str:
    if text.isascii():
        return text.encode().translate(_TO_SYMBOL).decode()
    return "".join(
        chr(_TO_SYMBOL[ord(each)]) if each.isascii() else each if each in _KEPT else _BEYOND for each in text
    )


def _mixed(match: re.Match[str]) -> str:
    return "x" * len(match[0])


@lru_cache(maxsize=4096)
def _ahead(symbols: str) -> str:
    """The symbols before a number, without what no pattern asks for or takes there."""
    if not symbols:
        return _EDGE
    last = symbols[-1]
    if last not in _KEPT:
        return last
    before = symbols[-2:-1] or _EDGE
    if before == "A":  # AB 12 34 56 C
        return symbols
    return _OTHER + last if last == " " and before not in _KEPT else before + last


@lru_cache(maxsize=4096)
def _behind(symbols: str) -> str:
    """The symbols behind a number: no other word with digits in it, or that would be part of the number."""
    return symbols[:1] if symbols and symbols[0] not in _KEPT else symbols[:2] + (_EDGE if len(symbols) < 2 else "")


class Try(NamedTuple):
    """A pattern, by number, and where around a number of a shape it may match: offsets from the number's start."""

    number: int
    starts: tuple[int, ...]
    firsts: str  # the characters that a match may begin with; nothing stands for any


Member = tuple[int, str, int, re.Pattern[str] | None]
"""A pattern's number, the pattern, how many characters before a number's first it may begin, and where, in symbols, its
check may be passed."""


class Shapes:
    """The patterns that hang on one class of numbers. The memory never changes what is found."""

    __slots__ = ("_known", "_patterns")

    def __init__(self, members: Sequence[Member]) -> None:
        """Take the patterns of one class of numbers."""
        self._patterns = [
            (number, _shaped(pattern), lead, may, patterns.firsts(pattern)) for number, pattern, lead, may in members
        ]
        self._known: dict[str, tuple[Try, ...]] = {}

    def known(self, token: Token) -> tuple[Try, ...] | None:
        """The patterns that may match a number, if its shape was seen before."""
        return self._known.get(token[2])

    def learn(self, token: Token) -> tuple[Try, ...]:
        """Find out which patterns may match a number of this shape: about 200 µs."""
        found = []
        start, end, shape, ahead = token
        unknown = _ANY * 8 if shape[0] != _EDGE else _EDGE
        text = unknown + shape + (_ANY * _BEHIND if shape[-1] != _EDGE else "")
        first = len(unknown) + ahead
        size = end - start
        for number, pattern, lead, may, firsts in self._patterns:
            low = first - min(lead, ahead)
            starts = tuple(
                at - first
                for at in range(low, first + size)
                if pattern.match(text, at) and (may is None or may.match(text, at))
            )
            if starts:
                found.append(Try(number, starts, firsts))
        if len(self._known) >= _MOST_SHAPES:
            self._known.clear()
        self._known[shape] = tuple(found)
        return self._known[shape]


def _shaped(pattern: str) -> re.Pattern[str]:
    """Write a pattern anew for shapes, so that it matches wherever it may match a text of that shape."""
    return re.compile(_items(_parser.parse(pattern), _possible))


_Accepts = Callable[[str, Any], str]


def _items(items: Any, accept: _Accepts) -> str:  # noqa: ANN401 - re's parse trees have no public type
    pieces = []
    for operation, argument in items:
        name = str(operation)
        if name in ("LITERAL", "NOT_LITERAL", "IN", "ANY"):
            pieces.append(accept(name, argument))
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            # Taking as much as it can is only right for what the text has, not for what it may have.
            low, high, body = argument
            pieces.append(f"(?:{_items(body, accept)}){{{low},{int(high)}}}")
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            pieces.append(f"(?:{_items(argument[-1] if name == 'SUBPATTERN' else argument, accept)})")
        elif name == "BRANCH":
            pieces.append("(?:" + "|".join(_items(each, accept) for each in argument[1]) + ")")
        elif name in ("ASSERT", "ASSERT_NOT"):
            direction, body = argument
            if name == "ASSERT_NOT":  # holds unless what it forbids is there for certain
                pieces.append(f"(?{'<' if direction < 0 else ''}!{_items(body, _certain)})")
            elif direction > 0:
                pieces.append(f"(?={_items(body, accept)})")
        elif name != "AT":
            raise ValueError(f"{name} has no shape")
    return "".join(pieces)


def _possible(name: str, argument: Any) -> str:  # noqa: ANN401 - see _items
    takes = _taker(name, argument)
    symbols = [each for each in _KEPT if takes(each)]
    symbols += [symbol for symbol, members in _MEMBERS.items() if any(map(takes, members))]
    symbols += [symbol for symbol, examples in _OTHERS.items() if any(map(takes, examples))]
    return _set([*symbols, _ANY])


def _certain(name: str, argument: Any) -> str:  # noqa: ANN401 - see _items
    takes = _taker(name, argument)
    symbols = [each for each in _KEPT if takes(each)]
    symbols += [symbol for symbol, members in _MEMBERS.items() if all(map(takes, members))]
    return _set(symbols) if symbols else "(?!)"


def _set(symbols: Sequence[str]) -> str:
    return "[" + "".join(map(re.escape, symbols)) + "]"


def _taker(name: str, argument: Any) -> Callable[[str], bool]:  # noqa: ANN401 - see _items
    """Whether an item of a pattern takes a character, in any case of it: more is no harm."""
    if name == "ANY":
        return lambda _: True
    if name in ("LITERAL", "NOT_LITERAL"):
        wanted = chr(argument).lower()
        return lambda character: (character.lower() == wanted) is (name == "LITERAL")
    negated = str(argument[0][0]) == "NEGATE"
    members = [(str(kind), value) for kind, value in argument if str(kind) != "NEGATE"]

    def takes(character: str) -> bool:
        return any(_is_in(kind, value, character) for kind, value in members) is not negated

    return takes


def _is_in(kind: str, value: Any, character: str) -> bool:  # noqa: ANN401 - see _items
    if kind == "CATEGORY":
        return re.fullmatch(_CATEGORIES[str(value)], character) is not None
    low, high = value if kind == "RANGE" else (value, value)
    return bool(low <= ord(character) <= high)


_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
