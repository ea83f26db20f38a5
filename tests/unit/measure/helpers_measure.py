"""Builders of spans, batches and meters."""

from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spansieve import measure
from spansieve.measure.llm_call import CostSource, LlmCall
from spansieve.measure.pricing import PriceRow, PriceTable, Rate
from spansieve.model import MeasuredBatch, RedactedBatch, Signal
from spansieve.series import HistogramValue

CAPTURES = Path(__file__).parents[2] / "captures"
START_NS = 1_760_000_000_000_000_000
ROW = PriceRow(CostSource.TABLE, input=Rate(1e-6), output=Rate(2e-6), cache_read=Rate(1e-7))
"""The prices of the model `priced`."""

Value = str | bool | int | float | list[str] | AnyValue
_ids = count(1)


def any_value(value: Value) -> AnyValue:
    """Return the value as OTLP has it."""
    match value:
        case AnyValue():
            return value
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=map(any_value, value)))


def key_values(attributes: Mapping[str, Value]) -> list[KeyValue]:
    """Return attributes as OTLP has them."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(
    attributes: Mapping[str, Value], *, seconds: float = 1.0, error: str | None = None, span_id: bytes | None = None
) -> Span:
    """Return a span with an id of its own; `error` is the message of a status of ERROR."""
    return Span(
        trace_id=bytes(15) + b"\1",
        span_id=span_id or next(_ids).to_bytes(8, "big"),
        start_time_unix_nano=START_NS,
        end_time_unix_nano=START_NS + round(seconds * 1e9),
        status=Status() if error is None else Status(code=Status.STATUS_CODE_ERROR, message=error),
        attributes=key_values(attributes),
    )


def chat(**more: Value) -> dict[str, Value]:
    """Return the attributes of a chat call in the current conventions; `__` in a name stands for a dot."""
    given: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "priced",
    }
    return given | {f"gen_ai.{name.replace('__', '.')}": value for name, value in more.items()}


def request(spans: Iterable[Span], *, scope: str = "some.scope", service: str = "shop") -> ExportTraceServiceRequest:
    """Return an export request of these spans under one resource and scope."""
    message = ExportTraceServiceRequest()
    resource = message.resource_spans.add()
    resource.resource.attributes.extend(key_values({"host.name": "h", "service.name": service}))
    group = resource.scope_spans.add()
    group.scope.name = scope
    group.spans.extend(spans)
    return message


def captured(name: str) -> ExportTraceServiceRequest:
    """Return the spans that a real instrumentation sent."""
    return ExportTraceServiceRequest.FromString((CAPTURES / f"{name}.traces.pb").read_bytes())


def prices() -> PriceTable:
    """Return a table that knows one model, `priced` of openai."""
    return PriceTable([lambda provider, model, _at: ROW if (provider, model) == ("openai", "priced") else None])


def measured(message: ExportTraceServiceRequest, meter: measure.Meter) -> MeasuredBatch:
    """Measure a request."""
    items = sum(len(group.spans) for resource in message.resource_spans for group in resource.scope_spans)
    return measure.batch(RedactedBatch(Signal.TRACES, message, items, {}), meter)


def read(one: Span, *, scope: str = "some.scope", table: PriceTable | None = None) -> LlmCall | None:
    """Read one span."""
    calls = measure.Meter(table or prices()).calls
    return calls.read(one, calls.by_scope(scope), scope, "shop")


def call_of(one: Span, *, scope: str = "some.scope", table: PriceTable | None = None) -> LlmCall:
    """Read one span that is a call."""
    found = read(one, scope=scope, table=table)
    assert found is not None
    return found


def series(meter: measure.Meter, name: str) -> dict[tuple[str, ...], float | tuple[int, float]]:
    """Return a metric's values by labels; a histogram's are (count, sum)."""
    return {
        found.labels: (found.value.count, found.value.sum) if isinstance(found.value, HistogramValue) else found.value
        for found in meter.series.snapshot()
        if found.spec.name == name
    }
