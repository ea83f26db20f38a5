"""What measuring adds, in one process: µs of CPU for an LLM span, and for any other.

    python -m bench.measuring [--kinds chat,small,long] [--rounds 15] [--json FILE]

Requests are redacted beforehand, and then measured one after the other, round after round with new trace ids; the first
rounds, in which the meter learns what spans look like, do not count. Of the others the fastest counts, Python's garbage
collection included: what else runs on the machine takes its caches, and makes any round dearer, but none cheaper. The
same is done without the LLM spans; what is left over is theirs. An LLM span is every span that tells something: a call,
an agent, a tool. Left out: that redacting in between takes the processor's caches, too; bench.micro has it in, and
counts all spans alike. The figures report, they do not gate.
"""

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.micro import default_rules
from bench.processes import ROOT, Failed, environment
from bench.traffic import KINDS, Recording, load
from spansieve import decode, measure, price_table, process
from spansieve.measure import Meter
from spansieve.measure.read.reading import Reader
from spansieve.model import Encoding, ReceivedRequest, RedactedSpans, Signal, SpanSet
from spansieve.redact import CompiledRules, Redactor

LLM_AIM, OTHER_AIM = 15.0, 3.0
"""µs of CPU that measuring may add to a span."""
_SPANS, _BYTES = 3000, 24_000_000  # of requests, at most
_UNCOUNTED, _ROUNDS = 4, 15
_SECONDS = 2.0  # from one round to the next on the meter's clock


@dataclass(frozen=True, slots=True)
class Measuring:
    """µs of CPU a span, of the fastest round; None where there are no such spans."""

    llm: float | None
    other: float | None
    llm_spans: int
    other_spans: int


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="bench.measuring", description="CPU time of measuring, µs a span.")
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds of traffic, by comma (all)")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help=f"rounds, of which the fastest counts ({_ROUNDS})")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    rules = default_rules()
    results: dict[str, Any] = {}
    sys.stdout.write(f"{'µs of CPU':12}{'LLM span':>12}{'other span':>12}\n")
    for kind in arguments.kinds.split(","):
        found = run(load(kind), rules, arguments.rounds)
        cells = ("" if each is None else f"{each:.2f}" for each in (found.llm, found.other))
        sys.stdout.write(f"{kind:12}" + "".join(f"{cell:>12}" for cell in cells) + "\n")
        results[kind] = asdict(found)
    if arguments.json:
        arguments.json.write_text(json.dumps(results), encoding="utf-8")


def measure_apart(kinds: Sequence[str]) -> dict[str, Any]:
    """Measure kinds in a process of its own, in which nothing else is held: Measuring by kind. Raises Failed."""
    with tempfile.TemporaryDirectory(prefix="bench-measuring-") as directory:
        file = Path(directory) / "measuring.json"
        command = [sys.executable, "-m", "bench.measuring", "--kinds", ",".join(kinds), "--json", str(file)]
        done = subprocess.run(command, cwd=ROOT, env=environment({}), capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode:
            raise Failed(f"bench.measuring ended with {done.returncode}: {done.stderr[-500:]}")
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found


def run(recording: Recording, rules: CompiledRules, rounds: int) -> Measuring:
    """What measuring adds to the spans of a kind."""
    meters = Meter(price_table.load(None)), Meter(price_table.load(None))
    reader = meters[0].reader
    requests = list(_redacted(recording, Redactor(rules, reader.reads, reader.reads_event)))
    others = [_others(each, reader) for each in requests]
    other_spans = sum(each.items for each in others)
    llm_spans = sum(each.items for each in requests) - other_spans
    spent: list[tuple[float, float]] = []
    process.settle_in()
    try:
        for number in range(_UNCOUNTED + rounds):
            _renew(requests, number)
            spent.append((_spent(requests, meters[0], number), _spent(others, meters[1], number)))
    finally:
        gc.unfreeze()
    whole, rest = (min(each) for each in zip(*spent[_UNCOUNTED:], strict=True))
    return Measuring(
        (whole - rest) / llm_spans if llm_spans else None,
        rest / other_spans if other_spans else None,
        llm_spans,
        other_spans,
    )


def _spent(requests: Sequence[RedactedSpans], meter: Meter, number: int) -> float:
    """µs of CPU in a round."""
    now = number * _SECONDS
    step = _SECONDS / len(requests)
    begun = time.thread_time_ns()
    for each in requests:
        measure.batch(each, meter, now)
        now += step
    return (time.thread_time_ns() - begun) / 1000


def _renew(requests: Sequence[RedactedSpans], number: int) -> None:
    """Give all spans the trace ids of a round, so that none was counted before."""
    beginning = number.to_bytes(4, "big")
    for request in requests:
        for each in request.sets:
            for record in each.records:
                record.trace_id = beginning + record.trace_id[4:]
                record.llm = None  # as redact hands it on


def _redacted(recording: Recording, redactor: Redactor) -> Iterator[RedactedSpans]:
    """Requests of the recording, lap after lap, until there are enough."""
    spans = size = 0
    for number in range(sys.maxsize):
        if spans >= _SPANS or size >= _BYTES:
            return
        lap, index = divmod(number, len(recording.pieces))
        body = recording.body(index, lap + 1)
        redacted = redactor.request(decode.request(ReceivedRequest(Signal.TRACES, Encoding.PROTO, body)).batch)
        spans, size = spans + redacted.items, size + len(body)
        yield redacted


def _others(request: RedactedSpans, reader: Reader) -> RedactedSpans:
    """The request without its LLM spans."""
    sets = [
        SpanSet(each.envelope, [record for record in each.records if not record.wanted])
        for each in request.sets
        if reader.emitter_of(each.envelope).dialect is None
    ]
    return RedactedSpans(sets, sum(len(each.records) for each in sets), {})


if __name__ == "__main__":
    main()
