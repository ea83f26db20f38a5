"""What all that a pattern matches has in it: at which of a rule's literals it has to be tried, and what else is near.

A pattern is followed along all ways through it, as far as to the first literal that its rule hangs on. One that has
such a literal on every way need not be tried anywhere else. Only what patterns say in ASCII counts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from spansieve.redact.rules import patterns
from spansieve.redact.rules.literals import Literal, Need

_MOST_WAYS: Final = 4096
_MOST_ALTERNATIVES: Final = 4  # characters of a set that are followed one by one
_NEAR: Final = 48  # characters from the start of a match to its literal, and to its digit, that are near each other
_SHORTEST_NEED: Final = 4  # characters: what is shorter is near by accident
_ASCII_WORD: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_ANY_CASE = "\0"  # in place of a letter whose case does not count

Offsets = tuple[int, int]
"""The fewest and the most characters from the start of a match to a literal in it."""


class _Way(NamedTuple):
    """One way through a part of a pattern. The literal that ends it comes twice: in small letters, and as it is."""

    low: int = 0  # characters to that literal, at least
    high: int = 0
    small: str = ""
    exact: str = ""
    word: bool = False  # no letter or digit stands before it

    def then(self, small: str, exact: str) -> "_Way":
        return self._replace(small=self.small + small, exact=self.exact + exact)

    def gap(self, low: int, high: int) -> "_Way":
        size = len(self.small)
        return _Way(self.low + size + low, self.high + size + high)


def at_literals(pattern: str, literals: Mapping[str, Literal], within: int) -> dict[str, Offsets] | None:
    """Give literals of which each match has one, `within` so many characters from its start, with how far from it.

    None when there are no such. Literals that ask for more than a digit, which all matches have, or for a word's
    beginning are left out.
    """
    tree = patterns.parsed(pattern)
    digit = patterns.before_digit(pattern)
    numbers = digit is not None and digit <= _NEAR
    told = {name: each for name, each in literals.items() if _is_plain(each) and (numbers or not each.number)}
    follow = _Follow(told, within)
    try:
        left = follow.items(list(tree), [_Way()], tree.state.flags)
    except _TooManyWays:
        return None
    return None if left else follow.found


def need(pattern: str, beside: Literal) -> Need | None:
    """Give the longest literal, other than one, that stands in all that a pattern matches, and how far it reaches."""
    tree = patterns.parsed(pattern)
    runs: list[_Way] = []
    way = _Way()
    for operation, argument in tree:
        name = str(operation)
        if name in patterns.ZERO_WIDTH:
            continue
        if name == "LITERAL" and argument < 128 and not (tree.state.flags & re.IGNORECASE):
            way = way.then(chr(argument).lower(), chr(argument))
            continue
        runs.append(way)
        way = way.gap(*patterns.widths([(operation, argument)]))
    runs.append(way)
    anchor = beside.raw.decode("latin-1").lower()
    others = [each for each in runs if len(each.exact) >= _SHORTEST_NEED and anchor.strip() not in each.small]
    others = [each for each in others if each.small.strip() not in anchor]
    if not others:
        return None
    best = max(others, key=lambda each: len(each.exact))
    return Need(best.exact.encode(), 0, best.high + len(best.exact))


@lru_cache(maxsize=4096)
def may_begin(pattern: str, literal: Literal) -> bool:
    """Whether a match may begin where a literal does."""
    if len(literal.raw) < literal.size:
        return True
    tree = patterns.parsed(pattern)
    text = literal.raw.decode("latin-1")
    return bool(_beyond(list(tree), text, literal.exact, {0}, tree.state.flags))


def _beyond(items: Iterable[Any], text: str, exact: bool, places: set[int], flags: int) -> set[int]:  # noqa: FBT001 - a fact of the text
    """Where in a text that goes on in any way a part of a pattern may end that begins at some places of it."""
    size = len(text)
    for operation, argument in items:
        name = str(operation)
        if not places or name in patterns.ZERO_WIDTH:
            continue
        if name in patterns.REPEATS:
            low, high, body = argument
            further = set() if low else set(places)
            for times in range(1, min(high, low + size + 1) + 1):
                places = _beyond(list(body), text, exact, places, flags)
                if times >= low:
                    further |= places
            places = further
        elif name == "SUBPATTERN":
            places = _beyond(list(argument[3]), text, exact, places, (flags | argument[1]) & ~argument[2])
        elif name == "BRANCH":
            places = set().union(*(_beyond(list(body), text, exact, places, flags) for body in argument[1]))
        elif name == "ATOMIC_GROUP":
            places = _beyond(list(argument), text, exact, places, flags)
        else:
            codes = patterns.codes(name, argument)
            any_case = not exact or flags & re.IGNORECASE
            places = {at if at == size else at + 1 for at in places if at == size or _takes(codes, text[at], any_case)}
    return places


def _takes(codes: frozenset[int], character: str, any_case: object) -> bool:
    forms = character.lower() + character.upper() if any_case else character
    return any((ord(each) if ord(each) < 128 else patterns.OTHER) in codes for each in forms)


class _TooManyWays(Exception):
    """A pattern has more ways through it than are followed."""


def _is_plain(literal: Literal) -> bool:
    return not (literal.named or literal.behind or literal.ends or len(literal.raw) < literal.size)


class _Follow:
    """Follows ways; those that come to a literal end there, and are noted in `found`."""

    def __init__(self, literals: Mapping[str, Literal], within: int) -> None:
        self.found: dict[str, Offsets] = {}
        self._within = within
        self._literals = [(name, each.raw.decode("latin-1"), each) for name, each in literals.items()]
        self._endings = tuple({raw.lower() for _, raw, _ in self._literals})

    def items(self, items: Iterable[Any], ways: Sequence[_Way], flags: int) -> list[_Way]:
        """Follow ways through more of a pattern, and give those that came to no literal."""
        going = list(ways)
        for operation, argument in items:
            if not going:
                break
            going = list(dict.fromkeys(self._one(str(operation), operation, argument, going, flags)))
            if len(going) > _MOST_WAYS:
                raise _TooManyWays
        return going

    def _one(self, name: str, operation: Any, argument: Any, ways: list[_Way], flags: int) -> list[_Way]:  # noqa: ANN401 - re's parse trees have no public type
        match name:
            case "AT" | "ASSERT" | "ASSERT_NOT":
                begins = _begins_word(name, argument)
                return [way._replace(word=True) if begins and not way.high and not way.small else way for way in ways]
            case "LITERAL" if argument < 128:
                return self._characters([argument], ways, flags)
            case "IN" if codes := _few(argument):
                return self._characters(codes, ways, flags)
            case "SUBPATTERN":
                _, more, fewer, body = argument
                return self.items(list(body), ways, (flags | more) & ~fewer)
            case "BRANCH":
                return [way for body in argument[1] for way in self.items(list(body), ways, flags)]
            case "ATOMIC_GROUP":
                return self.items(list(argument), ways, flags)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self._repeated(argument, ways, flags)
        low, high = patterns.widths([(operation, argument)])
        return [way.gap(low, high) for way in ways]

    def _repeated(self, argument: Any, ways: list[_Way], flags: int) -> list[_Way]:  # noqa: ANN401 - as above
        low, high, body = argument
        least, most = patterns.widths(list(body))
        if not low and high > 1:
            return [way.gap(0, high * most) for way in ways]
        through = self.items(list(body), ways, flags)
        if high == 1:
            return through if low else [*ways, *through]
        return [way.gap((low - 1) * least, (high - 1) * most) for way in through]

    def _characters(self, codes: Sequence[int], ways: list[_Way], flags: int) -> list[_Way]:
        further: list[_Way] = []
        for code in codes:
            character = chr(code)
            exact = _ANY_CASE if flags & re.IGNORECASE and character.isalpha() else character
            further += [way.then(character.lower(), exact) for way in ways]
        return [way for way in further if not self._ends(way)]

    def _ends(self, way: _Way) -> bool:
        """Whether a way has come to a literal, which is noted."""
        if not way.small.endswith(self._endings):
            return False
        for name, raw, literal in self._literals:
            if not (way.exact if literal.exact else way.small).endswith(raw):
                continue
            into = len(way.small) - len(raw)
            low, high = way.low + into, way.high + into
            within = min(self._within, _NEAR) if literal.number else self._within
            if high <= within and (not literal.word or (way.word and not high and raw[0].isalnum())):
                least, most = self.found.get(name, (low, high))
                self.found[name] = min(least, low), max(most, high)
                return True
        return False


def _begins_word(name: str, argument: Any) -> bool:  # noqa: ANN401 - as above
    """Whether an item asks that no letter or digit stands in front of one that follows."""
    if name == "AT":
        return str(argument) == "AT_BOUNDARY"
    if name == "ASSERT" or argument[0] > 0:
        return False
    looked = list(argument[1])
    if len(looked) != 1 or str(looked[0][0]) != "IN":
        return False
    return patterns.codes("IN", looked[0][1]) >= _ASCII_WORD


def _few(members: Any) -> list[int]:  # noqa: ANN401 - as above
    """The characters of a set, if they are few and ASCII."""
    codes: list[int] = []
    for kind, value in members:
        name = str(kind)
        if name == "LITERAL":
            codes.append(value)
        elif name == "RANGE" and value[1] - value[0] < _MOST_ALTERNATIVES:
            codes += range(value[0], value[1] + 1)
        else:
            return []
    return codes if len(codes) <= _MOST_ALTERNATIVES and max(codes) < 128 else []
