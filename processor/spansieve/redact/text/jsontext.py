"""JSON inside a string, changed without being parsed and written anew: every byte that no rule touches stays.

A linear pass finds the string literals and numbers of the text and the key that is nearest to each. It needs no valid
JSON, so what an SDK cut off in the middle is walked too (RFC 8259 defines the tokens).
"""

import ast
import json
import re
from collections.abc import Sequence
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Final, NamedTuple

import orjson

KEY, STRING, NUMBER = 0, 1, 2
_LONG = 7  # digits: fewer are no identifier of anyone

_LITERAL = r'(?P<literal>"[^"\\]*+(?:\\.[^"\\]*+)*(?P<end>"?))(?P<key>\s*+:)?'
_BRACKET = r"|(?P<bracket>[\[\]{}])"
_TOKEN = re.compile(_LITERAL + _BRACKET + r"|(?P<number>-?\d[\d.eE+-]*+)", re.DOTALL)
_PARTIAL_TOKEN = re.compile(_LITERAL + _BRACKET, re.DOTALL)
# The same for what Python's repr writes. A quote opens a literal only where a value or a key may stand.
_PYTHON_TOKEN = re.compile(
    r"""(?P<literal>"[^"\\]*+(?:\\.[^"\\]*+)*(?P<end>"?)|(?:(?<=[\[{(,:=])|(?<=[\[{(,:=] )|(?<=[ \[{(,:=][bru]))"""
    r"""'[^'\\]*+(?:\\.[^'\\]*+)*(?P<end_>'?))(?P<key>\s*+:)?""" + _BRACKET,
    re.DOTALL,
)
_PYTHON = re.compile(r"'(?<=[\[{(,:=]')|'(?<=[\[{(,:=] ')|'(?<=[\[{(,:=][bru]')|'(?<=[\[{(,:=] [bru]')")
_CUT_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{0,3})?\Z")
_STARTS = frozenset('"[{')
_OPENS, _CLOSES, _BETWEEN = frozenset("[{"), frozenset("]}"), ",\n"
# Each begins with one character, which is looked for at memory speed.
_TELLING = (
    re.compile(r""":(?:(?<=["']:)|(?<=["']\s:)|(?<=["']\s\s:)|(?<=["']\s{3}:)|(?<=\s{4}:))"""),  # a key
    re.compile(r"""\[\s*+\\*+["']"""),  # a list of strings
    re.compile(r"""-(?<=["']-)"""),  # an option
)
_LINE_ENDS = re.compile(r"(\r?\n)")
_ESCAPE = re.compile(r"""\\(?:["']|([\\/bfnrtu]))""")

MOST: Final = 1 << 19
"""Leaves of a text that are looked at: each takes some hundred bytes for as long as that lasts."""


class Token(NamedTuple):
    """A leaf of a JSON text. `text` is decoded; `key` the nearest key's name, also decoded."""

    start: int
    end: int
    kind: int
    key: str
    text: str
    closed: bool = True  # False for a literal that was cut off
    tail: str = ""  # the half escape at the end of one that was cut off
    encoded: bool = True  # False when its escapes are not JSON's and `text` is what stands there


def starts(text: str) -> bool:
    """Whether a text starts as a string, a list or an object does."""
    return text.lstrip()[:1] in _STARTS


def looks_like(text: str) -> bool:
    """Whether a text may be JSON or hold some: it starts as JSON does, or an object with a key starts in it."""
    if starts(text):
        return True
    # One character is looked for at memory speed, two are not.
    if "{" in text and ('{"' in text or "[{" in text or "{'" in text):
        return True
    return "\\" in text and '\\"' in text


def tells(text: str) -> bool:
    """Whether something in a text, which may hold JSON, has a key, an option or escapes that only JSON has."""
    return _names(text) or _has_other_escapes(text)


def _names(text: str) -> bool:
    """Whether a key, a list of strings or an option stands in a text."""
    return any(telling.search(text) is not None for telling in _TELLING)


def is_quoted(text: str, token: Token, key: str) -> bool:
    """Whether a leaf of what is not all JSON is but some quoted words, which say as they stand all that it says.

    `key` is that of the text itself.
    """
    if token.kind != STRING or token.key != key or token.text[:1] in _STARTS:
        return False
    raw = text[token.start : token.end]  # in a string of JSON are no line ends
    return not _names(token.text) and ("\n" in raw or not _has_other_escapes(raw))


def _has_other_escapes(raw: str) -> bool:
    """Whether there may be escapes of JSON in a text other than those of what a quote needs."""
    return "\\" in raw and any(match[1] for match in _ESCAPE.finditer(raw))


def too_many(text: str | bytes) -> bool:
    """Whether a text that is JSON may have more leaves than are looked at."""
    if len(text) <= MOST:
        return False
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return max(raw.count(b","), raw.count(b":")) > MOST


def parses(text: str) -> bool:
    """Whether a JSON parser would take the text."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    else:
        return True
    try:  # lone surrogates, NaN: some parsers take them
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def lines_listed(text: str) -> str | None:
    """Give JSON texts of which each is a line of its own as one list, in as many lines. None for anything else."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    if len(lines) == 1 or not all(line[:1] in _OPENS and line[-1:] in _CLOSES for line in lines):
        return None
    listed = f"[{_BETWEEN.join(lines)}]"
    try:
        orjson.loads(listed)
    except orjson.JSONDecodeError:
        return None
    return listed


