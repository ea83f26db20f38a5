"""The series as OTLP, and that both forms name the same."""

from importlib.metadata import version

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE, Metric
from prometheus_client import CollectorRegistry, generate_latest

from spansieve import catalogue, otlp_metrics
from spansieve.catalogue import Kind
from spansieve.exposition import SeriesCollector
from spansieve.series import SeriesStore

_SPECS = catalogue.parse("""
metrics:
  - {name: some.requests, kind: counter, unit: "{request}", help: Counted., labels: [some.code, error.type]}
  - {name: some.held, kind: gauge, unit: By, help: Held.}
  - {name: some.wait, kind: histogram, unit: s, help: Waited., buckets: [0.5, 1]}
""")

# Written by hand: the names that queries, dashboards and alerts rely on.
_PROMETHEUS_NAMES = {
    "gen_ai.client.operation.duration": "gen_ai_client_operation_duration_seconds",
    "gen_ai.client.operation.time_to_first_chunk": "gen_ai_client_operation_time_to_first_chunk_seconds",
    "gen_ai.client.token.usage": "gen_ai_client_token_usage",
    "spansieve.llm.requests": "spansieve_llm_requests_total",
    "spansieve.llm.errors": "spansieve_llm_errors_total",
    "spansieve.llm.streaming_requests": "spansieve_llm_streaming_requests_total",
    "spansieve.llm.cost.usd": "spansieve_llm_cost_usd_total",
    "spansieve.llm.unpriced_tokens": "spansieve_llm_unpriced_tokens_total",
    "spansieve.llm.suspect": "spansieve_llm_suspect_total",
    "spansieve.llm.label_overflow": "spansieve_llm_label_overflow_total",
}


def _store() -> SeriesStore:
    store = SeriesStore(_SPECS)
    store.add("some.requests", ("200", ""), 3)
    store.add("some.requests", ("500", "timeout"))
    store.set("some.held", (), 5)
    store.observe("some.wait", (), 0.5)
    store.observe("some.wait", (), 7)
    return store


def _request(*stores: SeriesStore) -> ExportMetricsServiceRequest:
    return otlp_metrics.request(stores, {"service.name": "spansieve"}, start_ns=100, now_ns=200)


def _metrics(message: ExportMetricsServiceRequest) -> dict[str, Metric]:
    return {metric.name: metric for metric in message.resource_metrics[0].scope_metrics[0].metrics}


def test_the_sender_is_named() -> None:
    """Resource attributes and the scope say who sends."""
    envelope = _request(_store()).resource_metrics[0]
    assert [(a.key, a.value.string_value) for a in envelope.resource.attributes] == [("service.name", "spansieve")]
    scope = envelope.scope_metrics[0].scope
    assert (scope.name, scope.version) == ("spansieve", version("spansieve"))


def test_a_counter_is_a_cumulative_monotonic_sum() -> None:
    """A counter is a monotonic, cumulative sum from the start to now."""
    metric = _metrics(_request(_store()))["some.requests"]
    assert (metric.unit, metric.description) == ("{request}", "Counted.")
    assert metric.sum.is_monotonic
    assert metric.sum.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
    points = [(p.start_time_unix_nano, p.time_unix_nano, p.as_double) for p in metric.sum.data_points]
    assert points == [(100, 200, 3.0), (100, 200, 1.0)]


def test_labels_are_attributes_and_empty_ones_are_left_out() -> None:
    """Labels keep their dotted names; a label without a value is left out."""
    points = _metrics(_request(_store()))["some.requests"].sum.data_points
    assert [{a.key: a.value.string_value for a in point.attributes} for point in points] == [
        {"some.code": "200"},
        {"some.code": "500", "error.type": "timeout"},
    ]


def test_a_gauge_has_no_start() -> None:
    """A gauge is a value of now."""
    point = _metrics(_request(_store()))["some.held"].gauge.data_points[0]
    assert (point.as_double, point.start_time_unix_nano, point.time_unix_nano) == (5.0, 0, 200)


def test_a_histogram_has_explicit_buckets() -> None:
    """A histogram is cumulative in time, its buckets are not cumulative."""
    histogram = _metrics(_request(_store()))["some.wait"].histogram
    assert histogram.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
    point = histogram.data_points[0]
    assert (list(point.bucket_counts), list(point.explicit_bounds)) == ([1, 0, 1], [0.5, 1])
    assert (point.count, point.sum) == (2, 7.5)


def test_metrics_without_series_are_left_out() -> None:
    """A metric without series is not sent."""
    assert _metrics(_request(SeriesStore(_SPECS))) == {}


def test_both_forms_name_the_same() -> None:
    """Prometheus and OTLP show the same metrics of calls, under the names that the outside relies on."""
    store = SeriesStore(catalogue.load("spansieve.measure", "metrics.yaml"))
    for spec in store.specs.values():
        labels = ("x",) * len(spec.labels)
        if spec.kind is Kind.HISTOGRAM:
            store.observe(spec.name, labels, 1)
        else:
            store.add(spec.name, labels)
    registry = CollectorRegistry()
    registry.register(SeriesCollector([store]))
    shown = generate_latest(registry).decode().splitlines()
    exposed = [line.split(" ")[2] for line in shown if line.startswith("# TYPE ")]
    assert exposed == [_PROMETHEUS_NAMES[name] for name in _metrics(_request(store))]
    assert set(_metrics(_request(store))) == set(_PROMETHEUS_NAMES)
