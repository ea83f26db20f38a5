"""Other readings of a text: what it says once escapes, encodings and look-alike characters are taken away.

A value written as `alice%40example.com`, in fullwidth digits, with zero-width characters or in base64 is found in a
reading, which knows for each of its characters where the original has it; only the original's characters are
replaced. Most texts have no other reading, which the anchors tell (ESCAPE, ENCODED).
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from typing import Final

from spansieve.redact.text import excerpt, fold, tokens
from spansieve.redact.text.excerpt import Place, Span

_ROUNDS = 5  # escapes within escapes
_NESTED = 3  # encoded tokens within encoded tokens
_NEAR = 100  # characters on both sides: more than any anchor is long, with what it asks to stand beside it
_NEAR_LINES = 32  # the same of anchors of numbers, which are all that a line end matters to
_LINES = frozenset("\n\r\t")
_LONGEST_ATOM = 48  # characters from the start of one to all that tells it, but backslashes

Edit = tuple[int, int, int, int]
"""Start and end of what was put in, and start and end of what it stands for."""

Atom = tuple[int, int, str]
"""Start and end of what is written otherwise, and what it stands for."""

_NO_MORE: Final[Edit] = (0, 0, 1 << 60, 1 << 60)


class TooDeep(Exception):
    """There are escapes within escapes beyond what anyone writes by accident."""


class Reading:
    """A text that stands for another one. Texts of the same length stand for each other character by character.

    `base` is the reading that it differs from in nothing but `changed`, which are spans in order; None: the original.
    Without `changed` it may differ anywhere.
    """

    __slots__ = ("_edits", "_parent", "_starts", "_wrapped", "base", "changed", "text")

    def __init__(
        self,
        text: str,
        edits: Sequence[Edit],
        parent: "Reading | None",
        changed: Sequence[Span] | None = None,
        base: "Reading | None" = None,
        wrapped: str | None = None,
    ) -> None:
        """Make a reading of its `parent`, or the original, from `edits`.

        `wrapped` is the text before, of one from which the line ends in numbers were taken: a number is wrapped once,
        and what has more line ends in it is a column.
        """
        self.text = text
        self.base = base
        self.changed = changed
        self._edits = edits
        self._starts = [edit[0] for edit in edits]
        self._parent = parent
        self._wrapped = wrapped

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

    @property
    def is_direct(self) -> bool:
        """Whether it differs from its base by what stands there, and not by escapes within escapes."""
        return self._parent is self.base

    def near(self) -> list[Span]:
        """The windows of the text in which there may be other anchors than in its base."""
        text, changed = self.text, self.changed or ()
        if self._wrapped is not None:
            return [(start - _NEAR_LINES, end + _NEAR_LINES) for start, end in changed]
        margins = [_NEAR_LINES if text[start:end] in _LINES else _NEAR for start, end in changed]
        return sorted((start - far, end + far) for (start, end), far in zip(changed, margins, strict=True))

    def carried(self, places: Sequence[Place]) -> Sequence[Place]:
        """Places of the base, in order, as they are here, but those in what was taken away."""
        if self._parent is not None and self._parent is not self.base:
            places = self._parent.carried(places)
        if not self._edits:
            return places
        kept: list[Place] = []
        shift = number = 0
        _, put_end, start, end = self._edits[0]
        for at, anchor in places:
            while at >= end:
                shift = put_end - end
                number += 1
                _, put_end, start, end = self._edits[number] if number < len(self._edits) else _NO_MORE
            if at < start:
                kept.append((at + shift, anchor))
        return kept

    def original(self, at: int) -> int | None:
        """Where a character of the text stands in the original, if it does."""
        index = bisect_right(self._starts, at) - 1
        if index >= 0:
            _, put_end, _, old_end = self._edits[index]
            if at < put_end:
                return None
            at += old_end - put_end
        return at if self._parent is None else self._parent.original(at)


class _Decoded(Reading):
    """What an encoded token says: any part of it stands for the whole token."""

    __slots__ = ("_whole",)

    def __init__(self, text: str, whole: Span, parent: Reading | None) -> None:
        super().__init__(text, (), parent, base=parent)
        self._whole = whole

    def span(self, start: int, end: int) -> Span | None:  # noqa: ARG002 - every part is the whole
        return self._whole if self._parent is None else self._parent.span(*self._whole)


# A terminal's colours and the like (ECMA-48, 8.3.117), or what is left of them where control characters are taken out.
_COLOUR = r"\x1b\[[0-?]{0,12}[A-Za-z]|\[[0-9;]{1,12}m"
_ATOM = re.compile(
    rf"[%&\\+=\x1b\[{fold.ODD_OR_BEYOND}](?:(?<!\[)(?:"
    r"(?<=%)(?:[0-7][0-9A-Fa-f]|[89A-Fa-f][0-9A-Fa-f](?:%[89A-Fa-f][0-9A-Fa-f])*)"
    r"|(?<=&)(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31}[0-9]{0,2}(?=;));?"
    r"|(?<=\\)(?<!\\\\)\\*+(?:u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|[nrt\"'])"
    r"|(?<=\+)(?:(?<=[0-9)]\+)(?=[0-9A-Z(])|(?<=[A-Z]{4}\+)(?=[0-9]))"
    r"|(?<=[A-Za-z0-9@.]=)(?:40(?=[A-Za-z0-9-]{1,63}\.[A-Za-z])|\r?\n(?=[ A-Za-z0-9@.-]))"
    rf"|(?<=\x1b)\[[0-?]{{0,12}}[A-Za-z](?:{_COLOUR})*"
    rf"|(?<=[{fold.ODD}])[{fold.ODD}]*+"
    rf")|(?<=\[)[0-9;]{{1,12}}m(?:{_COLOUR})*)"
)
# A line end in a number, and the separators around it: looked for by what is rarest in it.
_WRAPPED = re.compile(
    r"\n(?:(?<=[0-9]\n)|(?<=[0-9]\r\n)|(?<=[0-9][-.()/ ]\n)|(?<=[0-9][-.()/ ]\r\n)|(?<=[0-9][-.()/ ]{2}\n)"
    r"|(?<=[0-9][-.()/ ]{2}\r\n))[ \t>]{0,4}[-.()/ ]{0,2}(?=[0-9])"
)


def atoms(text: str) -> list[Atom]:
    """What is written otherwise in a text, in order: where, and what it stands for."""
    return list(_meant(text, _ATOM.finditer(text)))


def readings(text: str, known: Sequence[Atom] | None = None) -> list[Reading]:
    """Give all other readings of a text, in no more than a fixed multiple of its size. Its atoms may be known.

    Raises TooDeep.
    """
    found: list[Reading] = []
    _collect(text, None, found, 0, atoms(text) if known is None else known)
    return found


def again(text: str, known: Sequence[Atom]) -> list[Reading]:
    """Give the readings of a text with these atoms, which stand for nothing that is written otherwise, or encoded."""
    step = _rewrite(text, known, None, None, [])
    found: list[Reading] = []
    if step is not None:
        found.append(step[0])
        found[0].changed = step[1]
    current = found[0] if found else None
    plain = text if current is None else current.text
    return found + _unwrapped(plain, current) if "\n" in plain else found


def decoded(text: str, starts: Sequence[int]) -> list[Reading]:
    """Give the readings of what stands encoded in the runs that start at these places."""
    found: list[Reading] = []
    for at in starts:
        for start, end, plain in tokens.decoded(text, at):
            found.append(_Decoded(plain, (start, end), None))
            _collect(plain, found[-1], found, 1, atoms(plain))
    return found


def _collect(text: str, parent: Reading | None, found: list[Reading], depth: int, known: Sequence[Atom]) -> None:
    current, plain = parent, text
    changed: list[Span] = []
    for times in range(_ROUNDS + 1):
        step = _rewrite(plain, known, current, parent, changed)
        if step is None:
            break
        if times == _ROUNDS:
            raise TooDeep
        current, changed = step
        plain = current.text
        around = [(start - _LONGEST_ATOM, end + _LONGEST_ATOM) for start, end in changed]
        known = list(_meant(plain, _within(plain, excerpt.joined(around, len(plain)))))
    if current is not None and current is not parent:
        current.changed = changed
        found.append(current)
    if "\n" in plain:
        found += _unwrapped(plain, current)
    if depth < _NESTED:
        for start, end, decoded in tokens.decoded_all(plain):
            found.append(_Decoded(decoded, (start, end), current))
            _collect(decoded, found[-1], found, depth + 1, atoms(decoded))


def _rewrite(
    text: str, known: Sequence[Atom], parent: Reading | None, base: Reading | None, changed: Sequence[Span]
) -> tuple[Reading, list[Span]] | None:
    """Replace atoms by what they stand for, and say where, beside what was `changed` before. None without atoms."""
    if not known:
        return None
    pieces: list[str] = []
    edits: list[Edit] = []
    put: list[Span] = []
    done = size = 0
    for start, end, new in known:
        pieces += text[done:start], new
        at = size + start - done
        size = at + len(new)
        put.append((at, size))
        if len(new) != end - start:
            edits.append((at, size, start, end))
        done = end
    pieces.append(text[done:])
    reading = Reading("".join(pieces), edits, parent, base=base)
    return reading, sorted(put + _carried(changed, edits)) if changed else put


def _meant(text: str, matches: Iterable[re.Match[str]]) -> Iterator[Atom]:
    for match in matches:
        old = match[0]
        start, end = match.span()
        new = _meaning(old, text, start, end)
        if new != old:
            yield start, end, new


def _within(text: str, windows: Sequence[Span]) -> Iterator[re.Match[str]]:
    """What looks like atoms and starts in some windows, which are in order and apart."""
    done = 0  # up to here all was looked at
    match: re.Match[str] | None = None
    for start, end in windows:
        low = max(done, start)
        while low > done and text[low - 1] == "\\":
            low -= 1
        while match is None or match.start() < end:
            if match is not None and match.start() >= low:
                yield match
                low = match.end()
            if (match := _ATOM.search(text, low)) is None:
                return
        done = max(low, end)


def _carried(spans: Sequence[Span], edits: Sequence[Edit]) -> list[Span]:
    """Spans as they are after edits, with all of what was put in where they meet one."""
    olds = [edit[2] for edit in edits]
    moved: list[Span] = []
    for start, end in spans:
        first, last = bisect_right(olds, start) - 1, bisect_right(olds, end) - 1
        if first >= 0:
            put, put_end, _, old_end = edits[first]
            start = put if start < old_end else put_end + start - old_end  # noqa: PLW2901 - the same one
        if last >= 0:
            _, put_end, _, old_end = edits[last]
            end = put_end if end <= old_end else put_end + end - old_end  # noqa: PLW2901 - as above
        moved.append((start, end))
    return moved


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
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'"}


def _unwrapped(text: str, parent: Reading | None) -> list[Reading]:
    """Give a text with a space, and with nothing, in place of the line ends in its numbers."""
    readings: list[Reading] = []
    wraps = _single(text, [_wrap(text, match) for match in _WRAPPED.finditer(text)])
    if not wraps:
        return []
    for put in (" ", ""):
        pieces: list[str] = []
        edits: list[Edit] = []
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
        readings.append(Reading("".join(pieces), edits, parent, changed, base=parent, wrapped=text))
    return readings


def _wrap(text: str, match: re.Match[str]) -> Span:
    """Where a line end in a number, and the separators around it, start and end."""
    start = match.start()
    if text[start - 1] == "\r":
        start -= 1
    while text[start - 1] in _IN_NUMBERS:
        start -= 1
    return start, match.end()


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
_IN_NUMBERS = frozenset("-.()/ ")
_SEPARATORS = re.compile(r"[^-.()/]+")
