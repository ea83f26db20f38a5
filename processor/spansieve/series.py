"""The values of a catalogue's metrics: cumulative from the start of the process, kept in plain dictionaries."""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from spansieve.catalogue import Kind, MetricSpec

Labels: TypeAlias = tuple[str, ...]
"""Label values in the order of the spec's `labels`; an empty value means that the label does not apply."""


@dataclass(frozen=True, slots=True)
class HistogramValue:
    """A distribution. `counts[i]` are the values in (buckets[i-1], buckets[i]]; one more count is for those above."""

    counts: tuple[int, ...]
    sum: float

    @property
    def count(self) -> int:
        """Values observed."""
        return sum(self.counts)


class Series(NamedTuple):
    """One time series at the moment of the snapshot."""

    spec: MetricSpec
    labels: Labels
    value: float | HistogramValue


class _Distribution:
    __slots__ = ("counts", "sum")

    def __init__(self, cells: int) -> None:
        self.counts = [0] * cells
        self.sum = 0.0


class SeriesStore:
    """The series of one catalogue.

    Owner: one thread, which writes and takes snapshots; there are no locks. The store does not bound the number of
    series: whoever uses values from outside as labels limits them first.
    """

    def __init__(self, specs: Mapping[str, MetricSpec]) -> None:
        self.specs = specs
        self._counters: dict[str, dict[Labels, float]] = {}
        self._gauges: dict[str, dict[Labels, float]] = {}
        self._histograms: dict[str, tuple[tuple[float, ...], dict[Labels, _Distribution]]] = {}
        for name, spec in specs.items():
            match spec.kind:
                case Kind.COUNTER:
                    self._counters[name] = {}
                case Kind.GAUGE:
                    self._gauges[name] = {}
                case Kind.HISTOGRAM:
                    self._histograms[name] = (spec.buckets, {})

    def add(self, name: str, labels: Labels = (), value: float = 1) -> None:
        """Raise a counter. `value` is finite and not negative.

        Raises KeyError when there is no such counter, ValueError when the value or the number of labels is wrong.
        """
        series = self._counters[name]
        if not 0 <= value < math.inf:
            raise ValueError(f"{name}: a counter takes no negative, infinite or undefined value")
        if labels in series:
            series[labels] += value
        else:
            self._check(name, labels)
            series[labels] = value

    def set(self, name: str, labels: Labels = (), value: float = 0) -> None:
        """Put a gauge to a finite value.

        Raises KeyError when there is no such gauge, ValueError when the value or the number of labels is wrong.
        """
        series = self._gauges[name]
        if not math.isfinite(value):
            raise ValueError(f"{name}: a gauge takes no infinite or undefined value")
        if labels not in series:
            self._check(name, labels)
        series[labels] = value

    def observe(self, name: str, labels: Labels, value: float) -> None:
        """Enter one finite value into a histogram.

        Raises KeyError when there is no such histogram, ValueError when the value or the number of labels is wrong.
        """
        bounds, series = self._histograms[name]
        if not -math.inf < value < math.inf:
            raise ValueError(f"{name}: a histogram takes no infinite or undefined value")
        found = series.get(labels)
        if found is None:
            self._check(name, labels)
            found = series[labels] = _Distribution(len(bounds) + 1)
        found.counts[bisect_left(bounds, value)] += 1
        found.sum += value

    def _check(self, name: str, labels: Labels) -> None:
        wanted = len(self.specs[name].labels)
        if len(labels) != wanted:
            raise ValueError(f"{name}: {len(labels)} label values given, {wanted} declared")

    def value(self, name: str, labels: Labels = ()) -> float:
        """Return a counter or gauge as it stands; 0 for a series that nothing was entered into.

        Raises KeyError when there is no such counter or gauge.
        """
        series = self._counters[name] if name in self._counters else self._gauges[name]
        return series.get(labels, 0)

    def snapshot(self) -> tuple[Series, ...]:
        """Return every series as it stands, those of one metric together, in the order of the catalogue."""
        taken: list[Series] = []
        for name, spec in self.specs.items():
            if spec.kind is Kind.HISTOGRAM:
                taken += [
                    Series(spec, labels, HistogramValue(tuple(found.counts), found.sum))
                    for labels, found in self._histograms[name][1].items()
                ]
            else:
                series = self._counters[name] if spec.kind is Kind.COUNTER else self._gauges[name]
                taken += [Series(spec, labels, value) for labels, value in series.items()]
        return tuple(taken)
