"""What an answer takes by the spans of a request: the gateway with a journal on the disk, at half of what it sustains.

An application chooses the size, as `max_export_batch_size` of its batch processor. What the gateway sustains is taken
from the CPU time of as many requests as it answers in a closed loop, so that it is for one core whoever else runs.
"""

from collections.abc import Sequence
from typing import Any

from bench.cell import drive, settle, started
from bench.peers import Peer
from bench.processes import Talker, cpu_seconds
from bench.traffic import load

KIND = "chat"
SIZES = (5, 25, 50, 100, 200, 0)
"""Spans a request; 0 is as recorded."""
REQUESTS = 500
"""Of which a 99th percentile is taken, and so the fifth longest."""
_SUSTAIN_SECONDS, _WARM_SECONDS = 2.0, 1.0
_LEAST_SECONDS, _MOST_SECONDS = 3.0, 60.0
AIM_MS = 25.0


def measure(peer: Peer, sink: Talker, address: str, sizes: Sequence[int] = SIZES) -> list[dict[str, Any]]:
    """A row for each size."""
    rows: list[dict[str, Any]] = []
    with started(peer, sink, address, decision_wait=1.0, durability="fsync") as running:
        drive(running, KIND, _WARM_SECONDS, first_lap=1)
        settle(running)
        for number, size in enumerate(sizes):
            lap = 20 * (number + 1)
            options = {"spans_a_request": size} if size else {}
            before = cpu_seconds(running.child.pid)
            found = drive(running, KIND, _SUSTAIN_SECONDS, first_lap=lap, **options)
            settle(running)
            cpu_s = cpu_seconds(running.child.pid) - before
            each = size or load(KIND).total_spans / len(load(KIND).pieces)
            rate = found["spans"] / cpu_s / 2
            seconds = min(max(_LEAST_SECONDS, REQUESTS * each / rate * 1.02), _MOST_SECONDS)
            result = drive(running, KIND, seconds, rate=rate, first_lap=lap + 10, **options)
            settle(running)
            rows.append(
                {
                    "spans": each,
                    "rate": rate,
                    "us_per_request": cpu_s / found["requests"] * 1e6,
                    **{key: result[key] for key in ("p50_ms", "p99_ms", "requests", "refused")},
                }
            )
    return rows
