"""The strings of JSON in UTF-8 that a parser takes, each under its nearest key, and new ones put where they stand.

What a parser hides (a key that stands twice in an object) is left to `jsontext`, which reads token by token. What
stands around the long strings of a text is its frame: a stream of messages has few, so what there is to find out about
one, such as the keys of its strings, is found out once, and of a text in it only the long strings are read.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

import orjson

from spansieve.redact.text import arguments, jsontext, numbers, parts

_DEEPEST: Final = 64  # containers within containers
_SHORT: Final = 20  # characters of a string that may be a part of a frame: "assistant", "tool_call_response"
_WIDEST: Final = 2048  # bytes of a frame: a wider one is not seen again
_LONG_NUMBER = re.compile(rb"[0-9][0-9.eE+-]{6}")
_NUMBER = re.compile(rb"-?[0-9][0-9.eE+-]*+")
_ESCAPED_QUOTE = b"\\u0022"
_BACKSLASH = 0x5C


_Number = tuple[int | float, str]
"""A number and its nearest key."""


class Shape(NamedTuple):
    """What there is to know of all texts in one frame.

    `keys` are the nearest keys of their strings, in order; that of a key is None. `names` are the distinct keys,
    `numbers` the long numbers, with their keys, `numbered` the keys of any. `going_on` are the strings that what
    follows may continue, by key. `texts` are the strings but for those that are `long`.
    """

    keys: Sequence[str | None]
    names: AbstractSet[str]
    numbers: Sequence[tuple[str, str]]
    numbered: AbstractSet[str]
    going_on: Mapping[str, Sequence[int]]
    texts: Sequence[str]
    long: Sequence[int]


class Frame(NamedTuple):
    """What stands around the long strings of a text, quotes included, and what there is to know of all such texts."""

    around: tuple[bytes, ...]
    shape: Shape

    def inner(self, text: bytes) -> list[bytes] | None:
        """The long strings of a text, with their escapes. None when it does not look like this."""
        around = self.around
        at, end = len(around[0]), len(text) - len(around[-1])
        if at > end or not text.startswith(around[0]) or not text.endswith(around[-1]):
            return None
        found: list[bytes] = []
        for between in around[1:-1]:
            following = text.find(between, at, end)
            if following < 0 or text[following - 1] == _BACKSLASH:  # it may be escaped, which takes a closer look
                return None
            found.append(text[at:following])
            at = following + len(between)
        found.append(text[at:end])
        return None if found[-1].endswith(b"\\") else found

    def texts(self, inner: Sequence[bytes]) -> list[str] | None:
        """All strings of a text whose long ones are these. None when there are others, or it is no JSON."""
        try:
            said = read(inner)
        except ValueError:
            return None
        if len(said) != len(inner):  # a quote in one of them was none of it
            return None
        found = list(self.shape.texts)
        for number, text in zip(self.shape.long, said, strict=True):
            found[number] = text
        return found

    def splice(self, inner: Sequence[bytes], changed: Mapping[int, bytes]) -> bytes:
        """The text with new strings in the place of long ones, by number, escaped. All else stays as it is."""
        pieces = [self.around[0]]
        for number, old, behind in zip(self.shape.long, inner, self.around[1:], strict=True):
            new = changed.get(number)
            pieces += old if new is None else new, behind
        return b"".join(pieces)


def shape(text: bytes, above: str, *, wrapped: bool) -> Shape | None:
    """Find out about a text; what is in no object of it stands under the key `above`.

    `wrapped`: it is JSON only between brackets. None when the text is to be read token by token. Raises ValueError when
    it is no JSON.
    """
    root = orjson.loads(b"[%b]" % text if wrapped else text)
    found = _Strings()
    if type(root) is str:
        found.texts.append(root)
        found.keys.append(above)
    elif not (found.object(root, 0) if type(root) is dict else type(root) is list and found.list(root, above, 0)):
        return None
    texts = found.texts
    quotes = text.count(b'"') - 2 * len(texts)
    # A key that stands twice leaves quotes over: the parser gave only the last of its values.
    if quotes and (quotes != sum([each.count('"') for each in texts if '"' in each]) or _ESCAPED_QUOTE in text):
        return None
    return Shape(
        keys=found.keys,
        names=found.names,
        numbers=_long(found.numbers, text) if found.numbers else (),
        numbered={key for _, key in found.numbers},
        going_on=_going_on(found.keys, found.names | {above}),
        texts=texts,
        long=[number for number, each in enumerate(texts) if len(each) > _SHORT],
    )


def _long(found: Sequence[_Number], text: bytes) -> list[tuple[str, str]]:
    """The long ones of the numbers of a text, as the rules know them, with their keys."""
    literals = [str(number) for number, _ in found]
    if any(type(number) is float for number, _ in found) and _LONG_NUMBER.search(text):
        literals = [each.decode() for each in _NUMBER.findall(b'""'.join(segments(text)[::2]))]  # with all their digits
    return [
        (numbers.plain(literal), key)
        for literal, (_, key) in zip(literals, found, strict=True)
        if jsontext.is_long_number(literal)
    ]


def _going_on(keys: Sequence[str | None], names: Iterable[str]) -> dict[str, list[int]]:
    """The strings that what follows may continue, by key."""
    carrying = [key for key in names if parts.carries_parts(key)]
    found = [(key, [number for number, each in enumerate(keys) if each == key]) for key in carrying]
    return {key: of_key for key, of_key in found if of_key}


class _Strings:
    """What stands in a JSON text: `texts` are its keys and strings, in order, `keys` the nearest key of each string.

    That of a key is None. `names` are the distinct keys, `numbers` the numbers.
    """

    __slots__ = ("keys", "names", "numbers", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.keys: list[str | None] = []
        self.names: set[str] = set()
        self.numbers: list[_Number] = []

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
                if inner[:1] == "-" and arguments.option(inner):
                    return False
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


def frame(shape: Shape, segments: Sequence[bytes]) -> Frame | None:
    """The frame of a text of this shape, split into its segments, which holds nothing of its long strings.

    None when there are none, these are more than values, or they are not most of the text: it would not be seen again.
    """
    long = sum([len(segments[2 * number + 1]) for number in shape.long])
    around_them = sum(map(len, segments)) + len(segments) - 1 - long
    if around_them > min(long, _WIDEST) or any(shape.keys[number] is None for number in shape.long):
        return None
    around: list[bytes] = []
    texts = list(shape.texts)
    done = 0
    for number in shape.long:
        around.append(b'"'.join(segments[done : 2 * number + 1]))
        done = 2 * number + 2
        texts[number] = ""
    around.append(b'"'.join(segments[done:]))
    whole = b'"\0"'.join(around).split(b"\0")  # a character that JSON has only in escapes
    return Frame(tuple(whole), shape._replace(texts=texts))


def read(inner: Sequence[bytes]) -> list[str]:
    """What strings say that are given without their quotes. Raises ValueError."""
    if not inner:
        return []
    said: list[str] = orjson.loads(b'["%b"]' % b'","'.join(inner))
    return said


def splice(segments: Sequence[bytes], changed: Mapping[int, bytes]) -> bytes:
    """Put new strings, escaped, into a JSON text in its segments, by number. All else stays as it is."""
    pieces = list(segments)
    for number, new in changed.items():
        pieces[2 * number + 1] = new
    return b'"'.join(pieces)


def segments(text: bytes) -> list[bytes]:
    """Split a JSON text at the quotes around its strings: every second segment is a string, with its escapes."""
    found = text.split(b'"')
    if _BACKSLASH not in text:
        return found
    whole: list[bytes] = []
    add, first = whole.append, -1  # the first segment of a string of which the quote behind is escaped
    for number, each in enumerate(found):
        if each[-1:] == b"\\" and (each[-2:-1] != b"\\" or (len(each) - len(each.rstrip(b"\\"))) % 2):
            if first < 0:
                first = number
        elif first < 0:
            add(each)
        else:
            add(b'"'.join(found[first : number + 1]))
            first = -1
    return whole if first < 0 else whole + found[first:]


def written(new: str, old: bytes) -> bytes:
    """A string as JSON has it, without its quotes, in the place of another."""
    return jsontext.encoded(new, ascii_only=old.isascii() or b"\\u" in old)
