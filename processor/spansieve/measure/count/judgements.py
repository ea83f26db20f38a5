"""Evaluations and users' judgements that are told twice: OpenLIT writes each as a span's event and as a log record.

Neither an id nor a time that both have tells that they are the same. So the nth like it of a span, by what it says, and
the nth like it of the log records of that span are one: whichever comes first counts.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Final

from spansieve.measure.count.seen import WIDTH, Seen
from spansieve.measure.llm_call import Evaluation, Feedback, Observation

_MOST: Final = 16
"""Log records of one span that say the same and are told apart; what more there are count."""


JUDGEMENTS: Final = frozenset({Evaluation, Feedback})


def told(observations: Sequence[Observation]) -> Iterator[tuple[Observation, bytes]]:
    """Return the observations of one span, each with the key that it shares with a log record; empty without one."""
    alike: Counter[bytes] = Counter()
    for each in observations:
        said = _said(each)
        yield each, _key(said, alike[said], b"either") if said else b""
        alike[said] += 1


def logged(observation: Observation, seen: Seen) -> bytes:
    """Return the key that a log record, which was not told before, shares with its span; empty without one."""
    if said := _said(observation):
        for number in range(_MOST):
            if seen.first(_key(said, number, b"log")):
                return _key(said, number, b"either")
    return b""


def _said(observation: Observation) -> bytes:
    """Return what an evaluation or judgement of a span says; empty for anything else."""
    origin = observation.origin
    if not origin.trace_id or not origin.span_id:
        return b""
    match observation:
        case Evaluation():
            what: tuple[object, ...] = observation.name, observation.score, observation.label
        case Feedback():
            what = observation.name, observation.up
        case _:
            return b""
    return origin.trace_id + origin.span_id + repr((type(observation).__name__, what)).encode()


def _key(said: bytes, number: int, teller: bytes) -> bytes:
    return blake2b(said + number.to_bytes(4, "big"), key=teller, digest_size=WIDTH).digest()
