"""Attribute values as they come: numbers as texts, truth values as texts, arrays as JSON, objects as JSON or Python.

Told holds what was found on one span or log record; its readers take the places where a field may stand, and append to
`suspects` when the value that counts cannot be right; it is then unknown.
"""

import ast
import json
import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from spansieve.measure.llm_call import Suspect
from spansieve.measure.read.attributes import Plain, is_empty, plain
from spansieve.measure.read.table import Option, Options
from spansieve.model import EventHead

MAX_TOKENS = 10**9
"""Far above any context window; a larger count is an error, and one such value would drown all others in a sum."""
MAX_SECONDS = 86_400.0
"""A day. Batch jobs are not calls."""
MAX_USD = 1e6
MAX_SCORE = 1e9
MAX_TEXT = 256
"""Characters of a name that are looked at; real ones are shorter, and caches hold them."""
_MAX_REASONS = 8
_MAX_LIST = 1024
_TOKEN = re.compile(r"\[[A-Z][A-Z0-9_]*\]")
_PYTHON_WORD = re.compile(r"\b(?:None|True|False)\b")
_AS_JSON = {"None": "null", "True": "true", "False": "false"}
_MAX_OBJECT = 16_384
"""Characters of an object in a text; usage is a few hundred, and what is longer is not read."""
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


Amount: TypeAlias = tuple[float, Option]
"""A number in the gateway's unit, and the place where it stood."""


class Told:
    """What one span or log record tells: `found` are the values of its attributes, in which options have their places.

    `start_ns` is the span's start, `events` are its events.
    """

    __slots__ = ("events", "found", "start_ns", "suspects")

    def __init__(self, found: Sequence[Plain], start_ns: int = 0, events: Sequence[EventHead] = ()) -> None:
        self.found = found
        self.start_ns = start_ns
        self.events = events
        self.suspects: list[Suspect] = []

    def text(self, options: Options) -> str:
        """Return the first text that is not empty, cut to MAX_TEXT; "" when there is none."""
        found = self.found
        for option in options:
            given: object = found[option.at]
            if option.special:
                given = self._given(option)
                if option.quoted and isinstance(given, str):
                    given = _unquoted(given)
            if given and isinstance(given, str):
                return given[:MAX_TEXT]
        return ""

    def identifier(self, options: Options) -> str:
        """As `text`; versions and identifiers may be numbers, too."""
        for option in options:
            given: object = self.found[option.at]
            if option.special:
                given = self._given(option)
                if option.quoted and isinstance(given, str):
                    given = _unquoted(given)
            if isinstance(given, str):
                if given:
                    return given[:MAX_TEXT]
            elif isinstance(given, int | float) and not isinstance(given, bool):
                return str(given)[:MAX_TEXT]
        return ""

    def truth(self, options: Options) -> bool | None:
        """Return the first truth value, also one written as a text or as 0 or 1."""
        for option in options:
            if option.present:
                if not is_empty(self.found[option.at]):
                    return True
                continue
            given = self._given(option)
            if given is None or given == "":
                continue
            if isinstance(given, bool):
                return given
            if isinstance(given, str):
                truth = _TRUTH.get(_unquoted(given).strip().lower())
            else:
                truth = _TRUTH.get(str(given)) if isinstance(given, int) else None
            if truth is None:
                self.suspects.append(Suspect.NOT_A_TRUTH_VALUE)
            return truth
        return None

    def tokens(self, options: Options) -> int | None:
        """Return the first count of tokens: a whole number from 0 to MAX_TOKENS."""
        for option in options:
            given: object = self.found[option.at]
            if option.special:
                given = self._given(option)
            if type(given) is int and 0 <= given <= MAX_TOKENS:
                return given  # nearly always
            if given is None or given == "":
                continue
            number = self._number(given, MAX_TOKENS, option)
            if number is None:
                return None
            if number != int(number):
                self.suspects.append(Suspect.NOT_WHOLE)
                return None
            return int(number)
        return None

    def amount(self, options: Options, largest: float, *, streaming: bool | None = None) -> Amount | None:
        """Return the first number, in the gateway's unit and from 0 to `largest`, with the place where it stood.

        Options that hold for streamed answers alone are left out unless `streaming` is true.
        """
        for option in options:
            if option.if_streaming and not streaming:
                continue
            if option.event:
                if (since := self._first_event(option.event)) is not None:
                    return self._positive(since, option)
                continue
            given = self._given(option)
            if given is None or given == "":
                continue
            if option.since_start:
                return self._since_start(given, option)
            if type(given) is float and option.factor == 1.0 and 0 <= given <= largest:
                return given, option  # nearly always
            number = self._number(given, largest / option.factor, option)
            return None if number is None else (number * option.factor, option)
        return None

    def score(self, options: Options) -> float | None:
        """Return the first number, which may be negative, up to MAX_SCORE either way."""
        for option in options:
            given = self._given(option)
            if given is None or given == "":
                continue
            if isinstance(given, int | float) and not isinstance(given, bool) and given < 0:
                number = self._number(-given, MAX_SCORE, option)
                return None if number is None else -number
            return self._number(given, MAX_SCORE, option)
        return None

    def mean_gap(self, options: Options) -> float | None:
        """Return the mean seconds from one event to the next, for the first option whose events there are."""
        for option in options:
            times = [event.time_unix_nano for event in self.events if event.name == option.event]
            if len(times) > 1:
                return (max(times) - min(times)) / 1e9 / (len(times) - 1)
        return None

    def texts(self, options: Options) -> tuple[str, ...]:
        """Return the first list of texts: an array, a JSON array in a text, or one text alone."""
        for option in options:
            given = self._given(option)
            items: Iterable[object]
            if isinstance(given, tuple) and given:
                return given  # texts, as AttributeReader gives them
            if isinstance(given, str):
                items = _listed(given[:_MAX_LIST], quoted=option.quoted)
            else:
                items = given if isinstance(given, list) else ()
            if found := tuple([each[:MAX_TEXT] for each in items if isinstance(each, str) and each][:_MAX_REASONS]):
                return found
        return ()

    def _given(self, option: Option) -> object:
        given = self.found[option.at]
        return _member(given, option.path) if option.path else given

    def _number(self, given: object, largest: float, option: Option) -> float | None:
        number: float
        if isinstance(given, bool):
            self.suspects.append(Suspect.NOT_A_NUMBER)
            return None
        if isinstance(given, int | float):
            number = given
        elif isinstance(given, str):
            try:
                number = float(_unquoted(given) if option.quoted else given[:MAX_TEXT])
            except ValueError:
                self.suspects.append(Suspect.NOT_A_NUMBER)
                return None
        else:
            self.suspects.append(Suspect.NOT_A_NUMBER)
            return None
        if isinstance(number, float) and not math.isfinite(number):
            self.suspects.append(Suspect.NOT_FINITE)
        elif number < 0:
            self.suspects.append(Suspect.NEGATIVE)
        elif number > largest:
            self.suspects.append(Suspect.TOO_LARGE)
        else:
            return number
        return None

    def _first_event(self, name: str) -> float | None:
        times = [event.time_unix_nano for event in self.events if event.name == name]
        return (min(times) - self.start_ns) / 1e9 if times else None

    def _since_start(self, given: object, option: Option) -> Amount | None:
        try:
            # JSON's quotes, and a Z that Python reads from 3.11 on; a time without a zone is UTC's.
            time = datetime.fromisoformat(str(given)[:MAX_TEXT].strip().strip('"'))
        except ValueError:
            self.suspects.append(Suspect.NOT_A_TIME)
            return None
        if time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        # In whole microseconds, as ISO 8601 is written: a float of seconds since 1970 has fewer digits than that.
        since = time - _EPOCH
        microseconds = (since.days * 86_400 + since.seconds) * 10**6 + since.microseconds
        return self._positive((microseconds * 1000 - self.start_ns) / 1e9, option)

    def _positive(self, seconds: float, option: Option) -> Amount | None:
        if seconds < 0:
            self.suspects.append(Suspect.CHUNK_BEFORE_START)
            return None
        return seconds, option


