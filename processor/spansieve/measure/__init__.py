"""Derives LLM metrics from all traffic, before sampling: calls, errors, tokens, times and cost.

Pure: series are kept in the Meter, the shell shows them. Prices come in as an argument.
"""

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve.measure.application_metrics import leave_out
from spansieve.measure.meter import Meter
from spansieve.measure.pricing import PriceTable
from spansieve.measure.resource import service_name
from spansieve.model import MeasuredBatch, RedactedBatch

__all__ = ["Meter", "PriceTable", "batch"]


def batch(batch: RedactedBatch, meter: Meter) -> MeasuredBatch:
    """Measure a batch, which must be redacted: names of models and services become labels.

    Spans are read and left as they are. Applications' metrics under the gateway's own names are left out if the
    meter is told so. Logs pass: what they tell of calls, the spans tell too.
    """
    message = batch.message
    calls = left_out = 0
    if isinstance(message, ExportTraceServiceRequest):
        calls = _spans(message, meter)
    elif isinstance(message, ExportMetricsServiceRequest) and meter.drop_application_metrics:
        left_out = leave_out(message, meter.series.specs.keys(), meter.own_service)
    return MeasuredBatch(batch.signal, message, batch.items - left_out, calls, left_out)


def _spans(message: ExportTraceServiceRequest, meter: Meter) -> int:
    calls = 0
    reader = meter.calls
    for resource in message.resource_spans:
        service = service_name(resource.resource)
        for group in resource.scope_spans:
            scope = group.scope.name
            dialect = reader.by_scope(scope)
            for span in group.spans:
                call = reader.read(span, dialect, scope, service)
                if call is not None and meter.record(span.trace_id + span.span_id, call):
                    calls += 1
    return calls
