"""The facts and spans of a waiting trace as two strings of bytes.

A trace waits half a minute and longer, mostly to be sampled out: as objects, what is known of it took half as much
memory again as its spans. Nothing of this is ever written down or read by another process.
"""

import marshal
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final

from spansieve.facts import NO_LLM, LlmFacts, TraceFacts
from spansieve.model import SpanGroup

_PLAIN: Final = 2
"""The version of marshal's format that does not look for objects met before: half the time, a tenth more bytes."""
_SETS: Final = LlmFacts._fields.index("error_classes")
_AFTER: Final = LlmFacts._fields.index("conversations") + 1
_NOTHING: Final = NO_LLM.lowest_scores
_NOBODY: Final = NO_LLM.models
_LAST: Final = 1 << 31
"""Added to the length of a group's last span; a request is shorter than that by far."""
_SIZES: Final = "I"  # of array: 32 bits
_WIDTH: Final = array(_SIZES).itemsize


def facts(given: TraceFacts) -> bytes:
    """Pack what is known of a trace: 60 bytes, and some 200 more with LLM calls."""
    llm = given.llm
    known: list[Any] = [*given]
    known[-2] = tuple(given.redacted.items()) if given.redacted else None
    known[-1] = None
    if llm is not NO_LLM:
        told: list[Any] = [*llm]
        told[_SETS:_AFTER] = [tuple(each) if each else None for each in told[_SETS:_AFTER]]
        told[-1] = tuple(llm.lowest_scores.items()) if llm.lowest_scores else None
        known[-1] = told
    # The standard library's quickest way; unlike pickle's, it makes nothing but numbers, texts and lists of them.
    return marshal.dumps(known, _PLAIN)


def unpacked_facts(packed: bytes) -> TraceFacts:
    """Give back what was packed."""
    known: list[Any] = marshal.loads(packed)  # noqa: S302 - nobody else wrote it
    known[-2] = dict(known[-2]) if known[-2] else _NOTHING
    told = known[-1]
    if told is None:
        known[-1] = NO_LLM
    else:
        told[_SETS:_AFTER] = [frozenset(each) if each else _NOBODY for each in told[_SETS:_AFTER]]
        told[-1] = dict(told[-1]) if told[-1] else _NOTHING
        known[-1] = LlmFacts._make(told)
    return TraceFacts._make(known)


def spans(groups: Sequence[SpanGroup]) -> bytes:
    """Join the spans of groups, each of which has some: their number and lengths go ahead."""
    sizes: list[int] = [0]
    parts: list[bytes] = [b""]
    for group in groups:
        sizes += map(len, group.spans)
        sizes[-1] |= _LAST
        parts += group.spans
    sizes[0] = len(sizes) - 1
    parts[0] = array(_SIZES, sizes).tobytes()
    return b"".join(parts)


def unpacked_spans(packed: bytes) -> Iterator[tuple[bytes, ...]]:
    """Give back the spans of each group."""
    words = memoryview(packed)[: len(packed) // _WIDTH * _WIDTH].cast(_SIZES)
    at = (words[0] + 1) * _WIDTH
    group: list[bytes] = []
    for size in words[1 : words[0] + 1]:
        end = at + (size & ~_LAST)
        group.append(packed[at:end])
        at = end
        if size & _LAST:
            yield tuple(group)
            group = []
