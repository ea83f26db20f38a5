"""Numbers, media, chunks and dropped attributes of requests."""

import base64
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve import decode, redact
from spansieve.model import DecodedBatch, DecodedSpans, Encoding, ReceivedRequest, Signal
from spansieve.redact import policy
from spansieve.redact.text import media
from unit.redact.helpers_redact import clean, default_rules, found, run

_PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


def _span() -> tuple[ExportTraceServiceRequest, Span]:
    request = ExportTraceServiceRequest()
    return request, request.resource_spans.add().scope_spans.add().spans.add(name="chat")


@pytest.mark.parametrize("number", [4111111111111111, 378282246310005])
def test_a_card_as_an_integer_becomes_a_token(number: int) -> None:
    """A number that is a card's is a string afterwards."""
    request, span = _span()
    span.attributes.add(key="n").value.int_value = number
    assert run(request).findings == {"payment_card": 1}
    assert span.attributes[0].value.string_value == "[CARD]"


def test_a_card_as_a_double_becomes_a_token() -> None:
    """JavaScript has no other numbers."""
    request, span = _span()
    span.attributes.add(key="n").value.double_value = 4111111111111111.0
    run(request)
    assert span.attributes[0].value.string_value == "[CARD]"


def test_a_number_under_a_telling_key_becomes_a_token() -> None:
    """Nine digits are someone's under `ssn`."""
    request, span = _span()
    span.attributes.add(key="customer.ssn").value.int_value = 219099999
    run(request)
    assert span.attributes[0].value.string_value == "[US_SSN]"


@pytest.mark.parametrize(
    ("key", "number"),
    [
        ("gen_ai.usage.input_tokens", 219099999),
        ("start_time_unix_nano", 1718900000000000000),
        ("timestamp", 1718900000123),
        ("count", 0),
        ("offset", -4111111111111111),
        ("seed", 4111111111111112),
    ],
)
def test_counts_and_times_stay_numbers(key: str, number: int) -> None:
    """They are what telemetry is for."""
    request, span = _span()
    span.attributes.add(key=key).value.int_value = number
    assert run(request).findings == {}
    assert span.attributes[0].value.int_value == number


def test_embeddings_stay_numbers() -> None:
    """A vector of doubles is left as it is."""
    request, span = _span()
    values = span.attributes.add(key="embedding").value.array_value.values
    for number in range(100):
        values.add(double_value=number / 7)
    before = request.SerializeToString()
    run(request)
    assert request.SerializeToString() == before


def test_a_number_in_json_with_a_fraction_is_read_by_its_digits() -> None:
    """`4111111111111111.0` and `4.111111111111111e15` are the same number."""
    assert clean('{"n": 4111111111111111.0}') == '{"n": "[CARD]"}'
    assert clean('{"n": 4.111111111111111e15}') == '{"n": "[CARD]"}'


def test_images_in_bytes_become_a_note() -> None:
    """The note has the type that the first bytes tell."""
    request, span = _span()
    span.attributes.add(key="image").value.bytes_value = _PNG
    assert run(request).findings == {"bytes": 1}
    assert span.attributes[0].value.bytes_value == f"[MEDIA image/png {len(_PNG)} bytes]".encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("data:image/png;base64,{}", "[MEDIA image/png 2056 bytes]"),
        ("see ![x](data:image/png;base64,{}) here", "see ![x]([MEDIA image/png 2056 bytes]) here"),
        ('{{"mime_type":"image/png","content":"{}"}}', '{{"mime_type":"image/png","content":"{n}"}}'),
        ('{{"input_audio":{{"data":"{}"}}}}', '{{"input_audio":{{"data":"{n}"}}}}'),
        ("{}", "[MEDIA image/png 2056 bytes]"),
    ],
)  # fmt: skip
def test_images_in_base64_become_a_note(before: str, after: str) -> None:
    """Alone, in a data URL and as a part of a message."""
    text = before.format(base64.b64encode(_PNG).decode())
    assert clean(text) == after.format(n="[MEDIA image/png 2056 bytes]")
    assert found(text) == {"media": 1}


