"""Starts the real Collector, Tempo and Prometheus on loopback, with the very files that a deployment uses.

Every `start_*` takes free ports, writes under the directory it is given, and returns once the part says that it is
ready. What it returns is a context manager, so that an ExitStack stops the parts in reverse:

    with contextlib.ExitStack() as parts:
        tempo = parts.enter_context(start_tempo(directory))
        prometheus = parts.enter_context(start_prometheus(directory))
        backend = parts.enter_context(start_backend(directory, tempo, prometheus))
        ... send to backend.otlp_grpc ...

A part that does not get ready, or ends by itself, raises PartFailed with the end of its log.
"""

import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from e2e.parts import build

PROJECT = Path(__file__).parents[3]
COLLECTOR_CONFIG = PROJECT / "collector-config"
STACK = PROJECT / "stack"

_HOST = "127.0.0.1"
_READY_WITHIN = 60.0
_STOPPED_WITHIN = 20.0
# Tempo 2.6 does not end once it was asked for a trace: its query queue waits for a clean-up that has been stopped.
# Nothing is lost by the kill that follows, since it writes what it accepted to its write-ahead log.
_TEMPO_STOPPED_WITHIN = 2.0
_POLL_EVERY = 0.05
_LOG_LINES = 25

# Below Linux' range for outgoing connections (32768 and up), so that none takes the port between our look and the
# part's bind; each process begins elsewhere, so that two test runs seldom meet.
_PORTS = itertools.cycle(range(20_000, 32_000))
for _ in range(random.Random(os.getpid()).randrange(12_000)):
    next(_PORTS)
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class PartFailed(Exception):
    """A part ended or did not get ready in time. The message holds the end of its log."""


@dataclass(kw_only=True)
class Process:
    """A part that runs. `stop` before its directory is removed."""

    name: str
    directory: Path
    popen: subprocess.Popen[bytes] = field(repr=False)
    patience: float = _STOPPED_WITHIN
    """Seconds that it is given to end."""

    @property
    def log(self) -> Path:
        """What it wrote to standard output and standard error."""
        return self.directory / f"{self.name}.log"

    def stop(self) -> int:
        """Ask it to end (SIGTERM), insist when patience ends (SIGKILL); its exit code, negative for a signal."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(self.patience)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.popen.returncode

    def kill(self) -> None:
        """End it without asking, as a crash does."""
        self.popen.kill()
        self.popen.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@dataclass(kw_only=True)
class Collector(Process):
    """A Collector. Addresses are host:port; empty where its configuration does not listen."""

    otlp_grpc: str = ""
    otlp_http: str = ""
    health: str
    metrics: str
    """Where it serves its own metrics, under /metrics."""


@dataclass(kw_only=True)
class Tempo(Process):
    """Tempo: `otlp_grpc` is host:port, `url` the base of its HTTP API. Its data are under `data`."""

    otlp_grpc: str
    url: str
    data: Path


@dataclass(kw_only=True)
class Alertmanager(Process):
    """Alertmanager: `address` is host:port of its HTTP API."""

    address: str


@dataclass(kw_only=True)
class Prometheus(Process):
    """Prometheus: `url` is the base of its HTTP API, `otlp` that of its OTLP receiver. Its data are under `data`."""

    url: str
    otlp: str
    data: Path


def free_address() -> str:
    """A host:port on loopback that nothing listens at."""
    for port in _PORTS:
        with socket.socket() as probe:
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            return f"{_HOST}:{port}"
    raise AssertionError("unreachable: the cycle has no end")


def wait_until(condition: Callable[[], bool], what: str, within: float = _READY_WITHIN) -> None:
    """Return as soon as `condition()` is true; TimeoutError, naming `what`, after `within` seconds."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:.0f} s: {what}")
        pause.wait(_POLL_EVERY)


