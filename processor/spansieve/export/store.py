"""The embedded store as a destination: for a gateway that has no OTLP peer configured."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from spansieve import logs
from spansieve.clock import Clock
from spansieve.config_exporters import Retry
from spansieve.export import QueueStatus
from spansieve.export.pause import Pause, Sleep
from spansieve.export.queue import ExportQueue
from spansieve.export.retry import Backoff
from spansieve.export.store_file import StoreError, StoreFile
from spansieve.logs import Logger
from spansieve.model import Receipt, SampledTrace, Signal
from spansieve.outcome import Ledger, Outcome, Reason

_TRANSACTION_BYTES = 8 * 1024 * 1024
"""What one transaction writes about at most. While one is synced, traces gather for the next."""

_CLOSE_SECONDS = 1.0
"""How long `stop` waits for the file to be closed, which is at once unless the disk hangs."""

_RETRY = Retry(randomization_factor=0)  # the disk has no other writers to keep apart from


@dataclass(frozen=True, slots=True)
class _Waiting:
    trace: SampledTrace

    @property
    def items(self) -> int:
        return self.trace.facts.spans

    @property
    def size(self) -> int:
        return self.trace.facts.size


@dataclass(frozen=True, slots=True)
class _Transaction:
    traces: tuple[SampledTrace, ...]
    items: int
    size: int


def _next_transaction(waiting: deque[_Waiting]) -> _Transaction:
    traces: list[SampledTrace] = []
    items = size = 0
    while waiting and (not traces or size + waiting[0].size <= _TRANSACTION_BYTES):
        next_one = waiting.popleft()
        traces.append(next_one.trace)
        items += next_one.items
        size += next_one.size
    return _Transaction(tuple(traces), items, size)


class EmbeddedStore:
    """A Destination that keeps traces in `directory`/traces.db, at most about `max_bytes` of them, the newest.

    Spans count as exported once their transaction is synced. A disk that fails is like a peer that is away: what waits
    is kept and tried again, and only what is left at the end is dropped. Logs and metrics have no place here and are
    dropped, on purpose, with the reason NO_EXPORTER. Owner: the event loop's thread; the file has a thread of its own.
    """

    def __init__(
        self,
        directory: Path,
        max_bytes: int,
        ledger: Ledger,
        clock: Clock,
        logger: Logger,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._file = StoreFile(directory, max_bytes)
        self._max_bytes = max_bytes
        self._ledger = ledger
        self._clock = clock
        self._logger = logger
        self._pause = Pause(sleep)
        self._queue: ExportQueue[_Waiting, _Transaction] = ExportQueue(_next_transaction)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self.defects = 0
        self._not_stored: set[Signal] = set()

    @property
    def held_bytes(self) -> int:
        """Bytes of what waits and what is being written."""
        return self._queue.size

    @property
    def evicted_traces(self) -> int:
        """Traces that made room for newer ones since the start."""
        return self._file.evicted_traces

    @property
    def consecutive_failures(self) -> int:
        """Transactions that failed one after the other."""
        return self._failures

    def submit_traces(self, traces: Sequence[SampledTrace]) -> None:
        """Queue traces; late spans are put to their trace. One that is over `max_bytes` alone is dropped."""
        fitting: list[_Waiting] = []
        for trace in traces:
            if trace.facts.size <= self._max_bytes:
                fitting.append(_Waiting(trace))
            else:
                self._drop(trace.facts.spans, Reason.TOO_LARGE)
                if trace.receipt is not None:
                    trace.receipt.settle(trace.facts.spans, trace.facts.spans, Reason.TOO_LARGE)
        self._queue.put(fitting)

    def submit(self, signal: Signal, payload: bytes, items: int, receipt: Receipt | None = None) -> None:  # noqa: ARG002 - a Destination's signature
        """Drop logs and metrics, which need an OTLP peer."""
        self._ledger.settle(signal, Outcome.DROPPED, items, Reason.NO_EXPORTER)
        if receipt is not None:
            receipt.settle(items, items, Reason.NO_EXPORTER)
        if signal not in self._not_stored:
            self._not_stored.add(signal)
            self._logger.warning("not_stored", signal=signal.value, remedy="configure exporters.otlp")

    def submit_own_metrics(self, payload: bytes) -> None:
        """Do nothing: without an OTLP peer the gateway's own metrics are at its /metrics endpoint."""

    async def start(self) -> None:
        """Open or make the file. Raises StoreError, never starts empty in place of a file that it cannot use."""
        made = await asyncio.get_running_loop().run_in_executor(self._thread, self._file.open)
        self._logger.info("store_created" if made else "store_opened", path=str(self._file.path))
        self._task = asyncio.create_task(self._run(), name="store")
        self._task.add_done_callback(self._ended)

    async def stop(self, deadline: float, *, owed: bool = False) -> None:
        """Write what is left within `deadline` seconds, starting with one attempt at once, then drop the rest.

        What is `owed` is not dropped: it stays in the journal. A transaction that the disk still holds up at the end
        counts as dropped, though it may be committed yet.
        """
        self._queue.close()
        self._pause.cut_short()
        task, self._task = self._task, None
        if task is not None:
            await asyncio.wait((task,), timeout=deadline)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            closing = asyncio.get_running_loop().run_in_executor(self._thread, self._file.close)
            await asyncio.wait((closing,), timeout=_CLOSE_SECONDS)
        left = self._queue.abandon()
        if not owed:
            self._drop(left, Reason.STORE_FAILED if self._failures else Reason.SHUTDOWN)
        self._thread.shutdown(wait=False)

    def status(self) -> Mapping[Signal, QueueStatus]:
        """The queue as it is now."""
        return {Signal.TRACES: QueueStatus(self._queue.items, self._queue.size, self._failures)}

    async def _run(self) -> None:
        while (transaction := await self._queue.take()) is not None:
            await self._write(transaction)

    async def _write(self, transaction: _Transaction) -> None:
        loop = asyncio.get_running_loop()
        backoff = Backoff(_RETRY, lambda: 0.5)
        while True:
            try:
                await loop.run_in_executor(self._thread, self._file.append, transaction.traces, self._clock.wall_ns())
            except StoreError as error:
                self._failures += 1
                if self._failures == 1:
                    self._logger.warning("store_failing", error=str(error))
                await self._pause(backoff.next(None))
                continue
            if self._failures:
                self._logger.info("store_recovered", failed_attempts=self._failures)
                self._failures = 0
            self._ledger.settle(Signal.TRACES, Outcome.EXPORTED, transaction.items)
            self._queue.settled(transaction)
            for trace in transaction.traces:
                if trace.receipt is not None:
                    trace.receipt.settle(trace.facts.spans, 0, Reason.NONE)
            return

    def _drop(self, spans: int, reason: Reason) -> None:
        if spans:
            self._ledger.settle(Signal.TRACES, Outcome.DROPPED, spans, reason)
            self._logger.error("export_dropped", signal=Signal.TRACES.value, items=spans, reason=reason.value)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Say it when the task ended by a defect of ours: what is in hand is settled, as dropped, by `stop`."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.defects += 1
            self._logger.error("export_task_failed", task=task.get_name(), **logs.frames(error))
