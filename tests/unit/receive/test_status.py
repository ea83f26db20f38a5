"""One place turns errors into codes: this table is that place, written down a second time."""

import grpc
import orjson
import pytest
from google.protobuf.json_format import ParseDict
from google.rpc.error_details_pb2 import BadRequest, RetryInfo

from spansieve.errors import GatewayError, MalformedRequest, TooLarge, Unavailable
from spansieve.model import Answer, Encoding, Signal
from spansieve.receive.status import _RESPONSES, refusal, stopping, success
from unit.receive.helpers_receive import SECRET


@pytest.mark.parametrize(
    ("error", "grpc_code", "http_code", "details"),
    [
        (MalformedRequest("No."), grpc.StatusCode.INVALID_ARGUMENT, 400, [BadRequest]),
        (Unavailable("No.", "shutdown", 1.0), grpc.StatusCode.UNAVAILABLE, 503, [RetryInfo]),
        (TooLarge(7), grpc.StatusCode.RESOURCE_EXHAUSTED, 413, []),
        (ValueError(SECRET), grpc.StatusCode.INTERNAL, 500, []),
    ],
    ids=["malformed", "unavailable", "too large", "defect"],
)
def test_each_error_has_its_codes(
    error: Exception, grpc_code: grpc.StatusCode, http_code: int, details: list[type]
) -> None:
    """A gRPC code, an HTTP status, and details where OTLP wants them."""
    refused = refusal(error)
    assert (refused.grpc_code, refused.http_code, [type(d) for d in refused.details]) == (grpc_code, http_code, details)
    assert refused.status().code == grpc_code.value[0]
    assert SECRET not in refused.message


def test_every_error_that_crosses_the_parts_is_foreseen() -> None:
    """A new kind of GatewayError needs a line in the mapping, or it would be taken for a defect."""
    assert set(GatewayError.__subclasses__()) == {MalformedRequest, Unavailable, TooLarge}


@pytest.mark.parametrize(("seconds", "header"), [(0.0, b"1"), (0.2, b"1"), (1.0, b"1"), (1.001, b"2"), (59.5, b"60")])
def test_nobody_is_told_to_come_back_too_early(seconds: float, header: bytes) -> None:
    """To the nanosecond with gRPC, in whole seconds with HTTP, and never at once."""
    refused = refusal(Unavailable("No.", "overload", seconds))
    (info,) = refused.details
    assert isinstance(info, RetryInfo)
    assert (info.retry_delay.ToNanoseconds(), refused.headers) == (round(seconds * 1e9), ((b"retry-after", header),))


def test_a_gateway_that_stops_says_so() -> None:
    """In words, and with a reason for the metrics."""
    error = stopping()
    assert (error.reason, error.retry_after, "shutting down" in error.description) == ("shutdown", 1.0, True)


@pytest.mark.parametrize("signal", Signal)
def test_a_success_with_nothing_to_tell_is_empty(signal: Signal) -> None:
    """As OTLP wants it."""
    assert [success(Answer(0, ""), signal, encoding) for encoding in (Encoding.PROTO, Encoding.JSON)] == [b"", b"{}"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(3, ""), {"rejected": 3, "message": ""}),
        (Answer(0, "A warning."), {"rejected": 0, "message": "A warning."}),
        (Answer(3, "Bad ids."), {"rejected": 3, "message": "Bad ids."}),
    ],
)
@pytest.mark.parametrize("signal", Signal)
def test_what_was_rejected_or_is_to_be_said_is_told(answer: Answer, told: dict[str, object], signal: Signal) -> None:
    """Either alone is enough; in both encodings."""
    response = _RESPONSES[signal]()
    for encoding in (Encoding.PROTO, Encoding.JSON):
        body = success(answer, signal, encoding)
        parsed = response.FromString(body) if encoding is Encoding.PROTO else ParseDict(orjson.loads(body), response)
        partial = parsed.partial_success
        assert {"rejected": getattr(partial, f"rejected_{signal.items}"), "message": partial.error_message} == told
