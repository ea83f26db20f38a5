"""Spans redacted as bytes are what whole messages are redacted to: whatever they hold, however they are written."""

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from helpers_spans import message_of
from properties.helpers_decode import messages, relaxed
from spansieve import decode, redact
from spansieve.model import DecodedSpans, Encoding, ReceivedRequest, RedactedSpans, Signal
from spansieve.redact import CompiledRules, Redactor, policy
from spansieve.redact.otlp import stamp
from spansieve.wire import varint
from unit.redact.helpers_redact import captures, default_rules, mixed_texts

_BADGE = """
rules:
  - name: badge
    entity: BADGE
    reason: Numbers of our staff's badges.
    anchors: ['@']
    patterns: ['[a-z]{1,32}@[a-z.]{1,32}']
    keys: [password]
    {where}
"""
_POLICIES = {
    "default": "",
    "places": "where: [{places: [span.attribute, event.name], keys: ['k*', user.email]}]",
    "roles": "where: [{roles: [user]}]",
}
_READ = frozenset({"k", "gen_ai.prompt"})
_KEYS = ["k", "content", "password", "gen_ai.prompt", "user.email", "spansieve.redaction.policy", "n" * 200]


@cache
def _rules(name: str) -> CompiledRules:
    return (
        policy.compile(policy.parse(_BADGE.replace("{where}", _POLICIES[name]))) if _POLICIES[name] else default_rules()
    )


@cache
def _redactor(name: str) -> Redactor:
    """One for all examples: what it remembers must not change a result."""
    return Redactor(_rules(name), _READ.__contains__, lambda name: name == "content")


def _request(body: bytes) -> ReceivedRequest:
    return ReceivedRequest(Signal.TRACES, Encoding.PROTO, body)


def _as_bytes(body: bytes, name: str) -> RedactedSpans:
    batch = decode.request(_request(body)).batch
    assert isinstance(batch, DecodedSpans)
    return _redactor(name).request(batch)


