"""What a sender is told, the same over both transports: the response message, or google.rpc.Status and its codes."""

import math
from dataclasses import dataclass

import grpc
import orjson
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from spansieve import otlp_json
from spansieve.errors import MalformedRequest, TooLarge, Unavailable
from spansieve.model import Answer, Encoding, Signal

_RESPONSES: dict[Signal, type[Message]] = {
    Signal.TRACES: ExportTraceServiceResponse,
    Signal.LOGS: ExportLogsServiceResponse,
    Signal.METRICS: ExportMetricsServiceResponse,
}

# OTLP wants responses bounded (it recommends 4 MiB) and the error_message shortened first; it is all that can grow.
_LONGEST_MESSAGE = 4096


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than OK."""

    grpc_code: grpc.StatusCode
    http_code: int
    message: str
    details: tuple[Message, ...] = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def status(self) -> Status:
        """Return what a gRPC trailer carries, and the body of every HTTP error."""
        number: int = self.grpc_code.value[0]
        status = Status(code=number, message=self.message)
        for detail in self.details:
            status.details.add().Pack(detail)
        return status

    def body(self, encoding: Encoding) -> bytes:
        """Return the Status in the encoding of the request, as OTLP/HTTP wants it."""
        status = self.status()
        if encoding is Encoding.PROTO:
            return bytes(status.SerializeToString())
        return orjson.dumps(json_format.MessageToDict(status))


NOT_FOUND = Refusal(
    grpc.StatusCode.NOT_FOUND, 404, "OTLP/HTTP is served at /v1/traces, /v1/logs and /v1/metrics, and nowhere else."
)
METHOD_NOT_ALLOWED = Refusal(
    grpc.StatusCode.UNIMPLEMENTED, 405, "OTLP/HTTP requests are sent with POST.", headers=((b"allow", b"POST"),)
)
UNSUPPORTED_TYPE = Refusal(
    grpc.StatusCode.INVALID_ARGUMENT, 415, "The Content-Type is neither application/x-protobuf nor application/json."
)
# RFC 9110, 12.5.3: a refused content coding is a 415 that names those which are accepted.
UNSUPPORTED_CODING = Refusal(
    grpc.StatusCode.INVALID_ARGUMENT,
    415,
    "The Content-Encoding is neither gzip nor identity.",
    headers=((b"accept-encoding", b"gzip, identity"),),
)
BAD_HTTP = Refusal(grpc.StatusCode.INVALID_ARGUMENT, 400, "What was received is not an HTTP/1.1 request.")
CANCELLED = Refusal(grpc.StatusCode.CANCELLED, 499, "The sender went away.")


def stopping() -> Unavailable:
    """Return what refuses requests after stop began."""
    return Unavailable("The gateway is shutting down: try again, and another instance may answer.", "shutdown", 1.0)


def refusal(error: Exception) -> Refusal:
    """Return what the sender is told of an error: the one place where errors become codes.

    Whatever is not an error of the gateway's own is a defect, and its text may hold payload: it becomes INTERNAL, 500.
    """
    match error:
        case MalformedRequest():
            violation = BadRequest.FieldViolation(field=error.field, description=error.description)
            details = BadRequest(field_violations=[violation])
            return Refusal(grpc.StatusCode.INVALID_ARGUMENT, 400, error.description, (details,))
        case Unavailable():
            delay = Duration()
            delay.FromNanoseconds(round(error.retry_after * 1e9))
            # Whole seconds, rounded up: a sender that comes back too early is refused again. RFC 9110, 10.2.3.
            retry_after = str(max(1, math.ceil(error.retry_after))).encode("ascii")
            return Refusal(
                grpc.StatusCode.UNAVAILABLE,
                503,
                error.description,
                (RetryInfo(retry_delay=delay),),
                ((b"retry-after", retry_after),),
            )
        case TooLarge():  # without RetryInfo, which would make RESOURCE_EXHAUSTED retryable
            return Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, 413, str(error))
        case _:
            return Refusal(grpc.StatusCode.INTERNAL, 500, "The gateway failed on this request; its log says more.")


def success(answer: Answer, signal: Signal, encoding: Encoding) -> bytes:
    """Return the export response; its partial_success is unset unless there is something to tell."""
    if not answer.rejected and not answer.message:
        return b"" if encoding is Encoding.PROTO else b"{}"
    response = _RESPONSES[signal]()
    partial = response.partial_success  # type: ignore[attr-defined]  # all three have it
    setattr(partial, f"rejected_{signal.items}", answer.rejected)
    partial.error_message = answer.message[:_LONGEST_MESSAGE]
    return response.SerializeToString() if encoding is Encoding.PROTO else otlp_json.render(response)
