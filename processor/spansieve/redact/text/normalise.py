"""Other readings of a text: what it says once escapes, encodings and look-alike characters are taken away.

A value written as `alice%40example.com`, in fullwidth digits, with zero-width characters or in base64 is found in a
reading, which knows for each of its characters where the original has it; only the original's characters are
replaced. Most texts have no other reading, which the anchors tell (ESCAPE, ENCODED).
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from html import unescape

from spansieve.redact.text import fold, tokens

_ROUNDS = 5  # escapes within escapes
_NESTED = 3  # encoded tokens within encoded tokens

Span = tuple[int, int]


class TooDeep(Exception):
    """There are escapes within escapes beyond what anyone writes by accident."""


class Reading:
    """A text that stands for another one. Texts of the same length stand for each other character by character."""

    __slots__ = ("_edits", "_parent", "_starts", "_wrapped", "changed", "text")

    def __init__(
        self,
        text: str,
        edits: Sequence[tuple[int, int, int, int]],
        parent: "Reading | None",
        changed: Sequence[Span] | None = None,
        wrapped: str | None = None,
    ) -> None:
        """Make a reading from `edits`: start and end of what was put in, start and end of what it stands for.

        `changed` are the spans in which it differs from the text before; None means all of it, or unknown.
        `wrapped` is the text before, of one from which the line ends in numbers were taken: a number is wrapped once,
        and what has more line ends in it is a column.
        """
        self.text = text
        self._edits = edits
        self._starts = [edit[0] for edit in edits]
        self._parent = parent
        self._wrapped = wrapped
        self.changed = changed

    def span(self, start: int, end: int) -> Span | None:
        """Give the characters of the original that a span of the reading stands for; None when it means nothing."""
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, end - 1) - 1
        if first >= 0:
            _, put_end, old, old_end = self._edits[first]
            start = old if start < put_end else old_end + start - put_end
        if last >= 0:
            _, put_end, old, old_end = self._edits[last]
            end = old_end if end <= put_end else old_end + end - put_end
        if self._wrapped is not None and self._wrapped.count("\n", start, end) > 1:
            return None
        return (start, end) if self._parent is None else self._parent.span(start, end)


class _Decoded(Reading):
    """What an encoded token says: any part of it stands for the whole token."""

    __slots__ = ("_whole",)

    def __init__(self, text: str, whole: Span, parent: Reading | None) -> None:
        super().__init__(text, (), parent)
        self._whole = whole

    def span(self, start: int, end: int) -> Span | None:  # noqa: ARG002 - every part is the whole
        return self._whole if self._parent is None else self._parent.span(*self._whole)


# A terminal's colours and the like (ECMA-48, 8.3.117), or what is left of them where control characters are taken out.
_COLOUR = r"\x1b\[[0-?]{0,12}[A-Za-z]|\[[0-9;]{1,12}m"
_ATOM = re.compile(
    rf"[%&\\+=\x1b\[{fold.ODD_OR_BEYOND}](?:(?<!\[)(?:"
    r"(?<=%)(?:[0-7][0-9A-Fa-f]|[89A-Fa-f][0-9A-Fa-f](?:%[89A-Fa-f][0-9A-Fa-f])*)"
    r"|(?<=&)(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31}[0-9]{0,2}(?=;));?"
    r"|(?<=\\)(?<!\\\\)\\*+(?:u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|[nrt])"
    r"|(?<=\+)(?:(?<=[0-9)]\+)(?=[0-9A-Z(])|(?<=[A-Z]{4}\+)(?=[0-9]))"
    r"|(?<=[A-Za-z0-9@.]=)(?:40(?=[A-Za-z0-9-]{1,63}\.[A-Za-z])|\r?\n(?=[ A-Za-z0-9@.-]))"
    rf"|(?<=\x1b)\[[0-?]{{0,12}}[A-Za-z](?:{_COLOUR})*"
    rf"|(?<=[{fold.ODD}])[{fold.ODD}]*+"
    rf")|(?<=\[)[0-9;]{{1,12}}m(?:{_COLOUR})*)"
)
# A line end in a number, and the separators around it.
_WRAPPED = re.compile(r"[0-9](?:[-.()/ ]{0,2}\r?\n[ \t>]{0,4}[-.()/ ]{0,2})(?=[0-9])")


def readings(text: str) -> list[Reading]:
    """Give all other readings of a text, in no more than a fixed multiple of its size. Raises TooDeep."""
    found: list[Reading] = []
    _collect(text, None, found, 0)
    return found


def decoded(text: str, starts: Sequence[int]) -> list[Reading]:
    """Give the readings of what stands encoded in the runs that start at these places."""
    found: list[Reading] = []
    for at in starts:
        for start, end, plain in tokens.decoded(text, at):
            found.append(_Decoded(plain, (start, end), None))
            _collect(plain, found[-1], found, 1)
    return found


def _collect(text: str, parent: Reading | None, found: list[Reading], depth: int) -> None:
    current, plain = parent, text
    for _ in range(_ROUNDS):
        step = _rewrite(plain, _ATOM, current)
        if step is None:
            break
        current, plain = step, step.text
    else:
        if _rewrite(plain, _ATOM, None) is not None:
            raise TooDeep
    if current is not None and current is not parent:
        found.append(current)
    if "\n" in plain and _WRAPPED.search(plain):
        found += _unwrapped(plain, current)
    if depth < _NESTED:
        for start, end, decoded in tokens.decoded_all(plain):
            found.append(_Decoded(decoded, (start, end), current))
            _collect(decoded, found[-1], found, depth + 1)


def _rewrite(text: str, pattern: re.Pattern[str], parent: Reading | None) -> Reading | None:
    """Replace what a pattern finds by what it stands for. None when that changes nothing."""
    pieces: list[str] = []
    edits: list[tuple[int, int, int, int]] = []
    changed: list[Span] = []
    done = size = 0
    for match in pattern.finditer(text):
        old = match[0]
        start, end = match.span()
        new = _meaning(old, text, start, end)
        if new == old:
            continue
        pieces += text[done:start], new
        at = size + start - done
        size = at + len(new)
        changed.append((at, size))
        if len(new) != len(old):
            edits.append((at, size, start, end))
        done = end
    if not pieces:
        return None
    pieces.append(text[done:])
    return Reading("".join(pieces), edits, parent, changed if parent is None else None)


def _meaning(old: str, text: str, start: int, end: int) -> str:
    """What an escape, or a run of odd characters, stands for."""
    head = old[0]
    if head == "%":
        return bytes.fromhex(old.replace("%", "")).decode(errors="replace")
    if head == "&":
        return unescape(old if old[-1] == ";" else old + ";") if old[1] == "#" else unescape(old)
    if head == "\\":
        escape = old.lstrip("\\")
        if escape in _CONTROLS:
            return _CONTROLS[escape]
        code = int(escape[1:].strip("{}"), 16)
        return chr(code) if code <= 0x10FFFF else old
    if head == "+":
        return " "
    if head == "=":  # quoted-printable
        if old == "=40":
            return "@"
        return old if _BASE64.fullmatch(text, max(0, start - _PADDED), start) else ""
    if head in "\x1b[":
        before, after = text[start - 1 : start], text[end : end + 1]
        # In a number, and beside a sign, they say nothing; between words they are the border.
        apart = before.isalnum() and (after.isalnum() or after in _OPENS) and not (before + after).isdigit()
        return " " if apart else ""
    return fold.run(old, text[start - 1 : start], text[end : end + 1])


_PADDED = 16  # characters of base64 in front of what is then its padding, and no soft line end
_BASE64 = re.compile(rf"[A-Za-z0-9+/]{{{_PADDED}}}")
_OPENS = frozenset("+(")  # a telephone number
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}


def _unwrapped(text: str, parent: Reading | None) -> list[Reading]:
    """Give a text with a space, and with nothing, in place of the line ends in its numbers."""
    readings: list[Reading] = []
    wraps = _single(text, [(match.start() + 1, match.end()) for match in _WRAPPED.finditer(text)])
    if not wraps:
        return []
    for put in (" ", ""):
        pieces: list[str] = []
        edits: list[tuple[int, int, int, int]] = []
        done = size = 0
        for start, end in wraps:
            new = put if end - start == 1 else _SEPARATORS.sub("", text[start:end]) or put
            pieces += text[done:start], new
            at = size + start - done
            size = at + len(new)
            edits.append((at, size, start, end))
            done = end
        pieces.append(text[done:])
        changed = [(edit[0], edit[1]) for edit in edits]
        readings.append(Reading("".join(pieces), edits, parent, changed, wrapped=text))
    return readings


def _single(text: str, wraps: Sequence[Span]) -> list[Span]:
    """The wraps without those of columns: of many lines, one after the other, that begin and end with a digit."""
    kept: list[Span] = []
    row: list[Span] = []
    for wrap in wraps:
        if row and "\n" in text[row[-1][1] : wrap[0]]:
            kept += row if len(row) < _COLUMN else ()
            row = []
        row.append(wrap)
    return kept + (row if len(row) < _COLUMN else [])


_COLUMN = 8  # lines
_SEPARATORS = re.compile(r"[^-.()/]+")
