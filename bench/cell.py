"""One measurement: a peer, a load, a sink, and the CPU time that the peer took for it."""

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bench.peers import Peer, Running, Settings
from bench.processes import Talker, cpu_seconds, pause, resident_bytes, talker
from bench.traffic import LAPS

SENDERS = 4
_WARM_UP_SECONDS = 0.7
_LOOK_SECONDS = 0.3
_QUIET_SHARE = 0.04  # of a core: below it a peer is done with what it was sent
_MOST_LOOKS = 100
_DEADLINE = 120.0  # a peer that takes a second for a span takes minutes for what stands in four requests
_WARM_UP_LAP, _LAP = 0, LAPS // 4
_DECISION_WAIT = 1.0
_LAST_LOOK = 1.0  # the Collector looks once a second for what is due


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of it. `cpu_s` is the peer's, from the first request until all that was decided is exported."""

    peer: str
    kind: str
    spans: int
    bytes: int
    requests: int
    cpu_s: float
    elapsed_s: float
    p50_ms: float
    p99_ms: float
    refused: dict[str, int] = field(default_factory=dict)
    arrived: int = 0

    @property
    def us_per_span(self) -> float:
        """µs of CPU."""
        return self.cpu_s / max(1, self.spans) * 1e6

    @property
    def spans_per_cpu_s(self) -> float:
        """Spans for each second of CPU."""
        return self.spans / self.cpu_s if self.cpu_s else 0.0

    @property
    def mb_per_cpu_s(self) -> float:
        """MB for each second of CPU."""
        return self.bytes / self.cpu_s / 1e6 if self.cpu_s else 0.0


@contextlib.contextmanager
def started(peer: Peer, sink: Talker, address: str, **settings: Any) -> Iterator[Running]:  # noqa: ANN401 - of Settings
    """Run a peer in a directory of its own, and begin with an empty sink."""
    with tempfile.TemporaryDirectory(prefix=f"bench-{peer.NAME}-") as directory:
        sink.ask(reset=True, delay=0, search="")
        with peer.start(Settings(directory=Path(directory), sink=address, **settings)) as running:
            yield running


def drive(running: Running, kind: str, seconds: float, **arguments: object) -> dict[str, Any]:
    """Send a load in a process of its own, and return its result."""
    protocol = arguments.get("protocol", "grpc")
    words = {
        "endpoint": running.http if protocol == "http" else running.grpc,
        "kind": kind,
        "seconds": seconds,
        "senders": SENDERS,
        "first_lap": _LAP,
        **arguments,
    }
    options = [word for name, value in words.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    with talker("bench.drive", options, running.child.log.parent) as driver:
        return driver.listen()


def measure(peer: Peer, kind: str, sink: Talker, address: str, seconds: float, protocol: str = "grpc") -> Cell:
    """Drive a peer as fast as it answers, and count the CPU time until it is quiet again."""
    with started(peer, sink, address, decision_wait=_DECISION_WAIT) as running:
        wait = _DECISION_WAIT if peer.DECIDES else -_LAST_LOOK
        drive(running, kind, _WARM_UP_SECONDS, protocol=protocol, first_lap=_WARM_UP_LAP, deadline=_DEADLINE)
        settle(running, wait)
        arrived = sink.ask()["spans"]
        before = cpu_seconds(running.child.pid)
        result = drive(running, kind, seconds, protocol=protocol, deadline=_DEADLINE)
        settle(running, wait)
        return Cell(
            peer=peer.NAME,
            kind=kind,
            spans=result["spans"],
            bytes=result["bytes"],
            requests=result["requests"],
            cpu_s=cpu_seconds(running.child.pid) - before,
            elapsed_s=result["elapsed_s"],
            p50_ms=result["p50_ms"],
            p99_ms=result["p99_ms"],
            refused=result["refused"],
            arrived=sink.ask()["spans"] - arrived,
        )


def settle(running: Running, decision_wait: float = _DECISION_WAIT) -> None:
    """Wait until the last decision has been made and its spans are gone: the peer hardly takes CPU time any more."""
    pause(decision_wait + _LAST_LOOK)
    quiet = 0
    before = cpu_seconds(running.child.pid)
    for _ in range(_MOST_LOOKS):
        pause(_LOOK_SECONDS)
        now = cpu_seconds(running.child.pid)
        quiet = quiet + 1 if now - before <= _QUIET_SHARE * _LOOK_SECONDS else 0
        if quiet == 2:
            return
        before = now


class MemoryWatch:
    """Looks at a process's resident memory now and then; a context manager."""

    def __init__(self, pid: int, every: float = 0.25) -> None:
        self.samples: list[int] = []
        self._pid = pid
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self.samples.append(resident_bytes(self._pid))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
