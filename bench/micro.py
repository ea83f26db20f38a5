"""What each stage of the gateway costs, in one process: µs of CPU a span, on each kind of traffic.

    python -m bench.micro [--kinds chat,plain] [--seconds 2] [--rounds 3]
    python -m bench.micro --kinds chat --profile [--stage redact]

The stages are called as the pipeline calls them, request by request, with the policy `default`. `frame` is what kept
traces cost on top: their requests are cut and spliced together; it is spread over all spans, also those sampled out.
`parse` and `serialize` of the same bytes by protobuf's upb are the floor. Receiving and sending are left out: bench.run
has them. The figures report, they do not gate.
"""

import argparse
import signal
import statistics
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.traffic import KINDS, Recording, load
from spansieve import decode, measure, price_table, process, sample, sampling_plan
from spansieve.config_exporters import OtlpExporter
from spansieve.config_sampling import Sampling
from spansieve.export.batch import cut, take_traces
from spansieve.measure import Meter
from spansieve.model import Encoding, MeasuredSpans, ReceivedRequest, SampledTrace, Signal
from spansieve.redact import CompiledRules, Redactor
from spansieve.redact import policy as redaction_policy
from spansieve.sample import Sampler
from spansieve.sample.probes import Probes

STAGES = ("decode", "redact", "measure", "split", "sample", "frame")
FLOOR = ("parse", "serialize")
_DECISIONS_AT_ONCE = 500
_MAX_BATCH_BYTES = OtlpExporter.model_fields["max_batch_bytes"].default
_SAMPLE_SECONDS = 0.001
_TOP = 30


def main() -> None:
    """Measure, and print a table."""
    arguments = _arguments()
    kinds = arguments.kinds.split(",")
    rules = default_rules()
    if arguments.profile:
        for kind in kinds:
            _profile(load(kind), rules, arguments.seconds, arguments.stage)
        return
    _write(f"{'µs of CPU a span':16}" + "".join(f"{name:>10}" for name in (*STAGES, "all", *FLOOR, "x floor")))
    for kind in kinds:
        recording = load(kind)
        median = median_round(recording, rules, arguments.seconds, arguments.rounds)
        total = sum(median[stage] for stage in STAGES)
        floor = median["parse"] + median["serialize"]
        cells = [*(median[stage] for stage in STAGES), total, *(median[name] for name in FLOOR), total / floor]
        _write(f"{kind:16}" + "".join(f"{cell:10.1f}" for cell in cells))


def default_rules() -> CompiledRules:
    """The policy `default`, compiled."""
    return redaction_policy.compile(redaction_policy.parse(redaction_policy.shipped("default")))


def median_round(recording: Recording, rules: CompiledRules, seconds: float, rounds: int) -> dict[str, float]:
    """µs of CPU a span by stage: the median of rounds of so many seconds of CPU."""
    found = [_round(recording, rules, seconds) for _ in range(rounds)]
    return {name: statistics.median(each[name] for each in found) for name in found[0]}


def _round(recording: Recording, rules: CompiledRules, seconds: float) -> dict[str, float]:
    """µs a span by stage, over as many requests as fit into `seconds` of CPU time."""
    stages = Stages(rules)
    spans = 0
    deadline = time.thread_time() + seconds
    for index, body in _bodies(recording):
        stages.request(body)
        spans += recording.spans[index]
        if time.thread_time() > deadline:
            break
    stages.finish()
    return {name: ns / 1000 / spans for name, ns in stages.spent.items()}


def _bodies(recording: Recording) -> Iterator[tuple[int, bytes]]:
    """Requests of the recording, lap after lap."""
    for number in range(sys.maxsize):
        lap, index = divmod(number, len(recording.pieces))
        yield index, recording.body(index, lap + 1)


@dataclass
class _Lap:
    """A stopwatch of this thread's CPU time."""

    last: int = 0

    def __call__(self) -> int:
        now = time.thread_time_ns()
        spent, self.last = now - self.last, now
        return spent


