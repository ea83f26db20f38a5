"""The stock Collector with collector.yaml, on one processor (GOMAXPROCS=1): with twelve patterns, or all of ours."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from tests.e2e.parts import build

from bench.peers import Running, Settings, Unavailable, patterns
from bench.peers.patterns import Said
from bench.processes import Child, free_address

_LEAVES_OUT = (
    "; JSON inside strings; status messages, span names and resource attributes' keys; tokens, cost and time to first "
    "token (span metrics count calls and durations)"
)
CONFIG = Path(__file__).with_suffix(".yaml")


@dataclass(slots=True)
class Collector:
    """A peer; `said` is what it takes out, that of its file when not given."""

    NAME: str
    LEAVES_OUT: str
    said: Said | None = None
    DECIDES: bool = True

    def version(self) -> str:
        """Of the Collector that is built, or found. Builds it when there is none."""
        return "otelcol " + _version_of(_binary())

    @contextmanager
    def start(self, settings: Settings) -> Iterator[Running]:
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
        file = settings.directory / CONFIG.name
        file.write_text(configuration(self.said), encoding="utf-8")
        with Child(self.NAME, [_binary(), "--config", file], settings.directory, extra) as child:
            child.await_ready(health, "/")
            yield Running(child, grpc, http)


def is_built() -> bool:
    """Whether it can be had without building."""
    return any(build.cache().glob("otelcol-*/otelcol"))


def configuration(said: Said | None) -> str:
    """The file, with these patterns in place of its own."""
    text = CONFIG.read_text(encoding="utf-8")
    if said is None:
        return text
    tree: Any = yaml.safe_load(text)
    redaction = tree["processors"]["redaction"]
    redaction["blocked_values"] = [_unexpanded(pattern) for pattern in said.values]
    redaction["blocked_key_patterns"] = [_unexpanded(pattern) for pattern in said.keys]
    written: str = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=1000)
    return written


@cache
def twelve() -> Said:
    """The patterns of the file, for peers that can do no better."""
    redaction: Any = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["processors"]["redaction"]
    return Said(tuple(redaction["blocked_values"]), tuple(redaction["blocked_key_patterns"]), {})


def default() -> Collector:
    """With the rules of the policy `default`, as far as they can be said."""
    return Collector(
        "collector", "checksums, context of what needs it, and what bench/peers/default.yaml says" + _LEAVES_OUT,
        patterns.default(),
    )  # fmt: skip


TWELVE = Collector("collector-twelve", "all but nine classes; checksums and context of those" + _LEAVES_OUT)


def _unexpanded(pattern: str) -> str:
    """For a file in which a dollar sign begins the name of a variable."""
    return pattern.replace("$", "$$")


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
