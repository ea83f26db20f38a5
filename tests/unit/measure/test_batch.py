"""The stage: a redacted batch becomes a measured one."""

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from helpers_spans import message_of, redacted_spans
from spansieve import measure
from spansieve.measure import Meter
from spansieve.model import RedactedBatch, Signal
from unit.measure.helpers_measure import chat, key_values, measured, prices, request, series, span

_NOT_COUNTED = "spansieve.llm.not_counted"


def test_calls_are_counted_and_spans_left_alone() -> None:
    """The batch says how many calls it held; its spans are the same, unchanged."""
    message = request([span(chat()), span({"http.route": "/"}), span(chat(), error="x")])
    batch = measured(message, Meter(prices()))
    assert (batch.items, batch.calls) == (3, 2)
    assert message_of(batch) == message


def test_a_span_sent_again_is_not_counted_again() -> None:
    """What a sender repeats counts once, in every series but the one that counts repetitions."""
    meter = Meter(prices())
    message = request([span(chat(usage__input_tokens=-1), error="x"), span(chat(usage__input_tokens=5))])
    assert measured(message, meter).calls == 2
    before = meter.series.snapshot()
    assert measured(message, meter).calls == 0
    assert tuple(each for each in meter.series.snapshot() if each.spec.name != _NOT_COUNTED) == before
    assert series(meter, _NOT_COUNTED) == {("repeated_span",): 2}


def test_what_was_counted_before_a_restart_is_only_read() -> None:
    """Without `count` the meter stays as it is."""
    meter = Meter(prices())
    before = b"".join(meter.state())
    batch = measure.batch(redacted_spans(request([span(chat())])), meter, 5.0, count=False)
    assert (batch.items, batch.calls) == (1, 0)
    assert b"".join(meter.state()) == before


@pytest.mark.parametrize(("service", "left_out"), [("shop", 1), ("spansieve", 0)])
def test_application_metrics_are_left_out(service: str, left_out: int) -> None:
    """Data points under the gateway's own names do not go on, unless a gateway sends them."""
    message = ExportMetricsServiceRequest()
    resource = message.resource_metrics.add()
    resource.resource.attributes.extend(key_values({"service.name": service}))
    scope = resource.scope_metrics.add()
    scope.metrics.add(name="gen_ai.client.token.usage").histogram.data_points.add()
    scope.metrics.add(name="queue.length").gauge.data_points.add()
    batch = measure.batch(RedactedBatch(Signal.METRICS, message, 2, {}), Meter(prices()), 0.0)
    assert (batch.items, batch.left_out) == (2 - left_out, left_out)
    assert len(scope.metrics) == 2 - left_out


def test_logs_pass() -> None:
    """Log records that tell of no call change nothing, and are not changed."""
    message = ExportLogsServiceRequest()
    message.resource_logs.add().scope_logs.add().log_records.add(severity_text="INFO")
    before = message.SerializeToString()
    batch = measure.batch(RedactedBatch(Signal.LOGS, message, 1, {}), Meter(prices()), 0.0)
    assert (batch.signal, batch.items, batch.calls, batch.left_out) == (Signal.LOGS, 1, 0, 0)
    assert message.SerializeToString() == before


def test_spans_without_a_service_are_counted() -> None:
    """A resource without a name is counted under none."""
    meter = Meter(prices())
    measured(request([span(chat())], service=""), meter)
    assert series(meter, "spansieve.llm.requests") == {("chat", "openai", "priced", "", "", "", "", "ok"): 1}
