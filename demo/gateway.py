"""A gateway as a process of its own: started, watched through its telemetry endpoint, stopped as an operator would."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from prometheus_client.parser import text_string_to_metric_families

from demo.children import interruptions_held

_READY_SECONDS = 60.0  # of a machine that is busy with other things
_STOP_SECONDS = 30.0  # what the gateway promises for SIGTERM
_POLL_SECONDS = 0.05
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


class GatewayFailed(Exception):
    """The gateway did not start, died, or did not stop in time; the message says what it logged last."""


class Samples:
    """One scrape of /metrics."""

    def __init__(self, text: str) -> None:
        self._samples = [s for family in text_string_to_metric_families(text) for s in family.samples]

    def total(self, name: str, **labels: str) -> float:
        """The sum of the series of this name that have these labels; 0 when there are none."""
        return sum(
            sample.value for sample in self._samples if sample.name == name and labels.items() <= sample.labels.items()
        )

    def by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """As `total`, for each value of one label; a series without it counts under the empty text."""
        sums: dict[str, float] = {}
        for sample in self._samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                value = sample.labels.get(label, "")
                sums[value] = sums.get(value, 0) + sample.value
        return sums


class Gateway:
    """`spansieve run` with a configuration of its own in a directory of its own; a context manager that cleans up.

    `settings` are the configuration's keys but for the endpoints, which are free ports of loopback.
    """

    def __init__(self, directory: Path, settings: Mapping[str, Any]) -> None:
        self.directory = directory
        self.log_file = directory / "gateway.log"
        self.config_file = directory / "gateway.yaml"
        grpc, http, telemetry = free_ports(3)
        self.grpc = f"http://127.0.0.1:{grpc}"
        self.http = f"http://127.0.0.1:{http}"
        self.telemetry = f"http://127.0.0.1:{telemetry}"
        protocols = {"grpc": {"endpoint": f"127.0.0.1:{grpc}"}, "http": {"endpoint": f"127.0.0.1:{http}"}}
        own_telemetry = {"metrics": {"endpoint": f"127.0.0.1:{telemetry}", "push_interval": "500ms"}}
        config = {
            "receivers": {"otlp": {"protocols": protocols}},
            "storage": {"directory": str(directory / "data")},
            "telemetry": own_telemetry,
            **settings,
        }
        self.config_file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:  # Ctrl-C too: a process that was started is not left behind
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End the process, if there is one, without asking it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running().pid

    def start(self) -> None:
        """Start, and return once /readyz says so. Raises GatewayFailed when that does not happen."""
        with self.log_file.open("ab") as log, interruptions_held():
            self._process = subprocess.Popen(
                [sys.executable, "-m", "spansieve", "run", "--config", str(self.config_file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,  # Ctrl-C is for us: we stop the gateway in our own order
                env=environment(),
            )
        deadline = time.monotonic() + _READY_SECONDS
        pause = threading.Event()
        while not self._is_ready():
            if self._process.poll() is not None:
                raise GatewayFailed(
                    f"The gateway ended with exit code {self._process.returncode}: {self._last_words()}"
                )
            if time.monotonic() > deadline:
                raise GatewayFailed(f"The gateway was not ready within {_READY_SECONDS:.0f} s: {self._last_words()}")
            pause.wait(_POLL_SECONDS)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._running().send_signal(signal.SIGTERM)

    def wait(self, seconds: float = _STOP_SECONDS) -> int:
        """The exit code, once the process has ended. Raises GatewayFailed when it takes longer than `seconds`."""
        try:
            return self._running().wait(seconds)
        except subprocess.TimeoutExpired:
            raise GatewayFailed(f"The gateway had not stopped {seconds:.0f} s after SIGTERM.") from None

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.terminate()
        return self.wait()

    def metrics_text(self) -> str:
        """What /metrics says."""
        with _OPENER.open(f"{self.telemetry}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def metrics(self) -> Samples:
        """What /metrics says, parsed."""
        return Samples(self.metrics_text())

    def log(self) -> Iterator[dict[str, Any]]:
        """The JSON lines of the log so far; lines that are not JSON are shown as `{"event": line}`."""
        for line in self.log_file.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                yield {"event": line}

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise GatewayFailed("The gateway has not been started.")
        return self._process

    def _is_ready(self) -> bool:
        try:
            with _OPENER.open(f"{self.telemetry}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _last_words(self) -> str:
        lines = self.log_file.read_text(encoding="utf-8").splitlines()
        return " / ".join(lines[-5:]) or "it wrote nothing"


def environment() -> dict[str, str]:
    """Our own environment for a child that talks on loopback: without OTEL_* of the user's, and past any proxy."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return {**inherited, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now; all different.

    They are below those that Linux gives to outgoing connections (32768 and up), so that none of these takes one before
    the gateway does.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(range(20_000, 32_000), 2_000):
        if len(found) == count:
            return found
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        found.append(port)
    raise GatewayFailed("No free port was found on 127.0.0.1.")
