"""Trace requests read only as deep as routing needs: attributes, statuses, resources and scopes stay serialized bytes.

Parsing a span into messages makes an object of each of its attributes; here an attribute is a `bytes`, which can be
looked up in a set, and a span in which nothing changes leaves as the bytes that came. The messages have OTLP's own
field numbers (opentelemetry/proto/trace/v1/trace.proto), and are declared at run time, by tables, since protobuf's
compiler is not there when a package is installed. Three things differ from OTLP's declarations, none on the wire:

- a message that is not looked into is a `bytes` field;
- singular fields have explicit presence, so that a default that was written is written again;
- enumerations and 32-bit integers are uint64: a number out of range is kept as it came, for the next one to read.

So a request has no field that OTLP does not know, no field twice and no length in more bytes than it needs, as far as
it was parsed, exactly when its message is as large as its body once unknown fields are discarded.
"""

from collections.abc import Mapping, MutableSequence, Sequence
from typing import Any, Final, Protocol

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from spansieve.errors import MalformedRequest
from spansieve.model import SpanHead

_PACKAGE = "spansieve.reduced"
_TYPES = {
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "string": FieldDescriptorProto.TYPE_STRING,  # of which protobuf checks that it is UTF-8
    "uint64": FieldDescriptorProto.TYPE_UINT64,
    "fixed32": FieldDescriptorProto.TYPE_FIXED32,
    "fixed64": FieldDescriptorProto.TYPE_FIXED64,
}
_EVENT = "time_unix_nano=1 fixed64, name=2 string, attributes=3 bytes*, dropped_attributes_count=4 uint64"
_LINK = (
    "trace_id=1 bytes, span_id=2 bytes, trace_state=3 string, attributes=4 bytes*, "
    "dropped_attributes_count=5 uint64, flags=6 fixed32"
)
_SPAN = (
    "trace_id=1 bytes, span_id=2 bytes, trace_state=3 string, parent_span_id=4 bytes, name=5 string, kind=6 uint64, "
    "start_time_unix_nano=7 fixed64, end_time_unix_nano=8 fixed64, attributes=9 bytes*, "
    "dropped_attributes_count=10 uint64, events=11 Event*, dropped_events_count=12 uint64, links=13 Link*, "
    "dropped_links_count=14 uint64, status=15 bytes, flags=16 fixed32"
)
_SCOPE_SPANS = "scope=1 bytes, spans=2 {}*, schema_url=3 string"
_RESOURCE_SPANS = "resource=1 bytes, scope_spans=2 {}*, schema_url=3 string"
_MESSAGES = {
    "Event": _EVENT,
    "Link": _LINK,
    "Span": _SPAN,
    # Once with spans parsed so far, and once with each as one piece of bytes.
    "ScopeSpans": _SCOPE_SPANS.format("Span"),
    "ResourceSpans": _RESOURCE_SPANS.format("ScopeSpans"),
    "Request": "resource_spans=1 ResourceSpans*",
    "ScopeBytes": _SCOPE_SPANS.format("bytes"),
    "ResourceBytes": _RESOURCE_SPANS.format("ScopeBytes"),
    "RequestBytes": "resource_spans=1 ResourceBytes*",
}


class ScopeSpans(Protocol):
    """ScopeSpans whose scope is a serialized InstrumentationScope."""

    scope: bytes
    spans: Sequence[SpanHead]
    schema_url: str


class ResourceSpans(Protocol):
    """ResourceSpans whose resource is a serialized Resource."""

    resource: bytes
    scope_spans: Sequence[ScopeSpans]
    schema_url: str


class ScopeBytes(Protocol):
    """ScopeSpans whose spans are serialized Spans."""

    spans: MutableSequence[bytes]


class ResourceBytes(Protocol):
    """ResourceSpans of ScopeBytes."""

    scope_spans: Sequence[ScopeBytes]


