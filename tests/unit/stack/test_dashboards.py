"""The dashboards: that they ask for what exists, show what was promised, and lie well on Grafana's grid."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from spansieve.catalogue import Kind, MetricSpec
from stack.generate import promql
from unit.stack import reading

STACK = Path(__file__).parents[3] / "stack"
DASHBOARDS: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text(encoding="utf-8"))
    for file in sorted((STACK / "grafana" / "dashboards").glob("*.json"))
}
LLM = DASHBOARDS["spansieve"]
PANELS = {name: [panel for panel in page["panels"] if panel["type"] != "row"] for name, page in DASHBOARDS.items()}
RECORDED = {
    rule["record"]
    for file in (STACK / "prometheus" / "rules").glob("*.yml")
    for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
    if "record" in rule
}
TITLES = {
    "Health": {
        "Request rate by model",
        "Error rate",
        "p95 latency by model",
        "p95 time to first token by model",
        "Latency distribution",
    },
    "Cost": {
        "Token throughput",
        "Output tokens a second by model",
        "Cost an hour",
        "Cost per request",
        "Token usage, input and output, by model",
        "Cost accumulated",
        "Spend of a day and of 30 days",
        "Spend by task type",
        "Services that cost most",
    },
    "Breakdown": {"Errors by reason", "p95 latency by template", "Requests by model", "Kept traces"},
    "Quality": {"Evaluation scores", "Feedback", "Regenerations", "Wasted output tokens", "Context window taken"},
    "Gateway": {"Items in and out", "Rejected and dropped", "Held in memory", "Sampling decisions"},
}
_EXPORTERS = re.compile(r"vllm:|tgi_|nv_inference_|DCGM_")

each_dashboard = pytest.mark.parametrize("name", DASHBOARDS)
each_query = pytest.mark.parametrize(
    "target",
    [
        pytest.param(target, id=f"{name}: {panel['title']} {target['refId']}")
        for name, panels in PANELS.items()
        for panel in panels
        for target in panel["targets"]
        if "expr" in target
    ],
)


def _rows() -> dict[str, set[str]]:
    rows: dict[str, set[str]] = {}
    for panel in LLM["panels"]:
        if panel["type"] == "row":
            rows[panel["title"]] = set()
        else:
            rows[list(rows)[-1]].add(panel["title"])
    return rows


def test_rows_are_those_that_were_promised() -> None:
    """From health to the gateway itself, in this order."""
    assert list(_rows()) == list(TITLES)


@pytest.mark.parametrize("row", TITLES)
def test_promised_panels_are_in_their_row(row: str) -> None:
    """Each panel that an operator was promised is there."""
    assert TITLES[row] <= _rows()[row]


def test_variables_are_those_that_were_promised() -> None:
    """One dashboard serves every service, provider, model and template."""
    assert {variable["name"] for variable in LLM["templating"]["list"]} == {"service", "provider", "model", "template"}


@each_query
def test_panels_ask_for_series_that_exist(target: dict[str, Any]) -> None:
    """Each series is in a catalogue, recorded by a rule, or an exporter's."""
    read = {name for name in reading.series(target["expr"]) if not _EXPORTERS.match(name)}
    assert read <= reading.exposed().keys() | RECORDED
    assert read or _EXPORTERS.search(target["expr"])


@each_query
def test_labels_exist_on_the_series(target: dict[str, Any]) -> None:
    """Each label of a query on the gateway's metrics is one of theirs."""
    read = reading.series(target["expr"])
    if read <= reading.exposed().keys():
        assert reading.labels(target["expr"]) <= set().union(*(reading.exposed()[name] for name in read))


@each_query
def test_every_choice_that_a_metric_has_a_label_for_is_applied(target: dict[str, Any]) -> None:
    """What is chosen at the top filters every series that could be filtered by it."""
    for name in reading.series(target["expr"]) & reading.exposed().keys():
        for selector in re.findall(rf"\b{name}(\{{[^}}]*\}})?", target["expr"]):
            for variable, label in promql.VARIABLES.items():
                shown = label.replace(".", "_")
                if shown in reading.exposed()[name] and (shown != "service_name" or name.startswith(("gen_ai", "mcp"))):
                    assert f'{shown}=~"${variable}"' in selector


@each_query
def test_exemplars_are_asked_for_where_they_are(target: dict[str, Any]) -> None:
    """Dots that open traces are asked for on queries over a histogram's buckets, and nowhere else."""
    if target["exemplar"]:
        assert "_bucket{" in target["expr"]


def test_durations_show_exemplars() -> None:
    """The panels of latency and of time to first token have dots that open traces."""
    shown = {panel["title"] for panel in PANELS["spansieve"] if any(t.get("exemplar") for t in panel["targets"])}
    assert {"p95 latency by model", "p95 time to first token by model", "p95 latency by template"} <= shown


def test_exemplars_lead_to_tempo() -> None:
    """Grafana opens the trace that an exemplar names in the datasource of traces."""
    sources = _datasources()
    (link,) = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert link == {"name": "trace_id", "datasourceUid": "tempo"}
    assert sources["tempo"]["type"] == "tempo"


@each_dashboard
def test_datasources_are_provisioned(name: str) -> None:
    """Each panel reads from a datasource that Grafana is given."""
    used = {target["datasource"]["uid"] for panel in PANELS[name] for target in panel["targets"]}
    assert used <= _datasources().keys()


def _datasources() -> dict[str, dict[str, Any]]:
    file = STACK / "grafana/provisioning/datasources/datasources.yaml"
    return {each["uid"]: each for each in yaml.safe_load(file.read_text(encoding="utf-8"))["datasources"]}


@each_dashboard
def test_panels_have_a_place_and_a_name_of_their_own(name: str) -> None:
    """Ids and titles are unique, and no two panels cover the same cell of the grid."""
    panels = DASHBOARDS[name]["panels"]
    ids, titles = ([panel[key] for panel in panels] for key in ("id", "title"))
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(ids)) == len(ids)
    assert len(set(titles)) == len(titles)
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24  # the width of Grafana's grid


@each_dashboard
def test_nothing_is_null(name: str) -> None:
    """Grafana's frontend takes a key that is not there for its default, and stumbles over null."""
    assert ": null" not in (STACK / "grafana" / "dashboards" / f"{name}.json").read_text(encoding="utf-8")


def test_queries_know_the_catalogue() -> None:
    """A metric or a label that the catalogue does not have cannot be asked for."""
    spec = MetricSpec("a.b", Kind.COUNTER, "{item}", "Things.", ("service.name", "reason"))
    queries = promql.Queries({"a.b": spec})
    assert queries.rate("a.b", "reason", where='reason!="x"') == (
        'sum by (reason) (rate(a_b_total{service_name=~"$service",reason!="x"}[$__rate_interval]))'
    )
    with pytest.raises(KeyError, match=r"a\.c"):
        queries.rate("a.c")
    with pytest.raises(KeyError, match=r"a\.b has no label colour"):
        queries.rate("a.b", "colour")
