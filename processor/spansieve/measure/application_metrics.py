"""Leaves out what applications measure under the names that the gateway derives itself: each call counts once."""

from collections.abc import Set as AbstractSet

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics, ScopeMetrics

from spansieve.measure.resource import service_name


def leave_out(message: ExportMetricsServiceRequest, names: AbstractSet[str], own_service: str) -> int:
    """Remove metrics of these names, and envelopes that this empties; return how many data points went.

    The resource whose service.name is `own_service` is the gateway itself, and keeps its metrics.
    """
    left_out = 0
    resources = message.resource_metrics
    for at in reversed(range(len(resources))):
        each = resources[at]
        if service_name(each.resource) != own_service and (removed := _from_resource(each, names)):
            left_out += removed
            if not each.scope_metrics:
                del resources[at]
    return left_out


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
