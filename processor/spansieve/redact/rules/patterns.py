"""What a pattern of a policy may be: regular expressions whose time is linear in the text, and how far they reach."""

import re
from functools import lru_cache
from typing import Any, Final

from spansieve.redact.rules.anchors import CLASSES
from spansieve.redact.rules.literals import MARKS
from spansieve.redact.text import tokens

_parser: Any = re._parser  # type: ignore[attr-defined]  # noqa: SLF001 - the only way to look into a pattern
_MOST_REPEATS = 20_000
_MOST_NESTED = 10  # repeats of a part whose length varies: more of them could be split in too many ways
_LOOKAROUND = 64
_MANY = 1024  # ways to cut a text into repetitions


@lru_cache(maxsize=2048)
def parsed(pattern: str) -> Any:  # noqa: ANN401 - re's parse trees have no public type
    """Parse a pattern, to be read only. Raises what `re.compile` does. Each is asked for a dozen times."""
    return _parser.parse(pattern)


def widths(items: list[Any]) -> tuple[int, int]:
    """Give how long what these items of a parsed pattern match is at least, and at most, in characters."""
    low, high = _parser.SubPattern(_parser.State(), items).getwidth()
    return int(low), int(high)


def problem(pattern: str) -> str:
    """Say what is wrong with a pattern, or nothing."""
    try:
        tree = parsed(pattern)
    except (re.error, OverflowError, RecursionError):
        return "is not a regular expression"
    if tree.getwidth()[0] == 0:
        return "matches the empty text"
    return _check(tree, within=1)


def reach(pattern: str) -> int:
    """Give the length of the longest match in characters, with room for what is looked at around it."""
    return int(parsed(pattern).getwidth()[1]) + _LOOKAROUND


def width(pattern: str) -> int:
    """Give the length of the longest match in characters, and one for what is looked at in front of it."""
    return int(parsed(pattern).getwidth()[1]) + 1


def is_anchor(text: str) -> bool:
    """Whether a text can anchor a rule."""
    literal = text.lstrip(MARKS).removesuffix("$")
    return (
        text in CLASSES
        or literal == "@"
        or (max(map(len, literal.split("*"))) >= 2 and max(literal) < "\u0100" and "\0" not in literal)
    )


def _check(tree: Any, within: int) -> str:  # noqa: ANN401 - see parsed
    for operation, argument in tree:
        name = str(operation)
        if name in ("GROUPREF", "GROUPREF_EXISTS"):
            return "refers back to a group, which cannot be matched in linear time"
        inner = within
        if name in REPEATS:
            low, high, _ = argument
            if high > _MOST_REPEATS:
                return f"repeats without a bound, or more than {_MOST_REPEATS} times: write {{1,64}} in place of +"
            if name != "POSSESSIVE_REPEAT":  # which never gives back what it took
                if within > _MOST_NESTED and high - low > 1:
                    return f"repeats a part of varying length more than {_MOST_NESTED} times"
                inner = within * max(1, int(high))
            if high > 1 and _splits_many_ways(list(argument[2]), int(high)):
                return "repeats a part of varying length that nothing ends: write (?:a{1,9},){1,5} with a comma after a"
        for part in _parts(name, argument):
            if found := _check(part, inner):
                return found
    return ""


def _splits_many_ways(body: list[Any], times: int) -> bool:
    """Whether a part that is repeated has a repeat in it that no character ends, which has to be there and is no other.

    Text that such a part matches can be cut into its repetitions in more ways than anyone can try.
    """
    if len(body) == 1 and str(body[0][0]) in ("SUBPATTERN", "BRANCH", "ATOMIC_GROUP"):
        return any(_splits_many_ways(list(part), times) for part in _parts(str(body[0][0]), body[0][1]))
    for place, (operation, argument) in enumerate(body):
        if str(operation) not in ("MAX_REPEAT", "MIN_REPEAT"):
            continue
        low, high, inner = argument
        if high - low <= 1 or (high - low + 1) ** min(times, _MANY) <= _MANY:
            continue
        following = (body[(place + step) % len(body)] for step in range(1, len(body)))
        ends = next((_codes_of_one(item) for item in following if _codes_of_one(item)), None)
        own = _all_codes(inner)
        if list(inner) == _DIGIT:
            own -= {OTHER}  # digits of other scripts, which separators are not
        if ends is None or not ends.isdisjoint(own):
            return True
    return False


def _codes_of_one(item: Any) -> frozenset[int]:  # noqa: ANN401 - see parsed
    """The characters that an item starts with that has to be there; none for one that may be left out."""
    operation, argument = item
    name = str(operation)
    if name in _ONE_CHARACTER:
        return codes(name, argument)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and argument[0]:
        return _all_codes(argument[2])
    return frozenset()


def _all_codes(items: Any) -> frozenset[int]:  # noqa: ANN401 - see parsed
    """All characters that a part of a pattern may take."""
    found = frozenset[int]()
    for operation, argument in items:
        name = str(operation)
        found |= codes(name, argument) if name in _ONE_CHARACTER else frozenset()
        for part in _parts(name, argument):
            found |= _all_codes(part)
    return found


