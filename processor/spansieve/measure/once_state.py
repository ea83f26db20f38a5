"""The memory of `Once` as JSON can hold it, and back: exact, so that a restart goes on as if there had been none.

Ids are joined to long texts, a character a byte: with a hundred thousand of them, that is what takes no time.
"""

from typing import Any

from pydantic import ConfigDict, TypeAdapter

from spansieve.measure.llm_call import AgentRun, LlmCall, Tokens, WorkflowRun
from spansieve.measure.once import Once
from spansieve.measure.seen import WIDTH
from spansieve.measure.traces import Lone, Trace

_BYTES = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
_CALLS = TypeAdapter(dict[bytes, LlmCall], config=_BYTES)
_AGENTS = TypeAdapter(dict[bytes, AgentRun], config=_BYTES)
_WORKFLOWS = TypeAdapter(dict[bytes, WorkflowRun], config=_BYTES)
_SPAN, _TRACE = 8, 16  # bytes of ids
_LONE = -1  # in place of the number of calls
_ROOT = bytes(_SPAN)  # stands for no parent; no span has this id


def state(once: Once) -> dict[str, Any]:
    """Return everything that is remembered."""
    ids, counted = bytearray(), bytearray()
    sizes: list[tuple[float, int]] = []  # of each trace: when it was touched, and its counted calls
    tokens: list[tuple[int | None, ...]] = []
    more: dict[str, Any] = {}
    for number, (trace_id, trace) in enumerate(once.traces.items()):
        ids += trace_id
        if not isinstance(trace, Trace):
            last, span, *used = trace
            counted += span
            sizes.append((last, _LONE))
            tokens.append(tuple(used))
            continue
        counted += b"".join(trace.counted)
        tokens.extend(map(tuple, trace.counted.values()))
        sizes.append((trace.last, len(trace.counted)))
        if trace.above or trace.open or trace.wrapped or trace.held or trace.logged or trace.runs:
            more[str(number)] = _waiting(trace)
    return {
        "seen": [_text(b"".join(each)) for each in once.seen.generations],
        "links": [
            [_text(b"".join(each)), _text(b"".join([parent or _ROOT for parent in each.values()]))]
            for each in once.links.generations
        ],
        "queue": [[due, _text(trace_id), _text(span)] for due, trace_id, span in once.queue],
        "traces": [_text(ids), sizes, _text(counted), tokens, more],
    }


def restore(once: Once, kept: dict[str, Any]) -> None:
    """Take over what `state` returned."""
    seen_young, seen_old = (set(_cut(text, WIDTH)) for text in kept["seen"])
    once.seen.generations = seen_young, seen_old
    young, old = (_parents(spans, parents) for spans, parents in kept["links"])
    once.links.generations = young, old
    once.queue.clear()
    once.queue.extend((due, _bytes(trace), _bytes(span)) for due, trace, span in kept["queue"])
    ids, sizes, counted, tokens, more = kept["traces"]
    calls = iter(_cut(counted, _SPAN))
    used = (Tokens(*each) for each in tokens)
    traces: dict[bytes, Trace | Lone] = {}
    for number, (trace_id, (last, counts)) in enumerate(zip(_cut(ids, _TRACE), sizes, strict=True)):
        if counts == _LONE:
            traces[trace_id] = last, next(calls), *next(used)
            continue
        trace = traces[trace_id] = Trace(trace_id, last)
        trace.counted.update((next(calls), next(used)) for _ in range(counts))
        if str(number) in more:
            _wait(trace, more[str(number)])
    once.replace(traces)


def _waiting(trace: Trace) -> list[Any]:
    """Return what waits in a trace: little, since it waits for seconds."""
    return [
        _CALLS.dump_python(trace.held, mode="json"),
        _CALLS.dump_python(trace.logged, mode="json"),
        _AGENTS.dump_python({span: run for span, run in trace.runs.items() if isinstance(run, AgentRun)}, mode="json"),
        _WORKFLOWS.dump_python(
            {span: run for span, run in trace.runs.items() if isinstance(run, WorkflowRun)}, mode="json"
        ),
        _text(b"".join(sorted(trace.unreconciled))),
        _text(b"".join(sorted(trace.above))),
        _text(b"".join(sorted(trace.open))),
        trace.wrapped,
    ]


def _wait(trace: Trace, parts: list[Any]) -> None:
    """Put back what `_waiting` returned."""
    held, logged, agents, workflows, unreconciled, above, unclear, trace.wrapped = parts
    trace.held.update(_CALLS.validate_python(held))
    trace.logged.update(_CALLS.validate_python(logged))
    trace.runs.update(_AGENTS.validate_python(agents))
    trace.runs.update(_WORKFLOWS.validate_python(workflows))
    trace.unreconciled.update(_cut(unreconciled, _SPAN))
    trace.above.update(_cut(above, _SPAN))
    trace.open.update(_cut(unclear, _SPAN))


def _parents(spans: str, parents: str) -> dict[bytes, bytes]:
    pairs = zip(_cut(spans, WIDTH), _cut(parents, _SPAN), strict=True)
    return {span: b"" if parent == _ROOT else parent for span, parent in pairs}


def _cut(text: str, width: int) -> list[bytes]:
    joined = _bytes(text)
    return [joined[at : at + width] for at in range(0, len(joined), width)]


def _text(data: bytes | bytearray) -> str:
    return data.decode("latin-1")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")
