"""A gateway that is killed at any moment and started again does as one that ran all the time."""

import asyncio
from typing import Any
from unittest.mock import patch

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from fakes import ManualClock
from fakes_disk import FakeDisk
from helpers_process import Process, chance
from spansieve.journal import durable

SAMPLING = {
    "decision_wait": "10s",
    "late_error_wait": "4s",
    "policies": [
        {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
        {"name": "half", "type": "probabilistic", "probabilistic": {"sampling_percentage": 50}},
    ],
}
_START = 1_790_000_000_000_000_000


def span(trace: int, number: int) -> Span:
    """A span of a trace, always the same: a call of a model, or none, and sometimes one that failed."""
    model = ("", "m-1", "m-2")[number % 3]
    error = trace % 4 == number % 4 == 0
    made = Span(
        trace_id=bytes((trace, *[0] * 8, *[0xFF * (trace % 2)] * 7)),  # half of them are within the half that is kept
        span_id=(trace * 100 + number).to_bytes(8, "big"),
        name="chat",
        start_time_unix_nano=_START + trace,
        end_time_unix_nano=_START + trace + number * 1_000_000,
    )
    if error:
        made.status.code = 2
    if model:
        for key, value in {"gen_ai.operation.name": "chat", "gen_ai.request.model": model}.items():
            made.attributes.add(key=key).value.string_value = value
        made.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 10 * number
        made.attributes.add(key="note").value.string_value = "write to jane.doe@example.com"
    return made


spans = st.builds(span, st.integers(1, 8), st.integers(1, 6))
sends = st.tuples(st.just("send"), st.lists(spans, min_size=1, max_size=6))
steps = st.lists(
    st.one_of(
        sends,
        sends,
        st.tuples(st.just("wait"), st.sampled_from([0.5, 3.0, 11.0])),
        st.tuples(st.just("export"), st.none()),
        st.tuples(st.just("roll"), st.integers(0, 3)),
        st.tuples(st.just("crash"), st.one_of(st.none(), st.integers(0, 1 << 16))),
    ),
    max_size=25,
)


class Run:
    """What a history comes to."""

    def __init__(self) -> None:
        self.answered: set[bytes] = set()
        self.exported: list[bytes] = []
        self.books: dict[str, int] = {}
        self.series: dict[Any, Any] = {}


async def roll(process: Process, turns: int) -> None:
    """Have the state written down, and let so many turns of the event loop pass before the next step."""
    journal = process.pipeline.journal
    assert journal is not None
    if not journal.is_checkpointing:
        journal._roll(0)
    for _ in range(turns):
        await asyncio.sleep(0)


async def run(history: list[tuple[str, Any]], *, crashing: bool, most_held: int = 1 << 22) -> Run:
    """Live through a history, with crashes or without; a crash comes right after a request, so that times agree."""
    result = Run()
    clock = ManualClock()
    disk = FakeDisk()
    process = await Process(clock, SAMPLING, most_held=most_held).start(disk)
    for what, value in [*history, ("wait", 25.0), ("export", None)]:
        match what:
            case "send" | "crash":
                message = ExportTraceServiceRequest()
                scope = message.resource_spans.add().scope_spans.add()
                scope.spans.extend(value if what == "send" else [span(9, 1)])
                await process.send(message)
                result.answered |= {each.span_id for each in scope.spans}
                if what == "crash" and crashing:
                    left = disk.left(None if value is None else chance(value))
                    await process.end()
                    disk = left
                    process = await Process(clock, SAMPLING, most_held=most_held).start(disk)
                    assert process.findings.put_aside == []
            case "wait":
                for _ in range(int(value / 0.5)):
                    clock.advance(0.5)
                    process.decide()
            case "roll":
                await roll(process, value)
            case "export":
                result.exported += [Span.FromString(each).span_id for each in process.export()]
                await asyncio.sleep(0)
    while process.outbox.parked_items:
        process.outbox.prod()
        await process.outbox.drain(0.01)
        result.exported += [Span.FromString(each).span_id for each in process.export()]
    result.books = process.books()
    result.series = {(each.spec.name, each.labels): each.value for each in process.meter.series.snapshot()}
    await process.end()
    return result


@settings(max_examples=40, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # to shrink a history takes minutes
@given(steps, st.sampled_from([0, 500, 1 << 22]))
# Killed while the state was being written down, with spans that came on top of it.
@example([("send", [span(1, 2)]), ("roll", 0), ("send", [span(2, 3)]), ("crash", None), ("wait", 11.0)], 1 << 22)
@example([("send", [span(1, 2)]), ("wait", 11.0), ("roll", 3), ("send", [span(1, 3)]), ("crash", 7)], 1 << 22)
# Sampled out, and killed while an error might have brought it back.
@example([("send", [span(2, 1)]), ("wait", 11.0), ("crash", None), ("wait", 3.0), ("send", [span(2, 1)])], 1 << 22)
def test_kept_set_and_totals_are_those_of_an_uninterrupted_run(history: list[tuple[str, Any]], most_held: int) -> None:
    """Whatever comes in, however often it is killed: the same spans are exported and every metric has the same value.

    So it is with traces that are parked on disk, since more wait than `most_held` bytes. A trace that was handed over
    and not acknowledged may be exported twice; no other span is.
    """
    smooth = asyncio.run(run(history, crashing=False))
    with patch.multiple(durable, _GO_SECONDS=-1.0, _PAUSE_SECONDS=0.0):  # a state is written piece by piece
        rough = asyncio.run(run(history, crashing=True, most_held=most_held))
    assert set(rough.exported) == set(smooth.exported)
    assert rough.series == smooth.series
    assert rough.books == smooth.books
    assert "in_flight" not in rough.books
