"""Catalogues: what is accepted, and what a metric is called in Prometheus."""

import pytest

from spansieve import catalogue
from spansieve.catalogue import CatalogueError, Kind, MetricSpec

_GOOD = "metrics: [{name: a.b, kind: counter, unit: s, help: Some time., labels: [x.y, z]}]"


def _spec(name: str, kind: str, unit: str) -> MetricSpec:
    return MetricSpec(name, Kind(kind), unit, "Help.")


@pytest.mark.parametrize(
    ("name", "kind", "unit", "expected"),
    [
        ("gen_ai.client.token.usage", "histogram", "{token}", "gen_ai_client_token_usage"),
        ("gen_ai.client.operation.duration", "histogram", "s", "gen_ai_client_operation_duration_seconds"),
        ("some.wait.seconds", "histogram", "s", "some_wait_seconds"),
        ("some.requests", "counter", "{request}", "some_requests_total"),
        ("some.total.requests", "counter", "{request}", "some_requests_total"),
        ("some.cost.usd", "counter", "{USD}", "some_cost_usd_total"),
        ("some.runs", "counter", "1", "some_runs_total"),
        ("some.sent", "counter", "By", "some_sent_bytes_total"),
        ("some.held.bytes", "gauge", "By", "some_held_bytes"),
        ("some.share", "gauge", "1", "some_share_ratio"),
        ("some.traces", "gauge", "{trace}", "some_traces"),
        ("some.lag", "gauge", "ms", "some_lag_milliseconds"),
    ],
)
def test_prometheus_name(name: str, kind: str, unit: str, expected: str) -> None:
    """A metric has the Prometheus name that a stock Collector gives it."""
    assert catalogue.prometheus_name(_spec(name, kind, unit)) == expected


def test_label_dots_become_underscores() -> None:
    """A label's dots become underscores in Prometheus."""
    assert catalogue.prometheus_label("gen_ai.request.model") == "gen_ai_request_model"


def test_parse_reads_an_entry() -> None:
    """An entry becomes a spec with its labels in order."""
    assert catalogue.parse(_GOOD)["a.b"] == MetricSpec("a.b", Kind.COUNTER, "s", "Some time.", ("x.y", "z"))


def test_parse_reads_buckets() -> None:
    """A histogram's buckets become floats."""
    spec = catalogue.parse("metrics: [{name: a, kind: histogram, unit: s, help: H., buckets: [1, 2.5]}]")["a"]
    assert spec.buckets == (1.0, 2.5)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "holds a list named metrics"),
        ("metrics: []", "holds a list named metrics"),
        ("metrics: [1]", "Entry 1: is not a mapping"),
        ("metrics: [{name: a, kind: counter, help: H.}]", "a: unit is missing"),
        ("metrics: [{name: a, kind: counter, unit: s, help: ''}]", "a: help is missing"),
        ("metrics: [{name: A-b, kind: counter, unit: s, help: H.}]", "the name is not dotted lower case"),
        ("metrics: [{name: a, kind: timer, unit: s, help: H.}]", "kind is none of"),
        ("metrics: [{name: a, kind: counter, unit: USD, help: H.}]", "unit is none of"),
        ("metrics: [{name: a, kind: counter, unit: s, help: H., colour: red}]", "colour is not a key"),
        ("metrics: [{name: a, kind: counter, unit: s, help: H., labels: [x, x]}]", "a label stands twice"),
        ("metrics: [{name: a, kind: counter, unit: s, help: H., labels: [x.y, x_y]}]", "a label stands twice"),
        ("metrics: [{name: a, kind: counter, unit: s, help: H., labels: x}]", "labels is not a list"),
        ("metrics: [{name: a, kind: counter, unit: s, help: H., labels: [le]}]", "the label le"),
        ("metrics: [{name: a, kind: counter, unit: s, help: H., buckets: [1]}]", "only a histogram has buckets"),
        ("metrics: [{name: a, kind: histogram, unit: s, help: H.}]", "a histogram needs buckets"),
        ("metrics: [{name: a, kind: histogram, unit: s, help: H., buckets: [2, 1]}]", "do not ascend"),
        ("metrics: [{name: a, kind: histogram, unit: s, help: H., buckets: [1, .inf]}]", "not a finite number"),
    ],
)
def test_parse_refuses(text: str, problem: str) -> None:
    """What contradicts itself is refused, with the reason."""
    with pytest.raises(CatalogueError, match=problem):
        catalogue.parse(text)


