"""The values of a catalogue's metrics: cumulative from the start of the process, kept in plain dictionaries."""

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from spansieve.catalogue import Kind, MetricSpec

Labels: TypeAlias = tuple[str, ...]
"""Label values in the order of the spec's `labels`; an empty value means that the label does not apply."""

State: TypeAlias = dict[str, list[Any]]
"""What a store holds, as JSON can write it: metric name → its series. `restore` reads it."""


class Exemplar(NamedTuple):
    """One of the values in a bucket, and the span that it is of. `time_ns` is when it was measured (Unix)."""

    value: float
    trace_id: bytes
    span_id: bytes
    time_ns: int


@dataclass(frozen=True, slots=True)
class HistogramValue:
    """A distribution. `counts[i]` are the values in (buckets[i-1], buckets[i]]; one more count is for those above.

    Counts are whole unless values were entered with an adjusted count that is not. `exemplars` are by bucket.
    """

    counts: tuple[float, ...]
    sum: float
    exemplars: Mapping[int, Exemplar] = field(default_factory=dict)

    @property
    def count(self) -> float:
        """Values observed."""
        return sum(self.counts)


class Series(NamedTuple):
    """One time series at the moment of the snapshot."""

    spec: MetricSpec
    labels: Labels
    value: float | HistogramValue


