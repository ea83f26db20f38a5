"""Values that only the head of their column names: CSV and its kin, tables of bars or blanks, HTML, `INSERT INTO`.

An anchor says where a head may be (COLUMN). What stands below a name that tells is taken as the value of a JSON member
of that name would be. A table is read once, from its head to its last row; a line that is no head costs little more
than itself.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from spansieve.redact.find import frames, matching, persons
from spansieve.redact.rules import keys
from spansieve.redact.rules.anchors import COLUMN, OverBudget, Place
from spansieve.redact.rules.compiled import CompiledRules, KeyFacts
from spansieve.redact.rules.judges import Finding
from spansieve.redact.text import fold, media

Cell = tuple[int, int]
"""Start and end of what a cell holds, without the quotes and spaces around it."""

Row = list[Cell]

_LONGEST_LINE: Final = 4096
_WIDEST: Final = 2048  # characters of one cell
_FARTHEST: Final = 1024  # characters of an HTML head in front of the end of one of its cells
_MOST_NAMES: Final = 128  # of one head
_NAME_COST: Final = 20  # checks: what a name says is found out by all rules' keys
_MOST_WORDS: Final = 4  # of a column's name; what has more is a sentence
_DRESS: Final = " \t*`_\"'"

_NAME = re.compile(r"[^\W\d][\w .()/#?&'\u2019-]{0,47}")
# Words of types and of yes and no, and what stands for a value to come.
_SAYS_NOTHING = re.compile(
    r"(?i:yes|no|true|false|none|null|n/?a|nan|nil|unknown|required|optional|string|str|text|char|int|integer|number|bool|boolean|date|x)"
    r"|(?i:(?:var)?char|nvarchar)\(\d{1,5}\)|[\W_]*|%(?:\(\w{1,64}\))?s|[:$@]\w{1,64}|[<{$]{1,2}[\w .-]{1,64}[>}]{1,2}"
)
_BORDER = re.compile(r"[ \t>]*[-+|:=\u2500-\u257f ]*[-=\u2500-\u257f][-+|:=\u2500-\u257f ]*")
_DRAWN: Final = "\u2502\u2503\u2506\u2551"  # bars of other tables
_OF_RESOURCES: Final = "AGE"  # so `kubectl get` has it beside the name of whatever there is
_RECORD: Final = "-[ RECORD "  # in a line above others with a name and a value each, as psql has them
_CELLS = {
    mark: re.compile(
        rf'(?:[ >]{{0,8}}"(?P<quoted>(?:[^"]|""){{0,{_WIDEST}}})" {{0,8}}|(?P<plain>[^{mark}\r\n]{{0,{_WIDEST}}}))'
        rf"(?P<end>{mark}|\r?\n|\Z)"
    )
    for mark in (",", ";", "\t")
}
_INSERT = re.compile(
    r"insert\s{1,8}into\s{1,8}[\w.\"`\[\]]{1,128}\s{0,8}\((?P<names>[^()]{1,2048})\)\s{0,8}values\s{0,8}(?=\()",
    re.IGNORECASE,
)
_INSERT_NAME = re.compile(r"[^\s,\"`\[\]][^,\"`\[\]]{0,63}")
_VALUE = re.compile(
    rf"(?:\s{{0,64}}[NEne]?'(?P<quoted>(?:[^'\\]|''|\\.){{0,{_WIDEST}}})'\s{{0,64}}|(?P<plain>[^,()']{{0,{_WIDEST}}}))(?P<end>[,)])",
    re.DOTALL,
)
_NEXT_VALUES = re.compile(r"\s{0,64},?\s{0,64}\(")
_HTML_ROW = re.compile(r"<tr\b[^<>]{0,256}>", re.IGNORECASE)
_HTML_CELL = re.compile(
    rf"\s{{0,64}}<t[hd]\b[^<>]{{0,256}}>(?P<cell>[^<>]{{0,{_WIDEST}}})</t[hd]>\s{{0,64}}", re.IGNORECASE
)
_HTML_BETWEEN = re.compile(r"\s{0,64}(?:</tr>|</?thead>|</?tbody>|\s){0,16}<tr\b[^<>]{0,256}>", re.IGNORECASE)


def find(text: str, places: Sequence[Place], rules: CompiledRules, facts: KeyFacts) -> list[Finding]:
    """What stands below heads that tell, in a text with these anchors, under a key of these facts.

    Raises OverBudget when there are more such cells than a value of this size may cost.
    """
    if not any(anchor == COLUMN for _, anchor in places):
        return []
    places = sorted(places)
    text = _barred(text)
    found: list[Finding] = []
    budget = rules.limits.checks + rules.limits.checks_per_kib * (len(text) >> 10)
    done = 0
    for place, anchor in places:
        if anchor != COLUMN or place < done:
            continue
        head, rows, done = _table(text, place, rules.made)
        budget -= _NAME_COST * len(head)
        if budget < 0:
            raise OverBudget
        columns = _telling([text[start:end] for start, end in head], rules, facts)
        if not columns:
            continue
        last = max(columns)
        for row in rows:
            done = row[-1][1]
            for number, (start, end) in enumerate(row):
                # More cells than names: where one of them ends is unknown, so that the last name that tells counts.
                column = columns.get(number if number < len(head) else last)
                if column is None or start == end:
                    continue
                budget -= 1
                if budget < 0:
                    raise OverBudget
                found += column.judge(text, start, end, places)
    return found


def _barred(text: str) -> str:
    """A text with plain bars in place of those that are drawn."""
    for bar in _DRAWN:  # each is looked for at memory speed
        text = text.replace(bar, "|")
    return text


class _Column:
    """A column whose name tells."""

    __slots__ = ("_facts", "_rules", "_whole")

    def __init__(self, rules: CompiledRules, named: KeyFacts, around: KeyFacts) -> None:
        self._rules = rules
        self._whole = [rule for rule in named.whole if rule.index not in around.off]
        self._facts = KeyFacts((), named.off | around.off, named.context | around.context)

    @property
    def tells(self) -> bool:
        """Whether any rule asks for it."""
        return bool(self._whole or self._facts.context)

    def judge(self, text: str, start: int, end: int, places: Sequence[Place]) -> list[Finding]:
        """What is found in a cell."""
        value = text[start:end]
        if self._rules.made(value) or media.NOTE.fullmatch(value) or _SAYS_NOTHING.fullmatch(value):
            return []
        for rule in self._whole:
            if rule.key_value is None or rule.key_value.fullmatch(value):
                return [(start, end, rule, value)]
        inside: matching.Places = []
        if self._facts.context:
            first, last = bisect_left(places, (start, -1)), bisect_left(places, (end, -1))
            inside = [(at - start, anchor) for at, anchor in places[first:last] if self._rules.of_anchor[anchor]]
        if not inside:
            return []
        in_cell, _ = matching.find(value, self._rules, self._facts, inside)
        return [(start + low, start + high, rule, each) for low, high, rule, each in in_cell]


def _telling(names: Sequence[str], rules: CompiledRules, facts: KeyFacts) -> Mapping[int, _Column]:
    """Those of the columns with these names that tell, by number."""
    said = [name.strip(_DRESS) for name in names]
    of_person = persons.beside({keys.normalise(name) for name in said if name != _OF_RESOURCES})
    found: dict[int, _Column] = {}
    for number, name in enumerate(said):
        if not name:
            continue
        key = persons.KEY if of_person and keys.normalise(name) == "name" else fold.word(name)
        column = _Column(rules, rules.facts(key), facts)
        if column.tells:
            found[number] = column
    return found


def _table(text: str, at: int, made: Callable[[str], bool]) -> tuple[Row, Iterator[Row], int]:
    """The head around a place, the rows below it, and where the head ends. No cells when there is no table."""
    if text[max(0, at - 11) : at + 1].lower() == "insert into" and (match := _INSERT.match(text, at - 10)):
        start = match.start("names")
        names = [(start + each.start(), start + each.end()) for each in _INSERT_NAME.finditer(match["names"])]
        return names[:_MOST_NAMES], _inserted(text, match.end()), match.end()
    if text[max(0, at - 4) : at + 1].lower() == "</th>":
        return _html(text, at)
    start, end = _line(text, at)
    if start < 0:
        return [], iter(()), at + 1
    line = text[start:end]
    mark = next((each for each in ("\t", "|", ";", ",") if each in line), "")
    if mark == "|":
        record = text.rfind(_RECORD, max(0, start - _LONGEST_LINE), start)
        if record >= 0 and "\n\n" not in text[record:start]:
            return _record(text, record)
        head = _bars(text, start, end)
        rows = _drawn(text, end, len(head))
    elif mark:
        head, _ = _cells(text, start, mark)
        rows = _separated(text, end, mark, len(head))
    else:
        head, rows = _parted(text, start, end, made)
    if not 1 < len(head) <= _MOST_NAMES or _follows(text, start, mark, len(head)):
        return [], iter(()), end
    if not all(_is_name(text[first:last]) for first, last in head):
        return [], iter(()), end
    return head, rows, end


def _parted(text: str, start: int, end: int, made: Callable[[str], bool]) -> tuple[Row, Iterator[Row]]:
    """The names in a line that blanks part, and the rows below it; nothing when it is none, or has a head above."""
    if text.find("  ", start, end) < 0:
        return [], iter(())
    head = frames.head(text, start, end)
    if len(head) > 1 and frames.follows(text, start, head):
        return [], iter(())
    return head, frames.rows(text, start, head, end, made)


def _is_name(cell: str) -> bool:
    cell = cell.strip(_DRESS)
    return not cell or (_NAME.fullmatch(cell) is not None and len(cell.split()) <= _MOST_WORDS)


def _line(text: str, at: int) -> Cell:
    """The line around a place; nothing when it is too long for the head of a table."""
    low = max(0, at - _LONGEST_LINE)
    start = text.rfind("\n", low, at) + 1
    if not start and low:
        return -1, -1
    end = text.find("\n", at, at + _LONGEST_LINE)
    if end < 0:
        end = len(text)
    return (-1, -1) if end - start > _LONGEST_LINE else (start, end)


def _follows(text: str, start: int, mark: str, columns: int) -> bool:
    """Whether the line that starts there is one more row of a table that began before, maybe above a line drawn."""
    before, end = _line_before(text, start)
    if mark == "|" and before >= 0 and _BORDER.fullmatch(text[before:end].rstrip()):
        before, end = _line_before(text, before)
    if before < 0 or not mark or mark not in text[before:end] or text[before:end].strip().lower() == f"sep={mark}":
        return False
    return len(_bars(text, before, end) if mark == "|" else _cells(text, before, mark)[0]) == columns


def _line_before(text: str, start: int) -> Cell:
    """The line in front of one that starts there; nothing when there is none, or an empty one."""
    return _line(text, start - 2) if start > 1 and text[start - 2] != "\n" else (-1, -1)


def _trimmed(text: str, start: int, end: int) -> Cell:
    while start < end and text[start] in " \t\r":
        start += 1
    while start < end and text[end - 1] in " \t\r":
        end -= 1
    return start, end


def _bars(text: str, start: int, end: int) -> Row:
    """The cells of a line of a table that is drawn with bars, which may also stand at its ends."""
    start, end = _trimmed(text, start, end)
    if text.startswith("> ", start):
        start += 2
    if start < end and text[start] == "|":
        start += 1
    if start < end and text[end - 1] == "|":
        end -= 1
    row: Row = []
    while (bar := text.find("|", start, end)) >= 0:
        row.append(_trimmed(text, start, bar))
        start = bar + 1
    row.append(_trimmed(text, start, end))
    return row


def _record(text: str, at: int) -> tuple[Row, Iterator[Row], int]:
    """The names below a line that says that a record begins, one in each line, and their values as the only row."""
    _, end = _line(text, at)
    names: Row = []
    values: Row = []
    while 0 <= end < len(text) and len(names) < _MOST_NAMES:
        start, end = _line(text, end + 1)
        bar = text.find("|", max(start, 0), end)
        if start < 0 or bar < 0 or text.startswith(_RECORD, start):
            break
        names.append(_trimmed(text, start, bar))
        values.append(_trimmed(text, bar + 1, end))
    if not names:
        return [], iter(()), at + len(_RECORD)
    return names, iter([values]), values[-1][1]


def _drawn(text: str, end: int, columns: int) -> Iterator[Row]:
    """The rows of a table with bars below a line that ends there."""
    while end < len(text):
        start, end = _line(text, end + 1)
        if start < 0:
            return
        if "|" in text[start:end] and not _BORDER.fullmatch(text[start:end].rstrip()):
            row = _bars(text, start, end)
            if len(row) < columns:
                return
            yield row
        elif not _BORDER.fullmatch(text[start:end].rstrip()):
            return


def _cells(text: str, at: int, mark: str) -> tuple[Row, int]:
    """The cells of a line, and where the next one begins; beyond the text when there is none, or this one is odd."""
    row: Row = []
    cells = _CELLS[mark]
    while match := cells.match(text, at):
        quoted = match["quoted"] is not None
        row.append(match.span("quoted") if quoted else _trimmed(text, *match.span("plain")))
        at = match.end()
        if match["end"] != mark:
            return row, at if match["end"] else len(text) + 1
    return [], len(text) + 1


def _separated(text: str, end: int, mark: str, columns: int) -> Iterator[Row]:
    """The rows below a line that ends there, with a mark between cells."""
    at = end + 1
    while at < len(text):
        row, at = _cells(text, at, mark)
        if len(row) < columns:
            return
        yield row


def _inserted(text: str, at: int) -> Iterator[Row]:
    """The rows of values of an INSERT."""
    while match := _NEXT_VALUES.match(text, at):
        at = match.end()
        row: Row = []
        while value := _VALUE.match(text, at):
            quoted = value["quoted"] is not None
            row.append(value.span("quoted") if quoted else _trimmed(text, *value.span("plain")))
            at = value.end()
            if value["end"] == ")":
                break
        else:
            return
        yield row


def _html(text: str, at: int) -> tuple[Row, Iterator[Row], int]:
    """The head and the rows of a table in HTML, of which a cell of the head ends at a place."""
    begins = _HTML_ROW.match(text, max(text.rfind("<tr", max(0, at - _FARTHEST), at), 0))
    if begins is None:
        return [], iter(()), at + 1
    head, end = _html_row(text, begins.end())
    return head[:_MOST_NAMES], _html_rows(text, end), max(end, at + 1)


def _html_row(text: str, at: int) -> tuple[Row, int]:
    row: Row = []
    while match := _HTML_CELL.match(text, at):
        row.append(_trimmed(text, *match.span("cell")))
        at = match.end()
    return row, at


def _html_rows(text: str, at: int) -> Iterator[Row]:
    while match := _HTML_BETWEEN.match(text, at):
        row, at = _html_row(text, match.end())
        if not row:
            return
        yield row
