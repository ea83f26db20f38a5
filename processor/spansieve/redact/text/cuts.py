"""A list of JSON objects, such as the messages of a conversation, cut into its elements without being parsed.

Where one object ends and the next begins with the same key, written the same way, is a border: a quote that a brace
stands before, and a key behind, opens a string, so that no border is within one. It may be deeper within an element,
whose pieces then are no JSON by themselves; who parses them finds out.
"""

import re
from typing import Final, NamedTuple

_HEAD = re.compile(rb'\[[ \n]{0,8}+(\{[ \n]{0,8}+"[^"\\]{1,32}"[ \n]{0,8}+:)')
_SMALLEST: Final = 96
"""Bytes of an element, on average: chunks of a stream are one text, and not said again with each turn."""

_MEETING = re.compile(rb"\}([ \n]{0,8},[ \n]{0,8})\Z")
_WIDEST: Final = 24  # bytes from the end of one object to the start of the next
_TRIES: Final = 16  # openings that may be those of objects within the first element
_LEAST: Final = 256
"""Bytes of a piece: shorter elements are taken together, as a look-up of each would cost more than it saves."""


class Cut(NamedTuple):
    """A list in pieces of one object or several: `before` + `gap`.join(pieces) + `after`."""

    before: bytes
    pieces: list[bytes]
    gap: bytes
    after: bytes


def cut(text: bytes) -> Cut | None:
    """Cut a list of objects, in UTF-8. None when it is none, has one piece only, or is one of many small objects."""
    head = _HEAD.match(text)
    if head is None:
        return None
    opening = head[1]
    start = head.end()
    gap = _gap(text, opening, start)
    if gap is None:
        return None
    inner = text.rstrip()
    if not inner.endswith(b"]"):
        return None
    inner = inner[:-1].rstrip()
    if not inner.endswith(b"}"):
        return None
    border = b"}" + gap + opening
    pieces: list[bytes] = []
    first, elements = head.start(1), 1  # where the next piece starts
    end = inner.find(border, start) + 1
    while end:
        elements += 1
        if end - first >= _LEAST:
            pieces.append(inner[first:end])
            first = end + len(gap)
        end = inner.find(border, end + len(border) - 1) + 1
    pieces.append(inner[first:])
    if len(pieces) == 1 or len(inner) < _SMALLEST * elements:
        return None
    return Cut(text[: head.start(1)], pieces, gap, text[len(inner) :])


def _gap(text: bytes, opening: bytes, start: int) -> bytes | None:
    """What stands between the first element and the next; None when there is no other."""
    at = start
    for _ in range(_TRIES):
        at = text.find(opening, at)
        if at < 0:
            return None
        if (meeting := _MEETING.search(text, max(start, at - _WIDEST), at)) is not None:
            return meeting[1]
        at += len(opening)
    return None
