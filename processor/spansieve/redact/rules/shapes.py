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

from spansieve.redact.rules import patterns
from spansieve.redact.rules.judges import Judge, Road

_SEPARATORS = " ./()+\\-\u00a0\u2010-\u2014\u202f"
_WORD = "[A-Za-z]*+[0-9][0-9A-Za-z]*+"  # with a digit in it
# From a digit back to where its number begins, in the text from right to left, and from there on to where it ends.
_BACK = _ON = re.compile(rf"[0-9A-Za-z]*+(?:[{_SEPARATORS}]{{1,3}}{_WORD})*").match
_GROUPS = re.compile(r"[0-9A-Fa-f:.-]*+").match
_IN_WORD = re.compile(r"[0-9A-Za-z]*+").match
LONGEST: Final = 48
"""Characters of a number that has a shape. Longer ones are columns, tables or noise: all patterns are tried on them."""

_FARTHEST = LONGEST + 8  # characters that are read to see that a number is too long; it may be cut in a separator
_MOST_SHAPES = 8192
_SIZES = tuple(b"%d." % size for size in range(LONGEST))
_MOST_MIXED = 12  # characters in words of letters and digits, which seldom come again in the same order
_BEHIND = 64  # characters of anything that are put behind a number: more than a pattern that begins in it may take

_MIXED = re.compile(r"[0Aa]*(?:0[Aa]|[Aa]0)[0Aa]*").sub
_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}").match
_OF_UUID = 36  # characters
# A day, and perhaps an hour, as ISO 8601 and RFC 3339 write them: the commonest number of all.
_DAY = re.compile(r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ]\d\d)?(?![0-9A-Za-z])").match
_OF_DAYS = frozenset({10, 13})  # characters
_DIGITS, _UPPER, _LOWER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_HEXADECIMAL = "0123456789abcdefABCDEF"
_MEMBERS = {
    "0": _DIGITS,
    "A": _UPPER,
    "a": _LOWER,
    "x": _DIGITS + _UPPER + _LOWER,
    "h": _HEXADECIMAL,
    "g": "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ",
}
_ANY, _EDGE = "?", "^"  # anything; the beginning or end of the text
_OTHER, _BEYOND = "!", "u"  # no letter, digit or separator; what is not ASCII
_OTHERS = {_OTHER: ",;=#%&*<>|~'\"\n\t_@{}[]", _BEYOND: "é用٣　"}  # examples
_KEPT = " ./()+-:\u00a0\u2010\u2011\u2012\u2013\u2014\u202f"
_NOT_ASCII = 0x80
_TO_SYMBOL = bytes(
    _NOT_ASCII
    if code >= _NOT_ASCII
    else ord("0" if chr(code) in _DIGITS else "A" if chr(code) in _UPPER else "a" if chr(code) in _LOWER else chr(code))
    if chr(code) in _DIGITS + _UPPER + _LOWER + _KEPT
    else ord(_OTHER)
    for code in range(256)
)
_TO_GROUP = bytes(
    ord("h") if chr(code) in _HEXADECIMAL else ord("g") if chr(code).isalpha() and code < 128 else _TO_SYMBOL[code]
    for code in range(256)
)
_AHEAD, _BEHIND_IT = 4, 2  # characters around a number that its shape takes in


class _Symbols(dict[int, int]):
    def __missing__(self, _code: int) -> int:
        return ord(_BEYOND)


_SYMBOLS = _Symbols({code: _TO_SYMBOL[code] for code in range(128)} | {ord(each): ord(each) for each in _KEPT})
"""The same for text that is not ASCII."""


Token = tuple[int, int, str, int]
"""A number in a text: start, end, its shape, and how many symbols of that stand for what is before the number."""


def digits(text: str, at: int) -> Token | None:
    """Give the number around a digit: words with digits in them between separators, or None when it is too long."""
    low = at - _FARTHEST
    start = at + 1 - _BACK(text[at : (low if low > 0 else None) : -1]).end()  # type: ignore[union-attr]  # matches ""
    end = _ON(text, at, start + _FARTHEST).end()  # type: ignore[union-attr]  # matches ""
    return None if end - start >= LONGEST else _token(text, start, end)


def _token(text: str, start: int, end: int) -> Token:
    left = start - _AHEAD if start > _AHEAD else 0
    symbols = _symbols(text[left : end + _BEHIND_IT])
    shape = symbols[start - left : end - left]
    if "a" in shape or "A" in shape:
        shape = "x" * len(shape) if shape.isalnum() else _MIXED(_mixed, shape)
    ahead = _ahead(symbols[: start - left])
    return start, end, ahead + shape + _behind(symbols[end - left :]), len(ahead)