def test_text_in_a_data_url_is_text() -> None:
    """It is read, not dropped."""
    clear = "data:text/plain;base64," + base64.b64encode(b"nothing to see here").decode()
    assert clean(clear) == clear
    assert "EMAIL" in clean("data:text/plain;base64," + base64.b64encode(b"to alice@example.com").decode())


def test_a_note_stays_a_note() -> None:
    """Redacting twice changes nothing, also under a key for which values are taken."""
    note = media.note("image/png", 12345)
    assert (clean(note), clean(note, "password")) == (note, note)


@pytest.mark.parametrize(
    "pieces", [["alice@exa", "mple.com"], ["4111 1111 ", "1111 1111"], ["4111 1111 1111 ", "1111"]]
)
def test_a_value_split_over_parts_of_a_message_is_found(pieces: list[str]) -> None:
    """Parts of text, elements of a list and chunks in events are read as one."""
    parts = ",".join(f'{{"type":"text","text":"{piece}"}}' for piece in pieces)
    out = clean(f"[{parts}]")
    assert not any(piece in out for piece in pieces)
    request, span = _span()
    for piece in pieces:
        span.events.add(name="chunk").attributes.add(key="gen_ai.event.content").value.string_value = piece
    run(request)
    left = [event.attributes[0].value.string_value for event in span.events]
    assert left[1:] == [""] * (len(pieces) - 1)
    assert left[0].startswith("[")