class Counter:
    """One series of a counter, for those who raise it often: add to `value` what is finite and not negative."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0


class Distribution:
    """One series of a histogram, for those who observe often.

    `waiting` is room for whoever picks exemplars: how many values of each bucket may still become one.
    """

    __slots__ = ("bounds", "counts", "exemplars", "labels", "name", "sum", "waiting")

    def __init__(self, name: str, labels: Labels, bounds: tuple[float, ...]) -> None:
        self.name = name
        self.labels = labels
        self.bounds = bounds
        self.counts: list[float] = [0] * (len(bounds) + 1)
        self.sum: float = 0
        self.exemplars: dict[int, Exemplar] = {}
        self.waiting = bytearray(len(bounds) + 1)

    def observe(self, value: float, count: float = 1) -> int:
        """Enter a finite value that stands for `count` of its like; return the index of its bucket."""
        at = bisect_left(self.bounds, value)
        self.counts[at] += count
        self.sum += value * count
        return at


class SeriesStore:
    """The series of one catalogue.

    Owner: one thread, which writes and takes snapshots; there are no locks. The store does not bound the number of
    series: whoever uses values from outside as labels limits them first.
    """

    def __init__(self, specs: Mapping[str, MetricSpec]) -> None:
        self.specs = specs
        self._counters: dict[str, dict[Labels, Counter]] = {}
        self._gauges: dict[str, dict[Labels, float]] = {}
        self._histograms: dict[str, dict[Labels, Distribution]] = {}
        for name, spec in specs.items():
            match spec.kind:
                case Kind.COUNTER:
                    self._counters[name] = {}
                case Kind.GAUGE:
                    self._gauges[name] = {}
                case Kind.HISTOGRAM:
                    self._histograms[name] = {}

    def counter(self, name: str, labels: Labels = ()) -> Counter:
        """Return one series of a counter, begun at 0 when it is new.

        Raises KeyError when there is no such counter, ValueError when the number of labels is wrong.
        """
        series = self._counters[name]
        found = series.get(labels)
        if found is None:
            self._check(name, labels)
            found = series[labels] = Counter()
        return found

    def distribution(self, name: str, labels: Labels = ()) -> Distribution:
        """Return one series of a histogram, begun empty when it is new.

        Raises KeyError when there is no such histogram, ValueError when the number of labels is wrong.
        """
        series = self._histograms[name]
        found = series.get(labels)
        if found is None:
            self._check(name, labels)
            found = series[labels] = Distribution(name, labels, self.specs[name].buckets)
        return found

    def existing(self, name: str, labels: Labels) -> Distribution | None:
        """Return one series of a histogram if there is such a histogram, and such a series in it."""
        return self._histograms.get(name, {}).get(labels)

    def add(self, name: str, labels: Labels = (), value: float = 1) -> None:
        """Raise a counter. `value` is finite and not negative.

        Raises KeyError when there is no such counter, ValueError when the value or the number of labels is wrong.
        """
        series = self._counters[name]
        if not 0 <= value < math.inf:
            raise ValueError(f"{name}: a counter takes no negative, infinite or undefined value")
        found = series.get(labels) or self.counter(name, labels)
        found.value += value

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

    def clear(self, name: str) -> None:
        """Forget all series of a gauge, which says what is and owes nobody a past.

        Raises KeyError when there is no such gauge.
        """
        self._gauges[name].clear()

    def observe(self, name: str, labels: Labels, value: float, count: float = 1) -> None:
        """Enter one finite value, which stands for `count` of its like, into a histogram.

        Raises KeyError when there is no such histogram, ValueError when the value or the number of labels is wrong.
        """
        series = self._histograms[name]
        if not -math.inf < value < math.inf:
            raise ValueError(f"{name}: a histogram takes no infinite or undefined value")
        found = series.get(labels) or self.distribution(name, labels)
        found.observe(value, count)

    def _check(self, name: str, labels: Labels) -> None:
        wanted = len(self.specs[name].labels)
        if len(labels) != wanted:
            raise ValueError(f"{name}: {len(labels)} label values given, {wanted} declared")

    def value(self, name: str, labels: Labels = ()) -> float:
        """Return a counter or gauge as it stands; 0 for a series that nothing was entered into.

        Raises KeyError when there is no such counter or gauge.
        """
        if name in self._counters:
            found = self._counters[name].get(labels)
            return found.value if found is not None else 0
        return self._gauges[name].get(labels, 0)

    def snapshot(self) -> tuple[Series, ...]:
        """Return every series as it stands, those of one metric together, in the order of the catalogue."""
        taken: list[Series] = []
        for name, spec in self.specs.items():
            match spec.kind:
                case Kind.COUNTER:
                    taken += [Series(spec, labels, cell.value) for labels, cell in self._counters[name].items()]
                case Kind.GAUGE:
                    taken += [Series(spec, labels, value) for labels, value in self._gauges[name].items()]
                case Kind.HISTOGRAM:
                    taken += [
                        Series(spec, labels, HistogramValue(tuple(found.counts), found.sum, dict(found.exemplars)))
                        for labels, found in self._histograms[name].items()
                    ]
        return tuple(taken)

    def state(self) -> State:
        """Return everything that the store holds, exactly: what `restore` makes the same store of.

        Write it down at once: it shares with the store what changes with the next value.
        """
        kept: State = {}
        for name, counters in self._counters.items():
            kept[name] = [(labels, cell.value) for labels, cell in counters.items()]
        for name, gauges in self._gauges.items():
            kept[name] = [*gauges.items()]
        for name, histograms in self._histograms.items():
            kept[name] = [
                (labels, found.counts, found.sum, _exemplars(found) if found.exemplars else ())
                for labels, found in histograms.items()
            ]
        return {name: series for name, series in kept.items() if series}

    def restore(self, state: State) -> None:
        """Take over what `state` of a store returned; everything that was counted before is forgotten.

        A metric that the catalogue has no more, or whose labels or buckets have changed, is left out: its values would
        mean something else. Series that were handed out before are no longer those of the store.
        """
        for held in (self._counters, self._gauges, self._histograms):
            for series in held.values():
                series.clear()
        for name, rows in state.items():
            spec = self.specs.get(name)
            if spec is None:
                continue
            for labels, *values in rows:
                if len(labels) == len(spec.labels):
                    self._restore(spec, tuple(labels), values)

    def _restore(self, spec: MetricSpec, labels: Labels, values: list[Any]) -> None:
        match spec.kind:
            case Kind.COUNTER:
                self.counter(spec.name, labels).value = values[0]
            case Kind.GAUGE:
                self.set(spec.name, labels, values[0])
            case Kind.HISTOGRAM:
                counts, total, exemplars = values
                if len(counts) == len(spec.buckets) + 1:
                    found = self.distribution(spec.name, labels)
                    found.counts, found.sum = list(counts), total
                    for at, value, trace_id, span_id, time_ns in exemplars:
                        found.exemplars[at] = Exemplar(value, bytes.fromhex(trace_id), bytes.fromhex(span_id), time_ns)


def _exemplars(of: Distribution) -> list[Any]:
    return [
        (at, each.value, each.trace_id.hex(), each.span_id.hex(), each.time_ns) for at, each in of.exemplars.items()
    ]
