"""How much of what was planted a peer takes out, and how much it leaves that only looks like it.

Every trace is kept, so that each value planted is either still in what the sink got, or was taken out.
"""

from dataclasses import dataclass
from typing import Any

from bench.cell import drive, settle, started
from bench.peers import Peer
from bench.processes import Talker
from bench.traffic import load

_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of personal values that is gone, in all and by kind, and of look-alikes that are left."""

    personal: float
    look_alikes: float
    by_kind: dict[str, float]
    values: int
    benign: int


def of_counts(there: dict[str, int], of: dict[str, int]) -> Recall:
    """From what a search found: `there` of `of` values, under names such as `personal email` and `benign uuid`."""
    personal = [name for name in of if name.startswith("personal ")]
    benign = [name for name in of if name.startswith("benign ")]
    by_kind = {name.partition(" ")[2]: 1 - there[name] / of[name] for name in personal}
    by_kind |= {name.partition(" ")[2]: there[name] / of[name] for name in benign}
    values = sum(of[name] for name in personal)
    return Recall(
        personal=1 - sum(there[name] for name in personal) / max(1, values),
        look_alikes=sum(there[name] for name in benign) / max(1, sum(of[name] for name in benign)),
        by_kind=by_kind,
        values=values,
        benign=sum(of[name] for name in benign),
    )


def measure(peer: Peer, kind: str, sink: Talker, address: str, spans: int = 0) -> Recall:
    """Send a recording once (or its first `spans`), and search what arrives."""
    with started(peer, sink, address, decision_wait=1.0, baseline=100) as running:
        sink.ask(search=kind)
        result: dict[str, Any] = drive(running, kind, _SECONDS, spans=spans or load(kind).total_spans)
        settle(running)
        found = sink.ask(search="")
        if found["distinct"] != result["spans"]:
            raise AssertionError(f"{peer.NAME}: {result['spans']} spans were accepted, {found['distinct']} arrived")
        return of_counts(found["there"], found["of"])
