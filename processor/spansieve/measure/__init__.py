"""Derives LLM metrics from all traffic, before sampling: calls, errors, tokens, times and cost.

Pure: series are kept in the Meter, the shell shows them. Prices and the time come in as arguments.
"""

from dataclasses import replace
from typing import overload

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from spansieve import otlp_reduced
from spansieve.facts import LlmFacts
from spansieve.measure import added, application_metrics
from spansieve.measure.llm_call import Observation
from spansieve.measure.meter import Meter
from spansieve.measure.pricing import PriceTable
from spansieve.measure.settings import MeterSettings
from spansieve.measure.told import facts as told_facts
from spansieve.model import MeasuredBatch, MeasuredSpans, RedactedBatch, RedactedSpans, SampledTrace

__all__ = ["Meter", "MeterSettings", "PriceTable", "batch", "marked"]


@overload
def batch(batch: RedactedSpans, meter: Meter, now: float, *, count: bool = True) -> MeasuredSpans: ...
@overload
def batch(batch: RedactedBatch, meter: Meter, now: float, *, count: bool = True) -> MeasuredBatch: ...
def batch(
    batch: RedactedSpans | RedactedBatch, meter: Meter, now: float, *, count: bool = True
) -> MeasuredSpans | MeasuredBatch:
    """Measure a batch, which must be redacted: names of models and services become labels.

    Spans and log records are read and left as they are. Applications' metrics under the gateway's own names are treated
    as the meter is told to. `now` is in seconds on the meter's clock. Without `count` the meter stays as it is: it has
    counted the batch before, and a restart only needs to know again what the spans tell of.
    """
    if count:
        meter.settle(now)
    if isinstance(batch, RedactedSpans):
        return MeasuredSpans(batch.sets, batch.items, _spans(batch, meter, now, count=count))
    message = batch.message
    calls = left_out = 0
    notes: list[tuple[bytes, LlmFacts]] = []
    if isinstance(message, ExportMetricsServiceRequest):
        left_out = application_metrics.apply(message, meter.series.specs.keys(), meter.settings)
    elif isinstance(message, ExportLogsServiceRequest):
        told = _log_records(message, meter)
        notes = [
            (observations[0].origin.trace_id, facts)
            for observations in told
            if observations[0].origin.trace_id and (facts := told_facts(observations)) is not None and not facts.calls
        ]
        calls = meter.take(told, (), now) if count else 0
    return MeasuredBatch(batch.signal, message, batch.items - left_out, calls, left_out, notes)


def marked(trace: SampledTrace, meter: Meter) -> SampledTrace:
    """Return a trace that leaves, with a mark on spans of agents whose told usage is not what was counted beneath."""
    marks = meter.marks(trace.trace_id)
    return replace(trace, groups=added.marked(trace.groups, marks)) if marks else trace


def _spans(batch: RedactedSpans, meter: Meter, now: float, *, count: bool) -> int:
    """Read the spans that may tell of something: those of a scope known for it, or with an attribute that is read."""
    told: list[tuple[Observation, ...]] = []
    reader, normalise = meter.reader, meter.settings.normalise
    for each in batch.sets:
        emitter = reader.emitter_of(each.envelope)
        for record in each.records:
            if (record.wanted or emitter.dialect is not None) and (observations := reader.read(record, emitter)):
                told.append(observations)
                record.llm = told_facts(observations)
                if normalise:
                    head = record.head or otlp_reduced.span(record.data)
                    record.append(added.current(observations, head.attributes))
    if not count:
        return 0
    spans = (
        [record for each in batch.sets for record in each.records] if len(batch.sets) != 1 else batch.sets[0].records
    )
    return meter.take(told, spans, now)


def _log_records(message: ExportLogsServiceRequest, meter: Meter) -> list[tuple[Observation, ...]]:
    told: list[tuple[Observation, ...]] = []
    reader = meter.reader
    for resource_logs in message.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            emitter = reader.emitter(scope_logs.scope.name, resource_logs.resource.attributes)
            told += [
                observations for record in scope_logs.log_records if (observations := reader.read_log(record, emitter))
            ]
    return told