def _spans(message: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - a generated class
    return [
        (rs.schema_url, rs.resource, ss.schema_url, ss.scope, span)
        for rs in message.resource_spans
        for ss in rs.scope_spans
        for span in ss.spans
    ]


def _check(body: bytes, name: str) -> RedactedSpans:
    """Redact in both ways, twice, and compare."""
    slow = redact.batch(decode.message(_request(body)).batch, _rules(name))
    for _ in range(2):  # the second time most of it is remembered
        fast = _as_bytes(body, name)
        assert _spans(message_of(fast)) == _spans(slow.message)
        _check_records(fast)
    return fast


def _check_records(redacted: RedactedSpans) -> None:
    """Whether what records tell beside the spans' bytes is of the spans as they leave, and of no earlier state."""
    for record in (record for each in redacted.sets for record in each.records):
        span = record.message()
        assert record.trace_state == span.trace_state
        keys = {attribute.key for holder in (span, *span.events) for attribute in holder.attributes}
        assert record.wanted == (not keys.isdisjoint(_READ) or any(event.name == "content" for event in span.events))
        if record.head is None:
            assert record.attributes is None
            continue
        assert record.attributes is not None
        assert list(record.head.attributes) == list(record.attributes)
        bare = Span.FromString(record.head.SerializeToString())
        told = [KeyValue.FromString(raw) for raw in record.attributes]
        assert list(span.attributes[: len(told)]) == told == list(bare.attributes)
        assert (bare.name, bare.trace_state, bare.status, bare.events, bare.links) == (
            span.name, span.trace_state, span.status, span.events, span.links,
        )  # fmt: skip


def _values(message: Message) -> list[AnyValue]:
    """Every value in a request, those within others too."""
    found: list[AnyValue] = []
    pending: list[Any] = [message]
    while pending:
        one = pending.pop()
        if isinstance(one, AnyValue):
            found.append(one)
        for field, content in one.ListFields():
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                pending += content if field.is_repeated else [content]
    return found


@st.composite
def _planted(draw: Callable[[st.SearchStrategy[Any]], Any]) -> ExportTraceServiceRequest:
    """A request of any shape, with texts and numbers in some of its fields that rules have something to say of."""
    message: ExportTraceServiceRequest = draw(messages(ExportTraceServiceRequest))
    for value in _values(message):
        if value.WhichOneof("value") == "string_value" or draw(st.booleans()):
            value.string_value = draw(mixed_texts)
        elif draw(st.booleans()):
            value.int_value = draw(st.sampled_from([4111111111111111, 219099999, 7, -1, 10**12]))
    for rs in message.resource_spans:
        for ss in rs.scope_spans:
            for span in ss.spans:
                span.name = draw(mixed_texts)
                for holder in (span, *span.events, *span.links):
                    for attribute in holder.attributes:
                        attribute.key = draw(st.sampled_from(_KEYS) | mixed_texts)
    return message


@relaxed
@given(_planted(), st.sampled_from(list(_POLICIES)))
def test_as_bytes_and_as_messages_alike(message: ExportTraceServiceRequest, name: str) -> None:
    """Whatever a request holds, also by rules that ask for a value's place or for who speaks."""
    _check(message.SerializeToString(), name)


@relaxed
@given(_planted(), st.randoms(use_true_random=False))
def test_however_it_is_written(message: ExportTraceServiceRequest, random: Random) -> None:
    """In any order of fields, with lengths in more bytes than they need, with defaults, and with unknown fields."""
    _check(_rewritten(message.SerializeToString(), message.DESCRIPTOR, random), "default")


@relaxed
@given(st.lists(_planted(), min_size=2, max_size=4), st.sampled_from(list(_POLICIES)))
def test_requests_together_are_as_each_alone(sent: list[ExportTraceServiceRequest], name: str) -> None:
    """The same spans, under the same envelopes; and all that was found is told of some of them."""
    bodies = [message.SerializeToString() for message in sent]
    alone = [_as_bytes(body, name) for body in bodies]
    decoded = [decode.request(_request(body)).batch for body in bodies]
    together = _redactor(name).requests([each for each in decoded if isinstance(each, DecodedSpans)])
    assert [_spans(message_of(each)) for each in together] == [_spans(message_of(each)) for each in alone]
    assert [each.items for each in together] == [each.items for each in alone]
    assert {rule for each in together for rule in each.findings} == {rule for each in alone for rule in each.findings}


def _rewritten(body: bytes, descriptor: Descriptor, random: Random) -> bytes:
    """Serialize again what a body holds, in another of the ways that protobuf allows."""
    fields: list[tuple[int, bytes]] = []
    at = 0
    while at < len(body):
        tag, at = _read(body, at)
        number, kind = tag >> 3, tag & 7
        if kind == 2:
            size, at = _read(body, at)
            content = body[at : at + size]
            at += size
            field = descriptor.fields_by_number[number]
            if field.message_type is not None:
                content = _rewritten(content, field.message_type, random)
            fields.append((number, _varint(tag, random) + _varint(len(content), random) + content))
            continue
        start = at
        at = _read(body, at)[1] if kind == 0 else at + (8 if kind == 1 else 4)
        fields.append((number, varint(tag) + body[start:at]))
    order = list({number for number, _ in fields})
    if not random.getrandbits(2):
        random.shuffle(order)
    written = b"".join(encoded for number in order for of, encoded in fields if of == number)
    if not random.getrandbits(3):
        unseen = b"unseen alice@example.com"
        written += varint(1023 << 3 | 2) + varint(len(unseen)) + unseen
    return written


def _read(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _varint(value: int, random: Random) -> bytes:
    encoded = varint(value)
    if random.getrandbits(5):
        return encoded
    return encoded[:-1] + bytes((encoded[-1] | 0x80, 0))


@pytest.mark.parametrize("path", [path for path in captures() if ".traces." in path.name], ids=lambda path: path.stem)
def test_captures_alike(path: Any) -> None:  # noqa: ANN401 - a Path
    """What real instrumentations sent; the counts by rule are the same, too."""
    body = path.read_bytes()
    fast = _check(body, "default")
    assert fast.findings == redact.batch(decode.message(_request(body)).batch, default_rules()).findings


@pytest.mark.parametrize("path", [path for path in captures() if ".traces." in path.name], ids=lambda path: path.stem)
def test_records_tell_what_the_spans_say(path: Any) -> None:  # noqa: ANN401 - a Path
    """Ids, times, status, what was found, and whether a later stage reads the span."""
    for each in _as_bytes(path.read_bytes(), "default").sets:
        for record in each.records:
            span = record.message()
            assert (record.trace_id, record.span_id, record.parent_span_id) == (
                span.trace_id,
                span.span_id,
                span.parent_span_id,
            )
            assert (record.start_ns, record.end_ns) == (span.start_time_unix_nano, span.end_time_unix_nano)
            assert record.status == span.status.code
            assert record.found == stamp.read(attribute.SerializeToString() for attribute in span.attributes)
            keys = {attribute.key for holder in (span, *span.events) for attribute in holder.attributes}
            wanted = not keys.isdisjoint({"k", "gen_ai.prompt"}) or "content" in {event.name for event in span.events}
            assert record.wanted == wanted


def test_a_span_that_nothing_changed_in_leaves_as_it_came() -> None:
    """But for the stamp, byte by byte, in whatever order its fields were written."""
    span = Span(trace_id=b"t" * 16, span_id=b"s" * 8, name="GET", start_time_unix_nano=1, end_time_unix_nano=2)
    span.attributes.add(key="http.route").value.string_value = "/cart"
    half = span.SerializeToString()
    # The attributes first, which no serializer of protobuf's would write.
    attribute = half[half.index(b"\x4a") :]
    written = attribute + half[: -len(attribute)]
    body = written
    for field in (b"\x12", b"\x12", b"\x0a"):  # spans, scope_spans, resource_spans
        body = field + varint(len(body)) + body
    (each,) = _as_bytes(body, "default").sets
    assert each.records[0].data.startswith(written)


def test_what_several_texts_hold_together_is_counted() -> None:
    """A value that is split over a list is in the counts of the request."""
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add()
        .scope_spans.add()
        .spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=1, end_time_unix_nano=2)
    )
    values = span.attributes.add(key="chunks").value.array_value.values
    values.add(string_value="write to alice@exam")
    values.add(string_value="ple.com now")
    body = request.SerializeToString()
    fast = _check(body, "default")
    assert fast.findings == redact.batch(decode.message(_request(body)).batch, default_rules()).findings
    assert fast.findings["email"] == 1