def test_parse_refuses_a_name_twice() -> None:
    """A name stands once."""
    entry = "{name: a, kind: counter, unit: s, help: H.}"
    with pytest.raises(CatalogueError, match="a: the name stands twice"):
        catalogue.parse(f"metrics: [{entry}, {entry}]")


def test_parse_refuses_one_prometheus_name_for_two() -> None:
    """Two metrics may not be the same to Prometheus."""
    text = "metrics: [{name: a.b, kind: counter, unit: s, help: H.}, {name: a_b, kind: counter, unit: s, help: H.}]"
    with pytest.raises(CatalogueError, match=r"a_b: its Prometheus name is that of a\.b"):
        catalogue.parse(text)


def test_parse_says_all_problems() -> None:
    """All mistakes of a catalogue are told at once."""
    text = "metrics: [{name: a, kind: timer, unit: s, help: H.}, {name: b, kind: counter, unit: x, help: H.}]"
    with pytest.raises(CatalogueError) as caught:
        catalogue.parse(text)
    assert len(caught.value.problems) == 2


def test_a_catalogue_cannot_be_changed() -> None:
    """A loaded catalogue is read-only."""
    with pytest.raises(TypeError):
        catalogue.parse(_GOOD)["new"] = None  # type: ignore[index]  # that it is refused is the fact


_SETS = """
label_sets: {call: [model, service]}
metrics:
  - {name: a, kind: counter, unit: s, help: H., labels: [$call, outcome]}
  - {name: b, kind: counter, unit: s, help: H., semconv: v1.41}
  - {name: b, kind: histogram, unit: s, help: H., semconv: latest, buckets: [1]}
"""


def test_label_sets_stand_for_their_labels() -> None:
    """`$name` puts the labels of a set in place, with those that are added to it at its end."""
    assert catalogue.parse(_SETS)["a"].labels == ("model", "service", "outcome")
    more = catalogue.parse(_SETS, more=(("call", ("task",)),))
    assert more["a"].labels == ("model", "service", "task", "outcome")


def test_a_generation_has_its_own_metrics() -> None:
    """Metrics of another generation of the conventions are left out; the same name may stand in both."""
    assert [catalogue.parse(_SETS, each)["b"].kind for each in catalogue.Semconv] == [Kind.COUNTER, Kind.HISTOGRAM]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (_SETS.replace("$call", "$none"), "a: there is no label set none."),
        (_SETS.replace("{call: [model, service]}", "[model]"), "label_sets does not hold lists"),
        (_SETS.replace("latest", "v2"), "semconv is none of v1.41, latest"),
        (_SETS.replace("latest", "v1.41"), "b: the name stands twice."),
        (_SETS.replace("outcome", "model"), "a: a label stands twice."),
    ],
)
def test_mistakes_in_sets_and_generations(text: str, problem: str) -> None:
    """Mistakes in label sets and generations are told by metric."""
    with pytest.raises(CatalogueError, match=problem.replace(".", r"\.")):
        catalogue.parse(text)


def test_mistakes_are_found_in_all_generations() -> None:
    """What is left out is checked all the same."""
    with pytest.raises(CatalogueError, match="b: the buckets do not ascend"):
        catalogue.parse(_SETS.replace(", buckets: [1]", ", buckets: [2, 1]"))


@pytest.mark.parametrize("semconv", catalogue.Semconv)
def test_the_shipped_metrics_are_valid(semconv: catalogue.Semconv) -> None:
    """The catalogue of derived metrics is whole in both generations."""
    specs = catalogue.load("spansieve.measure", "metrics.yaml", semconv)
    assert {"spansieve.llm.requests", "gen_ai.client.operation.duration", "mcp.server.operation.duration"} <= set(specs)
