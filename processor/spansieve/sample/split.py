"""From a request to its traces: spans that came together part, and what sampling asks of a trace is summed up."""

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
    trace_id: bytes, members: list[tuple[Envelope, list[SpanRecord]]], probes: Probes, position: int, repeated: int = 0
) -> TraceSlice:
    groups: list[SpanGroup] = []
    ids: list[bytes] = []
    add_id = ids.append
    errors = oks = end_ns = size = 0
    start_ns = 1 << 64
    has_root = False
    telling: list[SpanRecord] = []
    for envelope, records in members:
        size += envelope.size
        data: list[bytes] = []
        for record in records:
            add_id(record.span_id)
            data.append(span := record.data)
            size += len(span)
            if record.start_ns < start_ns:  # noqa: PLR1730 - a call costs more than all else that is done to a span
                start_ns = record.start_ns
            if record.end_ns > end_ns:  # noqa: PLR1730 - the same
                end_ns = record.end_ns
            if status := record.status:
                errors += status == _ERROR
                oks += status == _OK
            if not record.parent_span_id:
                has_root = True
            if record.wanted or record.found is not None or record.trace_state:
                telling.append(record)
        groups.append(SpanGroup(envelope, tuple(data)))
    spans = len(ids)
    marks = _marks(members, probes) if probes.keys else 0
    if len(set(ids)) < spans:
        members = _once(members)
        left = sum(len(records) for _, records in members)
        return _slice(trace_id, members, probes, position, spans - left)
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


def _marks(members: list[tuple[Envelope, list[SpanRecord]]], probes: Probes) -> int:
    marks = 0
    for envelope, _ in members:
        marks |= probes.of_attributes(envelope.resource_message.attributes)
    return marks


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
    redacted: dict[str, int] = {}
    llm, marks, explicit = NO_LLM, 0, None
    for record in records:
        if record.found is not None:
            for entity, count in record.found.items():
                redacted[entity] = redacted.get(entity, 0) + count
        if record.llm is not None:
            llm = record.llm if llm is NO_LLM else llm.plus(record.llm)
        if record.wanted and probes.keys:
            marks |= probes.of_attributes(record.message().attributes)
        if given := record.trace_state:
            marks |= probes.of_trace_state(given)
            if "rv:" in given:
                explicit = randomness(given, trace_id)
    return explicit, marks, redacted, llm
