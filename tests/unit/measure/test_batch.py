"""The stage: a redacted batch becomes a measured one."""

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from spansieve import measure
from spansieve.measure import Meter
from spansieve.model import RedactedBatch, Signal
from unit.measure.helpers_measure import chat, key_values, measured, prices, request, series, span


def _metrics() -> ExportMetricsServiceRequest:
    """Return two resources: one all the gateway's names; one with a scope of such, and a scope of others."""
    message = ExportMetricsServiceRequest()
    first = message.resource_metrics.add().scope_metrics.add()
    first.metrics.add(name="gen_ai.client.token.usage").histogram.data_points.add()
    mixed = message.resource_metrics.add()
    mixed.resource.attributes.extend(key_values({"service.name": "shop"}))
    derived = mixed.scope_metrics.add().metrics.add(name="gen_ai.client.operation.duration")
    derived.histogram.data_points.add()
    derived.histogram.data_points.add()
    other = mixed.scope_metrics.add()
    other.metrics.add(name="spansieve.llm.requests").sum.data_points.add()
    other.metrics.add(name="http.server.request.duration").histogram.data_points.add()
    other.metrics.add(name="queue.length").gauge.data_points.add()
    return message


def _names(message: ExportMetricsServiceRequest) -> list[list[list[str]]]:
    return [
        [[metric.name for metric in scope.metrics] for scope in resource.scope_metrics]
        for resource in message.resource_metrics
    ]


def test_calls_are_counted_and_spans_left_alone() -> None:
    """The batch says how many calls it held; its message is the same, unchanged."""
    message = request([span(chat()), span({"http.route": "/"}), span(chat(), error="x")])
    before = message.SerializeToString(deterministic=True)
    batch = measured(message, Meter(prices()))
    assert (batch.signal, batch.items, batch.calls, batch.left_out) == (Signal.TRACES, 3, 2, 0)
    assert batch.message is message
    assert message.SerializeToString(deterministic=True) == before


def test_a_span_sent_again_is_not_counted_again() -> None:
    """What a sender repeats counts once, in every series."""
    meter = Meter(prices())
    message = request([span(chat(usage__input_tokens=-1), error="x"), span(chat(usage__input_tokens=5))])
    assert measured(message, meter).calls == 2
    before = meter.series.snapshot()
    assert measured(message, meter).calls == 0
    assert meter.series.snapshot() == before


def test_application_metrics_are_left_out() -> None:
    """Metrics under the gateway's own names go, with envelopes that this empties; others stay."""
    batch = measure.batch(RedactedBatch(Signal.METRICS, _metrics(), 6, {}), Meter(prices()))
    assert isinstance(batch.message, ExportMetricsServiceRequest)
    assert _names(batch.message) == [[["http.server.request.duration", "queue.length"]]]
    assert (batch.items, batch.left_out) == (2, 4)


def test_application_metrics_may_be_kept() -> None:
    """A meter that is told to keep applications' metrics changes nothing."""
    meter = Meter(prices(), drop_application_metrics=False)
    batch = measure.batch(RedactedBatch(Signal.METRICS, _metrics(), 6, {}), meter)
    assert (batch.message, batch.items, batch.left_out) == (_metrics(), 6, 0)


def test_the_gateways_own_metrics_stay() -> None:
    """A gateway in front of this one keeps its metrics."""
    message = ExportMetricsServiceRequest()
    resource = message.resource_metrics.add()
    resource.resource.attributes.extend(key_values({"service.name": "spansieve"}))
    resource.scope_metrics.add().metrics.add(name="spansieve.llm.requests").sum.data_points.add()
    batch = measure.batch(RedactedBatch(Signal.METRICS, message, 1, {}), Meter(prices()))
    assert (batch.items, batch.left_out, _names(message)) == (1, 0, [[["spansieve.llm.requests"]]])


def test_logs_pass() -> None:
    """Logs are not measured."""
    message = ExportLogsServiceRequest()
    message.resource_logs.add().scope_logs.add().log_records.add(severity_text="INFO")
    before = message.SerializeToString()
    meter = Meter(prices())
    batch = measure.batch(RedactedBatch(Signal.LOGS, message, 1, {}), meter)
    assert (batch.signal, batch.items, batch.calls, batch.left_out) == (Signal.LOGS, 1, 0, 0)
    assert message.SerializeToString() == before
    assert meter.series.snapshot() == ()


def test_spans_without_a_service_are_counted() -> None:
    """A resource without a name is counted under none."""
    meter = Meter(prices())
    measured(request([span(chat())], service=""), meter)
    assert series(meter, "spansieve.llm.requests") == {("chat", "openai", "priced", "", "", "ok"): 1}
