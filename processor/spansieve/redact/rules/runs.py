"""Long runs of letters and digits in which a text may stand encoded, binary content, or a wallet's address."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from spansieve.redact.rules.vectorscan import Expression, Scanner
from spansieve.redact.text import media, tokens

_SHORTEST_ADDRESS = 26
_ADDRESS = rb"[1348][0-9A-HJ-NP-Za-km-z]{%d}" % (_SHORTEST_ADDRESS - 1)
_BASE58 = re.compile(rb"(?<![0-9A-Za-z])" + _ADDRESS)

EXPRESSIONS: Final = (
    Expression(rb"(?:^|[^0-9A-Za-z])" + _ADDRESS, meaning=True, exact=True),
    *(Expression(pattern, meaning=False, exact=True) for pattern in tokens.SAYS),
)
"""What Vectorscan looks for in runs that are too short for binary content. They mean: an address or not."""


def find(buffer: bytes, runs: Sequence[tuple[int, int]], native: Scanner | None) -> tuple[list[int], list[int]]:
    """Give where runs of base64's characters start that may say something, and where wallets' addresses may.

    `runs` are the long ones of the text (tokens.runs). `native` is a scanner for `EXPRESSIONS`; without one, `re` finds
    the same.
    """
    encoded: list[int] = []
    addresses: list[int] = []
    short: list[tuple[int, int]] = []
    for start, end in runs:
        if end - start < media.SHORT and native is not None:
            short.append((start, end))
        else:
            if end - start >= media.SHORT or tokens.may_say(buffer, start, end):
                encoded.append(start)
            addresses += [match.start() for match in _BASE58.finditer(buffer, start, end)]
    if native is not None and short:
        for at, is_address in _in_short(buffer, short, native):
            (addresses if is_address else encoded).append(at)
    return encoded, addresses


def _in_short(buffer: bytes, runs: Sequence[tuple[int, int]], native: Scanner) -> Iterator[tuple[int, bool]]:
    """The same for runs that are too short for binary content, all in one pass."""
    joined = b"\0".join([buffer[start:end] for start, end in runs]) + b"\0"
    starts = list(accumulate((end - start + 1 for start, end in runs), initial=0))
    last = -1
    for is_address, end in native.scan(joined):
        index = bisect_right(starts, end - 1) - 1
        if is_address:
            yield runs[index][0] + end - _SHORTEST_ADDRESS - starts[index], True
        elif index != last:
            last = index
            yield runs[index][0], False
