"""What the dialects' tables make of spans, and which attributes they leave unread: names and numbers, never values."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.measure.llm_call import NotUnderstood, Observation
from spansieve.measure.read.reading import Emitter, Reader
from spansieve.model import SpanRecord


@dataclass(slots=True)
class Coverage:
    """What was found in one instrumentation scope, in one dialect; the dialect is empty for spans that speak none."""

    scope: str
    dialect: str
    spans: int = 0
    observed: Counter[str] = field(default_factory=Counter)  # by the observation's kind: LlmCall, ToolRun, …
    unread: Counter[str] = field(default_factory=Counter)  # attributes that no table reads, by their key

    @property
    def not_understood(self) -> int:
        """Spans that look like calls and were not read as anything."""
        return self.observed[NotUnderstood.__name__]


def of_requests(requests: Iterable[ExportTraceServiceRequest], reader: Reader) -> list[Coverage]:
    """Read requests; return what was found by scope and dialect, in the order in which they were first met."""
    found: dict[tuple[str, str], Coverage] = {}
    for request in requests:
        for resource in request.resource_spans:
            for group in resource.scope_spans:
                for span in group.spans:
                    _read(span, group.scope.name, reader, found)
    return list(found.values())


def _read(span: Span, scope: str, reader: Reader, found: dict[tuple[str, str], Coverage]) -> None:
    by_scope = reader.by_scope(scope)
    keys = [attribute.key for attribute in span.attributes]
    observed: tuple[Observation, ...] = ()
    if by_scope is not None or any(map(reader.reads, keys)):
        observed = reader.read(_record(span), Emitter(by_scope, scope, ""))
    dialect = by_scope or reader.dialects.by_keys(frozenset(keys))
    name = dialect.name if dialect is not None else ""
    here = found.setdefault((scope, name), Coverage(scope, name))
    here.spans += 1
    here.observed.update(type(each).__name__ for each in observed)
    if observed:
        here.unread.update(key for key in keys if not reader.takes(key, dialect))


def _record(span: Span) -> SpanRecord:
    times = span.start_time_unix_nano, span.end_time_unix_nano
    data = span.SerializeToString()
    record = SpanRecord(span.trace_id, span.span_id, span.parent_span_id, *times, span.status.code, data)
    record.trace_state = span.trace_state
    return record
