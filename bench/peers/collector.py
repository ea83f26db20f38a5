"""The stock Collector with collector.yaml, on one processor (GOMAXPROCS=1)."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from tests.e2e.parts import build

from bench.peers import Running, Settings, Unavailable
from bench.processes import Child, free_address

NAME = "collector"
LEAVES_OUT = (
    "checksums and context of what it takes for personal; JSON inside strings; status messages, span names and "
    "resource attributes' keys; tokens, cost and time to first token (span metrics count calls and durations)"
)
DECIDES = True
CONFIG = Path(__file__).with_suffix(".yaml")


def version() -> str:
    """Of the Collector that is built, or found. Builds it when there is none."""
    return "otelcol " + _version_of(_binary())


def is_built() -> bool:
    """Whether it can be had without building."""
    return any(build.cache().glob("otelcol-*/otelcol"))


@contextmanager
def start(settings: Settings) -> Iterator[Running]:
    """Run the Collector."""
    grpc, http, health = (free_address() for _ in range(3))
    extra = {
        "GOMAXPROCS": "1",
        "BENCH_GRPC": grpc,
        "BENCH_HTTP": http,
        "BENCH_HEALTH": health,
        "BENCH_SINK": settings.sink,
        "BENCH_DECISION_WAIT": f"{settings.decision_wait}s",
        "BENCH_BASELINE": str(settings.baseline),
        "BENCH_LIMIT_MIB": str(settings.limit_mib),
    }
    with Child(NAME, [_binary(), "--config", CONFIG], settings.directory, extra) as child:
        child.await_ready(health, "/")
        yield Running(child, grpc, http)


def patterns() -> list[str]:
    """What the redaction processor takes out, for peers that can do no better."""
    tree: Any = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    found: list[str] = tree["processors"]["redaction"]["blocked_values"]
    return found


def _binary() -> Path:
    try:
        return build.locate("otelcol")
    except (build.MissingToolchain, build.BuildFailed) as error:
        raise Unavailable(str(error).splitlines()[0]) from None


def _version_of(binary: Path) -> str:
    done = subprocess.run([binary, "components"], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - a command of ours
    return next(
        (line.rpartition(" v")[2] for line in done.stdout.splitlines() if "receiver/otlpreceiver v" in line), "unknown"
    )
