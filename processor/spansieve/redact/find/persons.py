"""The bare key `name` in JSON: a person's beside an e-mail address or under `customer`, a tool's beside `arguments`.

Tools, models and files have names too, so the object that a name stands in decides. `persons.yaml` has the words.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache, lru_cache
from typing import Final

from spansieve import strict_yaml
from spansieve.redact.rules import keys
from spansieve.redact.text import jsontext

KEY: Final = "person_name"
"""What such a key is called to the rules: they take the value as that of any key that says it is a person's name."""

_NAMED = frozenset({"name", "Name"})
_LIKE_A_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019 .-]){0,79}")
_FARTHEST = 512  # characters of an object on either side of the name
_MOST = 64  # names of one text that are looked at
_BRACE = re.compile(r"[{}]")
_KEY = re.compile(r'\\{0,3}"(?P<key>[^"\\:{}\[\],]{1,48})\\{0,3}"\s{0,8}:')
_LAST_KEY = re.compile(r'\\{0,3}"(?P<key>[^"\\:{}\[\],]{1,48})\\{0,3}"\s{0,8}:\s{0,8}\Z')


def telling() -> list[str]:
    """Keys for whose sake a text is looked at, though nothing else may be in it."""
    words = _words()
    return sorted((words["beside"] | words["under"]) - words["quiet"])


def may_name(names: AbstractSet[str]) -> bool:
    """Whether a bare name under one of these keys of a JSON text may be a person's, by the company of the others."""
    if names.isdisjoint(_NAMED):
        return False
    words = _words()
    here = set(map(_normalised, names))
    return not (here.isdisjoint(words["beside"]) and here.isdisjoint(words["under"]))


def beside(others: AbstractSet[str]) -> bool:
    """Whether a bare name among columns of these normalised names is a person's."""
    words = _words()
    return words["never"].isdisjoint(others) and not words["beside"].isdisjoint(others)


def named(text: str, members: Sequence[jsontext.Token]) -> dict[int, str]:
    """The leaves of a JSON text that are persons' names by the company they keep: index, and KEY."""
    if 'ame"' not in text or {token.key for token in members}.isdisjoint(_NAMED):
        return {}
    words = _words()
    here = {_normalised(token.text) for token in members if token.kind == jsontext.KEY}
    if here.isdisjoint(words["beside"]) and here.isdisjoint(words["under"]):
        return {}
    found: dict[int, str] = {}
    looked = 0
    for index, token in enumerate(members):
        if token.key not in _NAMED or token.kind != jsontext.STRING or not _LIKE_A_NAME.fullmatch(token.text):
            continue
        looked += 1
        if looked > _MOST:  # a list that long is of persons if its first ones are
            if not found:
                break
            found[index] = KEY
        elif _is_a_persons(text, token.start, token.end):
            found[index] = KEY
    return found


def _is_a_persons(text: str, start: int, end: int) -> bool:
    before, opened = _outside(text[max(0, start - _FARTHEST) : start])
    beside = _own_keys(before) | _own_keys(_inside(text[end : end + _FARTHEST]))
    words = _words()
    if not beside.isdisjoint(words["never"]):
        return False
    return not beside.isdisjoint(words["beside"]) or _under(opened) in words["under"]


def _outside(before: str) -> tuple[str, str]:
    """What of the text before a name is in its object, and what is in front of the object."""
    depth, at = 0, len(before)
    while (at := max(before.rfind("{", 0, at), before.rfind("}", 0, at))) >= 0:
        if before[at] == "}":
            depth += 1
        elif depth == 0:
            return before[at + 1 :], before[:at]
        else:
            depth -= 1
    return before, ""


def _inside(after: str) -> str:
    depth = 0
    for match in _BRACE.finditer(after):
        if match[0] == "{":
            depth += 1
        elif depth == 0:
            return after[: match.start()]
        else:
            depth -= 1
    return after


def _own_keys(piece: str) -> frozenset[str]:
    """The keys in a piece of an object, with those of objects within it: what they say, it says too."""
    return frozenset(_normalised(match["key"]) for match in _KEY.finditer(piece))


def _under(before: str) -> str:
    """The key that an object stands under: right before it, or before the list that it is in."""
    while True:
        if match := _LAST_KEY.search(before, max(0, len(before) - 80)):
            return _normalised(match["key"])
        listed = before.rstrip(" \n\t,")
        if listed.endswith("["):
            before = listed[:-1]
        elif listed.endswith("}"):  # another one of the list
            before = _outside(listed[:-1])[1]
        else:
            return ""


@lru_cache(maxsize=4096)
def _normalised(key: str) -> str:
    return keys.normalise(key)


@cache
def _words() -> Mapping[str, frozenset[str]]:
    lists = strict_yaml.shipped("spansieve.redact.find", "persons.yaml")
    return {name: frozenset(map(keys.normalise, words)) for name, words in lists.items()}
