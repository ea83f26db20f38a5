"""One place turns errors into codes: this table is that place, written down a second time."""

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo

from spansieve.errors import GatewayError, MalformedRequest, TooLarge, Unavailable
from spansieve.receive.status import refusal
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
