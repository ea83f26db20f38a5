"""From a request to its traces: spans that came together part, and what sampling asks of a trace is summed up."""

from collections import Counter
from collections.abc import Mapping

from spansieve.facts import NO_LLM, LlmFacts, TraceFacts
from spansieve.model import Envelope, MeasuredSpans, SpanGroup, SpanRecord, TraceSlice
from spansieve.sample.probes import Probes
from spansieve.tracestate import randomness

_OK = 1  # Status.STATUS_CODE_OK
_ERROR = 2  # Status.STATUS_CODE_ERROR


def by_trace(batch: MeasuredSpans, probes: Probes, position: int = 0) -> list[TraceSlice]:
    """Split a batch of spans by trace id.

    Traces come in the order of their first span, the spans of a trace in theirs, with one group for each scope, whose
    traces share the envelope. `position` is where the journal has the request.
    """
    traces: dict[bytes, list[tuple[Envelope, list[SpanRecord]]]] = {}
    for each in batch.sets:
        envelope = each.envelope
        open_groups: dict[bytes, list[SpanRecord]] = {}  # of this scope
        for record in each.records:
            trace_id = record.trace_id
            group = open_groups.get(trace_id)
            if group is None:
                group = open_groups[trace_id] = []
                trace = traces.get(trace_id)
                if trace is None:
                    traces[trace_id] = [(envelope, group)]
                else:
                    trace.append((envelope, group))
            group.append(record)
    return [_slice(trace_id, groups, probes, position) for trace_id, groups in traces.items()]


def _slice(
    trace_id: bytes, members: list[tuple[Envelope, list[SpanRecord]]], probes: Probes, position: int
) -> TraceSlice:
    repeated = 0
    ids = [record.span_id for _, records in members for record in records]
    if len(set(ids)) < len(ids):
        members = _once(members)
        repeated = len(ids) - sum(len(records) for _, records in members)
    groups: list[SpanGroup] = []
    spans = errors = oks = end_ns = size = marks = 0
    start_ns = 1 << 64
    has_root = False
    telling: list[SpanRecord] = []
    for envelope, records in members:
        data = tuple([record.data for record in records])
        groups.append(SpanGroup(envelope, data))
        spans += len(data)
        size += envelope.size + sum(map(len, data))
        start_ns = min(start_ns, *[record.start_ns for record in records])
        end_ns = max(end_ns, *[record.end_ns for record in records])
        for record in records:
            if status := record.status:
                errors += status == _ERROR
                oks += status == _OK
            if not record.parent_span_id:
                has_root = True
            if record.wanted or record.found is not None or record.trace_state:
                telling.append(record)
        if probes.keys:
            marks |= probes.of_attributes(envelope.resource_message.attributes)
    if not telling:
        facts = TraceFacts(spans, errors, oks, start_ns, end_ns, has_root, size, None, marks)
    else:
        randomness_told, marks_told, redacted, llm = _told(trace_id, telling, probes)
        facts = TraceFacts(
            spans,
            errors,
            oks,
            start_ns,
            end_ns,
            has_root,
            size,
            randomness_told,
            marks | marks_told,
            redacted,
            llm,
        )
    return TraceSlice(trace_id, tuple(groups), facts, position, repeated)


def _once(members: list[tuple[Envelope, list[SpanRecord]]]) -> list[tuple[Envelope, list[SpanRecord]]]:
    """Leave out spans that were met before: the first one with an id counts."""
    met: set[bytes] = set()
    fresh = []
    for envelope, records in members:
        own = []
        for record in records:
            if record.span_id not in met:
                met.add(record.span_id)
                own.append(record)
        if own:
            fresh.append((envelope, own))
    return fresh


def _told(
    trace_id: bytes, records: list[SpanRecord], probes: Probes
) -> tuple[int | None, int, Mapping[str, int], LlmFacts]:
    """What only some spans tell: an explicit randomness, the marks of probes, what was taken out, the LLM calls."""
    redacted: Counter[str] = Counter()
    llm, marks, explicit = NO_LLM, 0, None
    for record in records:
        if record.found is not None:
            redacted.update(record.found)
        if record.llm is not None:
            llm = record.llm if llm is NO_LLM else llm.plus(record.llm)
        if record.wanted and probes.keys:
            marks |= probes.of_attributes(record.message().attributes)
        if given := record.trace_state:
            marks |= probes.of_trace_state(given)
            if "rv:" in given:
                explicit = randomness(given, trace_id)
    return explicit, marks, dict(redacted), llm
