"""A Prometheus with the shipped rules, fed by the demo application through the gateway, that may be asked anything."""

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from demo.gateway import Gateway
from demo.provider import Asked, Provider

from e2e.harness import exporters, topology
from e2e.parts import processes

ROUNDS = 2  # an increase needs a before
INTERVAL = "1s"
LABELS = [{"attribute": "llm.task_type"}]  # as stack/gateway.yaml has them


class Answers:
    """A Prometheus that evaluates the shipped rules on what the gateway measured of the demo.

    `asked` is the provider's ledger, `reports` has the application's report of each round.
    """

    def __init__(self, prometheus: str, tempo: str, http: httpx.Client) -> None:
        self._prometheus, self._tempo, self._http = prometheus, tempo, http
        self.asked: list[Asked] = []
        self.reports: list[dict[str, Any]] = []

    def get(self, what: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        """`data` of an answer of Prometheus' HTTP API, which must come without a warning."""
        answer = self._http.get(f"{self._prometheus}/api/v1/{what}", params=parameters).json()
        assert answer["status"] == "success", answer
        assert not answer.get("warnings"), answer
        return answer["data"]

    def numbers(self, expression: str) -> list[float]:
        """The values of an instant query, those that are a number."""
        values = [float(series["value"][1]) for series in self.get("query", query=expression)["result"]]
        return [value for value in values if not math.isnan(value)]

    def traces(self, query: str) -> set[str]:
        """The ids of the traces that a TraceQL query finds in Tempo, without the zeros at their beginning."""
        answer = self._http.get(f"{self._tempo}/api/search", params={"q": query, "limit": "1000"})
        answer.raise_for_status()
        return {trace["traceID"].lstrip("0") for trace in answer.json()["traces"]}

    def by(self, expression: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The values of an instant query by labels; an absent label is empty."""
        return {
            tuple(series["metric"].get(label, "") for label in labels): float(series["value"][1])
            for series in self.get("query", query=expression)["result"]
        }


@contextlib.contextmanager
def of_the_demo(directory: Path) -> Iterator[Answers]:
    """The demo application, twice, through a gateway into the stock parts; the rules run every second."""
    provider = Provider()
    with contextlib.ExitStack() as stack:
        scrape = stack.enter_context(exporters.serving())
        parts = stack.enter_context(topology.behind(directory, scrape=scrape, interval=INTERVAL))
        (directory / "gateway").mkdir()
        settings = {**topology.settings(parts.collector), "measure": {"labels": LABELS}}
        gateway = stack.enter_context(Gateway(directory / "gateway", settings))
        http = stack.enter_context(httpx.Client(trust_env=False, timeout=30))
        answers = Answers(parts.prometheus.url, parts.tempo.url, http)
        for seed in range(ROUNDS):
            answers.reports.append(topology.run_application(provider, gateway.grpc, "grpc", seed, directory))
            processes.wait_until(
                lambda: answers.numbers("sum(llm_requests_total)") == [len(provider.ledger)],
                "the rules' sum of calls is that of the provider",
            )
        gateway.stop()
        answers.asked = list(provider.ledger)
        yield answers
