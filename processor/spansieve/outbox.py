"""What is to leave and cannot yet: in memory as long as that is little, and then on disk, in the journal.

A Collector that is away for hours fills the journal and not the memory. Traces leave in the order in which they were
kept, and requests of logs and metrics in that in which they came: once some are parked, the next ones are, until those
have been fetched; but those for which a full journal has no room do not wait behind them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from spansieve import wire
from spansieve.errors import Unavailable
from spansieve.export import Destination
from spansieve.journal import DurableJournal
from spansieve.journal.reading import Unreadable
from spansieve.journal.records import Parked, ParkedRequest, ParkedTrace
from spansieve.logs import Logger
from spansieve.model import SampledTrace, Signal
from spansieve.outcome import Ledger, Outcome, Reason

_RECORD_BYTES = 1024 * 1024
"""Of a record with parked traces, about: what is fetched at once."""

_Waiting: TypeAlias = dict[tuple[int, bytes], tuple[Signal, int]]
"""How many items each trace or request has, by the position of the record that released it and its id (none)."""

Revive = Callable[[ParkedTrace, int], SampledTrace]
"""Makes a trace of what was parked at a position."""


class Outbox:
    """Hands traces and requests to a destination, or parks them while it holds more than `most_held` bytes.

    Owner: the event loop's thread. Without a journal everything is handed over at once.
    """

    def __init__(
        self, destination: Destination, ledger: Ledger, logger: Logger, revive: Revive, most_held: int
    ) -> None:
        self._destination = destination
        self._ledger = ledger
        self._logger = logger
        self._revive = revive
        self._most_held = most_held
        self._parked: OrderedDict[int, _Waiting] = OrderedDict()  # what waits at a position
        self._fetching: asyncio.Task[None] | None = None
        self._prodded = asyncio.Event()
        self.journal: DurableJournal | None = None

    @property
    def parked_items(self) -> int:
        """Spans, log records and data points that wait on disk."""
        return sum(items for each in self._parked.values() for _, items in each.values())

    def submit(self, traces: Sequence[SampledTrace], released: int) -> None:
        """Hand over traces that the record at `released` of the journal released, now or later."""
        journal = self.journal
        if journal is None:
            self._destination.submit_traces(traces)
            return
        if not self._must_wait:
            self._hand_over(traces, released)
            return
        for part in _parts(traces):
            written = Parked([_parked(each, released) for each in part])
            position = journal.park(written)
            if position is None:  # no room: it stays in memory, and admission sees to it that this remains bounded
                self._hand_over(part, released)
            else:
                self._note(position, written.traces)

    def submit_request(self, signal: Signal, payload: bytes, items: int, released: int) -> None:
        """Hand over a request of logs or metrics, likewise; its Batch stands at `released`."""
        journal = self.journal
        if journal is None:
            self._destination.submit(signal, payload, items)
            return
        request = ParkedRequest(released, signal, items, payload)
        position = journal.park(request) if self._must_wait else None
        if position is None:
            self._hand_over_request(request, released)
        else:
            self._note(position, [request])

    def prod(self) -> None:
        """See whether the destination has room for what is parked. Cheap, to be called every now and then."""
        if self._parked and self._destination.held_bytes <= self._most_held // 2:
            self._prodded.set()

    def resume(self, parked: Mapping[int, Iterable[ParkedTrace | ParkedRequest]]) -> None:
        """Go on with what was found parked at the start, by position."""
        for position, waiting in parked.items():
            if self.journal is not None:
                self.journal.hold(position)
                self._note(position, waiting)

    async def drain(self, seconds: float) -> None:
        """Wait until nothing is parked any more, at most so long."""
        if self._fetching is not None:
            await asyncio.wait((self._fetching,), timeout=seconds)

    async def stop(self) -> None:
        """Fetch nothing more; what is parked stays in the journal."""
        task, self._fetching = self._fetching, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def _must_wait(self) -> bool:
        return bool(self._parked) or self._destination.held_bytes > self._most_held

    def _note(self, position: int, parked: Iterable[ParkedTrace | ParkedRequest]) -> None:
        self._parked[position] = {(each.released, each.trace_id): (each.signal, each.items) for each in parked}
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch(), name="fetch what is parked")

    async def _fetch(self) -> None:
        """Hand over what is parked, oldest first, whenever the destination holds little."""
        while self._parked:
            if self._destination.held_bytes > self._most_held // 2:
                self._prodded.clear()
                await self._prodded.wait()
                continue
            position, waiting = next(iter(self._parked.items()))
            await self._fetch_one(position, waiting)

    async def _fetch_one(self, position: int, waiting: _Waiting) -> None:
        journal = self.journal
        if journal is None:
            raise RuntimeError("parked without a journal")
        try:
            record = await journal.fetch(position)
        except (Unreadable, Unavailable, OSError):
            del self._parked[position]
            for signal in dict.fromkeys(signal for signal, _ in waiting.values()):
                lost = sum(items for of, items in waiting.values() if of is signal)
                self._ledger.settle(signal, Outcome.DROPPED, lost, Reason.JOURNAL_DAMAGED)
                self._logger.error(
                    "export_dropped", signal=signal.value, items=lost, reason=Reason.JOURNAL_DAMAGED.value
                )
        else:
            del self._parked[position]
            if isinstance(record, ParkedRequest):
                self._hand_over_request(record, position)
            else:
                for each in record.traces:
                    if (each.released, each.trace_id) in waiting:
                        self._hand_over([self._revive(each, position)], each.released)
        journal.unpark(position)

    def _hand_over(self, traces: Sequence[SampledTrace], released: int) -> None:
        if self.journal is not None:
            receipt = self.journal.receipt
            traces = [
                replace(each, receipt=receipt(Signal.TRACES, released, each.position, each.trace_id, each.facts.spans))
                for each in traces
            ]
        self._destination.submit_traces(traces)

    def _hand_over_request(self, request: ParkedRequest, position: int) -> None:
        """Hand over a request that the record at `position` holds."""
        receipt = None
        if self.journal is not None:
            receipt = self.journal.receipt(request.signal, request.released, position, b"", request.items)
        self._destination.submit(request.signal, request.payload, request.items, receipt)


def _parked(trace: SampledTrace, released: int) -> ParkedTrace:
    payload = wire.frame_traces(trace.groups)
    return ParkedTrace(released, trace.trace_id, trace.facts.spans, trace.decision, payload)


def _parts(traces: Sequence[SampledTrace]) -> Iterable[list[SampledTrace]]:
    """Cut a round of decisions into records."""
    part: list[SampledTrace] = []
    size = 0
    for trace in traces:
        if part and size + trace.facts.size > _RECORD_BYTES:
            yield part
            part, size = [], 0
        part.append(trace)
        size += trace.facts.size
    if part:
        yield part
