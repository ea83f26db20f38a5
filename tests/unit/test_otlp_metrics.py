"""The series as OTLP, and that both forms name the same."""

from importlib.metadata import version

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE, Metric
from prometheus_client import CollectorRegistry, generate_latest

from spansieve import catalogue, otlp_metrics
from spansieve.catalogue import Kind
from spansieve.exposition import SeriesCollector
from spansieve.series import Exemplar, SeriesStore

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
    "gen_ai.client.operation.time_per_output_chunk": "gen_ai_client_operation_time_per_output_chunk_seconds",
    "gen_ai.client.token.usage": "gen_ai_client_token_usage",
    "gen_ai.invoke_agent.duration": "gen_ai_invoke_agent_duration_seconds",
    "gen_ai.invoke_workflow.duration": "gen_ai_invoke_workflow_duration_seconds",
    "gen_ai.execute_tool.duration": "gen_ai_execute_tool_duration_seconds",
    "mcp.client.operation.duration": "mcp_client_operation_duration_seconds",
    "mcp.server.operation.duration": "mcp_server_operation_duration_seconds",
    "spansieve.llm.requests": "spansieve_llm_requests_total",
    "spansieve.llm.errors": "spansieve_llm_errors_total",
    "spansieve.llm.finish_reasons": "spansieve_llm_finish_reasons_total",
    "spansieve.llm.safety_blocks": "spansieve_llm_safety_blocks_total",
    "spansieve.llm.streaming_requests": "spansieve_llm_streaming_requests_total",
    "spansieve.llm.time_per_output_token": "spansieve_llm_time_per_output_token_seconds",
    "spansieve.llm.tokens": "spansieve_llm_tokens_total",
    "spansieve.llm.cached_tokens": "spansieve_llm_cached_tokens_total",
    "spansieve.llm.reasoning_tokens": "spansieve_llm_reasoning_tokens_total",
    "spansieve.llm.wasted_tokens": "spansieve_llm_wasted_tokens_total",
    "spansieve.llm.context_window.saturation": "spansieve_llm_context_window_saturation",
    "spansieve.llm.dialects": "spansieve_llm_dialects_total",
    "spansieve.llm.cost.usd": "spansieve_llm_cost_usd_total",
    "spansieve.llm.requests_without_usage": "spansieve_llm_requests_without_usage_total",
    "spansieve.llm.unpriced_requests": "spansieve_llm_unpriced_requests_total",
    "spansieve.llm.unpriced_tokens": "spansieve_llm_unpriced_tokens_total",
    "spansieve.llm.prices.info": "spansieve_llm_prices_info",
    "spansieve.llm.evaluation.score": "spansieve_llm_evaluation_score",
    "spansieve.llm.evaluations": "spansieve_llm_evaluations_total",
    "spansieve.llm.feedback": "spansieve_llm_feedback_total",
    "spansieve.llm.regenerations": "spansieve_llm_regenerations_total",
    "spansieve.llm.conversation.depth": "spansieve_llm_conversation_depth",
    "spansieve.llm.conversation.duration": "spansieve_llm_conversation_duration_seconds",
    "spansieve.llm.conversations": "spansieve_llm_conversations_total",
    "spansieve.llm.active_conversations": "spansieve_llm_active_conversations",
    "spansieve.llm.reconciliation": "spansieve_llm_reconciliation",
    "spansieve.llm.reconciliations": "spansieve_llm_reconciliations_total",
    "spansieve.llm.suspect": "spansieve_llm_suspect_total",
    "spansieve.llm.not_understood": "spansieve_llm_not_understood_total",
    "spansieve.llm.not_counted": "spansieve_llm_not_counted_total",
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


def test_counts_that_are_not_whole_are_rounded() -> None:
    """OTLP has whole numbers in buckets: each is rounded as it stands, and the count is their sum."""
    store = SeriesStore(_SPECS)
    for _ in range(4):
        store.observe("some.wait", (), 0.5, 1.25)
    store.observe("some.wait", (), 7, 1.4)
    point = _metrics(_request(store))["some.wait"].histogram.data_points[0]
    assert (list(point.bucket_counts), point.count, point.sum) == ([5, 0, 1], 6, 4 * 1.25 * 0.5 + 7 * 1.4)


def test_histograms_have_exemplars() -> None:
    """A point has its exemplars with trace and span; a time that cannot be is brought to one that can."""
    store = _store()
    at = store.distribution("some.wait", ())
    for bucket, time_ns in enumerate((5, 150, 10**20)):
        at.exemplars[bucket] = Exemplar(0.5 + bucket, b"t" * 16, b"s" * 8, time_ns)
    found = _metrics(_request(store))["some.wait"].histogram.data_points[0].exemplars
    assert [(e.time_unix_nano, e.as_double) for e in found] == [(100, 0.5), (150, 1.5), (200, 2.5)]
    assert {(e.trace_id, e.span_id) for e in found} == {(b"t" * 16, b"s" * 8)}


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
        elif spec.kind is Kind.GAUGE:
            store.set(spec.name, labels, 1)
        else:
            store.add(spec.name, labels)
    registry = CollectorRegistry()
    registry.register(SeriesCollector([store]))
    shown = generate_latest(registry).decode().splitlines()
    exposed = [line.split(" ")[2] for line in shown if line.startswith("# TYPE ")]
    assert exposed == [_PROMETHEUS_NAMES[name] for name in _metrics(_request(store))]
    assert set(_metrics(_request(store))) == set(_PROMETHEUS_NAMES)