def _declare() -> Mapping[str, Any]:
    file = FileDescriptorProto(name=f"{_PACKAGE}.proto", package=_PACKAGE, syntax="proto3")
    for name, table in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for line in table.split(", "):
            named, of = line.split(" ")
            field_name, _, number = named.partition("=")
            kind = of.rstrip("*")
            field = message.field.add(name=field_name, number=int(number))
            if kind in _TYPES:
                field.type = _TYPES[kind]
            else:
                field.type = FieldDescriptorProto.TYPE_MESSAGE
                field.type_name = f".{_PACKAGE}.{kind}"
            if of.endswith("*"):
                field.label = FieldDescriptorProto.LABEL_REPEATED
            else:  # `optional`, which is a oneof of one
                field.label = FieldDescriptorProto.LABEL_OPTIONAL
                field.proto3_optional = True
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{field_name}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


_classes: Final = _declare()
_Request: Final = _classes["Request"]
_RequestBytes: Final = _classes["RequestBytes"]
_Span: Final = _classes["Span"]

_MOST_GROUPS: Final = 65_536
"""Resources of a request, and scopes. They may be empty, two bytes each, and become objects of some hundred bytes."""

NOT_A_REQUEST: Final = "The body is not a valid protobuf ExportTraceServiceRequest."


def read(body: bytes) -> list[tuple[ResourceSpans, ResourceBytes]]:
    """Parse a request: each ResourceSpans, and the same with its spans as bytes.

    Nothing in it is unknown to OTLP, down to spans, events and links; what attributes, statuses, resources and scopes
    hold was not looked at. Raises MalformedRequest when the body is no request.
    """
    message = _parse(body)
    if message is None:
        body = _canonical(body)
        message = _parse(body)
        if message is None:
            raise AssertionError("a request that protobuf serialized is not what it would serialize")
    check_groups(message.resource_spans, "scope_spans")
    # A view that repeated fields are iterated by keeps the request alive, not each of its messages.
    return list(zip(message.resource_spans, _RequestBytes.FromString(body).resource_spans, strict=True))


def check_groups(resources: Sequence[Any], scopes: str) -> None:
    """Refuse a parsed request that has more groups than telemetry ever has. Raises MalformedRequest."""
    if len(resources) > _MOST_GROUPS or sum(len(getattr(each, scopes)) for each in resources) > _MOST_GROUPS:
        raise MalformedRequest(f"The request has more than {_MOST_GROUPS:,} resources, or scopes.")


def span(data: bytes) -> SpanHead:
    """Parse one span that has been through `read`."""
    head: SpanHead = _Span.FromString(data)
    return head


def _parse(body: bytes) -> Any | None:  # noqa: ANN401 - a class made at run time
    """The request, or None when it is not as protobuf would write what is known of it."""
    try:
        message = _Request.FromString(body)
    except DecodeError:
        raise MalformedRequest(NOT_A_REQUEST) from None
    message.DiscardUnknownFields()
    return message if message.ByteSize() == len(body) else None


def _canonical(body: bytes) -> bytes:
    """Write a request again: without unknown fields, each field once, with what stands twice merged."""
    message = ExportTraceServiceRequest()
    try:
        message.ParseFromString(body)
    except DecodeError:
        raise MalformedRequest(NOT_A_REQUEST) from None
    message.DiscardUnknownFields()
    return message.SerializeToString()


STATUSES: Final = {b"": 0, b"\x18\x00": 0, b"\x18\x01": 1, b"\x18\x02": 2}
"""Serialized Statuses that hold a code at most, and no text: what nearly all spans have. → the code"""


def status_code(status: bytes) -> int:
    """Read the code of a serialized Status. Raises MalformedRequest when it is none."""
    code = STATUSES.get(status)
    if code is not None:
        return code
    try:
        return int(Status.FromString(status).code)
    except DecodeError:
        raise MalformedRequest(NOT_A_REQUEST) from None
