"""The gateway: spansieve.yaml, as `spansieve run` starts it."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.peers import Running, Settings
from bench.processes import Child, free_address, http_get
from spansieve import __version__

NAME = "spansieve"
LEAVES_OUT = (
    "nothing: policy `default`, LLM metrics, tail sampling; names in free text off; no journal, as with the others, "
    "but where it says fsync"
)
DECIDES = True
CONFIG = Path(__file__).with_suffix(".yaml")


def version() -> str:
    """Of the package."""
    return __version__


@contextmanager
def start(settings: Settings) -> Iterator[Running]:
    """Run the gateway."""
    grpc, http, health = (free_address() for _ in range(3))
    extra = {
        "BENCH_GRPC": grpc,
        "BENCH_HTTP": http,
        "BENCH_HEALTH": health,
        "BENCH_SINK": settings.sink,
        "BENCH_DECISION_WAIT": f"{settings.decision_wait}s",
        "BENCH_BASELINE": str(settings.baseline),
        "BENCH_LIMIT_MIB": str(settings.limit_mib),
        "BENCH_DURABILITY": settings.durability,
        "BENCH_DIRECTORY": str(settings.directory / "data"),
    }
    command: list[str | Path] = [sys.executable, "-m", "spansieve", "run", "--config", CONFIG]
    with Child(NAME, command, settings.directory, extra) as child:
        child.await_ready(health, "/readyz")
        yield Running(child, grpc, http, lambda: _books(health))


def _books(health: str) -> dict[str, int]:
    """The ledger's lines for traces, from /metrics."""
    books: dict[str, int] = {}
    for line in http_get(health, "/metrics")[1].splitlines():
        name, _, value = line.rpartition(" ")
        if name.startswith("spansieve_") and 'signal="traces"' in name and "_items" in name:
            outcome = name.removeprefix("spansieve_").partition("_items")[0]
            books[outcome] = books.get(outcome, 0) + int(float(value))
    return books


def final_books(log: Path) -> dict[str, Any]:
    """What the gateway wrote when it had stopped: `balanced`, and the ledger of traces."""
    for line in reversed(log.read_text(encoding="utf-8").splitlines()):
        if '"stopped"' in line:
            stopped: dict[str, Any] = json.loads(line)
            return {"balanced": stopped["balanced"], **stopped["ledger"]["traces"]}
    return {}
