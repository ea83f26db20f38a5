"""Export requests of any shape, drawn from the schema itself: every field of every message may be set."""

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve.model import ExportRequest, Signal

_REQUESTS: dict[Signal, type[ExportRequest]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}
# Deep enough for the value of an exemplar's attribute.
_LEVELS = 9

_SCALARS = {
    FieldDescriptor.TYPE_STRING: st.text(max_size=4),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_ENUM: st.integers(0, 30),
    # NaN is not equal to itself; the tests by hand have it.
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=5),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: st.integers(0, 2**64 - 1),
}
# Valid more often than not, so that batches have valid and invalid items side by side.
_TRACE_ID = st.sampled_from([b"t" * 16] * 9 + [b"u" * 16, b"", bytes(16), b"t"])
_SPAN_ID = st.sampled_from([b"s" * 8] * 9 + [b"v" * 8, b"", bytes(8), b"s"])
_NAMED = {
    "trace_id": _TRACE_ID,
    "span_id": _SPAN_ID,
    "parent_span_id": _SPAN_ID,
    "start_time_unix_nano": st.sampled_from([1] * 9 + [0, 2, 3]),
    "end_time_unix_nano": st.sampled_from([3] * 9 + [0, 1, 2, 2**63 - 1, 2**63]),
}
# What every request has: the way down to its items, and what makes them valid or not.
_ALWAYS = {f"{level}_{signal}" for level in ("resource", "scope") for signal in ("spans", "logs", "metrics")}
_ALWAYS |= {"spans", "log_records", "metrics", "data_points"}
_ALWAYS |= {"trace_id", "span_id", "start_time_unix_nano", "end_time_unix_nano"}

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
"""Big messages take their time to draw, on a busy machine more than Hypothesis likes."""


@st.composite
def _message(draw: Callable[[st.SearchStrategy[Any]], Any], of: Descriptor, levels: int) -> Any:  # noqa: ANN401 - any generated message
    message = GetMessageClass(of)()
    for field in of.fields:
        if field.name not in _ALWAYS and draw(st.integers(0, 3)):  # of the rest, one in four is set
            continue
        times = draw(st.integers(1, 2)) if field.is_repeated else 1
        if field.message_type is None:
            values = [draw(_NAMED.get(field.name, _SCALARS[field.type])) for _ in range(times)]
        elif levels:
            values = [draw(_message(field.message_type, levels - 1)) for _ in range(times)]
        else:
            continue
        if field.is_repeated:
            getattr(message, field.name).extend(values)
        elif field.message_type is None:
            setattr(message, field.name, values[0])
        else:
            getattr(message, field.name).CopyFrom(values[0])
    return message


def messages(kind: type[ExportRequest] | None = None) -> st.SearchStrategy[Any]:
    """Export requests of a kind, or of any."""
    kinds = [kind] if kind else list(_REQUESTS.values())
    return st.one_of(*(_message(each.DESCRIPTOR, _LEVELS) for each in kinds))


def requests() -> st.SearchStrategy[tuple[Signal, ExportRequest]]:
    """Export requests with their signal."""
    return st.one_of(*(st.tuples(st.just(signal), messages(kind)) for signal, kind in _REQUESTS.items()))
