"""Requests of logs and metrics in two halves: for one that is larger than the peer takes. Pure.

This is the rare way, so it parses. Envelopes are copied to both sides and pruned where nothing is left under them.
"""

from collections.abc import Iterator
from typing import Protocol, TypeAlias

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from spansieve.model import Signal

Request: TypeAlias = ExportLogsServiceRequest | ExportMetricsServiceRequest


class Items(Protocol):
    """What is needed of a repeated field."""

    def __len__(self) -> int: ...

    def __delitem__(self, index: int | slice, /) -> None: ...


def request(signal: Signal, payload: bytes) -> tuple[tuple[bytes, int], tuple[bytes, int]] | None:
    """Split a serialized request between log records or data points; each half comes with its number of them.

    None when there is only one, or none. Raises DecodeError when the payload is not a request of the signal.
    """
    kind = ExportLogsServiceRequest if signal is Signal.LOGS else ExportMetricsServiceRequest
    first, second = kind.FromString(payload), kind.FromString(payload)
    items = sum(map(len, _leaves(first)))
    if items < 2:
        return None
    middle = items // 2
    _keep(first, 0, middle)
    _keep(second, middle, items)
    return (first.SerializeToString(), middle), (second.SerializeToString(), items - middle)


def _keep(message: Request, begin: int, end: int) -> None:
    """Leave only the items of these positions, and only the envelopes that hold one."""
    position = 0
    for items in _leaves(message):
        count = len(items)
        del items[max(end - position, 0) :]
        del items[: max(begin - position, 0)]
        position += count
    _prune(message)


def _leaves(message: Request) -> Iterator[Items]:
    """All lists of items, in order."""
    if isinstance(message, ExportLogsServiceRequest):
        for resource_logs in message.resource_logs:
            for scope_logs in resource_logs.scope_logs:
                yield scope_logs.log_records
    else:
        for resource_metrics in message.resource_metrics:
            for scope_metrics in resource_metrics.scope_metrics:
                for metric in scope_metrics.metrics:
                    points = _points(metric)
                    if points is not None:
                        yield points


def _points(metric: Metric) -> Items | None:
    """The data points of a metric of whatever type; None when it has no type and so no points."""
    kind = metric.WhichOneof("data")
    if kind is None:
        return None
    points: Items = getattr(metric, kind).data_points
    return points


def _prune(message: Request) -> None:
    if isinstance(message, ExportLogsServiceRequest):
        for resource_logs in message.resource_logs:
            _retain(resource_logs.scope_logs, [bool(s.log_records) for s in resource_logs.scope_logs])
        _retain(message.resource_logs, [bool(r.scope_logs) for r in message.resource_logs])
        return
    for resource_metrics in message.resource_metrics:
        for scope_metrics in resource_metrics.scope_metrics:
            _retain(scope_metrics.metrics, [bool(_points(m)) for m in scope_metrics.metrics])
        _retain(resource_metrics.scope_metrics, [bool(s.metrics) for s in resource_metrics.scope_metrics])
    _retain(message.resource_metrics, [bool(r.scope_metrics) for r in message.resource_metrics])


def _retain(container: Items, wanted: list[bool]) -> None:
    for index in range(len(wanted) - 1, -1, -1):
        if not wanted[index]:
            del container[index]