def test_a_value_split_over_log_records_of_a_span_is_found() -> None:
    """Streaming SDKs write a record for each chunk."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for piece in ("to alice@", "example.com now"):
        records.add(span_id=b"s" * 8).body.string_value = piece
    assert run(request).findings == {"email": 1}
    assert [record.body.string_value for record in records] == ["to [EMAIL]", " now"]


def test_neighbours_that_hold_nothing_together_stay() -> None:
    """Texts are joined to look, not to leave."""
    text = '[{"text": "call 12"}, {"text": "34 or"}, {"text": "@home"}, {"text": "ok"}]'
    assert clean(text) == text


def _stamped(request: ExportTraceServiceRequest) -> dict[str, Any]:
    redact.batch(DecodedBatch(Signal.TRACES, request, 1), default_rules())
    span = request.resource_spans[0].scope_spans[0].spans[0]
    return {attribute.key: attribute.value.string_value for attribute in span.attributes}


def test_every_span_is_stamped_with_its_policy() -> None:
    """The digest, and no count where nothing was found."""
    request, _ = _span()
    assert _stamped(request) == {"spansieve.redaction.policy": default_rules().digest}


def test_a_stamp_counts_by_entity() -> None:
    """Never a value."""
    request, span = _span()
    span.attributes.add(key="a").value.string_value = "alice@example.com, bob@example.com, 078-05-1120"
    assert _stamped(request)["spansieve.redaction.found"] == "EMAIL:2 US_SSN:1"


def test_a_stamp_that_came_is_replaced() -> None:
    """Of another gateway, or made up by a sender: there is one stamp, ours."""
    request, span = _span()
    for _ in range(2):
        span.attributes.add(key="spansieve.redaction.policy").value.string_value = "forged"
    span.attributes.add(key="spansieve.redaction.found").value.string_value = "forged"
    _stamped(request)
    assert _stamped(request) == {"spansieve.redaction.policy": default_rules().digest}
    assert len(span.attributes) == 1


def _map(**members: str) -> AnyValue:
    return AnyValue(
        kvlist_value=KeyValueList(
            values=[KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in members.items()]
        )
    )


def _of(*values: AnyValue) -> AnyValue:
    return AnyValue(array_value=ArrayValue(values=values))


_STRUCTURED = [
    ("parts of a message", _of(_map(type="text", content="4111 11"), _map(type="text", content="11 1111 1111"))),
    ("a name and a value", _map(name="X-Api-Key", value="4111 11")),
    ("a key and a value", _of(_map(key="password", value="4111 11"))),
    ("text in UTF-16", AnyValue(bytes_value="4111 11".encode("utf-16-le"))),
]


@pytest.mark.parametrize("value", [case[1] for case in _STRUCTURED], ids=[case[0] for case in _STRUCTURED])
@pytest.mark.parametrize("selective", [False, True], ids=["anywhere", "by role"])
def test_structured_values_hide_nothing(value: AnyValue, *, selective: bool) -> None:
    """What JSON would not hide is not hidden in maps, lists and bytes either, on whatever road a span takes."""
    rules = default_rules()
    if selective:
        own = "include: [secrets, finance]\nrules: [{name: own, entity: OWN, reason: It is ours., patterns: [zzz], "
        rules = policy.compile(policy.parse(own + "where: [{roles: [user]}]}]"))
    request, span = _span()
    span.trace_id, span.span_id = b"t" * 16, b"s" * 8
    span.start_time_unix_nano, span.end_time_unix_nano = 1, 2
    span.attributes.add(key="gen_ai.output.messages").value.CopyFrom(value)
    body = request.SerializeToString()
    assert b"4111 11" in body or b"\0" in body
    received = ReceivedRequest(Signal.TRACES, Encoding.PROTO, body)
    decoded = decode.request(received).batch
    assert isinstance(decoded, DecodedSpans)
    (record,) = redact.Redactor(rules).request(decoded).sets[0].records
    run(request, rules)
    for left in (bytes(record.data), request.SerializeToString()):
        assert b"4111 11" not in left
        assert b"1\0" not in left


@pytest.mark.parametrize("key", ["geo.latitude", "lat", "user.location.lng"])
def test_a_place_on_the_globe_is_no_measure(key: str) -> None:
    """Under its key a fraction with four decimals tells where someone is."""
    request, span = _span()
    span.attributes.add(key=key).value.double_value = 37.774929
    assert run(request).findings == {"coordinates": 1}
    assert span.attributes[0].value.string_value == "[COORDINATES]"


@pytest.mark.parametrize(("key", "number"), [("geo.latitude", 37.7), ("score", 37.774929), ("flat", 37.774929)])
def test_other_fractions_stay_numbers(key: str, number: float) -> None:
    """Of a place that is a town, and of what measures."""
    request, span = _span()
    span.attributes.add(key=key).value.double_value = number
    assert run(request).findings == {}
    assert span.attributes[0].value.double_value == number


def test_an_argument_has_the_option_before_it_as_its_key() -> None:
    """As a process is described that somebody started."""
    request, span = _span()
    values = span.attributes.add(key="process.command_args").value.array_value.values
    for each in ("tool", "--password", "horse", "--user", "bob"):
        values.add().string_value = each
    run(request)
    assert [each.string_value for each in values] == ["tool", "--password", "[SECRET]", "--user", "bob"]


@pytest.mark.parametrize("where", ["member", "attribute"])
def test_chunks_of_log_records_are_read_together(where: str) -> None:
    """Also where each is a member of its record's body, or an attribute."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for chunk in ("mail jane.roe@exam", "ple.com ok"):
        record = records.add(span_id=b"s" * 8, event_name="chunk")
        pairs = record.attributes if where == "attribute" else record.body.kvlist_value.values
        pairs.add(key="delta").value.string_value = chunk
    run(request)
    left = request.SerializeToString()
    assert b"[EMAIL]" in left
    assert b"jane.roe" not in left
    assert b"ple.com" not in left


def test_records_of_other_events_are_no_chunks_of_a_text() -> None:
    """What was asked and what was answered are two texts."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for name, text in (("asked", "x jane.roe@exam"), ("answered", "ple.com")):
        record = records.add(span_id=b"s" * 8, event_name=name)
        record.body.kvlist_value.values.add(key="content").value.string_value = text
    assert run(request).findings == {}