def _parts(name: str, argument: Any) -> list[Any]:  # noqa: ANN401 - see parsed
    """The parse trees inside of one."""
    match name:
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return [argument[2]]
        case "SUBPATTERN":
            return [argument[-1]]
        case "BRANCH":
            return list(argument[1])
        case "ASSERT" | "ASSERT_NOT":
            return [argument[1]]
        case "ATOMIC_GROUP":
            return [argument]
        case _:
            return []


def beginning(pattern: str) -> str:
    """Give the characters that every match of a pattern begins with; nothing for fewer than two."""
    found = ""
    for operation, argument in parsed(pattern):
        if str(operation) in ZERO_WIDTH:
            continue
        if str(operation) != "LITERAL":
            break
        found += chr(argument)
    return found if len(found) > 1 else ""


def firsts(pattern: str) -> str:
    """Give the ASCII characters that a match may begin with; nothing when it may begin with any."""
    found: set[str] = set()
    if _firsts(list(parsed(pattern)), found):
        return ""
    return "".join(sorted(found)) if len(found) < 100 else ""


def _firsts(items: list[Any], found: set[str]) -> bool:
    """Add what may stand first, and say whether all of it may be left out."""
    for operation, argument in items:
        name = str(operation)
        if name in ZERO_WIDTH:
            continue
        if name in _ONE_CHARACTER:
            found |= {chr(code) for code in codes(name, argument) if code < 128}
            return False
        parts = _parts(name, argument)
        optional = [_firsts(list(part), found) for part in parts]
        if not (any(optional) or (name in REPEATS and argument[0] == 0)):
            return False
    return True


def opening(pattern: str) -> str:
    """Give the characters that a match may begin with, as a set in a regex; nothing when they are too many to tell."""
    tree = parsed(pattern)
    found: set[int] = set()
    if _opening(list(tree), tree.state.flags, found) or len(found) > _MOST_OPENING:
        return ""
    # All that is not ASCII is in what is not some of ASCII: so `re` needs no table of Unicode for it.
    left_out = OTHER in found
    members = _ALL - found if left_out else found
    return ("[^" if left_out else "[") + "".join(rf"\x{code:02x}" for code in sorted(members - {OTHER})) + "]"


def _opening(items: list[Any], flags: int, found: set[int]) -> bool:
    """Add what may stand first, in any case where that does not count, and say whether all of it may be left out."""
    for operation, argument in items:
        name = str(operation)
        if name in ZERO_WIDTH:
            continue
        if name in _ONE_CHARACTER:
            taken = codes(name, argument)
            if flags & re.IGNORECASE and any(chr(code).isalpha() for code in taken - {OTHER}):
                either = "".join(chr(code) for code in taken - {OTHER})
                taken |= {ord(each) for each in either.lower() + either.upper()} | {OTHER}
            found |= taken
            return False
        within = (flags | argument[1]) & ~argument[2] if name == "SUBPATTERN" else flags
        optional = [_opening(list(part), within, found) for part in _parts(name, argument)]
        if not (any(optional) or (name in REPEATS and argument[0] == 0)):
            return False
    return True


@lru_cache(maxsize=2048)
def before_run(pattern: str) -> int | None:
    """Give the most characters from the start of a match to that of a long run in it (see `tokens`).

    None when a match may have no such run.
    """
    tree = parsed(pattern)
    if tree.state.flags & re.IGNORECASE:
        return None
    ends = _runs(list(tree), [_NO_RUN])
    return max(start for start, _, _ in ends) if all(length >= tokens.SHORTEST for _, length, _ in ends) else None


_Run = tuple[int, int, int]
"""Most characters before the last run, its fewest, and most characters to its end, on one way through a pattern."""

_NO_RUN: _Run = (0, 0, 0)


def _runs(items: list[Any], ways: list[_Run]) -> list[_Run]:
    """Follow some ways through more of a pattern. One that has come to a long run stays there."""
    for operation, argument in items:
        name = str(operation)
        if name in ZERO_WIDTH:
            continue
        low, high = widths([(operation, argument)])
        within = _all_codes([(operation, argument)]) <= _OF_RUNS and not _ignores_case(name, argument)
        split = name == "BRANCH" or (name == "SUBPATTERN" and not _ignores_case(name, argument))
        further: list[_Run] = []
        for way in ways:
            start, length, end = way
            if length >= tokens.SHORTEST:
                further.append(way)
            elif within:
                further.append((start, length + int(low), end + int(high)))
            elif split:
                further += [each for part in _parts(name, argument) for each in _runs(list(part), [way])]
            else:
                further.append((end + int(high), 0, end + int(high)))
        ways = sorted(set(further))
    return ways


