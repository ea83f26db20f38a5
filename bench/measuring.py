"""What measuring adds, in one process: µs of CPU for an LLM span, and for any other.

    python -m bench.measuring [--kinds chat,small,long] [--rounds 5]

Requests are redacted beforehand, and then measured one after the other by a meter that has learnt from as many others
what spans look like: its steady state. The same is done without the LLM spans; what is left over is theirs. An LLM
span is every span that tells something: a call, an agent, a tool, a retrieval. The figures report, they do not gate.
"""

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.micro import GC_THRESHOLD, default_rules
from bench.traffic import KINDS, Recording, load
from spansieve import decode, measure, price_table
from spansieve.measure import Meter
from spansieve.measure.reading import Reader
from spansieve.model import Encoding, ReceivedRequest, RedactedSpans, Signal, SpanSet
from spansieve.redact import CompiledRules, Redactor

LLM_AIM, OTHER_AIM = 15.0, 3.0
"""µs of CPU that measuring may add to a span."""
_SPANS, _BYTES = 3000, 12_000_000  # of each half, at most: those that the meter learns from, and those that count
_SECONDS_APART = 0.02


@dataclass(frozen=True, slots=True)
class Measuring:
    """µs of CPU a span, medians of rounds; None where there are no such spans."""

    llm: float | None
    other: float | None
    llm_spans: int
    other_spans: int


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="bench.measuring", description="CPU time of measuring, µs a span.")
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds of traffic, by comma (all)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts (5)")
    arguments = parser.parse_args()
    rules = default_rules()
    sys.stdout.write(f"{'µs of CPU':12}{'LLM span':>12}{'other span':>12}\n")
    for kind in arguments.kinds.split(","):
        found = run(load(kind), rules, arguments.rounds)
        cells = ("" if each is None else f"{each:.2f}" for each in (found.llm, found.other))
        sys.stdout.write(f"{kind:12}" + "".join(f"{cell:>12}" for cell in cells) + "\n")


def run(recording: Recording, rules: CompiledRules, rounds: int) -> Measuring:
    """What measuring adds to the spans of a kind."""
    reader = Meter(price_table.load(None)).reader
    requests = _redacted(recording, Redactor(rules, reader.reads, reader.reads_event))
    taught, counted = list(_some(requests)), list(_some(requests))
    bystanders, others = ([_others(each, reader) for each in some] for some in (taught, counted))
    other_spans = sum(each.items for each in others)
    llm_spans = sum(each.items for each in counted) - other_spans
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
    try:
        found = [(_spent(taught, counted), _spent(bystanders, others)) for _ in range(rounds)]
    finally:
        gc.unfreeze()
    llm = statistics.median((whole - rest) / llm_spans for whole, rest in found) if llm_spans else None
    other = statistics.median(rest / other_spans for _, rest in found) if other_spans else None
    return Measuring(llm, other, llm_spans, other_spans)


def _spent(taught: Sequence[RedactedSpans], counted: Sequence[RedactedSpans]) -> float:
    """µs of CPU for requests that a new meter measures after others."""
    meter = Meter(price_table.load(None))
    now = 0.0
    for each in taught:
        measure.batch(each, meter, now)
        now += _SECONDS_APART
    begun = time.thread_time_ns()
    for each in counted:
        measure.batch(each, meter, now)
        now += _SECONDS_APART
    return (time.thread_time_ns() - begun) / 1000


def _redacted(recording: Recording, redactor: Redactor) -> Iterator[tuple[int, RedactedSpans]]:
    """Requests of the recording with their size, lap after lap."""
    for number in range(sys.maxsize):
        lap, index = divmod(number, len(recording.pieces))
        body = recording.body(index, lap + 1)
        decoded = decode.request(ReceivedRequest(Signal.TRACES, Encoding.PROTO, body)).batch
        yield len(body), redactor.request(decoded)


def _some(requests: Iterator[tuple[int, RedactedSpans]]) -> Iterator[RedactedSpans]:
    spans = size = 0
    while spans < _SPANS and size < _BYTES:
        taken, redacted = next(requests)
        spans, size = spans + redacted.items, size + taken
        yield redacted


def _others(request: RedactedSpans, reader: Reader) -> RedactedSpans:
    """The request without its LLM spans."""
    sets = [
        SpanSet(each.envelope, [record for record in each.records if not record.wanted])
        for each in request.sets
        if reader.scope_of(each.envelope)[1] is None
    ]
    return RedactedSpans(sets, sum(len(each.records) for each in sets), {})


if __name__ == "__main__":
    main()