def of_long_word(text: str, at: int) -> "Number | None":
    """Give the word around a digit when it is longer than any number: none of the patterns matches a part of a word."""
    start = at + 1 - _IN_WORD(text[at::-1] if at < LONGEST else text[at : at - LONGEST : -1]).end()  # type: ignore[union-attr]  # matches ""
    end = _IN_WORD(text, at).end()  # type: ignore[union-attr]  # matches ""
    return (start, end, ()) if end - start >= LONGEST else None


def _is_day(text: str, start: int) -> bool:
    return _DAY(text, start) is not None


def groups(text: str, at: int) -> Token | None:
    """Give the run of hexadecimal groups around a separator, or None when it is too long."""
    low = at - _FARTHEST
    start = at + 1 - _GROUPS(text[at : (low if low > 0 else None) : -1]).end()  # type: ignore[union-attr]  # matches ""
    end = _GROUPS(text, at, start + _FARTHEST).end()  # type: ignore[union-attr]  # matches ""
    if end - start >= LONGEST:
        return None
    if start and end < len(text) and (around := text[start - 1 : end + 1]).isascii():
        return start, end, around.encode().translate(_TO_GROUP).decode(), 1
    before = _symbol(text[start - 1]) if start else _EDGE
    after = _symbol(text[end]) if end < len(text) else _EDGE
    return start, end, before + text[start:end].encode().translate(_TO_GROUP).decode() + after, 1


def _symbol(beside: str) -> str:
    """The symbol of a character beside groups, which is never hexadecimal."""
    return beside.encode().translate(_TO_GROUP).decode() if beside.isascii() else _symbols(beside)


def end(text: str, at: int, *, hexadecimal: bool) -> int:
    """Give the end of the number around a digit or a separator, however long it is."""
    return (_GROUPS if hexadecimal else _ON)(text, at).end()  # type: ignore[union-attr]  # matches ""


def _symbols(text: str) -> str:
    return text.encode().translate(_TO_SYMBOL).decode() if text.isascii() else text.translate(_SYMBOLS)


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
    if before in _KEPT and symbols[-3:-2] in ("+", _BEYOND):  # a plus, which is not always ASCII, and a wide gap
        return symbols[-3:]
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
    road: Road


class Step(NamedTuple):
    """One try of a pattern, by number: at an offset from a number's start, if one of `firsts` stands there.

    The rest is the pattern's road.
    """

    number: int
    offset: int
    firsts: str  # nothing stands for any
    match: Callable[..., re.Match[str] | None]
    rule: int
    judge: Judge
    cost: int
    in_context: bool


Number = tuple[int, int, tuple[Step, ...]]
"""A number in a text: start, end, and which patterns may match it where."""


class Member(NamedTuple):
    """A pattern that hangs on numbers, and what is known of it."""

    number: int
    pattern: str
    lead: int  # characters before a number's first at which it may begin
    may: re.Pattern[str] | None  # where, in symbols, its check may be passed
    days: bool  # whether a day in ISO 8601 may pass it
    road: Road


