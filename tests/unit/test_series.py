"""The store of series."""

import json
import math

import pytest

from spansieve import catalogue
from spansieve.series import Exemplar, HistogramValue, SeriesStore

_SPECS = catalogue.parse("""
metrics:
  - {name: c, kind: counter, unit: "{item}", help: Counted., labels: [x]}
  - {name: g, kind: gauge, unit: By, help: Held.}
  - {name: h, kind: histogram, unit: s, help: Waited., labels: [x], buckets: [1, 2]}
""")


@pytest.fixture
def store() -> SeriesStore:
    """An empty store."""
    return SeriesStore(_SPECS)


def test_a_counter_adds_up(store: SeriesStore) -> None:
    """What is added to a counter adds up, for each label."""
    store.add("c", ("a",))
    store.add("c", ("a",), 2.5)
    store.add("c", ("b",))
    assert (store.value("c", ("a",)), store.value("c", ("b",))) == (3.5, 1)


def test_a_gauge_holds_the_last_value(store: SeriesStore) -> None:
    """A gauge is what it was set to last."""
    store.set("g", (), 7)
    store.set("g", (), -3)
    assert store.value("g") == -3


def test_nothing_entered_is_zero(store: SeriesStore) -> None:
    """A series that nothing was entered into reads as 0."""
    assert store.value("c", ("a",)) == 0


@pytest.mark.parametrize(
    ("value", "counts"),
    [(0.5, (1, 0, 0)), (1, (1, 0, 0)), (1.001, (0, 1, 0)), (2, (0, 1, 0)), (2.1, (0, 0, 1))],
)
def test_a_histograms_upper_bounds_are_inclusive(store: SeriesStore, value: float, counts: tuple[int, ...]) -> None:
    """A value equal to a bound belongs below it, as OTLP and Prometheus say."""
    store.observe("h", ("a",), value)
    assert store.snapshot()[0].value == HistogramValue(counts, value)


def test_a_histogram_sums(store: SeriesStore) -> None:
    """A histogram keeps the sum and the number of its values."""
    for value in (0.5, 1.5, 4):
        store.observe("h", ("a",), value)
    found = store.snapshot()[0].value
    assert isinstance(found, HistogramValue)
    assert (found.sum, found.count, found.counts) == (6, 3, (1, 1, 1))


@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_a_counter_refuses(store: SeriesStore, value: float) -> None:
    """A counter takes nothing negative, infinite or undefined, and stays as it is."""
    store.add("c", ("a",))
    with pytest.raises(ValueError, match="c: a counter takes no"):
        store.add("c", ("a",), value)
    assert store.value("c", ("a",)) == 1


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_gauges_and_histograms_refuse(store: SeriesStore, value: float) -> None:
    """Gauges and histograms take nothing infinite or undefined."""
    with pytest.raises(ValueError, match="g: a gauge takes no"):
        store.set("g", (), value)
    with pytest.raises(ValueError, match="h: a histogram takes no"):
        store.observe("h", ("a",), value)
    assert store.snapshot() == ()


def test_a_wrong_number_of_labels_is_refused(store: SeriesStore) -> None:
    """Labels are as many as declared; the error does not show them."""
    for enter in (store.add, store.observe):
        name = "c" if enter == store.add else "h"
        with pytest.raises(ValueError, match=f"{name}: 2 label values given, 1 declared") as caught:
            enter(name, ("secret", "b"), 1)
        assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match="g: 1 label values given, 0 declared"):
        store.set("g", ("a",), 1)


@pytest.mark.parametrize(("method", "name"), [("add", "g"), ("set", "c"), ("observe", "c"), ("add", "unknown")])
def test_an_unknown_name_is_refused(store: SeriesStore, method: str, name: str) -> None:
    """A name that the catalogue does not hold for this instrument is refused."""
    with pytest.raises(KeyError, match=name):
        getattr(store, method)(name, (), 1)


