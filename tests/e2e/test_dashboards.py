"""Every query of the dashboards, asked of the real Prometheus (and Tempo) once every metric has counted."""

import contextlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub

from e2e.harness import exporters
from e2e.parts import processes
from spansieve import catalogue, otlp_metrics
from spansieve.catalogue import Kind, MetricSpec
from spansieve.series import SeriesStore
from stack.generate.values import MORE_LABELS

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("real_parts")]

PERIOD_S = 15
POINTS = 12
INTERVAL = "1s"
VARIABLES = {"$__rate_interval": "1m", "$__range": "30m"}
CHOICES = ("$service", "$provider", "$model", "$template")
# A label by whose value some query filters; of the other labels any value will do.
TELLING = {
    "outcome": ("ok", "error"),
    "reason": ("rate_limit", "timeout"),
    "gen_ai.token.type": ("input", "output"),
    "ttft": ("present", "absent"),
    "finish_reason": ("length", "stop"),
    "cache": ("read", "write"),
    "gen_ai.operation.name": ("chat", "retrieval"),
    "error.type": ("", "timeout"),
}


def _targets() -> Iterator[Any]:
    for file in sorted((processes.STACK / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", ()):
                yield pytest.param(target, id=f"{file.stem}: {panel['title']} {target['refId']}")


TARGETS = list(_targets())
PROMQL = [each for each in TARGETS if "expr" in each.values[0]]
TRACEQL = [each for each in TARGETS if "query" in each.values[0]]


@dataclass
class Stores:
    """Prometheus with what the gateway and inference servers would send, its rules evaluated; and Tempo."""

    prometheus: processes.Prometheus
    tempo: processes.Tempo
    http: httpx.Client

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query, which must come without a warning."""
        answer = self.http.get(f"{self.prometheus.url}/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", answer
        assert not answer.get("warnings"), answer
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found


@pytest.fixture(scope="module")
def stores(real_parts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """Every metric of the catalogues, rising over three minutes, pushed the way the gateway pushes; and exporters."""
    directory: Path = tmp_path_factory.mktemp("dashboards")
    with contextlib.ExitStack() as parts:
        scrape = parts.enter_context(exporters.serving())
        tempo = parts.enter_context(processes.start_tempo(directory))
        prometheus = parts.enter_context(processes.start_prometheus(directory, scrape=scrape, interval=INTERVAL))
        backend = parts.enter_context(processes.start_backend(directory, tempo, prometheus))
        stores = Stores(prometheus, tempo, parts.enter_context(httpx.Client(trust_env=False, timeout=30)))
        _push(backend.otlp_grpc)
        # Each rule file has been evaluated twice over all of it, and each exporter was scraped twice.
        slowest = (
            "service_model:spansieve_llm_tokens_total:increase1d",
            "slo:sli_error:ratio_rate1h",
            "tgi_queue_size",
        )
        processes.wait_until(
            lambda: all(stores.ask(f"count_over_time({name}[10m]) > 2") for name in slowest), "rules and exporters"
        )
        yield stores


def _specs() -> list[Mapping[str, MetricSpec]]:
    return [
        catalogue.load("spansieve", "telemetry.yaml"),
        catalogue.load("spansieve", "measure/metrics.yaml", more=(("call", MORE_LABELS),)),
    ]


def _push(collector: str) -> None:
    filled = [SeriesStore(specs) for specs in _specs()]
    end = time.time_ns()
    start = end - POINTS * PERIOD_S * 10**9
    with grpc.insecure_channel(collector) as channel:
        metrics = MetricsServiceStub(channel)  # type: ignore[no-untyped-call]  # generated without types
        for point in range(1, POINTS + 1):
            for store in filled:
                _count_once_everywhere(store)
            resource = {"service.name": "spansieve", "service.instance.id": "one"}
            now = start + point * PERIOD_S * 10**9
            metrics.Export(otlp_metrics.request(filled, resource, start, now), timeout=10)


def _count_once_everywhere(store: SeriesStore) -> None:
    for spec in store.specs.values():
        for which in range(2):
            labels = tuple(TELLING.get(label, (f"some {label}",) * 2)[which] for label in spec.labels)
            match spec.kind:
                case Kind.COUNTER:
                    store.add(spec.name, labels)
                case Kind.GAUGE:
                    store.set(spec.name, labels, 1)
                case Kind.HISTOGRAM:
                    store.observe(spec.name, labels, spec.buckets[-1])


def _filled(expression: str) -> str:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    for choice in CHOICES:
        expression = re.sub(rf"{re.escape(choice)}\b", ".*", expression)
    assert "$" not in expression
    return expression


@pytest.mark.parametrize("target", PROMQL)
def test_panels_show_something(stores: Stores, target: dict[str, Any]) -> None:
    """Each PromQL query of a dashboard has a result, and a number in each, once every metric has counted."""
    found = stores.ask(_filled(target["expr"]))
    assert found
    assert all(float(series["value"][1]) >= 0 for series in found)


@pytest.mark.parametrize("target", PROMQL)
def test_legends_tell_series_apart(stores: Stores, target: dict[str, Any]) -> None:
    """Each label of a legend is on the series that the query answers with, and no two series have the same legend."""
    shown = [
        tuple(series["metric"].get(label) for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        for series in stores.ask(_filled(target["expr"]))
    ]
    assert len(set(shown)) == len(shown)
    assert all(None not in labels for labels in shown)


@pytest.mark.parametrize("target", TRACEQL)
def test_tempo_understands(stores: Stores, target: dict[str, Any]) -> None:
    """Each TraceQL query is one that Tempo answers."""
    answer = stores.http.get(f"{stores.tempo.url}/api/search", params={"q": _filled(target["query"]), "limit": "20"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "variable",
    [
        pytest.param(variable, id=f"{file.stem}: {variable['name']}")
        for file in sorted((processes.STACK / "grafana" / "dashboards").glob("*.json"))
        for variable in json.loads(file.read_text(encoding="utf-8"))["templating"]["list"]
    ],
)
def test_variables_offer_something(stores: Stores, variable: dict[str, Any]) -> None:
    """Each choice at the top of a dashboard is filled from labels that are there."""
    asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
    assert asked
    answer = stores.http.get(
        f"{stores.prometheus.url}/api/v1/label/{asked[2]}/values", params={"match[]": _filled(asked[1])}
    )
    assert answer.json()["data"]


def test_prometheus_names_the_metrics_as_the_catalogue_does(stores: Stores) -> None:
    """Under the names that the catalogue computes, Prometheus holds every metric that came by OTLP, and no others."""
    expected = set()
    for specs in _specs():
        for spec in specs.values():
            name = catalogue.prometheus_name(spec)
            suffixes = ("_bucket", "_sum", "_count") if spec.kind is Kind.HISTOGRAM else ("",)
            expected |= {name + suffix for suffix in suffixes}
    there = stores.http.get(f"{stores.prometheus.url}/api/v1/label/__name__/values").json()["data"]
    assert {name for name in there if re.match("gen_ai_|mcp_|spansieve_", name)} == expected


def test_counters_are_what_was_counted(stores: Stores) -> None:
    """A sum without any filter is the number of what was counted: nothing arrives twice."""
    (total,) = stores.ask("sum(spansieve_llm_requests_total)")
    assert float(total["value"][1]) == 2 * POINTS


def test_series_carry_the_services_name(stores: Stores) -> None:
    """The gateway's own series carry its name; those of LLM calls keep the name of the service that made the call."""
    (own,) = stores.ask("count by (service_name, job, instance) (spansieve_held_traces)")
    (call,) = stores.ask("count by (service_name) (spansieve_llm_requests_total)")
    assert own["metric"] == {"service_name": "spansieve", "job": "spansieve", "instance": "one"}
    assert call["metric"]["service_name"] == "some service.name"
