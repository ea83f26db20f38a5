"""What becomes of metrics that applications send under names which the gateway derives itself."""

from collections.abc import Set as AbstractSet

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics, ScopeMetrics

from spansieve.measure.read.resource import service_name
from spansieve.measure.settings import ApplicationMetrics, MeterSettings

PREFIX = "application."
"""Stands before the name of a metric that is passed on although the gateway derives one of its name."""


def apply(message: ExportMetricsServiceRequest, names: AbstractSet[str], settings: MeterSettings) -> int:
    """Remove or rename applications' metrics of these names; return how many data points were removed.

    Envelopes that this empties go, too. The resource whose service.name is the gateway's own keeps its metrics.
    """
    mode = settings.application_metrics
    if mode is ApplicationMetrics.KEEP:
        return 0
    left_out = 0
    resources = message.resource_metrics
    for at in reversed(range(len(resources))):
        each = resources[at]
        if service_name(each.resource) == settings.own_service:
            continue
        if mode is ApplicationMetrics.RENAME:
            _rename(each, names)
        elif removed := _from_resource(each, names):
            left_out += removed
            if not each.scope_metrics:
                del resources[at]
    return left_out


def _rename(resource: ResourceMetrics, names: AbstractSet[str]) -> None:
    for scope in resource.scope_metrics:
        for metric in scope.metrics:
            if metric.name in names:
                metric.name = PREFIX + metric.name


def _from_resource(resource: ResourceMetrics, names: AbstractSet[str]) -> int:
    left_out = 0
    scopes = resource.scope_metrics
    for at in reversed(range(len(scopes))):
        if removed := _from_scope(scopes[at], names):
            left_out += removed
            if not scopes[at].metrics:
                del scopes[at]
    return left_out


def _from_scope(scope: ScopeMetrics, names: AbstractSet[str]) -> int:
    left_out = 0
    metrics = scope.metrics
    for at in reversed(range(len(metrics))):
        if metrics[at].name in names and (points := _points(metrics[at])):
            left_out += points
            del metrics[at]
    return left_out


def _points(metric: Metric) -> int:
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0
