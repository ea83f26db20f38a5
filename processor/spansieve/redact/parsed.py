"""The strings of JSON that a parser takes, each under its nearest key, and new ones spliced in where they stand.

The parser gives what a text says, not where: a string is found again by its number in the order of the text, as between
two strings there is no quote. What a parser hides (a key that stands twice in an object, digits of a number beyond its
precision) is left to `jsontext`, which reads token by token.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from spansieve.redact import jsontext

_DEEPEST: Final = 64  # containers within containers
_LONG_NUMBER = re.compile(rb"[0-9][0-9.eE+-]{6}")
_ESCAPED_QUOTE = b"\\u0022"

Number = tuple[int | float, str]
"""A number and its nearest key."""


class Strings:
    """What stands in a JSON text: `texts` are its keys and strings, in order, `keys` the nearest key of each string.

    That of a key is None. `names` are the distinct keys, `numbers` the numbers.
    """

    __slots__ = ("keys", "names", "numbers", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.keys: list[str | None] = []
        self.names: set[str] = set()
        self.numbers: list[Number] = []

    def object(self, members: Mapping[str, Any], depth: int) -> bool:
        """Take in an object. False when it takes a look at its tokens."""
        if depth > _DEEPEST:
            return False
        texts, keys = self.texts, self.keys
        self.names.update(members)
        for name, inner in members.items():
            texts.append(name)
            keys.append(None)
            kind = type(inner)
            if kind is str:
                texts.append(inner)
                keys.append(name)
            elif kind is dict:
                if not self.object(inner, depth + 1):
                    return False
            elif kind is list:
                if not self.list(inner, name, depth + 1):
                    return False
            elif kind is int or kind is float:
                self.numbers.append((inner, name))
        return True

    def list(self, elements: Sequence[Any], key: str, depth: int) -> bool:
        """Take in a list that stands under a key. False when it takes a look at its tokens."""
        if depth > _DEEPEST:
            return False
        for inner in elements:
            kind = type(inner)
            if kind is str:
                self.texts.append(inner)
                self.keys.append(key)
            elif kind is dict:
                if not self.object(inner, depth + 1):
                    return False
            elif kind is list:
                if _is_pair(inner) or not self.list(inner, key, depth + 1):
                    return False
            elif kind is int or kind is float:
                self.numbers.append((inner, key))
        return True


def _is_pair(value: Sequence[Any]) -> bool:
    """Whether a list may be a key and its value, as headers are written: see `pairs`."""
    return len(value) == 2 and type(value[0]) is type(value[1]) is str


def read(raw: bytes, above: str) -> Strings | None:
    """The strings of a JSON text in UTF-8; what is in no object stands under the key `above`.

    None when the text is to be read token by token. Raises ValueError when it is no JSON.
    """
    root = orjson.loads(raw)
    found = Strings()
    if type(root) is str:
        found.texts.append(root)
        found.keys.append(above)
    elif not (found.object(root, 0) if type(root) is dict else type(root) is list and found.list(root, above, 0)):
        return None
    quotes = raw.count(b'"') - 2 * len(found.texts)
    # A key that stands twice leaves quotes over: the parser gave only the last of its values.
    if quotes and (quotes != sum([text.count('"') for text in found.texts if '"' in text]) or _ESCAPED_QUOTE in raw):
        return None
    if found.numbers and any(type(number) is float for number, _ in found.numbers) and _LONG_NUMBER.search(raw):
        return None
    return found


def splice(text: str, strings: Sequence[str], changed: Mapping[int, str]) -> str:
    """Put new strings into the JSON text of which these are the strings, by number. All else stays as it is."""
    pieces: list[str] = []
    at = done = number = 0
    for each in sorted(changed):
        while True:
            start = text.index('"', at) + 1
            end = _end(text, start, strings[number])
            at = end + 1
            number += 1
            if number > each:
                break
        inner = text[start:end]
        pieces += text[done:start], jsontext.encode(changed[each], ascii_only=inner.isascii() or "\\u" in inner)
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def _end(text: str, start: int, string: str) -> int:
    """Where the literal ends that starts at a place and says a string."""
    end = start + len(string)  # or later: an escape takes more room than what it says
    if text[end] == '"' and "\\" not in string and text.startswith(string, start):
        return end
    end = text.index('"', end)
    while jsontext.escaped(text, end):
        end = text.index('"', end + 1)
    return end
