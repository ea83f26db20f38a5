"""The gateway: spansieve.yaml, as `spansieve run` starts it; with the policy `default`, or with twelve.yaml's rules."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from bench.peers import Running, Settings
from bench.processes import Child, free_address, http_get, wait_until
from spansieve import __version__
from spansieve.redact import policy

CONFIG = Path(__file__).with_suffix(".yaml")
_TWELVE = Path(__file__).with_name("twelve.yaml")
_POLICY = "policy: default"
_WAIT = "${env:BENCH_DECISION_WAIT}"  # set in the file, so that a reload can change it


@dataclass(slots=True)
class Gateway:
    """The gateway; `policy` is the text of a policy file, the shipped `default` when empty."""

    NAME: str
    LEAVES_OUT: str
    policy: str = ""
    DECIDES: bool = True

    def version(self) -> str:
        """Of the package."""
        return __version__

    @contextmanager
    def start(self, settings: Settings) -> Iterator[Running]:
        """Run the gateway."""
        grpc, http, health = (free_address() for _ in range(3))
        file = settings.directory / CONFIG.name

        def write(settings: Settings) -> None:
            text = CONFIG.read_text(encoding="utf-8").replace(_WAIT, f"{settings.decision_wait}s")
            if self.policy:
                named = settings.directory / "policy.yaml"
                named.write_text(self.policy, encoding="utf-8")
                text = text.replace(_POLICY, f"policy: {named}")
            file.write_text(text, encoding="utf-8")

        def reload(settings: Settings) -> None:
            write(settings)
            child.signal(signal.SIGHUP)
            wait_until(
                lambda: 'spansieve_reloads_total{result="ok"}' in http_get(health, "/metrics")[1], "reload", every=0.5
            )

        write(settings)
        extra = {
            "BENCH_GRPC": grpc,
            "BENCH_HTTP": http,
            "BENCH_HEALTH": health,
            "BENCH_SINK": settings.sink,
            "BENCH_BASELINE": str(settings.baseline),
            "BENCH_LIMIT_MIB": str(settings.limit_mib),
            "BENCH_DURABILITY": settings.durability,
            "BENCH_DIRECTORY": str(settings.directory / "data"),
        }
        command: list[str | Path] = [sys.executable, "-m", "spansieve", "run", "--config", file]
        with Child(self.NAME, command, settings.directory, extra) as child:
            child.await_ready(health, "/readyz")
            yield Running(
                child, grpc, http, lambda: _books(health), lambda: _lag(health), lambda: _held(health), reload
            )


DEFAULT = Gateway(
    "spansieve",
    "nothing: policy `default`, LLM metrics, tail sampling; names in free text off; no journal, as with the others, "
    "but where it says fsync",
)


def twelve() -> Gateway:
    """With the rules of the classes that the Collector's twelve patterns know, and no others."""
    return Gateway(
        "spansieve-twelve", "rules of other than nine classes, as the Collector's twelve patterns do", twelve_policy()
    )


@cache
def twelve_policy() -> str:
    """The policy of those rules, as a file."""
    wanted = yaml.safe_load(_TWELVE.read_text(encoding="utf-8"))["rules"]
    shipped = policy.parse(policy.shipped("default"))
    by_name = {rule.name: rule for rule in shipped.rules}
    return policy.render(
        shipped.model_copy(update={"name": "twelve", "rules": tuple(by_name[name] for name in wanted)})
    )


def _books(health: str) -> dict[str, int]:
    """The ledger's lines for traces, from /metrics."""
    books: dict[str, int] = {}
    for line in http_get(health, "/metrics")[1].splitlines():
        name, _, value = line.rpartition(" ")
        if name.startswith("spansieve_") and 'signal="traces"' in name and "_items" in name:
            outcome = name.removeprefix("spansieve_").partition("_items")[0]
            books[outcome] = books.get(outcome, 0) + int(float(value))
    return books


def _lag(health: str) -> dict[float, int]:
    """The histogram of the event loop's lag, from /metrics."""
    lag: dict[float, int] = {}
    for line in http_get(health, "/metrics")[1].splitlines():
        name, _, value = line.rpartition(" ")
        if name.startswith("spansieve_event_loop_lag_seconds_bucket"):
            lag[float(name.partition('le="')[2].partition('"')[0])] = int(float(value))
    return lag


def _held(health: str) -> float:
    """What waits for a decision, from /metrics."""
    for line in http_get(health, "/metrics")[1].splitlines():
        if line.startswith('spansieve_held_bytes{place="buffer"}'):
            return float(line.rpartition(" ")[2])
    return 0.0
