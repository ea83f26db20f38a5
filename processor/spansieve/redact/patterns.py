"""What a pattern of a policy may be: regular expressions whose time is linear in the text, and how far they reach."""

import re
from typing import Any, Final

from spansieve.redact.anchors import CLASSES

_parser: Any = re._parser  # type: ignore[attr-defined]  # noqa: SLF001 - the only way to look into a pattern
_MOST_REPEATS = 20_000
_MOST_NESTED = 10  # repeats of a part whose length varies: more of them could be split in too many ways
_LOOKAROUND = 64
_MANY = 1024  # ways to cut a text into repetitions


def problem(pattern: str) -> str:
    """Say what is wrong with a pattern, or nothing."""
    try:
        tree = _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return "is not a regular expression"
    if tree.getwidth()[0] == 0:
        return "matches the empty text"
    return _check(tree, within=1)


def reach(pattern: str) -> int:
    """Give the length of the longest match in characters, with room for what is looked at around it."""
    return int(_parser.parse(pattern).getwidth()[1]) + _LOOKAROUND


def is_anchor(text: str) -> bool:
    """Whether a text can anchor a rule."""
    return text in CLASSES or text == "@" or (len(text) >= 2 and text.isascii() and "\0" not in text)


def _check(tree: Any, within: int) -> str:  # noqa: ANN401 - re's parse trees have no public type
    for operation, argument in tree:
        name = str(operation)
        if name in ("GROUPREF", "GROUPREF_EXISTS"):
            return "refers back to a group, which cannot be matched in linear time"
        inner = within
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
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
        if str(list(inner)) == _DIGIT:
            own -= {OTHER}  # digits of other scripts, which separators are not
        if ends is None or not ends.isdisjoint(own):
            return True
    return False


def _codes_of_one(item: Any) -> frozenset[int]:  # noqa: ANN401 - see _check
    """The characters that an item starts with that has to be there; none for one that may be left out."""
    operation, argument = item
    name = str(operation)
    if name in _ONE_CHARACTER:
        return _codes(name, argument)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and argument[0]:
        return _all_codes(argument[2])
    return frozenset()


def _all_codes(items: Any) -> frozenset[int]:  # noqa: ANN401 - see _check
    """All characters that a part of a pattern may take."""
    found = frozenset[int]()
    for operation, argument in items:
        name = str(operation)
        found |= _codes(name, argument) if name in _ONE_CHARACTER else frozenset()
        for part in _parts(name, argument):
            found |= _all_codes(part)
    return found


def _parts(name: str, argument: Any) -> list[Any]:  # noqa: ANN401 - see _check
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


def outline(pattern: str) -> bytes:
    """Write a pattern anew for a scanner of bytes, so that it matches wherever the pattern does, or more often.

    What looks around is left out, except a set of characters that may not be next to a match, and characters that are
    not ASCII are all taken for one, OTHER. Raises ValueError for what cannot be written so.
    """
    items = list(_parser.parse(pattern))
    before = after = b""
    while items and str(items[0][0]) in _ZERO_WIDTH:
        before = _beside(items.pop(0), -1) or before
    while items and str(items[-1][0]) in _ZERO_WIDTH:
        after = _beside(items.pop(), 1) or after
    return (b"(?:^|" + before + b")" if before else b"") + _written(items) + (b"(?:$|" + after + b")" if after else b"")


OTHER: Final = 0xFF
_DIGIT = str(list(_parser.parse(r"\d")))
_ONE_CHARACTER = ("LITERAL", "NOT_LITERAL", "IN", "ANY")
_ZERO_WIDTH = ("ASSERT", "ASSERT_NOT", "AT")
_ALL = frozenset((*range(128), OTHER))
_FOLDED = frozenset(b"iIkKsS")  # U+0130, U+0131, U+212A and U+017F are these in another case
_CATEGORIES = {
    "DIGIT": frozenset(map(ord, "0123456789")),
    "SPACE": frozenset(code for code in range(128) if chr(code).isspace()),
    "WORD": frozenset(code for code in range(128) if chr(code).isalnum() or code == ord("_")),
}


def _beside(item: Any, side: int) -> bytes:  # noqa: ANN401 - see _check
    """The set of what may stand beside a match, when an item says what may not and that is one character."""
    operation, argument = item
    if str(operation) != "ASSERT_NOT" or argument[0] != side or len(argument[1]) != 1:
        return b""
    name, value = argument[1][0]
    if str(name) not in ("IN", "LITERAL"):
        return b""
    # A character that is not ASCII may be one of the set and its neighbour none: OTHER stays.
    return _set(_ALL - _codes(str(name), value) | {OTHER})


def _written(items: Any) -> bytes:  # noqa: ANN401 - see _check
    pieces = []
    for operation, argument in items:
        name = str(operation)
        if name in _ZERO_WIDTH:
            continue
        if name in ("LITERAL", "NOT_LITERAL", "IN", "ANY"):
            pieces.append(_set(_codes(name, argument)))
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, body = argument
            pieces.append(b"(?:%b){%d,%d}" % (_written(body), low, int(high)))
        elif name in ("SUBPATTERN", "ATOMIC_GROUP", "BRANCH"):
            pieces.append(b"(?:" + b"|".join(map(_written, _parts(name, argument))) + b")")
        else:
            raise ValueError(f"{name} cannot be outlined")
    return b"".join(pieces)


def _codes(name: str, argument: Any) -> frozenset[int]:  # noqa: ANN401 - see _check
    """The ASCII characters that an item of a pattern takes, and OTHER when it takes any other, in any case."""
    match name:
        case "LITERAL":
            return frozenset({argument if argument < 128 else OTHER})
        case "RANGE":
            low, high = argument
            return frozenset((*range(low, min(high, 127) + 1), *([OTHER] if high >= 128 else [])))
        case "CATEGORY":
            _, negated, kind = str(argument).rpartition("NOT_")
            codes = _CATEGORIES[kind.removeprefix("CATEGORY_")]
            return (_ALL - codes if negated else codes) | {OTHER}
        case "NOT_LITERAL":
            return (_ALL - {argument}) | {OTHER}
        case "ANY":
            return _ALL
    taken = frozenset[int]().union(*(_codes(str(n), a) for n, a in argument if str(n) != "NEGATE"))
    return (_ALL - taken) | {OTHER} if str(argument[0][0]) == "NEGATE" else taken


def _set(codes: frozenset[int]) -> bytes:
    if not codes.isdisjoint(_FOLDED):
        codes |= {OTHER}
    return b"[" + b"".join(b"\\x%02x" % code for code in sorted(codes)) + b"]"
