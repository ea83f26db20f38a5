"""Applications' metrics under the names that the gateway derives itself."""

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from spansieve.measure import application_metrics
from spansieve.measure.settings import ApplicationMetrics, MeterSettings
from unit.measure.helpers_measure import key_values

_DERIVED = {"gen_ai.client.token.usage", "gen_ai.client.operation.duration"}


def _message(service: str = "shop") -> ExportMetricsServiceRequest:
    """Return a resource with a scope of such metrics alone (3 data points), and one of both kinds."""
    message = ExportMetricsServiceRequest()
    resource = message.resource_metrics.add()
    resource.resource.attributes.extend(key_values({"service.name": service}))
    alone = resource.scope_metrics.add().metrics.add(name="gen_ai.client.token.usage").histogram.data_points
    for _ in range(3):
        alone.add()
    both = resource.scope_metrics.add()
    both.metrics.add(name="gen_ai.client.operation.duration").histogram.data_points.add()
    both.metrics.add(name="queue.length").gauge.data_points.add()
    return message


def _apply(message: ExportMetricsServiceRequest, mode: ApplicationMetrics) -> tuple[int, list[str]]:
    left_out = application_metrics.apply(message, _DERIVED, MeterSettings(application_metrics=mode))
    return left_out, [m.name for r in message.resource_metrics for s in r.scope_metrics for m in s.metrics]


@pytest.mark.parametrize(
    ("mode", "left_out", "names"),
    [
        (ApplicationMetrics.DROP, 4, ["queue.length"]),
        (
            ApplicationMetrics.RENAME,
            0,
            ["application.gen_ai.client.token.usage", "application.gen_ai.client.operation.duration", "queue.length"],
        ),
        (ApplicationMetrics.KEEP, 0, ["gen_ai.client.token.usage", "gen_ai.client.operation.duration", "queue.length"]),
    ],
)
def test_modes(mode: ApplicationMetrics, left_out: int, names: list[str]) -> None:
    """They are left out and counted, told apart by their name, or passed as they are; other metrics pass."""
    assert _apply(_message(), mode) == (left_out, names)


@pytest.mark.parametrize("mode", ApplicationMetrics)
def test_the_gateways_own_pass(mode: ApplicationMetrics) -> None:
    """Metrics of a gateway in front of this one pass as they are."""
    message = _message("spansieve")
    assert _apply(message, mode)[0] == 0
    assert message == _message("spansieve")


def test_emptied_envelopes_go() -> None:
    """A scope and a resource that hold nothing any more are left out."""
    message = _message()
    del message.resource_metrics[0].scope_metrics[1]
    assert _apply(message, ApplicationMetrics.DROP) == (3, [])
    assert not message.resource_metrics