def tells_apart(identifier: str) -> bool:
    """Whether an identifier is one yet, after redaction: `[EMAIL]` stands for anybody's, and all of them were one.

    A pseudonym, such as `[EMAIL:ab12…]`, does tell apart.
    """
    return _TOKEN.search(identifier) is None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _member(value: object, path: tuple[str, ...]) -> object:
    """Return what stands at a path inside an object: one that a text holds, or a kvlist."""
    if isinstance(value, AnyValue):
        return _kvlist_member(value, path)
    return _text_member(value, path) if isinstance(value, str) and value else None


def _kvlist_member(value: AnyValue, path: tuple[str, ...]) -> object:
    for name in path:
        inner = next((each.value for each in value.kvlist_value.values if each.key == name), None)
        if inner is None:
            return None
        value = inner
    return plain(value)


def _text_member(text: str, path: tuple[str, ...]) -> object:
    at: object = _object(text) if len(text) <= _MAX_OBJECT else None
    for name in path:
        if isinstance(at, dict):
            at = at.get(name)
        elif isinstance(at, list) and name.isdecimal() and int(name) < len(at):
            at = at[int(name)]
        else:
            return None
    return at


@lru_cache(maxsize=16)  # the same text is asked for several members in a row
def _object(text: str) -> object:
    """Return the object or list that a text holds, in JSON or as Python prints one; None when it holds none."""
    text = text.strip()
    if not text.startswith(("{", "[", '"')):
        return None
    try:
        read: object = json.loads(text)
        if isinstance(read, str):  # JSON in JSON
            return json.loads(read)
    except (ValueError, RecursionError):
        pass
    else:
        return read
    try:
        # As Python prints an object: nearly always JSON with other quotes and names, and that is ten times as fast.
        return json.loads(_PYTHON_WORD.sub(lambda found: _AS_JSON[found[0]], text.replace("'", '"')))
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        # Cut off, or neither after all: it tells nothing that could be relied on.
        return None


def _unquoted(text: str) -> str:
    """Return what a JSON string says, or the text itself when it is none."""
    if not text.startswith('"'):
        return text[:MAX_TEXT]
    try:
        read = json.loads(text[: MAX_TEXT + 2])
    except ValueError:
        return text[:MAX_TEXT]
    return read[:MAX_TEXT] if isinstance(read, str) else text[:MAX_TEXT]


def _listed(given: str, *, quoted: bool) -> list[object]:
    if not given.startswith("["):
        return [_unquoted(given) if quoted else given]
    try:
        items = json.loads(given)
    except (ValueError, RecursionError):
        # Cut off, or no JSON after all: it names no reason that anyone could use.
        return []
    return list(items)
