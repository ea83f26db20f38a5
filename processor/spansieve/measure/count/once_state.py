"""The memory of `Once` as bytes, and back: exact, so that a restart goes on as if there had been none.

A line of JSON for what is small or named, and behind it ids as they are, one behind the other, column by column: with
hundreds of thousands of them, that is what takes no time. As texts of JSON the same took four times as long.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final

import orjson
from pydantic import ConfigDict, TypeAdapter

from spansieve import pieces
from spansieve.measure.count.once import Once
from spansieve.measure.count.traces import Lone, Trace
from spansieve.measure.llm_call import AgentRun, LlmCall, Tokens, WorkflowRun
from spansieve.pieces import Sections

_BYTES = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
_CALLS = TypeAdapter(dict[bytes, LlmCall], config=_BYTES)
_AGENTS = TypeAdapter(dict[bytes, AgentRun], config=_BYTES)
_WORKFLOWS = TypeAdapter(dict[bytes, WorkflowRun], config=_BYTES)
_SPAN, _TRACE = 8, 16  # bytes of ids
_TRACES_AT_ONCE: Final = 50
_DUE_AT_ONCE: Final = 1000


def state(once: Once) -> Iterator[bytes]:
    """Pieces of everything that is remembered now (see pieces.py)."""
    ids, traces = once.whole()
    queue = list(once.queue)
    seen_young, seen_old = once.seen.state()
    links_young, links_old = once.links.state()
    parts = (
        pieces.grown("seen.young", seen_young),
        pieces.grown("seen.old", seen_old),
        pieces.grown("links.young", links_young),
        pieces.grown("links.old", links_old),
        (
            pieces.piece("traces", _packed_traces(ids[lot], traces[lot]))
            for lot in pieces.lots(len(ids), _TRACES_AT_ONCE)
        ),
        (pieces.piece("queue", _packed({}, _columns_of(queue[lot]))) for lot in pieces.lots(len(queue), _DUE_AT_ONCE)),
    )
    return (piece for part in parts for piece in part)


def restore(once: Once, kept: Sections) -> None:
    """Take over the sections of what `state` returned. Raises ValueError for something else."""
    once.seen.restore(*(b"".join(kept.get(f"seen.{age}", ())) for age in ("young", "old")))
    once.links.restore(*(b"".join(kept.get(f"links.{age}", ())) for age in ("young", "old")))
    once.queue.clear()
    for body in kept.get("queue", ()):
        _, (due, ids, spans) = _unpacked(body)
        once.queue.extend(zip(array("d", due), _cut(ids, _TRACE), _cut(spans, _SPAN), strict=True))
    once.replace(dict(each for body in kept.get("traces", ()) for each in _unpacked_traces(body)))


def _columns_of(queue: Sequence[tuple[float, bytes, bytes]]) -> list[bytes]:
    due, ids, spans = zip(*queue, strict=True)
    return [array("d", due).tobytes(), b"".join(ids), b"".join(spans)]


def _packed_traces(ids: Sequence[bytes], traces: Sequence[Trace | Lone]) -> bytes:
    whole = [(place, each) for place, each in enumerate(traces) if isinstance(each, Trace)]
    lone_ids = [trace_id for trace_id, each in zip(ids, traces, strict=True) if not isinstance(each, Trace)]
    lone = [each for each in traces if not isinstance(each, Trace)]
    lone_last, lone_spans, *lone_tokens = zip(*lone, strict=True) if lone else [()] * (2 + len(Tokens._fields))
    head = {
        "lone": lone_tokens,
        "places": [place for place, _ in whole],
        "calls": [len(each.counted) for _, each in whole],
        "tokens": [*zip(*(tokens for _, each in whole for tokens in each.counted.values()), strict=True)],
        "waiting": {str(place): _waiting(each) for place, each in whole if _waits(each)},
    }
    columns = [
        b"".join(lone_ids),
        b"".join(lone_spans),
        b"".join([each.trace_id for _, each in whole]),
        b"".join([span for _, each in whole for span in each.counted]),
        array("d", lone_last).tobytes(),
        array("d", [each.last for _, each in whole]).tobytes(),
    ]
    return _packed(head, columns)


def _unpacked_traces(body: bytes) -> Iterator[tuple[bytes, Trace | Lone]]:
    head, (lone_ids, lone_spans, whole_ids, whole_spans, *times) = _unpacked(body)
    lone_last, whole_last = (array("d", each) for each in times)
    lone = zip(_cut(lone_ids, _TRACE), zip(lone_last, _cut(lone_spans, _SPAN), *head["lone"], strict=True), strict=True)
    whole = _whole(head, _cut(whole_ids, _TRACE), whole_last, _cut(whole_spans, _SPAN))
    return _in_order(lone, dict(zip(head["places"], whole, strict=True)), len(lone_last))


def _packed(head: dict[str, Any], columns: Sequence[bytes]) -> bytes:
    return b"".join((orjson.dumps({**head, "columns": [len(each) for each in columns]}), b"\n", *columns))


def _unpacked(body: bytes) -> tuple[dict[str, Any], list[bytes]]:
    line, _, rest = body.partition(b"\n")
    head: dict[str, Any] = orjson.loads(line)
    return head, [rest[begin:end] for begin, end in pairwise([0, *accumulate(head["columns"])])]


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
