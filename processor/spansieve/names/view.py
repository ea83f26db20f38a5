"""What the tagger reads of a value: its text, and of JSON in it the decoded text, with a way back to the bytes.

A JSON text is read as a whole, so that keys and neighbours tell what a short value is: the escapes of its literals are
decoded, all else stays. A long literal is read by itself: a conversation sends its messages again with each turn, and
what is read by itself is read once. JSON inside of a literal is a view of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from spansieve.redact.text import jsontext

LONG: Final = 64
"""Characters from which on a literal is read by itself: it is a sentence, and no neighbour says more of it."""

_DEPTH = 8
"""JSON inside of JSON strings. What is deeper is read as it stands."""

Span = tuple[int, int, int]

_AS_IT_STANDS = -1


@dataclass(slots=True)
class View:
    """A text to be read, made of stretches of `raw`.

    `parts`: start and end in `text`, where it starts in what it was made from, and the index of its token in `tokens`,
    or -1 for what stands in `raw` as it is. What is in no part is not to be changed: the structure of JSON, its keys.
    """

    text: str
    raw: str
    tokens: list[jsontext.Token] = field(default_factory=list)
    parts: list[tuple[int, int, int, int]] = field(default_factory=list)
    inner: dict[int, "View"] = field(default_factory=dict)  # by index of the token

    def all(self) -> Iterator["View"]:
        """This view and those inside of it."""
        yield self
        for each in self.inner.values():
            yield from each.all()


def of(text: str, depth: int = 0) -> View:
    """Make the view of a value."""
    if depth < _DEPTH and jsontext.looks_like(text):
        whole = jsontext.parses(text)
        tokens = jsontext.tokens(text, "", whole=whole)
        if whole or tokens:
            return _of_json(text, tokens, depth, whole=whole)
    return View(text, text, [], [(0, len(text), 0, _AS_IT_STANDS)])


def _of_json(text: str, tokens: list[jsontext.Token], depth: int, *, whole: bool) -> View:
    view = View("", text, tokens)
    pieces: list[str] = []
    size = at = 0

    def add(piece: str, begin: int, index: int, *, open_to_change: bool) -> None:
        nonlocal size
        pieces.append(piece)
        if piece and open_to_change:
            view.parts.append((size, size + len(piece), begin, index))
        size += len(piece)

    for index, token in enumerate(tokens):
        if token.kind == jsontext.NUMBER:
            continue
        add(text[at : token.start + 1], at, _AS_IT_STANDS, open_to_change=not whole)
        at = token.end - token.closed
        if token.kind == jsontext.STRING and (len(token.text) >= LONG or jsontext.looks_like(token.text)):
            view.inner[index] = of(token.text, depth + 1)
        else:
            add(token.text, 0, index, open_to_change=token.kind == jsontext.STRING or not whole)
    add(text[at:], at, _AS_IT_STANDS, open_to_change=not whole)
    view.text = "".join(pieces)
    return view


def put(view: View, changes: Sequence[tuple[int, int, str]], inner: Mapping[int, str]) -> str:
    """Put new texts in the place of stretches of `view.text`, and of whole leaves (by index). JSON stays JSON.

    `changes` are in order and do not overlap; what of them is in no part stays.
    """
    plain: list[tuple[int, int, str]] = []
    leaves: dict[int, str] = dict(inner)
    waiting = list(changes)
    at = 0
    for start, end, begin, index in view.parts:
        while at < len(waiting) and waiting[at][1] <= start:
            at += 1
        here: list[tuple[int, int, str]] = []
        look = at
        while look < len(waiting) and waiting[look][0] < end:
            left, right, new = waiting[look]
            here.append(
                (max(left, start) - start + begin, min(right, end) - start + begin, new if left >= start else "")
            )
            look += 1
        if not here:
            continue
        if index == _AS_IT_STANDS:
            plain += here
        else:
            leaves[index] = replaced(view.tokens[index].text, here)
    for index, new in leaves.items():
        token = view.tokens[index]
        literal = jsontext.splice(
            view.raw[token.start : token.end], [token._replace(start=0, end=token.end - token.start)], {0: new}
        )
        plain.append((token.start, token.end, literal))
    return replaced(view.raw, sorted(plain))


def replaced(text: str, changes: Sequence[tuple[int, int, str]]) -> str:
    """Put new texts in the place of stretches, which are in order."""
    pieces: list[str] = []
    at = 0
    for start, end, new in changes:
        pieces += (text[at:start], new)
        at = end
    pieces.append(text[at:])
    return "".join(pieces)