def lines_of(listed: str, text: str) -> str:
    """Give the texts of such a list as lines again, with the end of the text that they came from."""
    return listed[1:-1].replace(_BETWEEN, "\n") + "\n" * text.endswith("\n")


def is_container(text: str) -> bool:
    """Whether a text is a whole JSON object or array."""
    head = text.lstrip()[:1]
    return head in ("{", "[") and parses(text)


def tokens(text: str, key: str, *, whole: bool = False) -> list[Token]:
    """All literals, in order. `key` is the key of the text itself, nearest to what has none of its own.

    And all numbers, of what is `whole`, that is JSON from end to end. What is not may also be, or hold, what Python's
    repr wrote.
    """
    found: list[Token] = []
    add = found.append
    stack: list[str] = []
    current = key
    pattern = _TOKEN if whole else _PYTHON_TOKEN if _PYTHON.search(text) else _PARTIAL_TOKEN
    for match in pattern.finditer(text):
        kind = match.lastgroup
        if kind == "bracket":
            if match[0] in "[{":
                stack.append(current)
            elif stack:
                current = stack.pop()
        elif kind == "number":
            add(Token(match.start(), match.end(), NUMBER, current, match[0]))
        else:
            start, end = match.span("literal")
            single = text[start] == "'"
            closed = bool(match["end_"] if single else match["end"])
            inner = text[start + 1 : end - closed]
            rest = (
                (_decode_python if single else _decode)(inner, closed=closed)
                if "\\" in inner or not closed
                else (inner,)
            )
            if kind == "key":
                current = rest[0]
                add(Token(start, end, KEY, "", *rest))
            else:
                add(Token(start, end, STRING, current, *rest))
    return found


def decoded(inner: str) -> tuple[str, bool]:
    """The text of a closed literal without its quotes, and whether its escapes were JSON's."""
    if "\\" not in inner:
        return inner, True
    text, _, _, encoded = _decode(inner, closed=True)
    return text, encoded


def _decode(inner: str, *, closed: bool) -> tuple[str, bool, str, bool]:
    """The text of a literal without its quotes, and the rest of a Token."""
    cut = None if closed else _CUT_ESCAPE.search(inner)
    tail = cut[0] if cut and not escaped(inner, cut.start()) else ""
    whole = inner[: len(inner) - len(tail)]
    if "\\" in _ESCAPES.sub("", whole):  # one that is none; told apart here, since parsers' errors are dear
        return inner, closed, "", False
    literal = f'"{whole}"'
    try:
        return orjson.loads(literal), closed, tail, True
    except ValueError:  # lone surrogates, raw control characters: some parsers take them
        pass
    try:
        return _LENIENT(literal), closed, tail, True
    except ValueError:
        return inner, closed, "", False


_LENIENT = json.JSONDecoder(strict=False).decode
_ESCAPES = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')  # RFC 8259, section 7


def _decode_python(inner: str, *, closed: bool) -> tuple[str, bool, str, bool]:
    """The same for a literal of Python's in single quotes."""
    try:
        return str(ast.literal_eval(f"'{inner}'")), closed, "", True
    except (ValueError, SyntaxError):
        return inner, closed, "", False


def escaped(text: str, at: int) -> bool:
    """Whether what stands at a place is escaped by the backslash before it."""
    first = at
    while first and text[first - 1] == "\\":
        first -= 1
    return (at - first) % 2 == 1


def splice(text: str, found: Sequence[Token], changed: dict[int, str]) -> str:
    """Put new values in place of tokens, by index. A number that changed becomes a string."""
    pieces: list[str] = []
    at = 0
    for index in sorted(changed):
        token = found[index]
        pieces.append(text[at : token.start])
        raw = text[token.start : token.end]
        value = changed[index]
        quote = "'" if raw[0] == "'" else '"'
        if token.encoded:
            ascii_only = raw.isascii() or "\\u" in raw
            lines = _LINE_ENDS.split(value) if "\n" in raw else [value]  # what are no escapes become none
            value = "".join(each if n % 2 else encode(each, ascii_only=ascii_only) for n, each in enumerate(lines))
            if quote == "'":  # all escapes of JSON but \/ and surrogate pairs are Python's too
                value = value.replace('\\"', '"').replace("'", "\\'")
        pieces.append(f"{quote}{value}{token.tail}{quote}" if token.closed else f"{quote}{value}{token.tail}")
        at = token.end
    pieces.append(text[at:])
    return "".join(pieces)


def encode(value: str, *, ascii_only: bool) -> str:
    """Write a string as JSON does, without its quotes; what is not ASCII in escapes, or as it is."""
    if ascii_only and not value.isascii():
        return encode_basestring_ascii(value)[1:-1]
    try:
        return orjson.dumps(value)[1:-1].decode()
    except TypeError:  # lone surrogates
        return encode_basestring(value)[1:-1]


def encoded(value: str, *, ascii_only: bool) -> bytes:
    """Write a string as `encode` does, in UTF-8; lone surrogates, which that does not have, in escapes."""
    if not (ascii_only and not value.isascii()):
        try:
            return orjson.dumps(value)[1:-1]
        except TypeError:  # lone surrogates
            pass
    return encode_basestring_ascii(value)[1:-1].encode()


def is_long_number(text: str) -> bool:
    """Whether a number has digits enough to identify someone."""
    return len(text) >= _LONG
