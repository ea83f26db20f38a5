"""Tables whose columns only blanks part: data frames as text, and what `ps`, `docker ps` and `kubectl get` print.

A cell belongs to the columns whose names it stands below, by place: to the left, or to the right of numbers. A cell
below two names, where a value is as wide as its column, belongs to both. Behind what a rule has put in the place of a
value nothing is in its place any more, so that such a row has been read already, as far as it can be.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

Cell = tuple[int, int]
Row = list[Cell]

_LONGEST_LINE: Final = 4096
_APART = re.compile(r"\S+(?: \S+)*")  # what two blanks part
_WORDS = re.compile(r"\S+")
_PUT = re.compile(r"\[[A-Z_]{2,32}\]")
_BORDER = re.compile(r"[-=+ \u2500-\u257f]+")


def head(text: str, start: int, end: int) -> Row:
    """The names in a line. One that is indented has row numbers below the indent, and its names may stand close."""
    indented = text[start : start + 2] == "  "
    return [match.span() for match in (_WORDS if indented else _APART).finditer(text, start, end)]


def follows(text: str, start: int, names: Sequence[Cell]) -> bool:
    """Whether the line that starts there is one more row of a table, whose rows or head stand above, maybe a line."""
    before = text.rfind("\n", max(0, start - _LONGEST_LINE), max(0, start - 1)) + 1
    if _BORDER.fullmatch(text, before, start - 1):
        start, before = before, text.rfind("\n", max(0, before - _LONGEST_LINE), max(0, before - 1)) + 1
    above = {match.start() - before for match in _APART.finditer(text, before, max(0, start - 1))}
    line = text.rfind("\n", 0, names[0][0]) + 1
    return len(above) > 1 and any(low - line in above for low, _ in names[1:])


def rows(text: str, start: int, names: Sequence[Cell], end: int, made: Callable[[str], bool]) -> Iterator[Row]:
    """The rows below the line from `start` to `end` with these names: for each name what stands below, or nothing.

    `made` says whether a cell is what a rule has put there.
    """
    columns = [(low - start, high - start) for low, high in names]
    first = True
    while end < len(text):
        start, end = end + 1, text.find("\n", end + 1)
        if end < 0:
            end = len(text)
        if end - start > _LONGEST_LINE:
            return
        cells = [match.span() for match in _APART.finditer(text, start, end)]
        if not cells:
            return
        if _BORDER.fullmatch(text, start, end):
            continue
        if len(cells) == 1 and first:  # the name of what numbers the rows
            first = False
            continue
        first = False
        row, aligned = _below(columns, _in_place(text, cells, made), start, end)
        if not aligned or len(cells) == 1:
            return
        yield row


def _in_place(text: str, cells: Sequence[Cell], made: Callable[[str], bool]) -> Iterator[Cell]:
    """The cells of a line up to the first that was put there."""
    for low, high in cells:
        yield low, high
        if _PUT.search(text, low, high) or made(text[low:high]):
            return


def _below(columns: Sequence[Cell], cells: Iterable[Cell], start: int, end: int) -> tuple[Row, bool]:
    """What stands below each of the columns in a line, and whether any of it begins or ends where a name does."""
    row: Row = [(end, end)] * len(columns)
    aligned = False
    for cell in cells:
        low, high = cell[0] - start, cell[1] - start
        for number, (left, right) in enumerate(columns):
            if low < right and left < high:
                # More than one cell below a name, as a time without a zone behind a date: from the first to the last.
                row[number] = cell if row[number] == (end, end) else (row[number][0], cell[1])
                aligned = aligned or low == left or high == right
    return row, aligned
