"""Requests of logs and metrics in two halves."""

import pytest
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from spansieve.export import halve
from spansieve.model import Signal
from unit.export.helpers_export import logs, metrics


def bodies(payload: bytes) -> list[list[str]]:
    """Log bodies, by scope."""
    request = ExportLogsServiceRequest.FromString(payload)
    return [[r.body.string_value for r in s.log_records] for rl in request.resource_logs for s in rl.scope_logs]


def points(payload: bytes) -> dict[str, list[int]]:
    """Values of the data points, by metric."""
    request = ExportMetricsServiceRequest.FromString(payload)
    return {
        m.name: [p.as_int for p in m.gauge.data_points]
        for rm in request.resource_metrics
        for sm in rm.scope_metrics
        for m in sm.metrics
    }


def test_log_records_are_split_in_order() -> None:
    """Each half with its count, and without the scopes that it has nothing of."""
    (first, first_items), (second, second_items) = halve.request(Signal.LOGS, logs(*"abcd")) or pytest.fail("halves")
    assert (bodies(first), first_items) == ([["a", "b"]], 2)
    assert (bodies(second), second_items) == ([["c", "d"]], 2)


def test_a_scope_may_be_on_both_sides() -> None:
    """Of five records the first two go left: the scope of a, b, c is cut."""
    (first, _), (second, items) = halve.request(Signal.LOGS, logs(*"abcde")) or pytest.fail("halves")
    assert bodies(first) == [["a", "b"]]
    assert (bodies(second), items) == ([["c"], ["d", "e"]], 3)


def test_data_points_of_one_metric_are_split() -> None:
    """And metrics without points on a side are not there."""
    (first, _), (second, items) = halve.request(Signal.METRICS, metrics(x=1, y=5)) or pytest.fail("halves")
    assert points(first) == {"x": [0], "y": [0, 1]}
    assert (points(second), items) == ({"y": [2, 3, 4]}, 3)


@pytest.mark.parametrize("field", ["gauge", "sum", "histogram", "exponential_histogram", "summary"])
def test_every_metric_type_is_split(field: str) -> None:
    """Points of all five types count."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    for _ in range(2):
        getattr(metric, field).data_points.add(start_time_unix_nano=5)
    (first, items), (second, _) = halve.request(Signal.METRICS, request.SerializeToString()) or pytest.fail("halves")
    assert items == 1
    assert first == second


@pytest.mark.parametrize("signal", [Signal.LOGS, Signal.METRICS])
def test_a_resource_is_only_where_something_of_it_is(signal: Signal) -> None:
    """Each side has one of the two, with its one scope."""
    request = ExportLogsServiceRequest() if signal is Signal.LOGS else ExportMetricsServiceRequest()
    for name in "ab":
        if isinstance(request, ExportLogsServiceRequest):
            request.resource_logs.add(schema_url=name).scope_logs.add().log_records.add()
        else:
            metric = request.resource_metrics.add(schema_url=name).scope_metrics.add().metrics.add()
            metric.gauge.data_points.add()
    halves = halve.request(signal, request.SerializeToString()) or pytest.fail("halves")
    sides = [getattr(type(request).FromString(payload), f"resource_{signal.value}") for payload, _ in halves]
    scopes = [[(each.schema_url, len(getattr(each, f"scope_{signal.value}"))) for each in side] for side in sides]
    assert scopes == [[("a", 1)], [("b", 1)]]


@pytest.mark.parametrize("payload", [b"", logs("a")])
def test_fewer_than_two_items_have_no_halves(payload: bytes) -> None:
    """A single record, or none."""
    assert halve.request(Signal.LOGS, payload) is None


def test_garbage_is_an_error() -> None:
    """It cannot come from our own serialization, so it is not hidden."""
    with pytest.raises(DecodeError):
        halve.request(Signal.LOGS, b"\xff\xff")
