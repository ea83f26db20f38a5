"""Literal anchors: a piece of text without which a rule cannot match, and what has to be beside it.

A lower-case literal is found in any case, one with capitals only as it is written. Marks before it ask for more, since
prose is full of words such as `road`, which say nothing by themselves:

- `^`: no letter or digit stands in front, other than that of an escaped line end,
- `#`: a digit is within 64 bytes,
- `~`: right before it, and it begins with a space, stands a word with a capital or a digit first.

`$` behind it asks that no letter or digit follows. `*` in it stands for one to eight bytes that are no letters. An `@`
asks for something before it that may end the name of an account.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

MARKS: Final = "#^~"
"""What may stand before a literal anchor and is no part of it."""

Asks = Callable[[bytes, int], bool]
"""Whether what stands beside a place in a text is what an anchor asks for."""

_WORD_BEGINS = rb"(?:^|[^0-9A-Za-z]|\\[nrt])"
_WORD_ENDS = rb"[^0-9A-Za-z]"
_GAP_MARK = "*"
_GAP = rb"[^A-Za-z\0]{1,8}"
_ESCAPED = re.compile(rb"\\[nrtNRT]")
_WORD = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_NOT_BEFORE_AT = b'\0\t\n\r\x0b\x0c "/<>@[\\]'  # which no account, user or password ends with
_FIRST_OF_NAMES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_LONGEST_WORD = 32  # bytes, with the space in front
_NAME = rb"[A-Z0-9][^ ]{0,30}"  # with the space before it a scan would take longer
_NEAR = 64  # bytes
_DIGIT_AHEAD = re.compile(rb"[^\0]{0,%d}?[0-9]" % _NEAR)
_NO_DIGITS = bytes(code for code in range(256) if not 48 <= code < 58)


class Need(NamedTuple):
    """What stands near each place that matters: bytes in their own case, that lie between two distances from there."""

    raw: bytes
    low: int  # bytes from where an anchor starts, fewer than none when it may begin before that
    high: int  # bytes from there to its end at most

    def near(self, buffer: bytes, at: int) -> bool:
        """Whether it is there."""
        return buffer.find(self.raw, max(0, at + self.low), at + self.high) >= 0


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal anchor, and what it asks for."""

    raw: bytes  # the longest piece of it without a gap
    sign: bytes  # all of it, as a pattern
    size: int  # bytes from where it is said to start to its end, a gap counted as one
    exact: bool  # its case counts
    word: bool  # a word begins with it
    ends: bool  # a word ends with it
    number: bool  # a digit is near
    named: bool  # a word with a capital, or a number, stands before it
    behind: bool  # something that an account may end with stands right before it
    needs: tuple[Need, ...] = ()  # one of which is near

    @property
    def pattern(self) -> bytes:
        """All of it, and what has to be right beside it: one byte behind it when a word ends with it."""
        return (_WORD_BEGINS if self.word else b"") + self.sign + (_WORD_ENDS if self.ends else b"")

    @property
    def expression(self) -> tuple[bytes, bool]:
        """The same for Vectorscan, which also sees what word stands before it, and whether case counts in that."""
        if not self.named:
            return self.pattern, self.exact
        return _NAME + (self.pattern if self.exact else b"(?i:" + self.pattern + b")"), True

    def places(self, text: bytes) -> Iterable[int]:
        """Where it starts in a text, which is in small letters unless its case counts, whatever it asks."""
        if len(self.raw) < self.size:
            return {match.end(1) - self.ends - self.size for match in _overlapping(self.pattern).finditer(text)}
        return (
            at
            for at in all_of(text, self.raw)
            if (not self.word or _begins_word(text, at)) and not (self.ends and text[at + self.size] in _WORD)
        )

    @property
    def asks(self) -> Asks | None:
        """What is asked about a place where it starts; None when its own text, and where words end, say enough."""
        if self.behind:
            return _account
        return self._holds if self.number or self.named or self.needs else None

    def _holds(self, buffer: bytes, at: int) -> bool:
        if self.needs and not any(each.near(buffer, at) for each in self.needs):
            return False
        return (not self.named or _named(buffer, at)) and (not self.number or _digit_near(buffer, at, at + self.size))


def literal(anchor: str) -> Literal:
    """Read an anchor as a policy writes it."""
    text = anchor.lstrip(MARKS)
    marks = anchor[: len(anchor) - len(text)]
    ends = len(text) > 1 and text.endswith("$")
    text = text[: len(text) - ends]
    pieces = [piece.encode("latin-1") for piece in text.split(_GAP_MARK) if piece]
    return Literal(
        raw=max(pieces, key=len, default=b""),
        sign=_GAP.join(map(re.escape, pieces)),
        size=sum(map(len, pieces)) + len(pieces) - 1,
        exact=text != text.lower(),
        word="^" in marks,
        ends=ends,
        number="#" in marks,
        named="~" in marks,
        behind=text == "@",
    )


def all_of(text: bytes, literal: bytes) -> Iterable[int]:
    """Give each place where bytes stand in a text."""
    at = text.find(literal)
    while at >= 0:
        yield at
        at = text.find(literal, at + 1)


@cache
def _overlapping(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(b"(?=(" + pattern + b"))")


def _begins_word(buffer: bytes, at: int) -> bool:
    return at == 0 or buffer[at - 1] not in _WORD or (at > 1 and _ESCAPED.match(buffer, at - 2) is not None)


def _account(buffer: bytes, at: int) -> bool:
    """Whether an account, a user or a password may end right before an `@`; of a row of them the first is enough."""
    return at > 0 and buffer[at - 1] not in _NOT_BEFORE_AT


def _named(buffer: bytes, at: int) -> bool:
    """Whether the word before a literal that begins with a space has a capital or a digit first."""
    space = buffer.rfind(b" ", at - _LONGEST_WORD if at > _LONGEST_WORD else 0, at)
    return space >= 0 and buffer[space + 1] in _FIRST_OF_NAMES


def _digit_near(buffer: bytes, start: int, end: int) -> bool:
    """Whether a digit is within 64 bytes of a literal, in the same text."""
    if not buffer[start - _NEAR if start > _NEAR else 0 : end + _NEAR + 1].translate(None, _NO_DIGITS):
        return False
    return (
        _DIGIT_AHEAD.match(buffer, end) is not None
        or _DIGIT_AHEAD.match(buffer[max(0, start - _NEAR - 1) : start][::-1]) is not None
    )
