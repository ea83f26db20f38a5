"""Picks exemplars: values of a histogram with the span that they are of, of traces that were kept only.

A value is measured before its trace is decided, so it waits as a candidate until the trace is kept, or for as long as
decisions may take; a link from a chart to a trace that was sampled out would lead nowhere. What is measured later, as
the score of an evaluation is, becomes an exemplar at once if its trace is among those kept last.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from spansieve import pieces
from spansieve.series import Distribution, Exemplar

PER_BUCKET = 8
"""Candidates of one bucket of one series at a time. With every tenth trace kept, half of the time one of 8 will be."""

CAPACITY = 5_000
"""Candidates in all, some 2 MB."""

KEPT = 10_000
"""Kept traces remembered; some 1 MB."""

_AT_ONCE, _KEPT_AT_ONCE = 50, 1000
"""Traces that are written down together."""

_TRACE_ID = 16  # bytes


class _Candidate(NamedTuple):
    distribution: Distribution
    bucket: int
    exemplar: Exemplar


class Candidates:
    """Values that become exemplars if their trace is kept. Times are seconds, never backwards. Owner: one Meter.

    `patience_s` is how long a candidate may wait: longer than a decision takes.
    """

    def __init__(self, patience_s: float, capacity: int = CAPACITY) -> None:
        self._patience_s = patience_s
        self._capacity = capacity
        self._held = 0
        self._patient_until = -math.inf  # no candidate is given up before
        # In the order of their first candidate: the oldest trace stands first.
        self._by_trace: dict[bytes, tuple[float, list[_Candidate]]] = {}
        self._kept: dict[bytes, None] = {}  # the one kept longest ago stands first

    def __len__(self) -> int:
        return self._held

    def offer(self, distribution: Distribution, bucket: int, exemplar: Exemplar, now: float) -> None:
        """Take a value as a candidate if there is room for one, as an exemplar if its trace is kept already."""
        if exemplar.trace_id in self._kept:
            distribution.exemplars[bucket] = exemplar
            return
        if distribution.waiting[bucket] >= PER_BUCKET or self._held >= self._capacity or not exemplar.trace_id:
            return
        distribution.waiting[bucket] += 1
        self._held += 1
        candidate = _Candidate(distribution, bucket, exemplar)
        waiting = self._by_trace.get(exemplar.trace_id)
        if waiting is None:
            self._by_trace[exemplar.trace_id] = (now, [candidate])
        else:
            waiting[1].append(candidate)

    def kept(self, trace_id: bytes) -> None:
        """Make exemplars of a trace's candidates: it was kept."""
        self._kept[trace_id] = None
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        waiting = self._by_trace.pop(trace_id, None)
        if waiting is not None:
            for distribution, bucket, exemplar in waiting[1]:
                distribution.exemplars[bucket] = exemplar
            self._free(waiting[1])

    def expire(self, now: float) -> None:
        """Give up candidates whose trace should have been decided by now."""
        if now < self._patient_until:
            return
        self._patient_until = now + self._patience_s
        while self._by_trace:
            trace_id, (since, waiting) = next(iter(self._by_trace.items()))
            if now - since < self._patience_s:
                self._patient_until = since + self._patience_s
                return
            del self._by_trace[trace_id]
            self._free(waiting)

    def _free(self, candidates: list[_Candidate]) -> None:
        self._held -= len(candidates)
        for distribution, bucket, _ in candidates:
            distribution.waiting[bucket] -= 1

    def state(self) -> Iterator[list[Any]]:
        """All candidates and kept traces as they are now, some at a time, as JSON can write them.

        Each time: the series that candidates are of, the candidates trace by trace, and kept traces.
        """
        ids, waiting, kept = list(self._by_trace), list(self._by_trace.values()), list(self._kept)
        sizes = [len(each) for _, each in waiting]  # a trace's list may only grow
        return chain(
            (_rows(ids[lot], waiting[lot], sizes[lot]) for lot in pieces.lots(len(ids), _AT_ONCE)),
            ([[], [], b"".join(kept[lot]).hex()] for lot in pieces.lots(len(kept), _KEPT_AT_ONCE)),
        )

    def restore(
        self, state: Iterable[list[Any]], distribution: Callable[[str, tuple[str, ...]], Distribution | None]
    ) -> None:
        """Take over what `state` returned; `distribution` finds a series by its name and labels, if it is still one."""
        self._held = 0
        self._patient_until = -math.inf
        self._by_trace.clear()
        self._kept.clear()
        for named, traces, kept in state:
            joined = bytes.fromhex(kept)
            self._kept.update(dict.fromkeys(joined[at : at + _TRACE_ID] for at in range(0, len(joined), _TRACE_ID)))
            series = [distribution(name, tuple(labels)) for name, labels in named]
            for trace, since, rows in traces:
                trace_id = bytes.fromhex(trace)
                for at, bucket, value, span_id, time_ns in rows:
                    found = series[at]
                    if found is not None and bucket < len(found.counts):
                        self.offer(found, bucket, Exemplar(value, trace_id, bytes.fromhex(span_id), time_ns), since)


def _rows(ids: list[bytes], waiting: list[tuple[float, list[_Candidate]]], sizes: list[int]) -> list[Any]:
    series: dict[int, int] = {}  # identity of a distribution → its place in the list
    named: list[tuple[str, tuple[str, ...]]] = []
    traces = []
    for trace_id, (since, candidates), size in zip(ids, waiting, sizes, strict=True):
        rows = []
        for distribution, bucket, (value, _, span_id, time_ns) in candidates[:size]:
            at = series.setdefault(id(distribution), len(named))
            if at == len(named):
                named.append((distribution.name, distribution.labels))
            rows.append((at, bucket, value, span_id.hex(), time_ns))
        traces.append((trace_id.hex(), since, rows))
    return [named, traces, ""]