class Stages:
    """The stages in a row, as pipeline.py has them, each with its time. Made anew for each round."""

    def __init__(self, rules: CompiledRules, watch: Callable[[str], None] = lambda _: None) -> None:
        self.spent: Counter[str] = Counter(dict.fromkeys((*STAGES, *FLOOR), 0))
        self._watch = watch
        self._meter = Meter(price_table.load(None))
        self._redactor = Redactor(rules, self._meter.reader.reads, self._meter.reader.reads_event)
        probes = Probes()
        plan = sampling_plan.plan(
            Sampling.model_validate({"decision_wait": "1ms"}), probes
        )  # of the policies that are the default
        self._sampler = Sampler(plan, 100_000, 1_000_000, probes)
        self._now = 0.0
        process.settle_in()

    def request(self, body: bytes) -> None:
        """Take a request through all stages up to the sampler's decision."""
        spent, watch = self.spent, self._watch
        lap = _Lap(time.thread_time_ns())
        watch("decode")
        decoded = decode.request(ReceivedRequest(Signal.TRACES, Encoding.PROTO, body))
        spent["decode"] += lap()
        watch("redact")
        redacted = self._redactor.request(decoded.batch)
        spent["redact"] += lap()
        watch("measure")
        measured = measure.batch(redacted, self._meter, self._now)
        spent["measure"] += lap()
        if not isinstance(measured, MeasuredSpans):
            raise TypeError("spans were sent, and spans have to come out")
        watch("split")
        slices = sample.by_trace(measured, self._sampler.probes)
        spent["split"] += lap()
        watch("sample")
        late = self._sampler.add(slices, self._now)
        self._now += 1.0
        decided = self._sampler.take_due(self._now, _DECISIONS_AT_ONCE)
        spent["sample"] += lap()
        watch("frame")
        self._frame([*late.kept, *decided.kept])
        spent["frame"] += lap()
        watch("")
        message = ExportTraceServiceRequest()
        lap()
        message.ParseFromString(body)
        spent["parse"] += lap()
        message.SerializeToString()
        spent["serialize"] += lap()

    def finish(self) -> None:
        """Decide and frame what is left."""
        lap = _Lap(time.thread_time_ns())
        self._now += 3600.0
        while self._sampler.held_traces:
            decided = self._sampler.take_due(self._now, _DECISIONS_AT_ONCE)
            self.spent["sample"] += lap()
            self._frame(decided.kept)
            self.spent["frame"] += lap()

    @staticmethod
    def _frame(kept: list[SampledTrace]) -> None:
        pieces = deque(piece for trace in kept for piece in cut(trace, _MAX_BATCH_BYTES))
        while pieces:
            take_traces(pieces, max_bytes=_MAX_BATCH_BYTES).payload()


def _profile(recording: Recording, rules: CompiledRules, seconds: float, stage: str) -> None:
    """Show where CPU time goes, by a look every ms at the line that runs. Calls into C count for their line."""
    lines: Counter[tuple[str, str, int]] = Counter()
    functions: Counter[tuple[str, str]] = Counter()
    current = ""

    def watch(name: str) -> None:
        nonlocal current
        current = name

    def look(_: int, frame: FrameType | None) -> None:
        if frame is None or not current or (stage and current != stage):
            return
        lines[Path(frame.f_code.co_filename).name, frame.f_code.co_qualname, frame.f_lineno] += 1
        seen = set()
        while frame is not None:
            where = (Path(frame.f_code.co_filename).name, frame.f_code.co_qualname)
            if where not in seen:
                seen.add(where)
                functions[where] += 1
            frame = frame.f_back

    stages = Stages(rules, watch)
    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _SAMPLE_SECONDS, _SAMPLE_SECONDS)
    try:
        deadline = time.thread_time() + seconds
        spans = 0
        for index, body in _bodies(recording):
            stages.request(body)
            spans += recording.spans[index]
            if time.thread_time() > deadline:
                break
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    total = lines.total() or 1
    shown = sum(ns for name, ns in stages.spent.items() if name == stage or (not stage and name in STAGES)) / 1000
    _write(f"\n{recording.kind}: {shown / spans:.1f} µs a span in {stage or 'all stages'}, {total} looks")
    _write("\n own %  µs a span  line")
    for (file, name, number), looks in lines.most_common(_TOP):
        _write(f"{looks / total:6.1%} {looks / total * shown / spans:10.2f}  {file}:{number} {name}")
    _write("\n with callees %  µs a span  function")
    for (file, name), looks in functions.most_common(_TOP):
        _write(f"{looks / total:15.1%} {looks / total * shown / spans:10.2f}  {file} {name}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.micro", description="CPU time by stage, µs a span.")
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds of traffic, by comma (all)")
    parser.add_argument("--seconds", type=float, default=2.0, help="CPU time of a round of one kind (2)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts (3)")
    parser.add_argument("--profile", action="store_true", help="show the lines and functions that take the time")
    parser.add_argument("--stage", default="", choices=["", *STAGES], help="profile one stage only")
    return parser.parse_args()


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