class Shapes:
    """The patterns that hang on one class of numbers. The memory never changes what is found."""

    __slots__ = ("_begun", "_days", "_known", "_of_days", "_seen", "patterns")

    def __init__(self, members: Sequence[Member], *, days_of: "Shapes | None" = None) -> None:
        """Take the patterns of one class of numbers. `days_of`: for days in ISO 8601 only, of the same patterns."""
        self.patterns: list[tuple[Member, re.Pattern[str], str]] = (
            [(each, _shaped(each.pattern), patterns.firsts(each.pattern)) for each in members]
            if days_of is None
            else days_of.patterns
        )
        self._known: dict[str, tuple[Try, ...]] = {}
        # The same by a number's plain symbols, which are told sooner, and its first character.
        self._seen: dict[tuple[bytes, str], tuple[Step, ...]] = {}
        self._begun: dict[tuple[str, str], tuple[Step, ...]] = {}  # by its shape and first character
        self._of_days = days_of is not None
        self._days = self if days_of is not None else Shapes(members, days_of=self)

    def of_digits(self, text: str, at: int) -> Number | None:
        """Give the number around a digit and the patterns that may match it. None when that is not known."""
        back = text[at : at - _FARTHEST : -1] if at > _FARTHEST else text[at::-1]
        start = at + 1 - _BACK(back).end()  # type: ignore[union-attr]  # matches ""
        end = _ON(text, at, start + _FARTHEST).end()  # type: ignore[union-attr]  # matches ""
        raw = b""
        if start >= _AHEAD:
            raw = text[start - _AHEAD : end + _BEHIND_IT].encode("utf-8", "surrogatepass").translate(_TO_SYMBOL)
            steps = self._seen.get((raw, text[start]))
            if steps is not None:
                return start, end, steps
            if _NOT_ASCII in raw:  # an integer: bytes in bytes costs an exception
                raw = b""
        size = end - start
        if size >= LONGEST:
            return None
        if size == _OF_UUID and _UUID(text, start) is not None:  # no pattern matches one
            return start, end, ()
        if size in _OF_DAYS and text[start + 4] == text[start + 7] == "-":
            steps = self._days.steps(text, start, end, raw) if _is_day(text, start) else self.steps(text, start, end)
        else:
            if raw and (word := text[start:end]).isalnum() and not word.isdecimal():
                raw = raw[:_AHEAD] + raw[_AHEAD + size :] + _SIZES[size]  # all that its shape tells
            steps = self.steps(text, start, end, raw)
        return None if steps is None else (start, end, steps)

    def steps(self, text: str, start: int, end: int, raw: bytes = b"") -> tuple[Step, ...] | None:
        """What to try at a number, if its shape is known; from now on also by its plain symbols."""
        found = self._seen.get((raw, text[start]))
        if found is None:
            shape = _token(text, start, end)[2]
            found = self._told(shape, text, start)
            if found is None:
                return None
            if raw and (shape.count("x") <= _MOST_MIXED or raw.endswith(_SIZES[end - start])):
                if len(self._seen) >= _MOST_SHAPES:
                    self._seen.clear()
                self._seen[raw, text[start]] = found
        return found

    def of_groups(self, text: str, at: int) -> Number | None:
        """The same for the run of hexadecimal groups around a separator."""
        token = groups(text, at)
        steps = None if token is None else self._told(token[2], text, token[0])
        return None if token is None or steps is None else (token[0], token[1], steps)

    def _told(self, shape: str, text: str, start: int) -> tuple[Step, ...] | None:
        """What to try at a number of a shape that begins with a character, if it is known."""
        steps = self._begun.get((shape, text[start]))
        if steps is None and (tries := self._known.get(shape)) is not None:
            if len(self._begun) >= _MOST_SHAPES:
                self._begun.clear()
            steps = self._begun[shape, text[start]] = _steps(tries, text, start)
        return steps

    def learnt(self, text: str, at: int, *, hexadecimal: bool) -> Number | None:
        """Find out about a number that is not known. None when it is too long."""
        token = groups(text, at) if hexadecimal else digits(text, at)
        if token is None:
            return None
        start, end, _, _ = token
        of_day = end - start in _OF_DAYS and not hexadecimal and _is_day(text, start)
        return start, end, _steps((self._days if of_day else self).learn(token), text, start)

    def learn(self, token: Token) -> tuple[Try, ...]:
        """Find out which patterns may match a number of this shape: about 200 µs."""
        found = []
        start, end, shape, ahead = token
        unknown = _ANY * 8 if shape[0] != _EDGE else _EDGE
        text = unknown + shape + (_ANY * _BEHIND if shape[-1] != _EDGE else "")
        first = len(unknown) + ahead
        size = end - start
        for each, pattern, firsts in self.patterns:
            low = first - min(each.lead, ahead)
            starts = tuple(
                at - first
                for at in range(low, first + size)
                if (at != first or each.days or not self._of_days)
                and pattern.match(text, at)
                and (each.may is None or each.may.match(text, at))
            )
            if starts:
                found.append(Try(each.number, starts, firsts, each.road))
        if len(self._known) >= _MOST_SHAPES:
            self._known.clear()
        self._known[shape] = tuple(found)
        return self._known[shape]


def _steps(tries: Sequence[Try], text: str, start: int) -> tuple[Step, ...]:
    """What to try at numbers of a shape that begin with the character that this one begins with."""
    steps = []
    for number, starts, firsts, (rule, match, judge, cost, in_context) in tries:
        for offset in starts:
            first = text[start + offset]
            told = not offset or first in _KEPT  # which symbols tell
            if not firsts or not told or first in firsts:
                steps.append(Step(number, offset, "" if told else firsts, match, rule, judge, cost, in_context))
    return tuple(steps)


def _shaped(pattern: str) -> re.Pattern[str]:
    """Write a pattern anew for shapes, so that it matches wherever it may match a text of that shape."""
    return re.compile(_items(patterns.parsed(pattern), _possible))


_Accepts = Callable[[str, Any], str]


def _items(items: Any, accept: _Accepts) -> str:  # noqa: ANN401 - re's parse trees have no public type
    pieces = []
    for operation, argument in items:
        name = str(operation)
        if name in ("LITERAL", "NOT_LITERAL", "IN", "ANY"):
            pieces.append(accept(name, argument))
        elif name in patterns.REPEATS:
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
    return _possible_of(name, tuple(argument) if isinstance(argument, list) else argument)


@lru_cache(maxsize=1024)
def _possible_of(name: str, argument: Any) -> str:  # noqa: ANN401 - see _items
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
        return re.fullmatch(patterns.CATEGORIES[str(value)], character) is not None
    low, high = value if kind == "RANGE" else (value, value)
    return bool(low <= ord(character) <= high)
