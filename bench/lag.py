"""How late the event loop is while 100,000 traces come to wait, and while all of them fall due at once.

They do, since a reload shortens the wait. A probe sends a trace now and then meanwhile, so that the lag is also seen
from outside, as the time to an acknowledgement.
"""

from dataclasses import dataclass

from bench.cell import drive, started
from bench.peers import Peer, Settings
from bench.processes import Talker, wait_until

TRACES = 100_000
_KIND, _SPANS_A_TRACE = "plain", 5
_DECISION_WAIT = 900.0
_PROBE, _PROBE_RATE, _PROBE_SECONDS = "small", 250.0, 8.0
_MOST_SECONDS = 240.0
_LAP = 1
_LIMIT_MIB = 4096

Histogram = dict[float, int]
"""Looks that were late by at most so many seconds, by that bound."""


@dataclass(frozen=True, slots=True)
class Lag:
    """p50 and p99 in ms, as upper bounds of the histogram's buckets; `longest_ms` is infinite beyond the last."""

    traces: int
    filling_p99_ms: float
    deciding_p50_ms: float
    deciding_p99_ms: float
    deciding_longest_ms: float
    probe_p50_ms: float
    probe_p99_ms: float


def measure(peer: Peer, sink: Talker, address: str) -> Lag | None:
    """Fill a peer with traces, and look at it until it has decided them; None for one that has no such histogram."""
    with started(peer, sink, address, decision_wait=_DECISION_WAIT, limit_mib=_LIMIT_MIB) as running:
        lag, books, reload = running.lag, running.books, running.reload
        if lag is None or books is None or reload is None:
            return None
        drive(running, _PROBE, 1.0, first_lap=_LAP)  # warm
        begin = lag()
        drive(running, _KIND, _MOST_SECONDS, spans=TRACES * _SPANS_A_TRACE)
        filled = lag()
        waiting = books()["in_flight"]
        reload(Settings(running.child.log.parent, address, decision_wait=1.0, limit_mib=_LIMIT_MIB))
        due = lag()
        probe = drive(running, _PROBE, _PROBE_SECONDS, rate=_PROBE_RATE, first_lap=_LAP + 1)
        wait_until(lambda: books()["in_flight"] < waiting // 100, "decisions", _MOST_SECONDS, every=1.0)
        deciding = since(lag(), due)
        return Lag(
            traces=waiting // _SPANS_A_TRACE,
            filling_p99_ms=quantile(since(filled, begin), 0.99) * 1000,
            deciding_p50_ms=quantile(deciding, 0.5) * 1000,
            deciding_p99_ms=quantile(deciding, 0.99) * 1000,
            deciding_longest_ms=quantile(deciding, 1.0) * 1000,
            probe_p50_ms=probe["p50_ms"],
            probe_p99_ms=probe["p99_ms"],
        )


def since(now: Histogram, before: Histogram) -> Histogram:
    """What was added to a histogram."""
    return {bound: count - before.get(bound, 0) for bound, count in now.items()}


def quantile(histogram: Histogram, share: float) -> float:
    """The bound of the bucket that this share of all looks is within; 0 when there are none."""
    total = max(histogram.values(), default=0)
    return min((bound for bound, count in histogram.items() if count >= share * total), default=0.0) if total else 0.0