def http_status(url: str) -> int:
    """Status of a GET; 0 when nothing answers."""
    try:
        with _NO_PROXY.open(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def start_collector(
    config_files: Sequence[Path],
    env: Mapping[str, str],
    *,
    directory: Path,
    health: str,
    name: str = "collector",
    otlp_grpc: str = "",
    otlp_http: str = "",
) -> Collector:
    """A Collector with the given files (later ones overlay earlier ones) and environment variables.

    `health` is the host:port at which those files put the health_check extension. `start_backend`, `start_agent`,
    `start_tls` and `start_loadbalancing` do this for the files of collector-config/.
    """
    metrics = free_address()
    metrics_host, metrics_port = metrics.split(":")
    popen = _start(
        name,
        directory,
        [build.locate("otelcol"), *(f"--config={file}" for file in config_files)],
        {"COLLECTOR_METRICS_HOST": metrics_host, "COLLECTOR_METRICS_PORT": metrics_port, **env},
    )
    collector = Collector(
        name=name,
        directory=directory,
        popen=popen,
        otlp_grpc=otlp_grpc,
        otlp_http=otlp_http,
        health=health,
        metrics=metrics,
    )
    _await_ready(collector, f"http://{health}/")
    return collector


def start_backend(
    directory: Path, tempo: Tempo, prometheus: Prometheus, *, overlays: Sequence[Path] = (), name: str = "backend"
) -> Collector:
    """The Collector behind the gateway: collector-config/backend.yaml, with `overlays` after it."""
    otlp, health = free_address(), free_address()
    return start_collector(
        [COLLECTOR_CONFIG / "backend.yaml", *overlays],
        {
            "BACKEND_OTLP_GRPC_ENDPOINT": otlp,
            "BACKEND_HEALTH_ENDPOINT": health,
            "TEMPO_OTLP_ENDPOINT": tempo.otlp_grpc,
            "PROMETHEUS_OTLP_ENDPOINT": prometheus.otlp,
        },
        directory=directory,
        health=health,
        name=name,
        otlp_grpc=otlp,
    )


def start_agent(directory: Path, gateway: str, *, overlays: Sequence[Path] = (), name: str = "agent") -> Collector:
    """The Collector beside the applications: collector-config/agent.yaml, sending to `gateway` (its OTLP/gRPC)."""
    grpc, http, health = free_address(), free_address(), free_address()
    return start_collector(
        [COLLECTOR_CONFIG / "agent.yaml", *overlays],
        {
            "AGENT_OTLP_GRPC_ENDPOINT": grpc,
            "AGENT_OTLP_HTTP_ENDPOINT": http,
            "AGENT_HEALTH_ENDPOINT": health,
            "SPANSIEVE_OTLP_ENDPOINT": gateway,
        },
        directory=directory,
        health=health,
        name=name,
        otlp_grpc=grpc,
        otlp_http=http,
    )


def start_tls(directory: Path, gateway: str, certificates: Path, *, name: str = "tls") -> Collector:
    """The Collector that takes TLS for a gateway: collector-config/tls.yaml, with the server.pem of `certificates`.

    It asks senders for a certificate of the authority ca.pem.
    """
    grpc, http, health = free_address(), free_address(), free_address()
    return start_collector(
        [COLLECTOR_CONFIG / "tls.yaml"],
        {
            "TLS_OTLP_GRPC_ENDPOINT": grpc,
            "TLS_OTLP_HTTP_ENDPOINT": http,
            "TLS_HEALTH_ENDPOINT": health,
            "TLS_CERT_FILE": str(certificates / "server.pem"),
            "TLS_KEY_FILE": str(certificates / "server-key.pem"),
            "TLS_CLIENT_CA_FILE": str(certificates / "ca.pem"),
            "SPANSIEVE_OTLP_ENDPOINT": gateway,
        },
        directory=directory,
        health=health,
        name=name,
        otlp_grpc=grpc,
        otlp_http=http,
    )


def start_loadbalancing(directory: Path, gateways: Sequence[str], *, name: str = "loadbalancing") -> Collector:
    """The tier in front of several gateways: collector-config/loadbalancing.yaml.

    That file asks the DNS for the gateways; on one machine they differ by port, which the DNS does not tell, so an
    overlay lists them.
    """
    grpc, http, health = free_address(), free_address(), free_address()
    directory.mkdir(parents=True, exist_ok=True)
    overlay = directory / f"{name}-gateways.yaml"
    overlay.write_text(  # JSON is YAML
        json.dumps(
            {"exporters": {"load_balancing": {"resolver": {"dns": None, "static": {"hostnames": list(gateways)}}}}}
        ),
        encoding="utf-8",
    )
    return start_collector(
        [COLLECTOR_CONFIG / "loadbalancing.yaml", overlay],
        {
            "LOADBALANCING_OTLP_GRPC_ENDPOINT": grpc,
            "LOADBALANCING_OTLP_HTTP_ENDPOINT": http,
            "LOADBALANCING_HEALTH_ENDPOINT": health,
            "SPANSIEVE_OTLP_ENDPOINT": gateways[0],
        },
        directory=directory,
        health=health,
        name=name,
        otlp_grpc=grpc,
        otlp_http=http,
    )


def start_tempo(directory: Path, *, name: str = "tempo") -> Tempo:
    """Tempo with stack/tempo/tempo.yaml; a trace can be asked for as soon as it was accepted."""
    http, grpc, otlp = free_address(), free_address(), free_address()
    data = directory / f"{name}-data"
    popen = _start(
        name,
        directory,
        [build.locate("tempo"), f"-config.file={STACK / 'tempo' / 'tempo.yaml'}", "-config.expand-env=true"],
        {
            "TEMPO_LISTEN_ADDRESS": _HOST,
            "TEMPO_HTTP_PORT": http.rpartition(":")[2],
            "TEMPO_GRPC_PORT": grpc.rpartition(":")[2],
            "TEMPO_OTLP_GRPC_ENDPOINT": otlp,
            "TEMPO_DIRECTORY": str(data),
        },
    )
    tempo = Tempo(
        name=name,
        directory=directory,
        popen=popen,
        patience=_TEMPO_STOPPED_WITHIN,
        otlp_grpc=otlp,
        url=f"http://{http}",
        data=data,
    )
    _await_ready(tempo, f"{tempo.url}/ready")
    return tempo


def start_prometheus(
    directory: Path,
    *,
    scrape: Mapping[str, Sequence[str]] | None = None,
    interval: str | None = None,
    name: str = "prometheus",
) -> Prometheus:
    """Prometheus with stack/prometheus/prometheus.yml, its rules, and its OTLP receiver on.

    `scrape` gives the addresses of each scrape job, and of `alertmanager`; by default there are none, as a native run
    has its own. `interval` is for those who cannot wait: scrapes and evaluations happen that often instead.
    """
    address = free_address()
    home = directory / name
    (home / "targets").mkdir(parents=True)
    (home / "rules").mkdir()
    source = STACK / "prometheus"
    for file in (source / "prometheus.yml", *sorted((source / "rules").glob("*.yml"))):
        text = file.read_text(encoding="utf-8")
        if interval:
            text = re.sub(r"^( *(?:\w+_)?interval:) \w+$", rf"\1 {interval}", text, flags=re.MULTILINE)
        (home / file.relative_to(source)).write_text(text, encoding="utf-8")
    for job, targets in (scrape or {}).items():
        (home / "targets" / f"{job}.yml").write_text(json.dumps([{"targets": list(targets)}]), encoding="utf-8")
    popen = _start(
        name,
        directory,
        [
            build.locate("prometheus"),
            f"--config.file={home / 'prometheus.yml'}",
            f"--storage.tsdb.path={home / 'data'}",
            f"--web.listen-address={address}",
            *prometheus_flags(),
        ],
        {},
    )
    prometheus = Prometheus(
        name=name,
        directory=directory,
        popen=popen,
        url=f"http://{address}",
        otlp=f"http://{address}/api/v1/otlp",
        data=home / "data",
    )
    _await_ready(prometheus, f"{prometheus.url}/-/ready")
    return prometheus


def start_alertmanager(directory: Path, *, config: Path, name: str = "alertmanager") -> Alertmanager:
    """Alertmanager with a file of the shape of stack/alertmanager/alertmanager.yml; it is alone."""
    address = free_address()
    popen = _start(
        name,
        directory,
        [
            build.locate("alertmanager"),
            f"--config.file={config}",
            f"--storage.path={directory / f'{name}-data'}",
            f"--web.listen-address={address}",
            *alertmanager_flags(),
        ],
        {},
    )
    alertmanager = Alertmanager(name=name, directory=directory, popen=popen, address=address)
    _await_ready(alertmanager, f"http://{address}/-/ready")
    return alertmanager


def alertmanager_flags() -> tuple[str, ...]:
    """What alertmanager.yml cannot say and the stack needs: it is alone, so it listens for no peers."""
    return ("--cluster.listen-address=",)


def prometheus_flags() -> tuple[str, ...]:
    """What prometheus.yml cannot say and the stack needs; docker-compose.yml gives the same."""
    return ("--web.enable-otlp-receiver", "--enable-feature=exemplar-storage")


def _start(
    name: str, directory: Path, command: Sequence[str | Path], env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    directory.mkdir(parents=True, exist_ok=True)
    inherited = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    with (directory / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [str(word) for word in command], env={**inherited, **env}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def _await_ready(part: Process, url: str) -> None:
    def ready() -> bool:
        return part.popen.poll() is not None or http_status(url) == 200

    try:
        wait_until(ready, f"{part.name} ready")
        ended = part.popen.poll()
        why = f"{part.name} ended with {ended}" if ended is not None else ""
    except TimeoutError as error:
        why = str(error)
    if why:
        part.stop()
        lines = part.log.read_text(encoding="utf-8", errors="replace").splitlines()
        raise PartFailed("\n".join([f"{why}; the end of {part.log}:", *lines[-_LOG_LINES:]]))
