"""Every string of an OTLP request, where it stands. What is no string, and no bytes of a value, is not touched.

A property test walks the message descriptors and fails when a field that can hold text is missing here.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.model import ExportRequest

BYTES: Final = "bytes_value"


class Leaves:
    """The strings found: `texts`, the `keys` they stand under, and the `owners` that take new ones, by index.

    Keys that are known to say nothing of their values (`known_keys`) are left out of `keys`.
    An owner is an AnyValue, a message and a field's name, or a repeated field and an index. `attribute_keys` are the
    distinct keys of attributes not in `known_keys`, and `undecodable` the bytes values that are not UTF-8.
    """

    __slots__ = ("attribute_keys", "keys", "known_keys", "owners", "texts", "undecodable")

    def __init__(self, known_keys: set[str]) -> None:
        self.texts: list[str] = []
        self.keys: dict[int, str] = {}
        self.owners: list[Any] = []
        self.attribute_keys: set[str] = set()
        self.known_keys = known_keys
        self.undecodable: list[AnyValue] = []

    def put(self, index: int, text: str) -> None:
        """Write a new text in place of one that was found."""
        owner = self.owners[index]
        if type(owner) is AnyValue:
            owner.string_value = text
            return
        message, where = owner
        if where == BYTES:
            message.bytes_value = text.encode()
        elif isinstance(where, int):
            message[where] = text
        else:
            setattr(message, where, text)

    def request(self, message: ExportRequest) -> None:
        """Find all strings of a request."""
        if isinstance(message, ExportTraceServiceRequest):
            for resource_spans in message.resource_spans:
                self._resource(resource_spans)
                for scope_spans in resource_spans.scope_spans:
                    self._scope(scope_spans, scope_spans.spans, self._span)
        elif isinstance(message, ExportLogsServiceRequest):
            for resource_logs in message.resource_logs:
                self._resource(resource_logs)
                for scope_logs in resource_logs.scope_logs:
                    self._scope(scope_logs, scope_logs.log_records, self._log_record)
        else:
            for resource_metrics in message.resource_metrics:
                self._resource(resource_metrics)
                for scope_metrics in resource_metrics.scope_metrics:
                    self._scope(scope_metrics, scope_metrics.metrics, self._metric)

    def attributes(self, attributes: Iterable[KeyValue]) -> None:
        """Find the strings of attributes, and the keys that are not known."""
        known = self.known_keys
        texts = self.texts
        add_text, add_owner = texts.append, self.owners.append
        for attribute in attributes:
            key = attribute.key
            value = attribute.value
            text = value.string_value
            if text:
                if key not in known:
                    self.attribute_keys.add(key)
                    self.keys[len(texts)] = key
                add_text(text)
                add_owner(value)
            else:
                if key not in known:
                    self.attribute_keys.add(key)
                if value.WhichOneof("value") in _NESTED:
                    self._value(value, key)

    def _value(self, value: AnyValue, key: str) -> None:
        """Find the strings of a value of any shape. A stack, not recursion: nothing is too deep."""
        pending = [(value, key)]
        while pending:
            value, key = pending.pop()
            kind = value.WhichOneof("value")
            if kind == "string_value":
                self._add(value.string_value, key, value)
            elif kind == "array_value":
                pending += [(each, key) for each in value.array_value.values]
            elif kind == "kvlist_value":
                for pair in value.kvlist_value.values:
                    if pair.key not in self.known_keys:
                        self.attribute_keys.add(pair.key)
                    pending.append((pair.value, pair.key))
            elif kind == BYTES:
                self._bytes(value, key)

    def _bytes(self, value: AnyValue, key: str) -> None:
        try:
            text = value.bytes_value.decode()
        except UnicodeDecodeError:
            self.undecodable.append(value)
        else:
            self._add(text, key, (value, BYTES))

    def _add(self, text: str, key: str, owner: Any) -> None:  # noqa: ANN401 - see the class
        if key not in self.known_keys:
            self.keys[len(self.texts)] = key
        self.texts.append(text)
        self.owners.append(owner)

    def _field(self, message: Any, name: str, key: str) -> None:  # noqa: ANN401 - any generated message
        text = getattr(message, name)
        if text:
            self._add(text, key, (message, name))

    def _items(self, repeated: Any, key: str) -> None:  # noqa: ANN401 - a repeated field of strings
        for index, text in enumerate(repeated):
            self._add(text, key, (repeated, index))

    def _resource(self, envelope: Any) -> None:  # noqa: ANN401 - ResourceSpans, ResourceLogs or ResourceMetrics
        self._field(envelope, "schema_url", "schema_url")
        if envelope.HasField("resource"):
            resource: Resource = envelope.resource
            self.attributes(resource.attributes)
            for reference in resource.entity_refs:
                self._field(reference, "schema_url", "schema_url")
                self._field(reference, "type", "entity.type")
                self._items(reference.id_keys, "entity.id_keys")
                self._items(reference.description_keys, "entity.description_keys")

    def _scope(self, envelope: Any, items: Any, of_item: Callable[[Any], None]) -> None:  # noqa: ANN401 - of a signal
        self._field(envelope, "schema_url", "schema_url")
        if envelope.HasField("scope"):
            scope: InstrumentationScope = envelope.scope
            self._field(scope, "name", "scope.name")
            self._field(scope, "version", "scope.version")
            self.attributes(scope.attributes)
        for item in items:
            of_item(item)

    def _span(self, span: Span) -> None:
        if span.name:
            self._add(span.name, "name", (span, "name"))
        self._field(span, "trace_state", "trace_state")
        self.attributes(span.attributes)
        for event in span.events:
            self._field(event, "name", "name")
            self.attributes(event.attributes)
        for link in span.links:
            self._field(link, "trace_state", "trace_state")
            self.attributes(link.attributes)
        if span.HasField("status"):
            self._field(span.status, "message", "status.message")

    def _log_record(self, record: LogRecord) -> None:
        self._field(record, "severity_text", "severity_text")
        self._field(record, "event_name", "event_name")
        if record.HasField("body"):
            self._value(record.body, "body")
        self.attributes(record.attributes)

    def _metric(self, metric: Metric) -> None:
        self._field(metric, "name", "name")
        self._field(metric, "description", "description")
        self._field(metric, "unit", "unit")
        self.attributes(metric.metadata)
        kind = metric.WhichOneof("data")
        if kind is None:
            return
        for point in getattr(metric, kind).data_points:
            self.attributes(point.attributes)
            if kind != "summary":  # the one kind of points without exemplars
                for exemplar in point.exemplars:
                    self.attributes(exemplar.filtered_attributes)


_NESTED = frozenset({"array_value", "kvlist_value", BYTES})


def rename(message: ExportRequest, names: dict[str, str]) -> None:
    """Put new attribute keys in place of old ones, wherever they stand in a request. Rare, so it may walk all."""
    pending: list[Any] = [message]
    while pending:
        for field, content in pending.pop().ListFields():
            if field.type != field.TYPE_MESSAGE:
                continue
            for each in [content] if not hasattr(content, "__len__") else content:
                if type(each) is KeyValue and each.key in names:
                    each.key = names[each.key]
                pending.append(each)
