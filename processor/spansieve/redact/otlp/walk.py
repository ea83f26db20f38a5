"""Every string of an OTLP request, where it stands, and every number that a person may be known by.

A property test walks the message descriptors and fails when a field that can hold text is missing here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.model import ExportRequest
from spansieve.redact.find import pairs
from spansieve.redact.rules import roles
from spansieve.redact.rules.selectors import Place
from spansieve.redact.text import arguments, numbers
from spansieve.redact.text.parts import carries_parts, flattened

BYTES: Final = "bytes_value"
_NUMBERS = frozenset({"int_value", "double_value"})
_NO_KEYS: frozenset[str] = frozenset()

At = Callable[[int, str, str], int]
"""Gives the number of a place, an attribute's key and who speaks there: see CompiledRules.at."""


class Leaves:
    """The strings found: `texts`, the `keys` they stand under, and the `owners` that take new ones, by index.

    Keys that are known to say nothing of their values (`known_keys`) are left out of `keys`.
    An owner is an AnyValue, a message and a field's name, or a repeated field and an index. `attribute_keys` are the
    distinct keys of attributes not in `known_keys`, and `undecodable` the bytes values that are not UTF-8, each with
    the index of an empty text in its place. `groups` are texts of which one may continue the other. `wheres` says of
    each text where it stands, if `at` is given. `spans` are all spans, each with the indexes at which its texts start
    and end.
    """

    __slots__ = (
        "_at", "_at_number", "_where", "_with_role", "attribute_keys", "groups", "keys", "known_keys", "owners",
        "silent_keys", "spans", "texts", "undecodable", "wheres",
    )  # fmt: skip

    def __init__(
        self,
        known_keys: set[str],
        at: At | None = None,
        at_number: Callable[[int], int] | None = None,
        with_role: roles.WithRole | None = None,
    ) -> None:
        self.texts: list[str] = []
        self.keys: dict[int, str] = {}
        self.owners: list[Any] = []
        self.attribute_keys: set[str] = set()
        self.known_keys = known_keys
        self.silent_keys = known_keys if at is None else _NO_KEYS  # with selectors, every key may say something
        self.undecodable: list[tuple[int, AnyValue]] = []
        self.groups: list[Sequence[int]] = []
        self.wheres: list[int] = []
        self.spans: list[tuple[Span, int, int]] = []
        self._at = at
        self._at_number = at_number
        self._with_role = with_role
        self._where = 0

    def put(self, index: int, text: str) -> None:
        """Write a new text in place of one that was found. A number becomes a string."""
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
                    self._chunks(scope_logs.log_records)
        else:
            for resource_metrics in message.resource_metrics:
                self._resource(resource_metrics)
                for scope_metrics in resource_metrics.scope_metrics:
                    self._scope(scope_metrics, scope_metrics.metrics, self._metric)

    def attributes(self, attributes: Sequence[KeyValue], place: Place, role: str = "") -> None:
        """Find the strings of attributes, which are of a role's message, and the keys that are not known."""
        if self._at is not None:
            self._attributes_of_place(attributes, place, self._at, role)
            return
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
            elif key not in known:
                self.attribute_keys.add(key)
                self._value(value, key)
            elif not (0 <= value.int_value < numbers.LEAST) or value.WhichOneof("value") in _NESTED:
                self._value(value, key)

    def _attributes_of_place(self, attributes: Sequence[KeyValue], place: Place, at: At, role: str) -> None:
        told = {} if self._with_role is None else _told(attributes)
        for attribute in attributes:
            if attribute.key not in self.known_keys:
                self.attribute_keys.add(attribute.key)
            self._where = at(place, attribute.key, roles.beside(attribute.key, told) or role if told or role else "")
            if self._with_role is None:
                self._value(attribute.value, attribute.key)
            else:
                self._spoken(attribute.value, attribute.key, self._with_role)

    def _spoken(self, value: AnyValue, key: str, with_role: roles.WithRole) -> None:
        """The same as `_value`, where the maps that messages are may name who speaks in them."""
        pending = [(value, key, self._where)]
        in_parts: dict[str, list[int]] = {}
        while pending:
            value, key, where = pending.pop()
            self._where = where
            kind = value.WhichOneof("value")
            if kind == "string_value":
                if key in in_parts:
                    in_parts[key].append(len(self.texts))
                self._add(value.string_value, key, value)
            elif kind == "array_value":
                values = value.array_value.values
                pending += [(each, name, where) for each, name in reversed(_arguments(values, key))]
                self._elements(values)
            elif kind == "kvlist_value":
                members = self._members(value.kvlist_value.values, in_parts)
                role = next((roles.of_name(each.string_value) for name, each in members if name == "role"), "")
                inside = with_role(where, role)
                pending += [(each, name, inside) for name, each in reversed(members)]
            else:
                self._value(value, key)
        self.groups += [group for group in in_parts.values() if len(group) > 1]

    def _value(self, value: AnyValue, key: str) -> None:
        """Find the strings of a value of any shape, in order. A stack, not recursion: nothing is too deep."""
        pending = [(value, key)]
        in_parts: dict[str, list[int]] = {}
        while pending:
            value, key = pending.pop()
            kind = value.WhichOneof("value")
            if kind == "string_value":
                if key in in_parts:
                    in_parts[key].append(len(self.texts))
                self._add(value.string_value, key, value)
            elif kind == "array_value":
                values = value.array_value.values
                pending += reversed(_arguments(values, key))
                self._elements(values)
            elif kind == "kvlist_value":
                members = self._members(value.kvlist_value.values, in_parts)
                pending += [(each, name) for name, each in reversed(members)]
            elif kind == BYTES:
                self._bytes(value, key)
            elif kind in _NUMBERS:
                self._number(value, value.int_value if kind == "int_value" else value.double_value, key)
        self.groups += [group for group in in_parts.values() if len(group) > 1]

    def _members(self, members: Sequence[KeyValue], in_parts: dict[str, list[int]]) -> list[tuple[str, AnyValue]]:
        """The values of a map, each under its key, or under what another member says it is.

        `in_parts` gets the keys of a text's parts.
        """
        names = [member.key for member in members]
        self.attribute_keys.update(name for name in names if name not in self.known_keys)
        for name in names:
            if carries_parts(name):
                in_parts.setdefault(name, [])
        if pairs.may_name(set(names)):
            by_key = {member.key: member.value for member in members}
            said = next((by_key[name].string_value for name in names if name in pairs.NAMES), "")
            if said:
                names = [said if name in pairs.VALUES else name for name in names]
        return [(name, member.value) for name, member in zip(names, members, strict=True)]

    def _number(self, value: AnyValue, number: float, key: str) -> None:
        if (numbers.is_whole(number) and (key not in self.silent_keys or numbers.may_identify(number))) or (
            key not in self.known_keys and numbers.is_place(key)
        ):
            self._add(numbers.text(number), key, value)
            if self._at_number is not None:
                self.wheres[-1] = self._at_number(self._where)

    def _elements(self, values: Sequence[AnyValue]) -> None:
        """Note that strings next to each other in a list are found one after the other, from here on."""
        at = len(self.texts)
        run = 0
        for value in values:
            if value.WhichOneof("value") != "string_value":
                break
            run += 1
        if run > 1:
            self.groups.append(range(at, at + run))

    def _bytes(self, value: AnyValue, key: str) -> None:
        text: str | None
        try:
            text = value.bytes_value.decode()
        except UnicodeDecodeError:
            text = None
        if text is None or "\0" in text:  # no text has one, but UTF-16 that UTF-8 happens to take is full of them
            self.undecodable.append((len(self.texts), value))
            self._add("", key, (value, BYTES))
        else:
            self._add(text, key, (value, BYTES))

    def _add(self, text: str, key: str, owner: Any) -> None:  # noqa: ANN401 - see the class
        if key not in self.silent_keys:
            self.keys[len(self.texts)] = key
        self.texts.append(text)
        self.owners.append(owner)
        if self._at is not None:
            self.wheres.append(self._where)

    def _field(self, message: Any, name: str, key: str, place: Place) -> None:  # noqa: ANN401 - any generated message
        text = getattr(message, name)
        if text:
            if self._at is not None:
                self._where = self._at(place, "", "")
            self._add(text, key, (message, name))

    def _items(self, repeated: Any, key: str, place: Place) -> None:  # noqa: ANN401 - a repeated field of strings
        if self._at is not None:
            self._where = self._at(place, "", "")
        for index, text in enumerate(repeated):
            self._add(text, key, (repeated, index))

    def _resource(self, envelope: Any) -> None:  # noqa: ANN401 - ResourceSpans, ResourceLogs or ResourceMetrics
        self._field(envelope, "schema_url", "schema_url", Place.SCHEMA_URL)
        if envelope.HasField("resource"):
            resource: Resource = envelope.resource
            self.attributes(resource.attributes, Place.RESOURCE_ATTRIBUTE)
            for reference in resource.entity_refs:
                self._field(reference, "schema_url", "schema_url", Place.SCHEMA_URL)
                self._field(reference, "type", "entity.type", Place.RESOURCE_ENTITY)
                self._items(reference.id_keys, "entity.id_keys", Place.RESOURCE_ENTITY)
                self._items(reference.description_keys, "entity.description_keys", Place.RESOURCE_ENTITY)

    def _scope(self, envelope: Any, items: Any, of_item: Callable[[Any], None]) -> None:  # noqa: ANN401 - of a signal
        self._field(envelope, "schema_url", "schema_url", Place.SCHEMA_URL)
        if envelope.HasField("scope"):
            scope: InstrumentationScope = envelope.scope
            self._field(scope, "name", "scope.name", Place.SCOPE_NAME)
            self._field(scope, "version", "scope.version", Place.SCOPE_VERSION)
            self.attributes(scope.attributes, Place.SCOPE_ATTRIBUTE)
        for item in items:
            of_item(item)

    def _span(self, span: Span) -> None:
        first = len(self.texts)
        self._field(span, "name", "name", Place.SPAN_NAME)
        self._field(span, "trace_state", "trace_state", Place.SPAN_TRACE_STATE)
        self.attributes(span.attributes, Place.SPAN_ATTRIBUTE)
        self._parts(span.attributes)
        events = span.events
        if events:
            for event in events:
                self._field(event, "name", "name", Place.EVENT_NAME)
                self.attributes(event.attributes, Place.EVENT_ATTRIBUTE, self._speaker(event.name))
            if len(events) > 1:
                self._follow(attribute for event in events for attribute in event.attributes)
        for link in span.links:
            self._field(link, "trace_state", "trace_state", Place.SPAN_TRACE_STATE)
            self.attributes(link.attributes, Place.LINK_ATTRIBUTE)
        if span.HasField("status"):
            self._field(span.status, "message", "status.message", Place.SPAN_STATUS)
        self.spans.append((span, first, len(self.texts)))

    def _follow(self, attributes: Iterable[KeyValue]) -> None:
        """Group attributes that carry the chunks of one text, of those that were found last."""
        by_key: dict[str, list[AnyValue]] = {}
        for attribute in attributes:
            if attribute.value.HasField("string_value") and carries_parts(attribute.key):
                by_key.setdefault(attribute.key, []).append(attribute.value)
        self._group(by_key.values())

    def _parts(self, attributes: Sequence[KeyValue]) -> None:
        """Group attributes that are the parts of one message."""
        parts: dict[str, list[AnyValue]] = {}
        for attribute in attributes:
            if attribute.value.HasField("string_value") and (name := flattened(attribute.key)):
                parts.setdefault(name, []).append(attribute.value)
        self._group(parts.values())

    def _chunks(self, records: Sequence[LogRecord]) -> None:
        """Group what may be the chunks of one text in the log records of a span: bodies, or what has the same key."""
        by_key: dict[tuple[bytes, str, str], list[AnyValue]] = {}
        for record in records:
            if not record.span_id:
                continue
            if record.body.HasField("string_value"):
                by_key.setdefault((record.span_id, "", ""), []).append(record.body)
            for member in (*record.body.kvlist_value.values, *record.attributes):
                if member.value.HasField("string_value") and carries_parts(member.key):
                    by_key.setdefault((record.span_id, record.event_name, member.key), []).append(member.value)
        self._group(by_key.values())

    def _group(self, groups: Iterable[list[AnyValue]]) -> None:
        wanted = [group for group in groups if len(group) > 1]
        if not wanted:
            return
        indexes = {id(owner): index for index, owner in enumerate(self.owners) if type(owner) is AnyValue}
        for group in wanted:
            found = [indexes[id(value)] for value in group if id(value) in indexes]
            if len(found) > 1:
                self.groups.append(found)

    def _log_record(self, record: LogRecord) -> None:
        self._field(record, "severity_text", "severity_text", Place.LOG_SEVERITY)
        self._field(record, "event_name", "event_name", Place.LOG_NAME)
        if record.HasField("body"):
            if self._at is not None:
                self._where = self._at(Place.LOG_BODY, "", self._speaker(record.event_name))
            if self._with_role is None:
                self._value(record.body, "body")
            else:
                self._spoken(record.body, "body", self._with_role)
        self.attributes(record.attributes, Place.LOG_ATTRIBUTE, self._speaker(record.event_name))

    def _speaker(self, event: str) -> str:
        """Whose message an event is, if anyone asks."""
        return "" if self._with_role is None else roles.of_event(event)

    def _metric(self, metric: Metric) -> None:
        self._field(metric, "name", "name", Place.METRIC_NAME)
        self._field(metric, "description", "description", Place.METRIC_DESCRIPTION)
        self._field(metric, "unit", "unit", Place.METRIC_UNIT)
        self.attributes(metric.metadata, Place.METRIC_METADATA)
        kind = metric.WhichOneof("data")
        if kind is None:
            return
        for point in getattr(metric, kind).data_points:
            self.attributes(point.attributes, Place.POINT_ATTRIBUTE)
            if kind != "summary":  # the one kind of points without exemplars
                for exemplar in point.exemplars:
                    self.attributes(exemplar.filtered_attributes, Place.EXEMPLAR_ATTRIBUTE)


