"""What a pattern of a policy may be: regular expressions whose time is linear in the text, and how far they reach."""

import re
from typing import Any

from spansieve.redact.anchors import CLASSES

_parser: Any = re._parser  # type: ignore[attr-defined]  # noqa: SLF001 - the only way to look into a pattern
_MOST_REPEATS = 20_000
_MOST_NESTED = 10  # repeats of a part whose length varies: more of them could be split in too many ways
_LOOKAROUND = 64


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
        for part in _parts(name, argument):
            if found := _check(part, inner):
                return found
    return ""


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
