r"""Patterns of the gateway's rules as Go's regular expressions can say them, and Python's `re` reads alike.

What cannot be said is left out: a look at what stands around becomes `\b` where letters and digits were meant and
nothing elsewhere, a possessive repeat an ordinary one, a group a plain one. A bound of many repeats becomes none, since
Go makes a step for each, and every step costs time.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

_parser: Any = re._parser  # type: ignore[attr-defined]  # noqa: SLF001 - the only way to look into a pattern
_MANY = 24  # repeats from which on a bound is left out
_SETS = {
    "CATEGORY_DIGIT": "0-9",
    "CATEGORY_NOT_DIGIT": "\\D",
    "CATEGORY_SPACE": "\\s",
    "CATEGORY_NOT_SPACE": "\\S",
    "CATEGORY_WORD": "\\w",
    "CATEGORY_NOT_WORD": "\\W",
}
_PLACES = {
    "AT_BEGINNING": "^",
    "AT_BEGINNING_STRING": "^",
    "AT_BOUNDARY": "\\b",
    "AT_NON_BOUNDARY": "\\B",
    "AT_END": "$",
    "AT_END_STRING": "$",
}
_LINES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ALNUM = "0-9A-Za-z"
_SPECIAL = ".[](){}|^$?*+\\"


def translate(pattern: str) -> str:
    """Say a pattern of a shipped rule in what Go and Python have in common."""
    return _sequence(list(_parser.parse(pattern)), outermost=True)


def literal_start(pattern: str) -> str:
    """The text that each match of a translated pattern begins with, in this case; empty when there is none."""
    found = ""
    for operation, argument in _parser.parse(pattern):
        if str(operation) != "LITERAL":
            break
        found += chr(argument)
    return found


def parted(pattern: str) -> tuple[str, str]:
    """The fixed text that a translated pattern begins with, and the pattern behind it."""
    text, at = "", 0
    while at < len(pattern) and (
        pattern[at] not in _SPECIAL or (pattern[at] == "\\" and not pattern[at + 1].isalnum())
    ):
        step = 2 if pattern[at] == "\\" else 1
        if pattern[at + step : at + step + 1] in tuple("?*+{"):
            break  # it may be there any number of times
        text, at = text + pattern[at + step - 1], at + step
    return (text, pattern[at:]) if literal_start(pattern).startswith(text) else ("", pattern)


def tree(texts: Iterable[str], written: Callable[[str], str] = re.escape) -> str:
    """One pattern of texts, in which a beginning that several have stands once; `written` says a character."""
    by_first: dict[str, list[str]] = {}
    for text in texts:
        by_first.setdefault(text[:1], []).append(text[1:])
    ends = by_first.pop("", None) is not None
    branches = [written(first) + tree(rest, written) for first, rest in by_first.items()]
    if not branches:
        return ""
    joined = branches[0] if len(branches) == 1 and not ends else f"(?:{'|'.join(branches)})"
    return joined + "?" if ends else joined


def _sequence(items: Sequence[Any], *, outermost: bool = False) -> str:
    written: list[str] = []
    last = len(items) - 1
    for place, (operation, argument) in enumerate(items):
        name = str(operation)
        if name == "ASSERT":
            direction, inner = argument
            # What has to stand before a match, or at its end, is matched itself; in between it would be matched twice.
            if direction < 0 or (outermost and place == last):
                written.append(_sequence(list(inner)))
        elif name == "ASSERT_NOT":
            if outermost and _is_alnum(argument[1]) and (place == last or (argument[0] < 0 and not "".join(written))):
                written.append("\\b" if place == 0 or _ends_in_word(items[place - 1]) else "")
        else:
            written.append(_item(name, argument))
    return "".join(written)


def _item(name: str, argument: Any) -> str:  # noqa: ANN401 - re's parse trees have no public type
    match name:
        case "LITERAL":
            return _escape(argument)
        case "NOT_LITERAL":
            return f"[^{_in_set(argument)}]"
        case "ANY":
            return "."
        case "IN":
            return _set(argument)
        case "AT":
            return _PLACES[str(argument)]
        case "BRANCH":
            return f"(?:{'|'.join(_sequence(list(branch)) for branch in argument[1])})"
        case "SUBPATTERN":
            _, added, _, inner = argument
            return f"(?{'i' if added & re.IGNORECASE else ''}:{_sequence(list(inner))})"
        case "ATOMIC_GROUP":
            return f"(?:{_sequence(list(argument))})"
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            low, high, inner = argument
            lazy = "?" if name == "MIN_REPEAT" else ""
            return _repeated(list(inner), int(low), int(high)) + lazy
    raise ValueError(f"{name} has no translation")


def _repeated(inner: list[Any], low: int, high: int) -> str:
    body = _sequence(inner)
    if not body:
        return ""
    if len(inner) != 1 or str(inner[0][0]) not in ("LITERAL", "IN", "ANY", "NOT_LITERAL", "SUBPATTERN"):
        body = f"(?:{body})"
    if (low, high) == (0, 1):
        return body + "?"
    if low == high:
        return body if low == 1 else f"{body}{{{low}}}"
    if high >= _MANY:
        return body + ({0: "*", 1: "+"}.get(low) or f"{{{low},}}")
    return f"{body}{{{low},{high}}}"


def _set(members: Sequence[Any]) -> str:
    written = ""
    for operation, argument in members:
        match str(operation):
            case "NEGATE":
                written += "^"
            case "LITERAL":
                written += _in_set(argument)
            case "RANGE":
                written += f"{_in_set(argument[0])}-{_in_set(argument[1])}"
            case "CATEGORY":
                written += _SETS[str(argument)]
    return f"[{written}]"


def _is_alnum(inner: Any) -> bool:  # noqa: ANN401 - see above
    """Whether a look-around asks for a letter or digit, and so for the edge of a word."""
    items = list(inner)
    return len(items) == 1 and str(items[0][0]) == "IN" and _ALNUM in _set(items[0][1])


def _ends_in_word(item: Any) -> bool:  # noqa: ANN401 - see above
    r"""Whether an item always ends in a character of `\w`, so that `\b` behind it means the end of a word."""
    name, argument = str(item[0]), item[1]
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return argument[0] > 0 and _ends_in_word(list(argument[2])[-1])
    if name == "LITERAL":
        return chr(argument).isalnum() or chr(argument) == "_"
    if name == "SUBPATTERN":
        return _ends_in_word(list(argument[3])[-1])
    return (
        name == "IN" and re.fullmatch(r"\[(?:[0-9A-Za-z]-[0-9A-Za-z]|\\w|[0-9A-Za-z_])+\]", _set(argument)) is not None
    )


def _escape(code: int) -> str:
    character = chr(code)
    return _LINES.get(character) or (f"\\{character}" if character in "\\.+*?()|[]{}^$" else character)


def _in_set(code: int) -> str:
    character = chr(code)
    return _LINES.get(character) or (f"\\{character}" if character in "\\]^-[&~|" else character)
