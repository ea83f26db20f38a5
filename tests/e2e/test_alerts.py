"""Rules and alerts, judged by promtool and amtool, and carried by Prometheus and Alertmanager to who is told."""

import contextlib
import json
import queue
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from e2e.parts import build, processes
from spansieve import catalogue, otlp_metrics
from spansieve.series import SeriesStore

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("real_parts")]

RULES = sorted((processes.STACK / "prometheus" / "rules").glob("*.yml"))
CASES = sorted((processes.PROJECT / "tests" / "promtool").glob("*.test.yml"))
ALERTMANAGER = processes.STACK / "alertmanager" / "alertmanager.yml"


def _judge(tool: str, *arguments: str | Path) -> str:
    """What a tool prints of files that it finds no fault in."""
    done = subprocess.run([build.locate(tool), *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_promtool_accepts_the_rules(file: Path) -> None:
    """`promtool check rules` finds no fault and no duplicate."""
    assert "SUCCESS" in _judge("promtool", "check", "rules", "--lint=all", "--lint-fatal", file)


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_alerts_fire_and_stay_quiet(file: Path) -> None:
    """`promtool test rules` sees each case of the file come out as it says."""
    assert "SUCCESS" in _judge("promtool", "test", "rules", file)


def test_amtool_accepts_the_routes() -> None:
    """`amtool check-config` finds no fault."""
    assert "SUCCESS" in _judge("amtool", "check-config", ALERTMANAGER)


@pytest.mark.parametrize(("severity", "receiver"), [("critical", "page"), ("warning", "ticket")])
def test_severities_are_routed(severity: str, receiver: str) -> None:
    """`critical` goes to whoever is woken, `warning` to whoever reads tickets."""
    answer = _judge("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", f"severity={severity}")
    assert answer.strip() == receiver


@contextlib.contextmanager
def _told() -> Iterator[tuple[str, "queue.SimpleQueue[tuple[str, Any]]"]]:
    """A webhook: its address, and what it was told, as (path, body)."""
    told: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.put((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            """Say nothing: pytest shows what a test prints."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _routes_to(webhook: str, directory: Path) -> Path:
    """The shipped routes, with an address for each receiver, and without waiting for more alerts to group."""
    config = yaml.safe_load(ALERTMANAGER.read_text(encoding="utf-8"))
    config["route"]["group_wait"] = "0s"
    for receiver in config["receivers"]:
        receiver["webhook_configs"] = [{"url": f"{webhook}/{receiver['name']}"}]
    file = directory / "alertmanager.yml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    return file


def test_who_is_told(tmp_path: Path) -> None:
    """What the gateway counts becomes an alert at the receiver of its severity, with its runbook."""
    build.locate("alertmanager")
    with contextlib.ExitStack() as parts:
        webhook, told = parts.enter_context(_told())
        alertmanager = parts.enter_context(processes.start_alertmanager(tmp_path, config=_routes_to(webhook, tmp_path)))
        prometheus = parts.enter_context(
            processes.start_prometheus(tmp_path, scrape={"alertmanager": [alertmanager.address]}, interval="1s")
        )
        # An alert that fires before Prometheus knows Alertmanager is told a minute later.
        processes.wait_until(lambda: _knows_alertmanager(prometheus), "Prometheus knows Alertmanager")
        _push(prometheus)
        expected = {"SpansieveDropping": "/page", "SpansieveReloadFailed": "/ticket"}
        heard: dict[str, tuple[str, Any]] = {}
        while heard.keys() != expected.keys():
            path, message = told.get(timeout=60)
            heard |= {alert["labels"]["alertname"]: (path, alert) for alert in message["alerts"]}
    assert {name: path for name, (path, _) in heard.items()} == expected
    _, dropping = heard["SpansieveDropping"]
    assert dropping["status"] == "firing"
    assert dropping["labels"]["reason"] == "downstream_rejected"
    assert dropping["annotations"]["summary"] == "The gateway drops traces (downstream_rejected)"
    assert dropping["annotations"]["runbook_url"] == "docs/guides/runbooks.md#spansievedropping"


def _knows_alertmanager(prometheus: processes.Prometheus) -> bool:
    answer = httpx.get(f"{prometheus.url}/api/v1/alertmanagers", trust_env=False)
    return bool(answer.json()["data"]["activeAlertmanagers"])


def _push(prometheus: processes.Prometheus) -> None:
    """Items dropped, and a reload that failed, as the gateway tells of them."""
    store = SeriesStore(catalogue.load("spansieve", "telemetry.yaml"))
    store.add("spansieve.dropped.items", ("traces", "downstream_rejected"), 3)
    store.add("spansieve.reloads", ("failed",))
    now = time.time_ns()
    resource = {"service.name": "spansieve", "service.instance.id": "one"}
    request = otlp_metrics.request([store], resource, now - 10**9, now)
    answer = httpx.post(
        f"{prometheus.otlp}/v1/metrics",
        content=request.SerializeToString(),
        headers={"Content-Type": "application/x-protobuf"},
        trust_env=False,
    )
    assert answer.status_code == httpx.codes.OK, answer.text
