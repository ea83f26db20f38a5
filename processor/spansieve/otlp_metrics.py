"""The series as an OTLP export request: cumulative, under their dotted names."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Exemplar,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)

from spansieve import __version__
from spansieve import series as held
from spansieve.catalogue import Kind, MetricSpec
from spansieve.exposition import Shown
from spansieve.series import HistogramValue, Labels, Series

SCOPE = "spansieve"
"""The instrumentation scope of every metric that the gateway sends."""


def request(
    stores: Sequence[Shown], resource_attributes: Mapping[str, str], start_ns: int, now_ns: int
) -> ExportMetricsServiceRequest:
    """Return all series of the stores as one request.

    `start_ns` is when the stores began to count, `now_ns` the time of the points (Unix nanoseconds). A metric without
    series is left out. Counters are monotonic sums and, like gauges, doubles throughout: a metric whose points change
    their type between two exports is rejected by some backends. OTLP has whole numbers in buckets: counts that are not
    whole, from adjusted counts, are rounded, which is off by half an item at most however long the gateway counts.
    """
    message = ExportMetricsServiceRequest()
    envelope = message.resource_metrics.add()
    envelope.resource.attributes.extend(_attribute(key, text) for key, text in resource_attributes.items())
    scope = envelope.scope_metrics.add(scope=InstrumentationScope(name=SCOPE, version=__version__))
    for store in stores:
        for _, group in groupby(store.snapshot(), key=lambda series: series.spec.name):
            scope.metrics.append(_metric(list(group), start_ns, now_ns))
    return message


def _metric(series: list[Series], start_ns: int, now_ns: int) -> Metric:
    spec = series[0].spec
    metric = Metric(name=spec.name, unit=spec.unit, description=spec.help)
    match spec.kind:
        case Kind.COUNTER:
            points = [_number(each, start_ns, now_ns) for each in series]
            metric.sum.CopyFrom(
                Sum(data_points=points, aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE, is_monotonic=True)
            )
        case Kind.GAUGE:
            # A gauge has no start: it says what is, not what has been counted since.
            metric.gauge.CopyFrom(Gauge(data_points=[_number(each, 0, now_ns) for each in series]))
        case Kind.HISTOGRAM:
            metric.histogram.CopyFrom(
                Histogram(
                    data_points=[_histogram(each, start_ns, now_ns) for each in series],
                    aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE,
                )
            )
    return metric


def _number(series: Series, start_ns: int, now_ns: int) -> NumberDataPoint:
    assert not isinstance(series.value, HistogramValue)  # noqa: S101 - a store's counters and gauges are numbers
    return NumberDataPoint(
        attributes=_attributes(series.spec, series.labels),
        start_time_unix_nano=start_ns,
        time_unix_nano=now_ns,
        as_double=series.value,
    )


def _histogram(series: Series, start_ns: int, now_ns: int) -> HistogramDataPoint:
    assert isinstance(series.value, HistogramValue)  # noqa: S101 - see above
    counts = list(map(round, series.value.counts))
    return HistogramDataPoint(
        attributes=_attributes(series.spec, series.labels),
        start_time_unix_nano=start_ns,
        time_unix_nano=now_ns,
        count=sum(counts),
        sum=series.value.sum,
        bucket_counts=counts,
        explicit_bounds=series.spec.buckets,
        exemplars=[_exemplar(each, start_ns, now_ns) for each in series.value.exemplars.values()],
    )


def _exemplar(given: held.Exemplar, start_ns: int, now_ns: int) -> Exemplar:
    return Exemplar(
        # The sender's clock may be wrong, and a time to come would keep backends from taking others.
        time_unix_nano=min(max(given.time_ns, start_ns), now_ns),
        as_double=given.value,
        trace_id=given.trace_id,
        span_id=given.span_id,
    )


def _attributes(spec: MetricSpec, labels: Labels) -> list[KeyValue]:
    return [_attribute(label, text) for label, text in zip(spec.labels, labels, strict=True) if text]


def _attribute(key: str, text: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=text))
