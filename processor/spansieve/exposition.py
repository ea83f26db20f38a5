"""The series in the Prometheus and OpenMetrics exposition formats, by way of prometheus_client.

Only OpenMetrics has exemplars. They stand without a time: Prometheus takes that of the scrape, and the senders' clocks,
which may be wrong, have no say.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar as ShownExemplar
from prometheus_client.utils import floatToGoString

from spansieve.catalogue import Kind, MetricSpec, prometheus_label, prometheus_name
from spansieve.series import Exemplar, HistogramValue, Series, SeriesStore


class Shown(Protocol):
    """What can be shown: a SeriesStore, or what was taken of one."""

    @property
    def specs(self) -> Mapping[str, MetricSpec]:
        """Of its metrics, by name."""
        ...

    def snapshot(self) -> tuple[Series, ...]:
        """Its series, those of one metric together."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """The series of a store at one moment, which another thread may show."""

    specs: Mapping[str, MetricSpec]
    series: tuple[Series, ...]

    @classmethod
    def of(cls, store: SeriesStore) -> Self:
        """Take them, in the thread that owns the store."""
        return cls(store.specs, store.snapshot())

    def snapshot(self) -> tuple[Series, ...]:
        """They stay as they were."""
        return self.series


class SeriesCollector(Collector):
    """Shows stores to a prometheus_client registry. Collect in the thread that owns the stores."""

    def __init__(self, stores: Sequence[Shown]) -> None:
        names = [prometheus_name(spec) for store in stores for spec in store.specs.values()]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two stores hold {twice[0]}")
        self._stores = tuple(stores)

    def describe(self) -> Iterator[Metric]:
        """Yield every metric without samples, so that a registry refuses a name that it already has."""
        for store in self._stores:
            yield from map(_family, store.specs.values())

    def collect(self) -> Iterator[Metric]:
        """Yield every metric with its series; a metric that has none yet is shown by name, kind and help."""
        for store in self._stores:
            families = {name: _family(spec) for name, spec in store.specs.items()}
            for spec, values, value in store.snapshot():
                labels = {
                    prometheus_label(label): text
                    for label, text in zip(spec.labels, values, strict=True)
                    if text  # to Prometheus an empty label is an absent one
                }
                family = families[spec.name]
                if isinstance(value, HistogramValue):
                    _add_histogram(family, spec, labels, value)
                else:
                    family.add_sample(prometheus_name(spec), labels, value)
            yield from families.values()


def _family(spec: MetricSpec) -> Metric:
    # prometheus_client adds `_total` to a counter's name by itself where the format wants it.
    return Metric(
        prometheus_name(spec).removesuffix("_total" if spec.kind is Kind.COUNTER else ""), spec.help, spec.kind
    )


def _add_histogram(family: Metric, spec: MetricSpec, labels: dict[str, str], value: HistogramValue) -> None:
    seen: float = 0
    for at, (bound, count) in enumerate(zip((*spec.buckets, math.inf), value.counts, strict=True)):
        seen += count
        exemplar = value.exemplars.get(at)
        family.add_sample(
            f"{family.name}_bucket", {**labels, "le": _bound(bound)}, seen, exemplar=exemplar and _shown(exemplar)
        )
    family.add_sample(f"{family.name}_sum", labels, value.sum)
    family.add_sample(f"{family.name}_count", labels, seen)


def _shown(exemplar: Exemplar) -> ShownExemplar:
    return ShownExemplar({"trace_id": exemplar.trace_id.hex(), "span_id": exemplar.span_id.hex()}, exemplar.value)


def _bound(bound: float) -> str:
    # As Go writes it, since that is what a stock Collector's `le` looks like: 1.048576e+06.
    return str(floatToGoString(bound))  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped
