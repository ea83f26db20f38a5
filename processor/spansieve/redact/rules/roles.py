"""Who speaks where: the role of the message that a value stands in, for rules that ask for it.

A message tells its role beside its text: `"role": "user"` in an object of JSON or in a list of values, an attribute
`….0.role` beside `….0.content`, or the name of the event that it is. `roles.yaml` has the words.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import translate
from functools import cache
from typing import Any, Final

from spansieve import strict_yaml

ROLES: Final = ("", "user", "assistant", "system", "tool")
"""The roles there are; the first is none."""

_KEY: Final = "role"
_LONGEST = 32  # characters of a role's name
_DEEPEST = 256  # brackets around a message: what is deeper has the role of what is around it
# Strings, in double quotes or escaped ones, and brackets: enough to tell which object a string is in.
_TOKEN = re.compile(r'"(?P<text>[^"\\]*+(?:\\.[^"\\]*+)*)"(?P<key>\s*+:)?|(?P<bracket>[\[\]{}])', re.DOTALL)

WithRole = Callable[[int, str], int]
"""Gives the number of a place in a role's message: see CompiledRules.with_role."""


@cache
def _words() -> Mapping[str, Any]:
    words: Mapping[str, Any] = strict_yaml.shipped("spansieve.redact.rules", "roles.yaml")
    return words


@cache
def _names() -> Mapping[str, str]:
    return {name: role for role, names in _words()["names"].items() for name in names}


@cache
def _keys() -> Sequence[tuple[re.Pattern[str], str]]:
    return [(re.compile(translate(glob)), role) for glob, role in _words()["keys"].items()]


def of_name(name: str) -> str:
    """The role that a message names, in whatever case; empty for a name that none is known by."""
    return _names().get(name.strip().lower(), "") if len(name) <= _LONGEST else ""


def of_event(name: str) -> str:
    """The role of the message that an event, or a log record, of this name carries; empty when it has none."""
    return str(_words()["events"].get(name, ""))


def of_key(key: str) -> str:
    """The role of all that stands under an attribute; empty when that depends."""
    return next((role for pattern, role in _keys() if pattern.match(key)), "")


def of_attributes(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """The roles that attributes such as `gen_ai.prompt.0.role` tell, by what stands before `.role`."""
    return {
        key[: -len(_KEY) - 1]: role for key, value in pairs if key.endswith("." + _KEY) and (role := of_name(value))
    }


def beside(key: str, told: Mapping[str, str]) -> str:
    """The role that `of_attributes` told for the message that an attribute is of; empty when it told none."""
    while key:
        if role := told.get(key):
            return role
        key = key.rpartition(".")[0]
    return ""


def spans(text: str) -> list[tuple[int, int, str]]:
    """Where in a JSON text, whole or cut off, messages with a role are: start, end, role, each before those in it."""
    found: list[tuple[int, int, str]] = []
    stack: list[tuple[int, str]] = []  # of the open brackets: where, and the role told in them
    skipped = 0
    awaited = False
    for match in _TOKEN.finditer(text):
        bracket = match["bracket"]
        if bracket is None:
            if awaited and stack and match["key"] is None and (role := of_name(match["text"])):
                stack[-1] = (stack[-1][0], role)
            awaited = match["key"] is not None and match["text"] == _KEY
            continue
        awaited = False
        if bracket in "[{":
            if len(stack) >= _DEEPEST:
                skipped += 1
            else:
                stack.append((match.start(), ""))
        elif skipped:
            skipped -= 1
        elif stack:
            start, role = stack.pop()
            if role:
                found.append((start, match.end(), role))
    found += [(start, len(text), role) for start, role in stack if role]
    return sorted(found, key=lambda span: (span[0], -span[1]))


def wheres(text: str, starts: Sequence[int], where: int, with_role: WithRole) -> Sequence[int]:
    """The numbers of the places of leaves in a JSON text, which start there, in order; none when all are `where`."""
    if not where or f'"{_KEY}"' not in text:
        return [where] * len(starts) if where else ()
    messages = spans(text)
    numbers = [where] * len(starts)
    for low, high, role in messages:  # an inner one comes after the one around it
        first, last = bisect_right(starts, low), bisect_right(starts, high - 1)
        numbers[first:last] = [with_role(where, role)] * (last - first)
    return numbers
