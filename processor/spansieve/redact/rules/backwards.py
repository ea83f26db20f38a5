r"""Patterns read from right to left: what stands right before a place costs one try, not one at each character of it.

`(?:version|v) {1,3}\Z`, searched for in the text before a number, is tried at each character of that text. `\ {1,3}`
and `noisrev` or `v`, matched against the same text from its end on, is tried once.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from spansieve.redact.rules import patterns
from spansieve.redact.rules.linear import Linear

Before = Callable[[str, int], bool]
"""Says whether something stands right before a place in a text."""

_FARTHEST: Final = 96  # characters in front of a place that are looked at
_AHEAD: Final = 1
_END: Final = "AT_END_STRING"
_AT = {"AT_BOUNDARY": r"\b", "AT_NON_BOUNDARY": r"\B"}


class _NotReversible(Exception):
    """A part of a pattern depends on the direction in which it is read, or on flags that are not known here."""


def before(pattern: re.Pattern[str] | Linear) -> Before:
    r"""Make of a pattern that ends in `\Z`, or an operator's that ends in `$`, what looks for it before a place."""
    if isinstance(pattern, Linear):
        search = pattern.search

        def found(text: str, at: int) -> bool:
            return search(text[at - _FARTHEST if at > _FARTHEST else 0 : at])

        return found
    reach = min(_FARTHEST, patterns.width(pattern.pattern))
    begins = patterns.beginning(pattern.pattern)
    back = turned(pattern.pattern)
    look: Callable[[str], re.Match[str] | None] = pattern.search if back is None else back.match
    step = 1 if back is None else -1

    def matched(text: str, at: int) -> bool:
        return look(text[at - reach if at > reach else 0 : at][::step]) is not None

    def begun(text: str, at: int) -> bool:
        return text.find(begins, at - reach if at > reach else 0, at) >= 0 and matched(text, at)

    return begun if begins else matched


def turned(pattern: str) -> re.Pattern[str] | None:
    r"""Turn round a pattern that ends in `\Z`: it matches at the start of a reversed text if that is found in the text.

    None when that cannot be told of the pattern.
    """
    tree = patterns.parsed(pattern)
    items = list(tree)
    flags = tree.state.flags & ~re.UNICODE
    if not items or str(items[-1][0]) != "AT" or str(items[-1][1]) != _END or flags & ~re.IGNORECASE:
        return None
    try:
        return re.compile(_items(items[:-1]), flags)
    except _NotReversible:
        return None


def _items(items: Iterable[Any]) -> str:
    return "".join([_one(str(operation), argument) for operation, argument in items][::-1])


def _one(name: str, argument: Any) -> str:  # noqa: ANN401 - re's parse trees have no public type
    match name:
        case "LITERAL":
            return re.escape(chr(argument))
        case "NOT_LITERAL":
            return f"[^{re.escape(chr(argument))}]"
        case "ANY":
            return "."
        case "IN":
            return "[" + "".join(patterns.member(str(kind), value) for kind, value in argument) + "]"
        case "MAX_REPEAT" | "MIN_REPEAT":
            low, high, body = argument
            return f"(?:{_items(body)}){{{low},{int(high)}}}"
        case "BRANCH":
            return "(?:" + "|".join(_items(each) for each in argument[1]) + ")"
        case "SUBPATTERN" if not argument[2] and not argument[1] & ~re.IGNORECASE:
            return ("(?i:" if argument[1] else "(?:") + _items(argument[3]) + ")"
        case "AT" if str(argument) in _AT:
            return _AT[str(argument)]
        case "ASSERT" | "ASSERT_NOT":
            return _looked(argument[0], list(argument[1]), "=" if name == "ASSERT" else "!")
    raise _NotReversible


def _looked(direction: int, body: list[Any], sign: str) -> str:
    if direction != _AHEAD:
        return f"(?{sign}{_items(body)})"
    low, high = patterns.widths(body)
    if low != high:
        raise _NotReversible
    return f"(?<{sign}{_items(body)})"