def _told(attributes: Iterable[KeyValue]) -> Mapping[str, str]:
    return roles.of_attributes((attribute.key, attribute.value.string_value) for attribute in attributes)


def _arguments(values: Iterable[AnyValue], key: str) -> list[tuple[AnyValue, str]]:
    """The values of an array with the key that each stands under: in a command's arguments, the option before it."""
    found: list[tuple[AnyValue, str]] = []
    name = ""
    for each in values:
        found.append((each, name or key))
        name = arguments.option(each.string_value)
    return found


_NESTED = frozenset({"array_value", "kvlist_value", BYTES, "double_value"})


def rename(message: Message, names: dict[str, str]) -> None:
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


def remove(message: ExportRequest, unwanted: Callable[[str], bool]) -> None:
    """Take out the attributes with such keys, wherever a request has attributes; not members of maps. Rare, too."""
    pending: list[Any] = [message]
    while pending:
        for field, content in pending.pop().ListFields():
            if field.type != field.TYPE_MESSAGE or field.message_type is AnyValue.DESCRIPTOR:
                continue
            if field.message_type is not KeyValue.DESCRIPTOR:
                pending += [content] if not hasattr(content, "__len__") else content
                continue
            for index in reversed(range(len(content))):
                if unwanted(content[index].key):
                    del content[index]


def drop(message: ExportRequest, mark: str) -> None:
    """Take out the attributes that hold a mark at any depth; a mark that is in no attribute becomes nothing."""
    pending: list[Any] = [message]
    while pending:
        holder = pending.pop()
        for field, content in holder.ListFields():
            if field.type != field.TYPE_MESSAGE:
                if content in (mark, mark.encode()):
                    holder.ClearField(field.name)
                continue
            if field.message_type is KeyValue.DESCRIPTOR:
                _drop_attributes(content, mark.encode())
            pending += [content] if not hasattr(content, "__len__") else content


def _drop_attributes(attributes: Any, mark: bytes) -> None:  # noqa: ANN401 - a repeated field of KeyValue
    for index in reversed(range(len(attributes))):
        if mark in attributes[index].value.SerializeToString():
            del attributes[index]
