"""OTLP/JSON: the specification's rules, one by one, and errors that name a path and never a value."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spansieve import otlp_json
from spansieve.errors import MalformedRequest
from spansieve.model import ExportRequest, Signal

CAPTURES = Path(__file__).parents[1] / "captures"
REQUESTS: dict[Signal, type[ExportRequest]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}
SECRET = "alice@example.com"


def parsed_span(fields: dict[str, Any]) -> Span:
    """The span that comes of a JSON span."""
    body = orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]})
    message = otlp_json.parse(body, Signal.TRACES)
    assert isinstance(message, ExportTraceServiceRequest)
    return message.resource_spans[0].scope_spans[0].spans[0]


def parsed_value(value: dict[str, Any]) -> AnyValue:
    """The AnyValue that comes of a JSON attribute value."""
    return parsed_span({"attributes": [{"key": "k", "value": value}]}).attributes[0].value


def rendered_span(span: Span) -> Any:  # noqa: ANN401 - JSON
    """The JSON span that comes of a span."""
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.append(span)
    return orjson.loads(otlp_json.render(request))["resourceSpans"][0]["scopeSpans"][0]["spans"][0]


@pytest.mark.parametrize("signal", Signal)
def test_captured_json_is_the_captured_protobuf(signal: Signal) -> None:
    """What an OpenTelemetry SDK sent as protobuf and the same as JSON are the same message."""
    binary = REQUESTS[signal].FromString((CAPTURES / f"genai.{signal}.pb").read_bytes())
    assert otlp_json.parse((CAPTURES / f"genai.{signal}.json").read_bytes(), signal) == binary


@pytest.mark.parametrize("signal", Signal)
def test_captures_survive_the_round_trip(signal: Signal) -> None:
    """Rendered and parsed again, a message is what it was."""
    binary = REQUESTS[signal].FromString((CAPTURES / f"genai.{signal}.pb").read_bytes())
    assert otlp_json.parse(otlp_json.render(binary), signal) == binary


@pytest.mark.parametrize("text", ["5B8EFFF798038103D269B633813FC60C", "5b8efff798038103d269b633813fc60c"])
def test_ids_are_hexadecimal_in_either_case(text: str) -> None:
    """traceId, spanId and parentSpanId are hex, not base64."""
    span = parsed_span({"traceId": text, "spanId": text[:16], "parentSpanId": text[16:]})
    assert (span.trace_id + span.span_id + span.parent_span_id) == bytes.fromhex(text * 2)


def test_ids_in_links_are_hexadecimal() -> None:
    """Links bear ids, too."""
    link = parsed_span({"links": [{"traceId": "0a" * 16, "spanId": "0B" * 8}]}).links[0]
    assert (link.trace_id, link.span_id) == (b"\x0a" * 16, b"\x0b" * 8)


def test_ids_in_log_records_are_hexadecimal() -> None:
    """Log records bear ids, too."""
    record = {"traceId": "0a" * 16, "spanId": "0B" * 8}
    body = orjson.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
    message = otlp_json.parse(body, Signal.LOGS)
    assert isinstance(message, ExportLogsServiceRequest)
    parsed = message.resource_logs[0].scope_logs[0].log_records[0]
    assert (parsed.trace_id, parsed.span_id) == (b"\x0a" * 16, b"\x0b" * 8)


def test_ids_in_exemplars_are_hexadecimal() -> None:
    """Exemplars bear ids, too."""
    point = {"exemplars": [{"traceId": "0a" * 16, "spanId": "0B" * 8, "asInt": "1"}], "asInt": "1"}
    metric = {"name": "m", "gauge": {"dataPoints": [point]}}
    body = orjson.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})
    message = otlp_json.parse(body, Signal.METRICS)
    assert isinstance(message, ExportMetricsServiceRequest)
    parsed = message.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points[0].exemplars[0]
    assert (parsed.trace_id, parsed.span_id) == (b"\x0a" * 16, b"\x0b" * 8)


@pytest.mark.parametrize("bad", ["W47/95gDgQPSabYzgT/GDA==", "0a0", "0a 0b", "é" * 16, 7, True, ["0a"], {}])
def test_an_id_that_is_not_hexadecimal_has_a_wrong_length(bad: object) -> None:
    """So that the item is rejected, and not its whole request."""
    assert len(parsed_span({"spanId": bad}).span_id) not in (0, 8)


def test_an_attribute_named_like_an_id_is_a_value() -> None:
    """Only the fields of the schema are ids."""
    value = {"kvlistValue": {"values": [{"key": "traceId", "value": {"bytesValue": "AQID"}}]}}
    assert parsed_value(value).kvlist_value.values[0].value.bytes_value == b"\x01\x02\x03"


@pytest.mark.parametrize("text", ["+/8BAg==", "-_8BAg==", "-_8BAg", "+/8BAg"])
def test_other_bytes_are_base64(text: str) -> None:
    """Standard or URL-safe, padded or not, as proto3 JSON accepts them."""
    assert parsed_value({"bytesValue": text}).bytes_value == b"\xfb\xff\x01\x02"


@pytest.mark.parametrize(
    ("written", "number"),
    [("-12", -12), (-12, -12), (5.0, 5), ("9223372036854775807", 2**63 - 1), (-(2**63), -(2**63))],
)
def test_64_bit_integers_are_strings_or_numbers(written: object, number: int) -> None:
    """OTLP/JSON writes strings, and takes both."""
    assert parsed_value({"intValue": written}).int_value == number


def test_unsigned_64_bit_integers_reach_their_end() -> None:
    """Times are unsigned."""
    assert parsed_span({"startTimeUnixNano": str(2**64 - 1)}).start_time_unix_nano == 2**64 - 1


@pytest.mark.parametrize(
    ("written", "number"),
    [(1.5, 1.5), (3, 3.0), ("2.5", 2.5), ("-1e3", -1000.0), ("Infinity", float("inf")), ("-Infinity", -float("inf"))],
)
def test_doubles_are_numbers_or_strings(written: object, number: float) -> None:
    """Infinities have no JSON number."""
    assert parsed_value({"doubleValue": written}).double_value == number


def test_not_a_number_is_a_string() -> None:
    """NaN has no JSON number either."""
    double = parsed_value({"doubleValue": "NaN"}).double_value
    assert double != double  # noqa: PLR0124 - what makes it NaN


def test_enums_are_integers_known_or_not() -> None:
    """proto3 enums are open: a value from a later version passes."""
    assert parsed_span({"kind": 99, "status": {"code": 2}}).kind == 99


@pytest.mark.parametrize(
    "tree", [{"later": {"a": [1]}, "resourceSpans": []}, {"resourceLogs": [1], "resourceSpans": None}, {}]
)
def test_unknown_keys_are_ignored(tree: dict[str, object]) -> None:
    """A key of a later version is nothing to us."""
    assert otlp_json.parse(orjson.dumps(tree), Signal.TRACES) == ExportTraceServiceRequest()


def test_names_of_the_schema_are_understood() -> None:
    """Keys and enums may be written as proto3 JSON also has them, which the Collector takes, too."""
    tree = {"resource_spans": [{"scope_spans": [{"spans": [{"span_id": "00" * 8, "kind": "SPAN_KIND_CLIENT"}]}]}]}
    request = otlp_json.parse(orjson.dumps(tree), Signal.TRACES)
    assert isinstance(request, ExportTraceServiceRequest)
    (span,) = request.resource_spans[0].scope_spans[0].spans
    assert span == Span(span_id=bytes(8), kind=Span.SPAN_KIND_CLIENT)


def test_null_is_absent() -> None:
    """As proto3 JSON has it."""
    assert parsed_span({"name": None, "links": None, "status": None}) == Span()


def test_an_empty_object_is_a_message_that_is_there() -> None:
    """`{}` sets a field of a message type, and a oneof knows it."""
    assert parsed_value({"kvlistValue": {}}).WhichOneof("value") == "kvlist_value"


@pytest.mark.parametrize(
    "value", [{}, {"stringValue": ""}, {"boolValue": False}, {"arrayValue": {"values": [{"intValue": "1"}, {}]}}]
)
def test_every_attribute_value_is_taken(value: dict[str, Any]) -> None:
    """Empty, falsy and mixed values keep their shape through the round trip."""
    span = parsed_span({"attributes": [{"key": "k", "value": value}]})
    assert rendered_span(span)["attributes"] == [{"key": "k", "value": value}]


PATH = "resourceSpans[0].scopeSpans[0].spans[0]"
WRONG = [
    ({"name": 7}, f"{PATH}.name", "is not a string"),
    ({"attributes": {SECRET: 1}}, f"{PATH}.attributes", "is not a list"),
    ({"attributes": [SECRET]}, f"{PATH}.attributes[0]", "is not an object"),
    ({"attributes": [{}, None]}, f"{PATH}.attributes[1]", "is not an object"),
    ({"startTimeUnixNano": SECRET}, f"{PATH}.startTimeUnixNano", "is not an integer"),
    ({"startTimeUnixNano": -1}, f"{PATH}.startTimeUnixNano", "is out of the range of its type"),
    ({"startTimeUnixNano": "9" * 5000}, f"{PATH}.startTimeUnixNano", "is not an integer"),
    ({"startTimeUnixNano": 1.5}, f"{PATH}.startTimeUnixNano", "is not an integer"),
    ({"startTimeUnixNano": True}, f"{PATH}.startTimeUnixNano", "is not an integer"),
    ({"kind": SECRET}, f"{PATH}.kind", "is not an integer, as OTLP/JSON writes enums"),
    ({"flags": 2**32}, f"{PATH}.flags", "is out of the range of its type"),
    ({"status": [SECRET]}, f"{PATH}.status", "is not an object"),
    (
        {"attributes": [{"key": "k", "value": {"doubleValue": SECRET}}]},
        f"{PATH}.attributes[0].value.doubleValue",
        "is not a number",
    ),
    (
        {"attributes": [{"key": "k", "value": {"boolValue": "true"}}]},
        f"{PATH}.attributes[0].value.boolValue",
        "is not true or false",
    ),
    (
        {"attributes": [{"key": "k", "value": {"bytesValue": SECRET}}]},
        f"{PATH}.attributes[0].value.bytesValue",
        "is not base64",
    ),
    (
        {"attributes": [{"key": "k", "value": {"bytesValue": 7}}]},
        f"{PATH}.attributes[0].value.bytesValue",
        "is not a base64 string",
    ),
]


@pytest.mark.parametrize(("fields", "path", "rule"), WRONG, ids=[f"{path} {rule}" for _, path, rule in WRONG])
def test_a_value_that_does_not_fit_is_named_by_its_path(fields: dict[str, Any], path: str, rule: str) -> None:
    """The error says where and which rule; the value is not in it, nor in what led to it."""
    with pytest.raises(MalformedRequest) as raised:
        parsed_span(fields)
    assert (raised.value.field, raised.value.description) == (path, f"{path} {rule}.")
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("body", [b"[]", b"7", b'"text"', b"null"])
def test_a_body_that_is_no_object_is_malformed(body: bytes) -> None:
    """A request is an object."""
    with pytest.raises(MalformedRequest, match=r"^The body is not an object\.$"):
        otlp_json.parse(body, Signal.LOGS)


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": alice}', b'{"a": NaN}', b"\xff", b'"\\ud800'])
def test_what_is_not_json_is_malformed(body: bytes) -> None:
    """The error says where, and quotes nothing."""
    with pytest.raises(MalformedRequest, match=r"^The body is not valid JSON: line \d+, column \d+\.$"):
        otlp_json.parse(body, Signal.LOGS)


@pytest.mark.parametrize(
    ("tree", "signal", "sentence"),
    [
        ({"resourceLogs": []}, Signal.TRACES, "resourceLogs is of logs, and this is where traces are taken."),
        ({"resource_metrics": []}, Signal.LOGS, "resourceMetrics is of metrics, and this is where logs are taken."),
        ({SECRET: []}, Signal.METRICS, "The body has no resourceMetrics."),
    ],
)
def test_a_request_of_which_nothing_would_be_read_is_malformed(
    tree: dict[str, object], signal: Signal, sentence: str
) -> None:
    """Logs sent to the path of traces are not answered OK and lost; a key that nobody knows is not quoted."""
    with pytest.raises(MalformedRequest) as raised:
        otlp_json.parse(orjson.dumps(tree), signal)
    assert raised.value.description == sentence


@pytest.mark.parametrize(
    ("key", "signal"),
    [("resourceSpans", Signal.TRACES), ("resource_logs", Signal.LOGS), ("resourceMetrics", Signal.METRICS)],
)
def test_a_request_tells_its_signal(key: str, signal: Signal) -> None:
    """By its one key, in either spelling."""
    assert otlp_json.signal_of(orjson.dumps({key: []})) == signal


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"resourceSpans": [], "resourceLogs": []}'])
def test_a_request_of_no_signal_or_of_two_is_malformed(body: bytes) -> None:
    """Nobody could say which rules hold for it."""
    with pytest.raises(MalformedRequest, match=r"has not exactly one of the keys resourceSpans, resourceLogs, res"):
        otlp_json.signal_of(body)


def test_json_that_is_too_deep_is_told_from_json_that_is_none() -> None:
    """A sender who looks for a syntax error would not find one."""
    with pytest.raises(MalformedRequest, match=r"^The body is nested deeper than 1,024 levels\.$"):
        otlp_json.parse(b"[" * 100_000, Signal.LOGS)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"cut \ud83d", "cut \ufffd"),
        (r"\udE00 tail", "\ufffd tail"),
        (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (r"\ud83d\u0041", "\ufffdA"),
        (r"\\ud83d is text \ud83d", "\\ud83d is text \ufffd"),
    ],
)
def test_half_of_a_surrogate_pair_is_read_as_unknown(written: str, read: str) -> None:
    """JavaScript leaves one where it cuts a text within an emoji: no reason to refuse a request."""
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"%s"}}]}]}]}' % written.encode()
    message = otlp_json.parse(body, Signal.LOGS)
    assert isinstance(message, ExportLogsServiceRequest)
    assert message.resource_logs[0].scope_logs[0].log_records[0].body.string_value == read


def nested(levels: int) -> bytes:
    """A log record whose body is so many arrays deep."""
    opening, closing = b'{"arrayValue":{"values":[' * levels, b"]}}" * levels
    return b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + opening + b"{}" + closing + b"}]}]}]}"


# Request, resource, scope, record and body are five messages, each array around the body is two more: 5 + 2 · 47 = 99.
DEEPEST = 47


def test_the_deepest_json_that_is_taken_can_be_sent_on() -> None:
    """Protobuf's own decoders stop at 100 levels: a message that we take is not one that they refuse."""
    message = otlp_json.parse(nested(DEEPEST), Signal.LOGS)
    assert ExportLogsServiceRequest.FromString(message.SerializeToString()) == message


