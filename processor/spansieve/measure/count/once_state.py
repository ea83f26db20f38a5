"""The memory of `Once` as bytes, and back: exact, so that a restart goes on as if there had been none.

A line of JSON for what is small or named, and behind it ids as they are, one behind the other, column by column: with
hundreds of thousands of them, that is what takes no time. As texts of JSON the same took four times as long, and
requests wait meanwhile.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

import orjson
from pydantic import ConfigDict, TypeAdapter

from spansieve.measure.count.once import Once
from spansieve.measure.count.traces import Lone, Trace
from spansieve.measure.llm_call import AgentRun, LlmCall, Tokens, WorkflowRun

_BYTES = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
_CALLS = TypeAdapter(dict[bytes, LlmCall], config=_BYTES)
_AGENTS = TypeAdapter(dict[bytes, AgentRun], config=_BYTES)
_WORKFLOWS = TypeAdapter(dict[bytes, WorkflowRun], config=_BYTES)
_SPAN, _TRACE = 8, 16  # bytes of ids


def state(once: Once) -> list[bytes | bytearray]:
    """Return everything that is remembered, in pieces that are to be joined at once: some of them are still used."""
    ids, traces = list(once.traces), list(once.traces.values())
    whole = [(place, each) for place, each in enumerate(traces) if isinstance(each, Trace)]
    lone_ids = [trace_id for trace_id, each in zip(ids, traces, strict=True) if not isinstance(each, Trace)]
    lone = [each for each in traces if not isinstance(each, Trace)]
    lone_last, lone_spans, *lone_tokens = zip(*lone, strict=True) if lone else [()] * (2 + len(Tokens._fields))
    queue_due, queue_traces, queue_spans = zip(*once.queue, strict=True) if once.queue else ((), (), ())
    blobs: list[bytes | bytearray] = [
        *once.seen.state(),
        *once.links.state(),
        b"".join(queue_traces),
        b"".join(queue_spans),
        b"".join(lone_ids),
        b"".join(lone_spans),
        b"".join([each.trace_id for _, each in whole]),
        b"".join([span for _, each in whole for span in each.counted]),
        array("d", queue_due).tobytes(),
        array("d", lone_last).tobytes(),
        array("d", [each.last for _, each in whole]).tobytes(),
    ]
    head = {
        "blobs": [len(each) for each in blobs],
        "lone": lone_tokens,
        "places": [place for place, _ in whole],
        "calls": [len(each.counted) for _, each in whole],
        "tokens": [*zip(*(tokens for _, each in whole for tokens in each.counted.values()), strict=True)],
        "waiting": {str(place): _waiting(each) for place, each in whole if _waits(each)},
    }
    return [orjson.dumps(head), b"\n", *blobs]


def restore(once: Once, kept: bytes) -> None:
    """Take over what `state` returned, joined. Raises ValueError for something else."""
    line, _, rest = kept.partition(b"\n")
    head: dict[str, Any] = orjson.loads(line)
    blobs = [rest[begin:end] for begin, end in pairwise([0, *accumulate(head["blobs"])])]
    queue_traces, queue_spans, lone_ids, lone_spans, whole_ids, whole_spans = blobs[4:10]
    queue_due, lone_last, whole_last = (array("d", each) for each in blobs[10:])
    once.seen.restore(*blobs[:2])
    once.links.restore(*blobs[2:4])
    once.queue.clear()
    once.queue.extend(zip(queue_due, _cut(queue_traces, _TRACE), _cut(queue_spans, _SPAN), strict=True))
    lone = zip(_cut(lone_ids, _TRACE), zip(lone_last, _cut(lone_spans, _SPAN), *head["lone"], strict=True), strict=True)
    whole = _whole(head, _cut(whole_ids, _TRACE), whole_last, _cut(whole_spans, _SPAN))
    once.replace(dict(_in_order(lone, dict(zip(head["places"], whole, strict=True)), len(lone_last))))


def _whole(
    head: dict[str, Any], ids: Sequence[bytes], last: Iterable[float], spans: Sequence[bytes]
) -> Iterator[Trace]:
    """Make traces with what was counted of each and what waits in it."""
    calls = zip(spans, (Tokens(*each) for each in zip(*head["tokens"], strict=True)), strict=True)
    for place, trace_id, at, counts in zip(head["places"], ids, last, head["calls"], strict=True):
        trace = Trace(trace_id, at)
        trace.counted.update(next(calls) for _ in range(counts))
        if str(place) in head["waiting"]:
            _wait(trace, head["waiting"][str(place)])
        yield trace


def _in_order(
    lone: Iterator[tuple[bytes, Lone]], whole: dict[int, Trace], lone_count: int
) -> Iterator[tuple[bytes, Trace | Lone]]:
    """Put both kinds of traces in the order in which they were touched: whole ones stand at their places."""
    for place in range(lone_count + len(whole)):
        trace = whole.get(place)
        yield next(lone) if trace is None else (trace.trace_id, trace)


def _waits(trace: Trace) -> bool:
    return bool(trace.above or trace.open or trace.wrapped or trace.held or trace.logged or trace.runs)


def _waiting(trace: Trace) -> list[Any]:
    """Return what waits in a trace: little, since it waits for seconds."""
    return [
        _CALLS.dump_python(trace.held, mode="json"),
        _CALLS.dump_python(trace.logged, mode="json"),
        _AGENTS.dump_python({span: run for span, run in trace.runs.items() if isinstance(run, AgentRun)}, mode="json"),
        _WORKFLOWS.dump_python(
            {span: run for span, run in trace.runs.items() if isinstance(run, WorkflowRun)}, mode="json"
        ),
        b"".join(sorted(trace.unreconciled)).hex(),
        b"".join(sorted(trace.above)).hex(),
        b"".join(sorted(trace.open)).hex(),
        trace.wrapped,
    ]


def _wait(trace: Trace, parts: list[Any]) -> None:
    """Put back what `_waiting` returned."""
    held, logged, agents, workflows, unreconciled, above, unclear, trace.wrapped = parts
    trace.held.update(_CALLS.validate_python(held))
    trace.logged.update(_CALLS.validate_python(logged))
    trace.runs.update(_AGENTS.validate_python(agents))
    trace.runs.update(_WORKFLOWS.validate_python(workflows))
    trace.unreconciled.update(_cut(bytes.fromhex(unreconciled), _SPAN))
    trace.above.update(_cut(bytes.fromhex(above), _SPAN))
    trace.open.update(_cut(bytes.fromhex(unclear), _SPAN))


def _cut(joined: bytes, width: int) -> list[bytes]:
    return [joined[at : at + width] for at in range(0, len(joined), width)]
