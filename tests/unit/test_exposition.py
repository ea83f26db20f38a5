"""The Prometheus exposition of stores."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

from spansieve import catalogue
from spansieve.exposition import SeriesCollector, Taken
from spansieve.series import Exemplar, SeriesStore

_SPECS = catalogue.parse("""
metrics:
  - {name: some.requests, kind: counter, unit: "{request}", help: Counted., labels: [some.code, error.type]}
  - {name: some.held, kind: gauge, unit: By, help: Held.}
  - {name: some.wait, kind: histogram, unit: s, help: Waited., buckets: [0.5, 1, 1048576]}
""")


@pytest.fixture
def store() -> SeriesStore:
    """An empty store."""
    return SeriesStore(_SPECS)


def _shown(*stores: SeriesStore) -> str:
    registry = CollectorRegistry()
    registry.register(SeriesCollector(stores))
    return generate_latest(registry).decode()


def test_a_counter_is_shown(store: SeriesStore) -> None:
    """A counter is shown under its Prometheus name, with its labels."""
    store.add("some.requests", ("200", "timeout"), 3)
    assert 'some_requests_total{error_type="timeout",some_code="200"} 3.0\n' in _shown(store)


def test_an_empty_label_is_left_out(store: SeriesStore) -> None:
    """A label without a value is not shown."""
    store.add("some.requests", ("200", ""))
    assert 'some_requests_total{some_code="200"} 1.0\n' in _shown(store)


def test_a_gauge_is_shown(store: SeriesStore) -> None:
    """A gauge is shown under its Prometheus name."""
    store.set("some.held", (), 5)
    assert "some_held_bytes 5.0\n" in _shown(store)


def test_a_histogram_is_shown_cumulatively(store: SeriesStore) -> None:
    """A histogram's buckets count all values up to their bound, which is written as Go writes it."""
    for value in (0.5, 0.75, 2, 2**21):
        store.observe("some.wait", (), value)
    shown = _shown(store)
    assert [line for line in shown.splitlines() if line.startswith("some_wait_seconds")] == [
        'some_wait_seconds_bucket{le="0.5"} 1.0',
        'some_wait_seconds_bucket{le="1.0"} 2.0',
        'some_wait_seconds_bucket{le="1.048576e+06"} 3.0',
        'some_wait_seconds_bucket{le="+Inf"} 4.0',
        "some_wait_seconds_sum 2.09715525e+06",
        "some_wait_seconds_count 4.0",
    ]


def test_metrics_without_series_are_announced(store: SeriesStore) -> None:
    """A metric that has no series yet is shown by name, kind and help."""
    assert "# HELP some_requests_total Counted.\n# TYPE some_requests_total counter\n" in _shown(store)


def test_the_output_parses(store: SeriesStore) -> None:
    """A Prometheus parser reads what is shown, hostile label values included."""
    store.add("some.requests", ('a"b\\c\nd', "x"))
    families = {family.name: family for family in text_string_to_metric_families(_shown(store))}
    assert families["some_requests"].samples[0].labels["some_code"] == 'a"b\\c\nd'


def test_several_stores_are_shown(store: SeriesStore) -> None:
    """All stores are shown."""
    other = SeriesStore(catalogue.parse('metrics: [{name: other, kind: gauge, unit: "{item}", help: Held.}]'))
    other.set("other", (), 2)
    store.set("some.held", (), 1)
    shown = _shown(store, other)
    assert "other 2.0\n" in shown
    assert "some_held_bytes 1.0\n" in shown


def test_stores_with_one_name_are_refused(store: SeriesStore) -> None:
    """Two stores may not hold metrics of one name."""
    with pytest.raises(ValueError, match="two stores hold"):
        SeriesCollector([store, SeriesStore(_SPECS)])


def test_a_registry_refuses_a_taken_name(store: SeriesStore) -> None:
    """A registry that has a metric of that name refuses the collector."""
    registry = CollectorRegistry()
    registry.register(SeriesCollector([store]))
    with pytest.raises(ValueError, match="Duplicated"):
        registry.register(SeriesCollector([SeriesStore(_SPECS)]))


def test_what_was_taken_stays(store: SeriesStore) -> None:
    """So that another thread may write it out while the store goes on."""
    store.add("some.requests", ("200", ""))
    store.observe("some.wait", (), 0.75)
    before = _shown(store)
    taken = Taken.of(store)
    store.add("some.requests", ("200", ""))
    store.observe("some.wait", (), 0.75)
    store.set("some.held", (), 1)
    registry = CollectorRegistry()
    registry.register(SeriesCollector([taken]))
    assert generate_latest(registry).decode() == before != _shown(store)


def test_openmetrics_has_exemplars(store: SeriesStore) -> None:
    """In OpenMetrics a bucket has its exemplar with its span, without a time; the older format has none."""
    store.observe("some.wait", (), 0.75)
    store.distribution("some.wait", ()).exemplars[1] = Exemplar(0.75, b"\xab" * 16, b"\xcd" * 8, 5)
    registry = CollectorRegistry()
    registry.register(SeriesCollector([store]))
    shown = openmetrics.generate_latest(registry).decode()
    trace, span = "ab" * 16, "cd" * 8
    assert f'some_wait_seconds_bucket{{le="1.0"}} 1.0 # {{span_id="{span}",trace_id="{trace}"}} 0.75\n' in shown
    assert shown.count("trace_id") == 1
    assert "trace_id" not in _shown(store)
    assert list(openmetrics_parser.text_string_to_metric_families(shown))
