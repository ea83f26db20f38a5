r"""Patterns that operators write, on RE2: its time is linear in the text whatever a pattern says.

They are written in what RE2 and Python's `re` have in common, and mean in both the same: the leftmost match, the
earlier branch before the later one. `\d`, `\w`, `\s` and `\b` know ASCII only; digits of other scripts are folded
before a text is read a second time. `$` is the end of the text.
"""

import importlib
import re
import warnings
from collections.abc import Iterator
from typing import Any, Final

from spansieve.redact.rules import patterns

_re2: Any = importlib.import_module("re2")  # it has no types

LONGEST: Final = 4096
"""Characters that a match may have. Without a bound, each match could take a look at the rest of the text."""

_WINDOW = 8192  # bytes of a text that are searched at once, and behind them room for the longest match
_WIDEST = 4  # bytes of a character in UTF-8
_ROOM = patterns.reach("x") - 1
_EMPTY = "matches the empty text"
_LARGEST = 2500  # instructions, all of which RE2 may have to look at for each byte: at worst it reads 0.2 MB a second
_AROUND = "looks around, which RE2 does not: match what is around too, and put the value into (?P<value>…)"
_BACK = "refers back to a group, which RE2 does not: name the forms one by one"
_REMEDIES = (  # by how RE2's error begins
    ("invalid perl operator: (?=", _AROUND),
    ("invalid perl operator: (?!", _AROUND),
    ("invalid perl operator: (?<", _AROUND),
    ("invalid perl operator: (?P", _BACK),
    ("invalid perl operator: (?(", _BACK),
    ("invalid perl operator: (?>", "has an atomic group, which RE2 needs not: write (?:…)"),
    ("bad repetition operator", "has two repeats at one place, such as ++: RE2 never goes back, so write one"),
    ("invalid escape sequence: \\Z", "has \\Z, which RE2 does not know: write $"),
    *((f"invalid escape sequence: \\{digit}", _BACK) for digit in range(1, 10)),
    ("invalid repetition size", "repeats more than 1000 times, all repeats around each other multiplied"),
    ("pattern too large", "is too large"),
)


def _options() -> Any:  # noqa: ANN401 - see _re2
    options = _re2.Options()
    options.log_errors = False  # they go to the operator as sentences
    return options


def problem(pattern: str) -> str:
    """Say what is wrong with an operator's pattern and what to write, or nothing."""
    try:
        compiled = _re2.compile(pattern, _options())
    except _re2.error as error:
        said = _said(error)
        return next((remedy for begin, remedy in _REMEDIES if said.startswith(begin)), "is not a regular expression")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            re.compile(pattern)
            reach = patterns.reach(pattern)
    except (re.error, OverflowError, RecursionError):
        return "is none that Python's re takes, by which its length is told: write \\p{…} and \\z as sets and $"
    except FutureWarning:
        return "has a set that may be read in two ways: put a backslash before its [, -, &, ~ or |"
    if compiled.fullmatch("") is not None:
        return "matches the empty text"
    if reach > LONGEST + _ROOM:
        return f"may match more than {LONGEST} characters: write {{1,64}} in place of + or *"
    if compiled.programsize > _LARGEST:
        return f"is too large: RE2 makes {compiled.programsize} steps of it, and {_LARGEST} may be. Lower its repeats"
    return ""


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else b""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


class Linear:
    """A pattern on RE2, for texts of any content."""

    def __init__(self, pattern: str) -> None:
        """Compile a pattern in which `problem` finds nothing."""
        self._compiled = _re2.compile(pattern, _options())
        self._group: int = self._compiled.groupindex.get("value", 0)
        self._reach = patterns.reach(pattern) * _WIDEST

    def fullmatch(self, text: str) -> bool:
        """Whether the pattern is all of a text."""
        return self._compiled.fullmatch(_encoded(text)) is not None

    def search(self, text: str) -> bool:
        """Whether the pattern is somewhere in a text."""
        return self._compiled.search(_encoded(text)) is not None

    def look(self, text: str) -> Iterator[tuple[int, int]]:
        """Give where the values are, from left to right: the group `value`, or the match where there is none.

        Each search takes in a window and no more, so that many matches cost no more than the text has windows.
        What follows a value is looked at again: a separator may end one and begin the next.
        """
        data = _encoded(text)
        size, ascii_only = len(data), len(data) == len(text)
        low = counted = characters = 0
        while low < size:
            high = min(size, low + _WINDOW + self._reach)
            match = self._compiled.search(data, low, high)
            if match is None or (first := match.start()) >= low + _WINDOW:
                low = min(low + _WINDOW, size) if match is None else first
                continue
            start, end = match.span(self._group)
            if start == end:
                low = first + 1
                continue
            low = max(end, first + 1)
            if ascii_only:
                yield start, end
            else:
                characters += len(data[counted:start].decode("utf-8", "replace"))
                begin = characters
                characters += len(data[start:end].decode("utf-8", "replace"))
                counted = end
                yield begin, characters


def _encoded(text: str) -> bytes:
    # A lone surrogate is no text, and stands for one character all the same.
    return text.encode("utf-8", "replace")
