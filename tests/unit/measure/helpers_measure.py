"""Builders of spans, batches and meters."""

from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from helpers_spans import decoded_spans
from spansieve import measure, otlp_reduced, redact
from spansieve.measure.llm_call import CostSource, LlmCall, Observation
from spansieve.measure.pricing import PriceRow, PriceTable, Rate, always
from spansieve.measure.read import dialects, failures, providers
from spansieve.measure.read.reading import Emitter, Reader
from spansieve.model import MeasuredSpans, SpanRecord
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
    attributes: Mapping[str, Value],
    *,
    seconds: float = 1.0,
    error: str | None = None,
    span_id: bytes | None = None,
    parent: bytes = b"",
    **more: Any,  # noqa: ANN401 - fields of every type
) -> Span:
    """Return a span with an id of its own; `error` is the message of a status of ERROR."""
    given = {"trace_id": bytes(15) + b"\1", "name": "some span"} | more
    return Span(
        **given,
        span_id=span_id or next(_ids).to_bytes(8, "big"),
        parent_span_id=parent,
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
    return PriceTable([lambda provider, model: always(ROW) if (provider, model) == ("openai", "priced") else None])


def measured(message: ExportTraceServiceRequest, meter: measure.Meter, now: float = 0.0) -> MeasuredSpans:
    """Measure a request, as if it came at `now`."""
    reader = meter.reader
    redacted = redact.restored(decoded_spans(message), reader.reads, reader.reads_event)
    return measure.batch(redacted, meter, now)


def reader(table: PriceTable | None = None, **more: Any) -> Reader:  # noqa: ANN401 - options of every type
    """Return a reader of all dialects."""
    return Reader(
        dialects.load(),
        providers.load(),
        failures.load(),
        table or prices(),
        separate_cache=providers.load_separate_cache(),
        **more,
    )


def record(one: Span) -> SpanRecord:
    """Return a span as the stages hand it on."""
    data = one.SerializeToString()
    times = one.start_time_unix_nano, one.end_time_unix_nano
    made = SpanRecord(one.trace_id, one.span_id, one.parent_span_id, *times, one.status.code, data)
    made.head, made.trace_state = otlp_reduced.span(data), one.trace_state
    return made


def read(one: Span, *, scope: str = "some.scope", table: PriceTable | None = None) -> tuple[Observation, ...]:
    """Read one span of the service `shop`."""
    with_prices = reader(table)
    return with_prices.read(record(one), Emitter(with_prices.by_scope(scope), scope, "shop"))


def call_of(one: Span, *, scope: str = "some.scope", table: PriceTable | None = None) -> LlmCall:
    """Read one span that is a call."""
    (found,) = read(one, scope=scope, table=table)
    assert isinstance(found, LlmCall)
    return found


def series(meter: measure.Meter, name: str) -> dict[tuple[str, ...], float | tuple[int, float]]:
    """Return a metric's values by labels; a histogram's are (count, sum)."""
    return {
        found.labels: (found.value.count, found.value.sum) if isinstance(found.value, HistogramValue) else found.value
        for found in meter.series.snapshot()
        if found.spec.name == name
    }
