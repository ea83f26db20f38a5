"""More than can be sustained: it has to end in refusals that say when to come back, in flat memory, and in no loss.

Causes, one after the other in a run of each: the peer gets `_TIMES` what it can take (**load**), the same in requests
of one trace (**small**), and what it sends to takes next to nothing for a while (**downstream**). In each all traces
are kept, so that every span that was answered OK has to arrive at the sink.
"""

from dataclasses import dataclass
from typing import Any

from bench.cell import MemoryWatch, drive, settle, started
from bench.peers import Peer
from bench.processes import Talker, pause

CAUSES = {"load": "chat", "small": "small", "downstream": "chat"}
"""What is sent, by cause."""
_TIMES = 3
_LIMIT_MIB = 48
_SECONDS = 12.0
_STUCK_SECONDS = 8.0  # an answer of the sink so late that the exporter's deadline passes
_MANY_SENDERS = 32
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Overload:
    """What came of it. `refused` by code; `unsure` are spans whose sender saw no answer, and that may have arrived."""

    peer: str
    cause: str
    accepted: int
    arrived: int
    refused: dict[str, int]
    refused_with_retry: int
    unsure: int
    idle_mib: float
    half_mib: float
    most_mib: float

    @property
    def lost(self) -> int:
        """Spans that were answered OK and did not arrive."""
        return max(0, self.accepted - self.arrived)


def measure(peer: Peer, cause: str, sustained: float, sink: Talker, address: str) -> Overload:
    """Overload a peer that sustains so many spans a second of what is sent, on a core."""
    kind = CAUSES[cause]
    with started(peer, sink, address, decision_wait=1.0, baseline=100, limit_mib=_LIMIT_MIB) as running:
        drive(running, kind, 1.0, first_lap=1)
        settle(running)
        before = sink.ask(delay=_STUCK_SECONDS if cause == "downstream" else 0)["distinct"]
        with MemoryWatch(running.child.pid) as memory:
            pause(0.5)
            idle = max(memory.samples)
            options: dict[str, Any] = {"senders": _MANY_SENDERS}
            if cause != "downstream":
                options["rate"] = sustained * _TIMES
            result = drive(running, kind, _SECONDS, **options)
            half, most = max(memory.samples[: len(memory.samples) // 2]), max(memory.samples)
        sink.ask(delay=0)
        settle(running, 12.0 if cause == "downstream" else 2.0)
        found = sink.ask()
        return Overload(
            peer=peer.NAME,
            cause=cause,
            accepted=result["spans"],
            arrived=found["distinct"] - before,
            refused=result["refused"],
            refused_with_retry=result["refused_with_retry"],
            unsure=result["unanswered_spans"],
            idle_mib=idle / _MIB,
            half_mib=half / _MIB,
            most_mib=most / _MIB,
        )
