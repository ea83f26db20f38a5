"""Protobuf framing by hand: spans that were serialized once are spliced together, not parsed and serialized again.

The encoding (https://protobuf.dev/programming-guides/encoding/): a message is a sequence of fields, each a tag, that
is `number << 3 | wire type`, and a value. Wire type 2 is length-delimited, a varint of the length and so many bytes:
strings, bytes and messages. A varint holds seven bits a byte, low ones first, the high bit set on all but the last. A
repeated field is the same field again, at any place in its message: so a message grows by bytes put behind it, and two
serialized messages one after the other are the two merged.

The field numbers are those of opentelemetry/proto/{collector/trace,trace,common}/v1. A schema URL, a resource or a
scope that is empty is left out, as proto3 does with a default value.
"""

import struct
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.model import Envelope, RedactedBatch, RedactedSpans, SpanGroup

_LENGTH_DELIMITED = 2
_ONE_BYTE = tuple(bytes((value,)) for value in range(0x80))

_envelope = attrgetter("envelope")


def varint(value: int) -> bytes:
    """Encode an integer of 0 or more."""
    if value < 0x80:
        return _ONE_BYTE[value]
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _tag(number: int) -> bytes:
    return varint(number << 3 | _LENGTH_DELIMITED)


# ExportTraceServiceRequest.resource_spans; ResourceSpans {resource, scope_spans, schema_url};
# ScopeSpans {scope, spans, schema_url}: 1, 2 and 3 both times.
_FIRST, _SECOND, _THIRD = _tag(1), _tag(2), _tag(3)
_SPAN_ATTRIBUTES = _tag(9)
_DOUBLE = bytes((4 << 3 | 1,))  # AnyValue.double_value: 64 bits

SPAN_OVERHEAD = 1 + 5
"""Bytes that a span in a frame takes beside its own at most: a tag and a length below 2^35."""

GROUP_OVERHEAD = 6 * (1 + 5)
"""Bytes that a group in a frame takes beside its spans and its envelope at most: the six fields around them."""


# A span that an SDK wrote starts with its trace id (field 1, 16 bytes) and span id (field 2, 8 bytes).
_TRACE_ID_HEAD: Final = b"\x0a\x10"
_SPAN_ID_HEAD: Final = b"\x12\x08"
_TRACE_STATE_TAG: Final = b"\x1a"  # field 3


def span_id(span: bytes) -> bytes:
    """The id of a serialized span."""
    if span[:2] == _TRACE_ID_HEAD and span[18:20] == _SPAN_ID_HEAD:
        return span[20:28]
    return Span.FromString(span).span_id


def trace_state(span: bytes) -> str:
    """The tracestate of a serialized span that holds each field once; empty for most."""
    if span[:2] == _TRACE_ID_HEAD and span[18:20] == _SPAN_ID_HEAD:
        if span[28:29] != _TRACE_STATE_TAG:
            return ""
        if (length := span[29]) < 0x80:
            return span[30 : 30 + length].decode()
    return Span.FromString(span).trace_state


def string_attribute(key: str, value: str) -> bytes:
    """Encode one Span.attributes entry with a string value: put behind a serialized Span, it adds the attribute.

    A caller that stamps many spans alike makes it once. The attribute comes last; one that the span holds already under
    this key stays beside it.
    """
    any_value = _delimited(_FIRST, value.encode())  # AnyValue.string_value
    key_value = _delimited(_FIRST, key.encode()) + _delimited(_SECOND, any_value)  # KeyValue {key, value}
    return _delimited(_SPAN_ATTRIBUTES, key_value)


def double_attribute(key: str, value: float) -> bytes:
    """Encode one Span.attributes entry with a number, as string_attribute does with a text."""
    any_value = _DOUBLE + struct.pack("<d", value)  # AnyValue.double_value
    key_value = _delimited(_FIRST, key.encode()) + _delimited(_SECOND, any_value)
    return _delimited(_SPAN_ATTRIBUTES, key_value)


def trace_state_field(value: str) -> bytes:
    """Encode Span.trace_state: put behind a serialized Span that has none, it is the span's."""
    return _delimited(_TRACE_STATE_TAG, value.encode())


def request(redacted: RedactedSpans | RedactedBatch) -> bytes:
    """Make the OTLP export request of a redacted batch."""
    if isinstance(redacted, RedactedBatch):
        return redacted.message.SerializeToString()
    return frame_traces(SpanGroup(each.envelope, tuple([r.data for r in each.records])) for each in redacted.sets)


def frame_traces(groups: Iterable[SpanGroup]) -> bytes:
    """Make an ExportTraceServiceRequest of groups in their order.

    Neighbours under equal envelopes share one ScopeSpans; neighbours under the same resource share one ResourceSpans.
    """
    request: list[bytes] = []
    for (resource, schema_url), of_resource in groupby(groups, key=_resource):
        parts = [_delimited(_FIRST, resource)] if resource else []
        for envelope, of_scope in groupby(of_resource, key=_envelope):
            scope_spans = _scope_spans(envelope, of_scope)
            parts += (_SECOND, varint(len(scope_spans)), scope_spans)
        if schema_url:
            parts.append(_delimited(_THIRD, schema_url.encode()))
        resource_spans = b"".join(parts)
        request += (_FIRST, varint(len(resource_spans)), resource_spans)
    return b"".join(request)


def _scope_spans(envelope: Envelope, groups: Iterable[SpanGroup]) -> bytes:
    parts = [_delimited(_FIRST, envelope.scope)] if envelope.scope else []
    tag, length = _SECOND, varint
    for group in groups:
        for span in group.spans:
            parts += (tag, length(len(span)), span)
    if envelope.scope_schema_url:
        parts.append(_delimited(_THIRD, envelope.scope_schema_url.encode()))
    return b"".join(parts)


def _resource(group: SpanGroup) -> tuple[bytes, str]:
    envelope = group.envelope
    return envelope.resource, envelope.resource_schema_url


def _delimited(tag: bytes, payload: bytes) -> bytes:
    return tag + varint(len(payload)) + payload