def _ignores_case(name: str, argument: Any) -> bool:  # noqa: ANN401 - see parsed
    """Whether an item, or a part of it, takes letters in any case: among them may be some that are not ASCII."""
    if name == "SUBPATTERN" and argument[1] & re.IGNORECASE:
        return True
    return any(_ignores_case(str(inner), of) for part in _parts(name, argument) for inner, of in part)


@lru_cache(maxsize=2048)
def before_digit(pattern: str) -> int | None:
    """Give the most characters that a match may have before its first digit. None when a match may have none."""
    return _before_digit(list(parsed(pattern)))


def _before_digit(items: list[Any]) -> int | None:
    ahead = 0
    seen: list[int] = []  # by a lookahead
    for operation, argument in items:
        name = str(operation)
        if name == "ASSERT" and argument[0] > 0 and (looked := _before_digit(list(argument[1]))) is not None:
            seen.append(ahead + looked)
        if name in ZERO_WIDTH:
            continue
        within = _first_digit(name, argument)
        if within is not None:
            return min([*seen, ahead + within])
        ahead += widths([(operation, argument)])[1]
    return min(seen, default=None)


def _first_digit(name: str, argument: Any) -> int | None:  # noqa: ANN401 - see parsed
    """The same for one item, which has to be there."""
    if name == "IN":
        return 0 if argument in (_DIGIT[0][1], _ASCII_DIGIT[0][1]) else None
    if name in REPEATS and not argument[0]:
        return None
    each = [_before_digit(list(part)) for part in _parts(name, argument)]
    return None if not each or None in each else max(found for found in each if found is not None)


def before_at(pattern: str) -> str:
    """Give a set of the characters that a match may have before its first `@`, when it is made of a few alike.

    Nothing when something else may stand there, or when no match has an `@`.
    """
    sets: list[str] = []
    for operation, argument in parsed(pattern):
        name = str(operation)
        if name in ("SUBPATTERN", "BRANCH", "LITERAL"):
            return "".join(sets) if sets and _begins_with_at(name, argument) else ""
        items = argument[2] if name in REPEATS else [(operation, argument)]
        for inner, members in items:
            if str(inner) != "IN" or str(members[0][0]) == "NEGATE":
                return ""
            sets += [member(str(kind), value) for kind, value in members]
    return ""


def _begins_with_at(name: str, argument: Any) -> bool:  # noqa: ANN401 - see parsed
    if name == "LITERAL":
        return bool(argument == ord("@"))
    first = [next(iter(part)) for part in _parts(name, argument) if list(part)]
    return any(_begins_with_at(str(operation), inner) for operation, inner in first)


def member(kind: str, value: Any) -> str:  # noqa: ANN401 - see parsed
    """Write a member of a set as a pattern has it between brackets."""
    if kind == "NEGATE":
        return "^"
    if kind == "CATEGORY":
        return CATEGORIES[str(value)]
    if kind == "RANGE":
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    return re.escape(chr(value))


CATEGORIES: Final = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_MOST_OPENING = 48  # characters: a set of more would let nearly all of a text through
OTHER: Final = 0xFF  # any character that is not ASCII
_DIGIT = list(_parser.parse(r"\d"))
_ASCII_DIGIT = list(_parser.parse("[0-9]"))
ZERO_WIDTH: Final = ("ASSERT", "ASSERT_NOT", "AT")
_ONE_CHARACTER = ("LITERAL", "NOT_LITERAL", "IN", "ANY")
_ALL = frozenset((*range(128), OTHER))
_OF_RUNS = frozenset(tokens.MEMBERS)
_CATEGORIES = {
    "DIGIT": frozenset(map(ord, "0123456789")),
    "SPACE": frozenset(code for code in range(128) if chr(code).isspace()),
    "WORD": frozenset(code for code in range(128) if chr(code).isalnum() or code == ord("_")),
}


def codes(name: str, argument: Any) -> frozenset[int]:  # noqa: ANN401 - see parsed
    """The ASCII characters that an item of a pattern takes, and OTHER when it takes any other, in any case."""
    match name:
        case "LITERAL":
            return frozenset({argument if argument < 128 else OTHER})
        case "RANGE":
            low, high = argument
            return frozenset((*range(low, min(high, 127) + 1), *([OTHER] if high >= 128 else [])))
        case "CATEGORY":
            _, negated, kind = str(argument).rpartition("NOT_")
            members = _CATEGORIES[kind.removeprefix("CATEGORY_")]
            return (_ALL - members if negated else members) | {OTHER}
        case "NOT_LITERAL":
            return (_ALL - {argument}) | {OTHER}
        case "ANY":
            return _ALL
    return _codes_of_set(tuple(argument))


@lru_cache(maxsize=2048)
def _codes_of_set(members: tuple[Any, ...]) -> frozenset[int]:
    """The same for a set: few come up, and these again and again."""
    taken = frozenset[int]().union(*(codes(str(n), a) for n, a in members if str(n) != "NEGATE"))
    return (_ALL - taken) | {OTHER} if str(members[0][0]) == "NEGATE" else taken
