"""OpenTelemetry as an application sets it up: where to is said by the standard environment variables alone.

`OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_EXPORTER_OTLP_PROTOCOL` (grpc, which is the default here, or http/protobuf):
https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

import base64
import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict
from openai import OpenAI
from opentelemetry import context, metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    BatchLogRecordProcessor,
    InMemoryLogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_PROTOCOL
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from opentelemetry.util.genai.environment_variables import OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT

SERVICE = "umbrella-shop"
_ABOUT_CALLS = context.create_key("about-calls")
_EXPORTERS = {"grpc": (GrpcSpans, GrpcMetrics, GrpcLogs), "http/protobuf": (HttpSpans, HttpMetrics, HttpLogs)}
# The SDK sends every five seconds; somebody who watches a demo would like to see something sooner.
_DELAY_MS = 1000
_ID_KEYS = frozenset({"traceId", "spanId", "parentSpanId"})


class AboutCalls(SpanProcessor):
    """Puts what the application knows of an LLM call on the call's span, which the instrumentation makes.

    The application says it for everything within a `with about_calls(...)`.
    """

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Add the attributes to the span of a call to a provider."""
        known = context.get_value(_ABOUT_CALLS, parent_context)
        if span.kind is SpanKind.CLIENT and isinstance(known, Mapping):
            span.set_attributes(known)


@contextlib.contextmanager
def about_calls(attributes: Mapping[str, str]) -> Iterator[None]:
    """Say something of all LLM calls that are made within."""
    token = context.attach(context.set_value(_ABOUT_CALLS, attributes))
    try:
        yield
    finally:
        context.detach(token)


class Telemetry:
    """The SDK's providers, and with `keep` a copy of every span and log record that was sent.

    Raises ValueError for a protocol that has no exporter here.
    """

    def __init__(self, *, keep: bool) -> None:
        # Off unless asked for: content is personal data. Asking for it is what this demo is about.
        os.environ.setdefault(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT, "SPAN_AND_EVENT")
        protocol = os.environ.get(OTEL_EXPORTER_OTLP_PROTOCOL, "grpc")
        if protocol not in _EXPORTERS:
            raise ValueError(f"{OTEL_EXPORTER_OTLP_PROTOCOL} is {protocol!r}: use one of {', '.join(_EXPORTERS)}")
        spans, points, logs = _EXPORTERS[protocol]
        resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", SERVICE)})
        self._kept_spans = InMemorySpanExporter()
        self._kept_logs = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]  # the SDK has no types there
        self._tracers = TracerProvider(resource=resource)
        self._tracers.add_span_processor(AboutCalls())
        self._tracers.add_span_processor(BatchSpanProcessor(spans(), schedule_delay_millis=_DELAY_MS))
        self._loggers = LoggerProvider(resource=resource)
        self._loggers.add_log_record_processor(BatchLogRecordProcessor(logs()))
        self._meters = MeterProvider([PeriodicExportingMetricReader(points())], resource=resource)
        if keep:
            self._tracers.add_span_processor(SimpleSpanProcessor(self._kept_spans))
            self._loggers.add_log_record_processor(SimpleLogRecordProcessor(self._kept_logs))
        trace.set_tracer_provider(self._tracers)
        metrics.set_meter_provider(self._meters)
        set_logger_provider(self._loggers)
        OpenAIInstrumentor().instrument()

    def shutdown(self) -> None:
        """Send what is left, and stop."""
        OpenAIInstrumentor().uninstrument()
        self._tracers.shutdown()
        self._loggers.shutdown()
        self._meters.shutdown()

    def sent(self) -> dict[str, Any]:
        """The copies, as OTLP/JSON by signal; empty without `keep`."""
        return {
            "traces": otlp_json(encode_spans(self._kept_spans.get_finished_spans())),
            "logs": otlp_json(encode_logs(self._kept_logs.get_finished_logs())),
        }


def otlp_json(message: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the three request types
    """A request as OTLP/JSON: enums as numbers, ids in hex where protobuf's own JSON has base64."""
    tree: dict[str, Any] = MessageToDict(message, use_integers_for_enums=True)
    _ids_to_hex(tree)
    return tree


def _ids_to_hex(tree: Mapping[str, Any] | list[Any]) -> None:
    """Walk iteratively over what stands outside of attributes; ids are keys of spans, links and log records only."""
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in _ID_KEYS and isinstance(value, str):
                    node[key] = base64.b64decode(value).hex()
                elif key not in ("attributes", "body"):
                    waiting.append(value)


def client(base_url: str) -> OpenAI:
    """The real OpenAI client, without retries of its own: what it sends is what the provider's ledger holds."""
    return OpenAI(base_url=base_url, api_key="not-needed-here", max_retries=0, timeout=30)
