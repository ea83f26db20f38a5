"""Names out of OTLP: of kept traces, whose spans are bytes, and of whole requests.

A span in which no name was found keeps its bytes. Ids, times, numbers and structure stay.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from spansieve.model import Envelope, ExportRequest, RedactedSpans, SampledTrace, SpanGroup, SpanRecord
from spansieve.names.redactor import DROP, REMOVED, Redactor
from spansieve.redact.otlp import stamp, walk


def trace(kept: SampledTrace, redactor: Redactor, *, withhold: bool = False) -> tuple[SampledTrace, Counter[str]]:
    """Take the names out of a kept trace. Gives it as it may leave, and what was found by rule.

    With `withhold` nothing is read, and every text that would have been is removed: only metadata leaves.
    """
    groups, findings = groups_of(kept.groups, redactor, withhold=withhold)
    return (replace(kept, groups=groups) if findings else kept), findings


def groups_of(
    groups: tuple[SpanGroup, ...], redactor: Redactor, *, withhold: bool = False
) -> tuple[tuple[SpanGroup, ...], Counter[str]]:
    """Take the names out of the spans of one trace."""
    message = ExportTraceServiceRequest()
    for group in groups:
        envelope = group.envelope
        resource_spans = message.resource_spans.add(schema_url=envelope.resource_schema_url)
        resource_spans.resource.ParseFromString(envelope.resource)
        scope_spans = resource_spans.scope_spans.add(schema_url=envelope.scope_schema_url)
        scope_spans.scope.ParseFromString(envelope.scope)
        for data in group.spans:
            scope_spans.spans.add().ParseFromString(data)
    findings = request(message, redactor, withhold=withhold)
    if not findings:
        return groups, findings
    new = []
    for group, resource_spans in zip(groups, message.resource_spans, strict=True):
        scope_spans = resource_spans.scope_spans[0]
        spans = tuple([_bytes(data, span) for data, span in zip(group.spans, scope_spans.spans, strict=True)])
        new.append(SpanGroup(_envelope(group.envelope, resource_spans, scope_spans), spans))
    return tuple(new), findings


def spans(redacted: RedactedSpans, redactor: Redactor) -> RedactedSpans:
    """Take the names out of the spans of one request, in place; those of one trace are read together."""
    traces: dict[bytes, list[tuple[int, SpanRecord]]] = {}
    for at, each in enumerate(redacted.sets):
        for record in each.records:
            traces.setdefault(record.trace_id, []).append((at, record))
    sets = list(redacted.sets)
    findings = Counter(redacted.findings)
    for parts in traces.values():
        ats = list(dict.fromkeys(at for at, _ in parts))
        of_set = {at: [record for where, record in parts if where == at] for at in ats}
        groups = tuple(SpanGroup(redacted.sets[at].envelope, tuple([r.data for r in of_set[at]])) for at in ats)
        new, found = groups_of(groups, redactor)
        findings += found
        for at, group, old in zip(ats, new, groups, strict=True):
            if group is old:
                continue
            sets[at] = replace(sets[at], envelope=group.envelope)
            for record, data, before in zip(of_set[at], group.spans, old.spans, strict=True):
                if data is not before:
                    record.data = data
                    record.head = record.attributes = record.events = None  # they are of before
                    record.found = _told(record.message()) or None
    return RedactedSpans(sets, redacted.items, dict(findings))


def request(message: ExportRequest, redactor: Redactor, *, withhold: bool = False) -> Counter[str]:
    """Take the names out of a request of any signal, in place. Gives what was found by rule."""
    rules = redactor.rules
    leaves = walk.Leaves(set(), *rules.places)
    leaves.request(message)
    look = redactor.withheld if withhold else redactor.texts
    changed, found = look(leaves.texts, leaves.keys, leaves.wheres, leaves.groups)
    findings: Counter[str] = Counter()
    dropped = False
    for index, new in changed.items():
        try:
            leaves.put(index, new)
        except (ValueError, UnicodeError):  # not to be encoded, such as a lone surrogate
            leaves.put(index, REMOVED)
        dropped = dropped or new == DROP
    for counts in found.values():
        findings += counts
    if dropped:
        walk.drop(message, DROP)
    if findings:
        _stamp(leaves, found, rules.entities)
    return findings


def _bytes(data: bytes, span: Span) -> bytes:
    """A span's bytes as they came when nothing in it changed."""
    new = span.SerializeToString()
    return data if len(new) == len(data) and Span.FromString(data) == span else new


def _envelope(old: Envelope, resource_spans: ResourceSpans, scope_spans: ScopeSpans) -> Envelope:
    resource, scope = resource_spans.resource.SerializeToString(), scope_spans.scope.SerializeToString()
    if resource == old.resource and scope == old.scope:
        return old
    return Envelope(resource, resource_spans.schema_url, scope, scope_spans.schema_url)


def _stamp(leaves: walk.Leaves, found: Mapping[int, Counter[str]], entities: Mapping[str, str]) -> None:
    """Add what was found to what each span tells of its redaction."""
    for span, first, end in leaves.spans:
        counts: Counter[str] = Counter()
        for index in range(first, end):
            if index in found:
                counts += found[index]
        if not counts:
            continue
        told = _told(span) + stamp.by_entity(counts, entities)
        for attribute in span.attributes:
            if attribute.key == stamp.FOUND:
                attribute.value.string_value = stamp.written(told)
                break
        else:
            span.attributes.add(key=stamp.FOUND).value.string_value = stamp.written(told)


def _told(span: Span) -> Counter[str]:
    """What a span tells of its redaction so far, by entity."""
    told: Counter[str] = Counter()
    for attribute in span.attributes:
        if attribute.key == stamp.FOUND:
            for part in attribute.value.string_value.split():
                entity, _, count = part.partition(":")
                told[entity] += int(count) if count.isdecimal() else 0
    return told
