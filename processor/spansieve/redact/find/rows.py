"""Tables in JSON that name their columns once: `{"columns": ["id", "password"], "rows": [[1, "…"], …]}`.

Results of queries, spreadsheets and data frames are written so. A cell is the value of its column's name.
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from spansieve.redact.find import persons
from spansieve.redact.rules import keys
from spansieve.redact.text import jsontext

_HEADS: Final = frozenset({"columns", "cols", "header", "headers", "fields", "column_names", "columnNames"})
"""Under which the names stand: strings, or objects with a name."""

_ROWS: Final = frozenset({"rows", "data", "values", "records", "result", "results"})
"""Under which the rows stand, each a list."""

_SHEET: Final = frozenset({"range", "majorDimension"})
"""Beside the rows of a spreadsheet, of which the first one is the head."""

_NAMES: Final = frozenset({"name", "label", "field", "column_name"})
_MOST_COLUMNS: Final = 256
_DEEPEST: Final = 64
_PIECE = re.compile(r'(?P<string>"[^"\\]*(?:\\.[^"\\]*)*")(?P<key>\s{0,8}:)?|[\[\]{},]|[^\s\[\]{},":]+', re.DOTALL)


def may_name(names: AbstractSet[str]) -> bool:
    """Whether JSON with these keys may be a table that names its columns once."""
    return not (names.isdisjoint(_ROWS) or (names.isdisjoint(_HEADS) and names.isdisjoint(_SHEET)))


def named(text: str, members: Sequence[jsontext.Token]) -> dict[int, str]:
    """The leaves of a JSON text that are cells, by index, with the name of their column."""
    if "[" not in text or not may_name({token.text for token in members if token.kind == jsontext.KEY}):
        return {}
    columns, cells = _read(text)
    if not columns:
        return {}
    others = set(map(keys.normalise, columns))
    names = [persons.KEY if name in ("name", "Name") and persons.beside(others) else name for name in columns]
    found: dict[int, str] = {}
    for index, token in enumerate(members):
        column = cells.get(token.start, -1)
        if token.kind != jsontext.KEY and 0 <= column < len(names):
            found[index] = names[column]
    return found


class _Open(NamedTuple):
    """A list or an object that is not closed yet. `key` is what it stands under, through the list around it."""

    kind: str
    key: str
    in_list: bool

    @property
    def is_row(self) -> bool:
        """Whether its elements are cells."""
        return self.kind == "[" and self.in_list and self.key in _ROWS


_OUTSIDE: Final = _Open("", "", in_list=False)


class _Reader:
    """One pass over a JSON text: names of `columns`, strings of the `first` row, the columns of `cells`."""

    def __init__(self) -> None:
        self.columns: list[str] = []
        self.first: dict[int, str] = {}
        self.cells: dict[int, int] = {}
        self._stack: list[_Open] = []
        self._key = ""
        self._column = self._rows = 0

    def read(self, text: str) -> bool:
        """Read all of a text. False when it nests too deep for a table."""
        for match in _PIECE.finditer(text):
            piece = match[0]
            if piece in ("[", "{"):
                self._open(piece)
                if len(self._stack) > _DEEPEST:
                    return False
            elif piece in ("]", "}"):
                del self._stack[-1:]
            elif piece == ",":
                self._column += self._here.is_row
            elif match["key"]:
                self._key = match["string"][1:-1]
            else:
                self._value(match.start(), match["string"])
        return True

    @property
    def _here(self) -> _Open:
        return self._stack[-1] if self._stack else _OUTSIDE

    def _open(self, kind: str) -> None:
        here = self._here
        listed = here.kind == "["
        self._stack.append(_Open(kind, here.key if listed else self._key, listed))
        if self._here.is_row and not here.in_list:
            self._column = 0
            self._rows += 1

    def _value(self, at: int, string: str | None) -> None:
        here = self._here
        if here.is_row:
            self.cells[at] = self._column
            if string and self._rows == 1:
                self.first[at] = string[1:-1]
        elif string and here.key in _HEADS and len(self.columns) < _MOST_COLUMNS:
            is_name = here.kind == "{" and here.in_list and self._key in _NAMES
            if is_name or (here.kind == "[" and not here.in_list):
                self.columns.append(string[1:-1])


def _read(text: str) -> tuple[list[str], dict[int, int]]:
    """The names of the columns, and of each cell, by where it starts, which column it is in."""
    reader = _Reader()
    if not reader.read(text):
        return [], {}
    if reader.columns:
        return reader.columns, reader.cells
    return list(reader.first.values()), {at: column for at, column in reader.cells.items() if at not in reader.first}