def test_deeper_json_is_malformed() -> None:
    """Depth is bounded: whoever walks the message later can recurse."""
    with pytest.raises(MalformedRequest, match=r" is nested deeper than 100 messages\.$"):
        otlp_json.parse(nested(DEEPEST + 1), Signal.LOGS)


def test_rendering_writes_what_the_specification_says() -> None:
    """Hex ids, integers for enums, strings for 64-bit integers, numbers for 32-bit ones, lowerCamelCase."""
    span = Span(
        trace_id=b"\xab" * 16,
        span_id=b"\xcd" * 8,
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=2**63,
        flags=257,
        status=Status(code=Status.STATUS_CODE_ERROR),
    )
    assert rendered_span(span) == {
        "traceId": "ab" * 16,
        "spanId": "cd" * 8,
        "kind": 3,
        "startTimeUnixNano": "9223372036854775808",
        "flags": 257,
        "status": {"code": 2},
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (AnyValue(double_value=float("nan")), {"doubleValue": "NaN"}),
        (AnyValue(double_value=float("inf")), {"doubleValue": "Infinity"}),
        (AnyValue(double_value=-float("inf")), {"doubleValue": "-Infinity"}),
        (AnyValue(bytes_value=b"\xfb\xff"), {"bytesValue": "+/8="}),
        (AnyValue(int_value=0), {"intValue": "0"}),
    ],
)
def test_values_are_rendered_as_proto3_json(value: AnyValue, written: object) -> None:
    """What JSON has no number for is a string, bytes are base64, and a oneof's default is written."""
    assert orjson.loads(otlp_json.render(value)) == written


def test_responses_can_be_rendered() -> None:
    """Any OTLP message can."""
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = 2
    assert orjson.loads(otlp_json.render(response)) == {"partialSuccess": {"rejectedSpans": "2"}}
