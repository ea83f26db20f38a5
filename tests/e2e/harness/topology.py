"""The whole of it: application → gateway → real Collector → real Tempo and Prometheus; and what may be asked of it."""

import base64
import itertools
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from demo.evidence import Span, spans_of
from demo.gateway import Gateway, Samples, environment
from demo.provider import Asked, Provider

from e2e.harness import prometheus_wal
from e2e.parts import processes

REQUESTS = 60
SLOW_MS = 1000
BASELINE_PERCENT = 50
POLICIES: list[Mapping[str, Any]] = [
    {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
    {"name": "slow", "type": "latency", "latency": {"threshold_ms": SLOW_MS}},
    {"name": "baseline", "type": "probabilistic", "probabilistic": {"sampling_percentage": BASELINE_PERCENT}},
]
_EVERYTHING = '{__name__=~".+"}'


@dataclass
class Run:
    """One run of the application through the whole stack. Tempo and Prometheus still answer; the rest has ended."""

    directory: Path
    report: Mapping[str, Any]
    asked: list[Asked]
    metrics_text: str  # the gateway's /metrics, when everything had its outcome
    exit_code: int  # of the gateway
    stock: "Behind"
    http: httpx.Client = field(repr=False)

    @cached_property
    def samples(self) -> Samples:
        """The gateway's /metrics."""
        return Samples(self.metrics_text)

    @cached_property
    def sent(self) -> list[Span]:
        """The spans as the application sent them."""
        return list(spans_of(self.report["sent"]["traces"]))

    @cached_property
    def needles(self) -> list[str]:
        """Every planted value."""
        return [n for r in self.report["requests"] for planted in r["planted"] for n in planted["needles"]]

    @cached_property
    def verdicts(self) -> dict[str, str]:
        """By trace id the policy that must keep it, worked out from what was sent; empty for one to be let go."""
        failed = {r["trace_id"] for r in self.report["requests"] if r["kind"] == "failed"}
        # OpenTelemetry probability sampling: kept when the low 56 bits of the trace id are at least the threshold.
        threshold = (1 << 56) - (1 << 56) * BASELINE_PERCENT // 100
        verdicts: dict[str, str] = {}
        for trace_id, spans in itertools.groupby(sorted(self.sent, key=_trace_id), key=_trace_id):
            times = [(int(s.raw["startTimeUnixNano"]), int(s.raw["endTimeUnixNano"])) for s in spans]
            lasted_ms = (max(end for _, end in times) - min(start for start, _ in times)) // 1_000_000
            if trace_id in failed:
                verdicts[trace_id] = "errors"
            elif lasted_ms > SLOW_MS:
                verdicts[trace_id] = "slow"
            else:
                verdicts[trace_id] = "baseline" if int(trace_id[-14:], 16) >= threshold else ""
        return verdicts

    def trace(self, trace_id: str) -> bytes:
        """What Tempo answers for a trace; empty when it has none."""
        response = self.http.get(f"{self.stock.tempo.url}/api/traces/{trace_id}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return b""
        response.raise_for_status()
        return response.content

    def sums(self, query: str, *labels: str) -> dict[Any, float]:
        """A PromQL instant query: the value by the given labels (a tuple of them, when there are several)."""
        found: dict[Any, float] = {}
        for series in self.prometheus_answer("query", query=query)["result"]:
            key = tuple(series["metric"].get(label, "") for label in labels)
            found[key[0] if len(key) == 1 else key] = float(series["value"][1])
        return found

    def prometheus_answer(self, what: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
        """`data` of an answer of Prometheus' HTTP API."""
        response = self.http.get(f"{self.stock.prometheus.url}/api/v1/{what}", params=parameters)
        response.raise_for_status()
        return response.json()["data"]

    def stores(self) -> Iterator[tuple[str, bytes]]:
        """Every byte that can be asked for or read behind the application, by where it is."""
        for trace_id in self.verdicts:
            yield f"Tempo /api/traces/{trace_id}", self.trace(trace_id)
        for query in ("search?limit=1000", "search/tags", "v2/search/tags"):
            yield f"Tempo /api/{query}", self.http.get(f"{self.stock.tempo.url}/api/{query}").content
        now = self.prometheus_answer("query", query="time()")["result"][0]
        exemplars = {"query": _EVERYTHING, "start": str(now - 3600), "end": str(now)}
        for what, parameters in (
            ("series", {"match[]": _EVERYTHING}),
            ("labels", {}),
            ("metadata", {}),
            ("query_exemplars", exemplars),
            ("query", {"query": _EVERYTHING}),
        ):
            yield f"Prometheus {what}", json.dumps(self.prometheus_answer(what, **parameters)).encode()
        yield "/metrics of the gateway", self.metrics_text.encode()
        # The gateway's directory, the Collector's output, the data of Tempo and Prometheus, all logs.
        for path in sorted(self.directory.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(self.directory)), path.read_bytes()
        for segment in (self.stock.prometheus.data / "wal").glob("[0-9]*"):
            yield f"Prometheus write-ahead log {segment.name}", prometheus_wal.plain(segment.read_bytes())


def spans_in_tempo(answer: bytes) -> list[dict[str, Any]]:
    """The spans of an answer of Tempo; ids are hex, as in OTLP/JSON."""
    spans = [
        span
        for batch in json.loads(answer)["batches"]
        for scope in batch.get("scopeSpans", batch.get("instrumentationLibrarySpans", ()))
        for span in scope["spans"]
    ]
    return [{**span, "spanId": base64.b64decode(span["spanId"]).hex()} for span in spans]


def attributes(span: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a span of JSON by their keys."""
    return {a["key"]: next(iter(a["value"].values()), None) for a in span.get("attributes", ())}


def expected_calls(asked: list[Asked]) -> Counter[str]:
    """Calls by model, from the provider's ledger."""
    return Counter(line.model for line in asked)


@dataclass(frozen=True)
class Behind:
    """The stock parts behind a gateway. What the Collector gets it also writes to `output`, as lines of OTLP/JSON."""

    tempo: processes.Tempo
    prometheus: processes.Prometheus
    collector: processes.Collector
    output: Path


@contextmanager
def behind(
    directory: Path, *, scrape: Mapping[str, Sequence[str]] | None = None, interval: str | None = None
) -> Iterator[Behind]:
    """Start Tempo, Prometheus and a Collector with collector-config/backend.yaml.

    `scrape` and `interval` are those of `processes.start_prometheus`.
    """
    output = directory / "collector-output.jsonl"
    overlay = directory / "file-exporter.yaml"
    pipeline = {"receivers": ["otlp"], "processors": ["memory_limiter"]}
    backends = {"traces": "otlp_grpc/tempo", "metrics": "otlp_http/prometheus", "logs": "debug"}
    overlay.write_text(  # JSON is YAML
        json.dumps(
            {
                "exporters": {"file": {"path": str(output), "flush_interval": "200ms"}},
                "service": {
                    "pipelines": {signal: {**pipeline, "exporters": [to, "file"]} for signal, to in backends.items()}
                },
            }
        )
    )
    with ExitStack() as stack:
        tempo = stack.enter_context(processes.start_tempo(directory))
        prometheus = stack.enter_context(processes.start_prometheus(directory, scrape=scrape, interval=interval))
        collector = stack.enter_context(processes.start_backend(directory, tempo, prometheus, overlays=[overlay]))
        yield Behind(tempo, prometheus, collector, output)


@contextmanager
def run(directory: Path, protocol: str, seed: int) -> Iterator[Run]:
    """Run the application once. `directory` is the stack's; the application's own report is nowhere in it."""
    provider = Provider()
    with ExitStack() as stack:
        stock = stack.enter_context(behind(directory))
        (directory / "gateway").mkdir()
        gateway = stack.enter_context(Gateway(directory / "gateway", settings(stock.collector)))
        endpoint = gateway.grpc if protocol == "grpc" else gateway.http
        report = run_application(provider, endpoint, protocol, seed, directory)
        spans = sum(1 for _ in spans_of(report["sent"]["traces"]))
        processes.wait_until(lambda: _settled(gateway, spans), "every item has its outcome", within=60)
        text = gateway.metrics_text()
        # The gateway's last push of metrics is part of its stop: after it, Prometheus has the final numbers.
        exit_code = gateway.stop()
        stock.collector.stop()
        http = stack.enter_context(httpx.Client(trust_env=False, timeout=30))
        yield Run(directory, report, list(provider.ledger), text, exit_code, stock, http)


@contextmanager
def run_without_gateway(directory: Path, seed: int) -> Iterator[Run]:
    """The same with the application sending straight to the Collector: what an idle gateway would let by."""
    provider = Provider()
    with ExitStack() as stack:
        stock = stack.enter_context(behind(directory))
        report = run_application(provider, f"http://{stock.collector.otlp_grpc}", "grpc", seed, directory)
        stock.collector.stop()
        http = stack.enter_context(httpx.Client(trust_env=False, timeout=30))
        yield Run(directory, report, list(provider.ledger), "", 0, stock, http)


def _trace_id(span: Span) -> str:
    return span.trace_id


def settings(collector: processes.Collector) -> dict[str, Any]:
    """A gateway's configuration that exports to this Collector."""
    return {
        "redaction": {"names": "off"},
        "sampling": {"decision_wait": "5s", "policies": POLICIES},
        "exporters": {"otlp": {"endpoint": collector.otlp_grpc, "tls": {"insecure": True}}},
    }


def run_application(provider: Provider, endpoint: str, protocol: str, seed: int, directory: Path) -> dict[str, Any]:
    """The application's report. It knows where to send by two environment variables, and by nothing else."""
    # Beside the stack's directory, not in it: the report quotes what was planted.
    file = directory.with_name(f"{directory.name}-report.json")
    with provider.serving() as url:
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "demo.app", "--provider", url, "--requests", str(REQUESTS)),
                *("--seed", str(seed), "--report", str(file)),
            ],
            env=environment() | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == "", "the application's exporters complain"
    report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return report


def _settled(gateway: Gateway, spans: int) -> bool:
    samples = gateway.metrics()
    received = samples.total("spansieve_received_items_total", signal="traces")
    return received >= spans and samples.total("spansieve_in_flight_items") == 0