def test_a_snapshot_stands_still(store: SeriesStore) -> None:
    """What is entered after a snapshot does not change it."""
    store.observe("h", ("a",), 1)
    before = store.snapshot()
    store.observe("h", ("a",), 1)
    assert before[0].value == HistogramValue((1, 0, 0), 1)


def test_a_snapshot_is_in_the_catalogues_order(store: SeriesStore) -> None:
    """Series of one metric stand together, in the order of the catalogue."""
    store.observe("h", ("a",), 1)
    store.add("c", ("b",))
    store.set("g", (), 1)
    store.add("c", ("a",))
    assert [series.spec.name for series in store.snapshot()] == ["c", "c", "g", "h"]


def test_a_value_may_stand_for_several(store: SeriesStore) -> None:
    """A value that stands for 2.5 of its like is counted and summed 2.5 times."""
    store.observe("h", ("a",), 1.5, 2.5)
    [series] = store.snapshot()
    assert series.value == HistogramValue((0, 2.5, 0), 3.75)


def test_series_at_hand_are_those_of_the_store(store: SeriesStore) -> None:
    """What is entered into a series at hand is in the store, beside what is entered by name."""
    store.counter("c", ("a",)).value += 2
    store.add("c", ("a",))
    assert store.distribution("h", ("a",)).observe(9) == 2
    store.observe("h", ("a",), 1)
    assert [series.value for series in store.snapshot()] == [3, HistogramValue((1, 0, 1), 10)]


@pytest.mark.parametrize(("method", "name"), [("counter", "g"), ("distribution", "c"), ("clear", "c")])
def test_series_at_hand_have_their_kind(store: SeriesStore, method: str, name: str) -> None:
    """There is no counter of a gauge's name, no distribution of a counter's."""
    with pytest.raises(KeyError):
        getattr(store, method)(name)


@pytest.mark.parametrize(("method", "name"), [("counter", "c"), ("distribution", "h")])
def test_series_at_hand_have_their_labels(store: SeriesStore, method: str, name: str) -> None:
    """A series at hand has as many labels as its metric."""
    with pytest.raises(ValueError, match="0 label values given, 1 declared"):
        getattr(store, method)(name, ())


def test_a_gauge_may_be_cleared(store: SeriesStore) -> None:
    """A cleared gauge has no series."""
    store.set("g", (), 1)
    store.clear("g")
    assert store.snapshot() == ()


def _filled(store: SeriesStore) -> None:
    store.add("c", ("a",), 0.1)
    store.add("c", ("a",), 0.2)
    store.set("g", (), 1e300)
    for value in (0.1, 0.2, 7.7):
        store.observe("h", ("a",), value, 1.1)
    store.distribution("h", ("a",)).exemplars[0] = Exemplar(0.1, b"t" * 16, b"s" * 8, 5)


def test_a_restored_store_is_the_same(store: SeriesStore) -> None:
    """A store that took over a state, through JSON, holds the same to the last bit, exemplars too, and counts on."""
    other = SeriesStore(_SPECS)
    _filled(store)
    other.add("c", ("forgotten",))
    other.restore(json.loads(json.dumps(store.state())))
    assert other.snapshot() == store.snapshot()
    _filled(store)
    _filled(other)
    assert other.snapshot() == store.snapshot()


def test_what_has_changed_its_meaning_is_not_restored(store: SeriesStore) -> None:
    """Metrics that are gone, and those with other labels or buckets, begin anew; the rest is taken over."""
    _filled(store)
    other = SeriesStore(
        catalogue.parse("""
metrics:
  - {name: c, kind: counter, unit: "{item}", help: Counted., labels: [x, y]}
  - {name: h, kind: histogram, unit: s, help: Waited., labels: [x], buckets: [1, 2, 3]}
  - {name: g, kind: gauge, unit: By, help: Held.}
""")
    )
    other.restore(store.state() | {"gone": [[[], 1]]})
    assert [(series.spec.name, series.value) for series in other.snapshot()] == [("g", 1e300)]
