"""Rotel from PyPI, with redaction by a Python processor of ours (processor.py) that takes the Collector's patterns.

Rotel's own redaction processor replaces a whole attribute when a pattern matches in it, so that a prompt would vanish;
this one, written against the same interface, replaces what matched, as the Collector and the gateway do.
"""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peers import Running, Settings, Unavailable, collector, patterns
from bench.peers.environments import python_of
from bench.peers.patterns import Said
from bench.processes import Child, Failed, free_address, pause

_FOLDER = Path(__file__).parent
_START_SECONDS = 20.0


@dataclass(slots=True)
class Rotel:
    """A peer; `said` is what it takes out."""

    NAME: str
    said: Said
    LEAVES_OUT: str = (
        "tail sampling, span metrics, and what the Collector's patterns leave out; it answers before it redacts"
    )
    DECIDES: bool = False

    def version(self) -> str:
        """Of the package on PyPI. Installs it when it is not there."""
        python = python_of(_FOLDER / "requirements.txt")
        done = subprocess.run(  # noqa: S603 - a command of ours
            [python, "-c", "import importlib.metadata as m; print(m.version('rotel'))"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    @contextmanager
    def start(self, settings: Settings) -> Iterator[Running]:
        """Run Rotel's agent."""
        agent = next(
            python_of(_FOLDER / "requirements.txt").parents[1].glob("lib/python3*/site-packages/rotel/rotel-agent")
        )
        grpc, http = free_address(), free_address()
        arguments = {
            "--otlp-grpc-endpoint": grpc,
            "--otlp-http-endpoint": http,
            "--otlp-grpc-max-recv-msg-size-mib": "64",
            "--otlp-with-trace-processor": str(_FOLDER / "processor.py"),
            "--exporter": "otlp",
            "--otlp-exporter-endpoint": f"http://{settings.sink}",
            "--otlp-exporter-protocol": "grpc",
            "--otlp-exporter-compression": "none",
        }
        command: list[str | Path] = [agent, "start", *(word for pair in arguments.items() for word in pair)]
        file = settings.directory / "patterns.json"
        file.write_text(json.dumps({"values": self.said.values, "keys": self.said.keys}), encoding="utf-8")
        extra = {"BENCH_PATTERNS": str(file), "TOKIO_WORKER_THREADS": "1"}
        with Child(self.NAME, command, settings.directory, extra) as child:
            _await_port(child, grpc)
            yield Running(child, grpc, http)


def default() -> Rotel:
    """With the rules of the policy `default`, as far as the Collector can say them."""
    return Rotel("rotel", patterns.joined(patterns.default()))


def twelve() -> Rotel:
    """With the Collector's twelve."""
    return Rotel("rotel-twelve", collector.twelve())


def _await_port(child: Child, address: str) -> None:
    """Rotel has no readiness of its own: the port that answers has to do."""
    host, _, port = address.rpartition(":")
    for _ in range(int(_START_SECONDS / 0.1)):
        try:
            child.check_alive()
        except Failed as error:
            raise Unavailable(str(error)) from None
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            pause(0.1)
        else:
            return
    raise Unavailable(f"not ready within {_START_SECONDS:.0f} s: {child.last_words()}")
