"""What spans cost in memory while they wait for their trace's decision."""

from dataclasses import dataclass

from bench.cell import drive, settle, started
from bench.peers import Peer
from bench.processes import Talker, resident_bytes
from bench.traffic import LAPS

SPANS = 100_000
_KIND = "chat"
_DECISION_WAIT = 900.0
_SECONDS = 180.0
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Waiting:
    """Resident memory when idle, with `spans` waiting, and with as many again; and the bytes of the latter as received.

    What a gateway remembers within bounds fills mostly with the first: what waiting takes is the growth by the second.
    `account_mib` is by how much it has grown by its own account of what waits, if it gives one.
    """

    spans: int
    received_mib: float
    idle_mib: float
    first_mib: float
    waiting_mib: float
    account_mib: float | None = None


def measure(peer: Peer, sink: Talker, address: str) -> Waiting:
    """Fill a peer that decides nothing for a quarter of an hour."""
    with started(peer, sink, address, decision_wait=_DECISION_WAIT) as running:
        idle = resident_bytes(running.child.pid)
        drive(running, _KIND, _SECONDS, spans=SPANS)
        settle(running)
        first = resident_bytes(running.child.pid)
        held = running.held() if running.held is not None else None
        result = drive(running, _KIND, _SECONDS, spans=SPANS, first_lap=LAPS // 2)
        settle(running)
        waiting = resident_bytes(running.child.pid)
        account = (running.held() - held) / _MIB if running.held is not None and held is not None else None
        return Waiting(result["spans"], result["bytes"] / _MIB, idle / _MIB, first / _MIB, waiting / _MIB, account)
