"""One run of everything: what the application sent, what the gateway kept of it, what it measured, what it says."""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.children import child
from demo.gateway import Gateway, Samples, environment
from demo.provider import Asked, Provider

SLOW_MS = 1000
SETTINGS: Mapping[str, Any] = {
    "sampling": {
        # Longer than the application takes to send what it has (1 s) and than its slowest request (1.5 s).
        "decision_wait": "4s",
        "policies": [
            {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
            {"name": "slow", "type": "latency", "latency": {"threshold_ms": SLOW_MS}},
            {"name": "baseline", "type": "probabilistic", "probabilistic": {"sampling_percentage": 20}},
        ],
    },
}
_APP_SECONDS = 90.0  # of a machine that is busy with other things, as the next
_SETTLED_SECONDS = 60.0


class RunFailed(Exception):
    """The application failed, or what it sent did not come to an end; the message is a sentence."""


def decided(samples: Samples) -> dict[str, int]:
    """Traces by the policy that kept them, the empty name for those that were let go; late spans decide nothing."""
    name = "spansieve_decisions_total"
    late = samples.by("policy", name, trigger="late_span")
    return {policy: int(traces - late.get(policy, 0)) for policy, traces in samples.by("policy", name).items()}


@dataclass(frozen=True)
class Span:
    """One span of OTLP/JSON, with what a reader wants of it."""

    raw: Mapping[str, Any]

    @property
    def trace_id(self) -> str:
        """Hex."""
        return str(self.raw["traceId"])

    @property
    def texts(self) -> dict[str, str]:
        """Every text of the span that may hold content, by where it stands: attributes, status, exceptions."""
        texts = _strings(self.raw.get("attributes", ()))
        if message := self.raw.get("status", {}).get("message"):
            texts["status.message"] = message
        for event in self.raw.get("events", ()):
            texts |= {
                f"{event.get('name')}: {key}": text for key, text in _strings(event.get("attributes", ())).items()
            }
        return texts


def _strings(attributes: Any) -> dict[str, str]:  # noqa: ANN401 - OTLP/JSON
    return {a["key"]: a["value"]["stringValue"] for a in attributes if "stringValue" in a.get("value", {})}


def spans_of(traces: Mapping[str, Any]) -> Iterator[Span]:
    """The spans of an OTLP/JSON traces request."""
    for resource in traces.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            yield from map(Span, scope.get("spans", ()))


@dataclass(frozen=True)
class Evidence:
    """What the tour is about. Everything is from after the run, when the gateway has stopped."""

    directory: Path
    report: Mapping[str, Any]
    asked: list[Asked]
    samples: Samples
    metrics_text: str
    kept: list[Span]  # as they left
    exit_code: int

    @property
    def needles(self) -> list[str]:
        """Every planted value of the run."""
        return [n for r in self.report["requests"] for planted in r["planted"] for n in planted["needles"]]

    @property
    def sent(self) -> list[Span]:
        """The spans as they came in."""
        return list(spans_of(self.report["sent"]["traces"]))

    def files(self) -> Iterator[tuple[Path, bytes]]:
        """Every file that the gateway has written, with its log."""
        for path in sorted(self.directory.rglob("*")):
            if path.is_file():
                yield path, path.read_bytes()


def gather(directory: Path, requests: int, seed: int) -> Evidence:
    """Run provider, gateway and application, and stop them. Raises RunFailed and GatewayFailed."""
    provider = Provider()
    with provider.serving() as url, Gateway(directory, SETTINGS) as gateway:
        report = run_app(url, gateway.grpc, requests, seed)
        samples = _settled(gateway, sum(1 for _ in spans_of(report["sent"]["traces"])))
        text = gateway.metrics_text()
        exit_code = gateway.stop()
    return Evidence(directory, report, list(provider.ledger), samples, text, kept_spans(directory), exit_code)


def run_app(provider: str, endpoint: str, requests: int, seed: int) -> dict[str, Any]:
    """The application as a process of its own, which knows no more than OTEL_EXPORTER_OTLP_ENDPOINT; its report."""
    # The report holds what was planted, and so does not outlive the tour.
    with tempfile.TemporaryDirectory(prefix="spansieve-demo-report-") as directory:
        file = Path(directory) / "report.json"
        arguments = ["--provider", provider, "--requests", str(requests), "--seed", str(seed), "--report", str(file)]
        with child(
            [sys.executable, "-m", "demo.app", *arguments],
            env={**environment(), "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as app:
            try:
                _, errors = app.communicate(timeout=_APP_SECONDS)
            except subprocess.TimeoutExpired:
                raise RunFailed(f"The application had not ended after {_APP_SECONDS:.0f} s.") from None
        if app.returncode:
            raise RunFailed(f"The application ended with exit code {app.returncode}: {errors[-500:]}")
        report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return report


def _settled(gateway: Gateway, spans: int) -> Samples:
    """The metrics once all spans have come and every item has its outcome."""
    deadline = time.monotonic() + _SETTLED_SECONDS
    pause = threading.Event()
    while True:
        samples = gateway.metrics()
        received = samples.total("spansieve_received_items_total", signal="traces")
        if received >= spans and samples.total("spansieve_in_flight_items") == 0:
            return samples
        if time.monotonic() > deadline:
            in_flight = samples.total("spansieve_in_flight_items")
            raise RunFailed(
                f"After {_SETTLED_SECONDS:.0f} s the gateway had received {received:.0f} of {spans} spans, "
                f"and {in_flight:.0f} items were still in flight."
            )
        pause.wait(0.1)


def spansieve(*arguments: str) -> str:
    """What a command of the gateway prints. Raises RunFailed when it fails."""
    ended = subprocess.run(
        [sys.executable, "-m", "spansieve", *arguments], capture_output=True, text=True, check=False, timeout=30
    )
    if ended.returncode:
        raise RunFailed(f"spansieve {' '.join(arguments[:2])} failed: {ended.stderr.strip() or ended.stdout.strip()}")
    return ended.stdout


def kept_spans(directory: Path) -> list[Span]:
    """What is in the embedded store, read by the command that everybody has."""
    store = ("--directory", str(directory / "data"))
    listed = spansieve("traces", "list", *store, "--limit", "10000", "--json").splitlines()
    if not listed:
        return []
    trace_ids = [json.loads(line)["trace_id"] for line in listed]
    shown = spansieve("traces", "show", *store, "--json", *trace_ids).splitlines()
    return [span for line in shown for span in spans_of(json.loads(line))]
