"""The event loop's side of the journal: positions, who waits for what, what is settled, and what may be deleted."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spansieve.clock import Clock
from spansieve.errors import Unavailable
from spansieve.journal.blocks import BLOCK_BYTES
from spansieve.journal.log import SegmentLog
from spansieve.journal.reading import Cursor, Findings, Unreadable
from spansieve.journal.receipts import Receipt, Receipts
from spansieve.journal.records import Batch, Checkpoint, Parked, ParkedRequest, Record, Settled, Settlement, encode
from spansieve.journal.room import RETRY_AFTER_SECONDS, Room
from spansieve.journal.writer import (
    Closed,
    Failed,
    Forget,
    Prepare,
    Prepared,
    Report,
    Roll,
    Stays,
    Write,
    Writer,
    Written,
)
from spansieve.logs import Logger
from spansieve.model import Signal

_TIDY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of all that stands behind the journal, by name, for the checkpoint at the head of each segment.

    Between two goes it must be the state after the last record, no more and no less. `stages` gives that of what only
    requests and decisions change. It takes long, and is called in a thread while the journal `is_rolling`: no request
    is let in then, and nothing may be decided. `books` gives what also changes when something leaves; it takes no time.
    """

    stages: Callable[[], Mapping[str, bytes]]
    books: Callable[[], Mapping[str, bytes]]


class DurableJournal:
    """The journal of `durability: fsync` (`sync`) and `os`. Owner: the event loop's thread.

    A request passes in one go from `reserve` to `synced`: what is appended in between stands in the journal together,
    or not at all.
    """

    def __init__(
        self,
        log: SegmentLog,
        cursor: Cursor,
        findings: Findings,
        clock: Clock,
        logger: Logger,
        snapshot: Snapshot,
        *,
        sync: bool,
        max_bytes: int,
    ) -> None:
        self._cursor = cursor
        self._clock = clock
        self._logger = logger
        self._snapshot = snapshot
        self._writer = Writer(log, self._from_thread, sync=sync)
        self._loop = asyncio.get_running_loop()
        self._next = findings.next_position
        self._room = Room(
            findings.segments, self._next, max_bytes, clock, logger, lambda size: self._writer.put(Prepare(size))
        )
        self._pending: list[bytes] = []  # appended, not handed over
        self._pending_is_waited_for = False
        self._safe = findings.next_position - 1
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._tidy_not_before = 0.0
        self._checkpoint_at = 0  # position of the newest checkpoint
        self._rolling: asyncio.Task[bool] | None = None
        self._settlements: list[Settlement] = []
        self._flushing = False
        self._closed: asyncio.Future[None] | None = None
        self.receipts = Receipts(self._settled)
        self.failed = False
        self.unrecorded = 0

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return self._room.size

    @property
    def is_rolling(self) -> bool:
        """Whether the state is being written down: until that is done nothing may change it."""
        return self._rolling is not None and not self._rolling.done()

    async def rolled(self) -> None:
        """Wait until the state is not being written down."""
        if self._rolling is not None and not self._rolling.done():
            await asyncio.shield(self._rolling)

    async def start(self) -> None:
        """Begin a segment, in which the state stands as it is now. Raises Unavailable when it cannot be had."""
        self._writer.start()
        state = {**await asyncio.to_thread(self._snapshot.stages), **self._snapshot.books()}
        self._room.checkpoint_bytes = len(encode(Checkpoint(self._clock.monotonic(), state)))
        self._room.make_first()
        try:
            await self.reserve(0)
        except Unavailable:
            await self._start_small()
        await self.synced(self._checkpoint_at)

    async def _start_small(self) -> None:
        """Begin with the smallest segment. Raises Unavailable when there is no room for that one either.

        A disk may be full of what is owed: to deliver and delete it frees room, if only that can be written down.
        """
        with self._room.small():
            self._room.make_first()
            await self.reserve(0)
        self._logger.warning("journal_begun_small", size=self._room.current.size)

    async def reserve(self, size: int) -> None:
        """Wait until a record of so many bytes can be written for sure. Raises Unavailable when it cannot."""
        while self.is_rolling or not self._room.fits(size):
            if self.is_rolling:
                await self.rolled()
            elif self.failed:
                raise _failed()
            elif not await self._roll(size):
                await self._room.make(size)
        if self.failed:
            raise _failed()

    def append(self, record: Record) -> int:
        """Put a record at the end, and return its position. A Batch needs a `reserve` in the same go."""
        encoded = encode(record)
        if not self._put(encoded):
            # Room is reserved for what somebody is answered for, so that this is a record that closes accounts, on a
            # disk that has been full for long. What it closes is found open after a crash, and done a second time.
            self.unrecorded += 1
        self._pending_is_waited_for |= isinstance(record, Batch)
        return self._next - 1

    async def synced(self, position: int) -> None:
        """Wait until a record is as safe as `storage.durability` says. Raises Unavailable when it never will be."""
        self.flush()
        if position <= self._safe:
            return
        if self.failed:
            raise _failed()
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((position, waiter))
        await waiter

    def park(self, parked: Parked | ParkedRequest) -> int | None:
        """Write down whole what waits, so that memory need not hold it; its position, None if there is no room.

        Their segment stays until `unpark`.
        """
        encoded = encode(parked)
        if self.failed or not self._room.fits(len(encoded)):
            return None
        self._put(encoded)
        self.receipts.hold(self._room.current.number)
        return self._next - 1

    async def fetch(self, position: int) -> Parked | ParkedRequest:
        """Read what was parked. Raises Unreadable, and Unavailable when it was never written."""
        await self.synced(position)
        segment = self._room.segment_of(position)
        record = await asyncio.to_thread(self._cursor.find, segment, position)
        if not isinstance(record, Parked | ParkedRequest):
            raise Unreadable(f"position {position} holds something else")
        return record

    def hold(self, position: int) -> None:
        """Keep what is parked at a position, that was found there at the start."""
        self.receipts.hold(self._room.segment_of(position))

    def unpark(self, position: int) -> None:
        """Let go of what is parked: receipts are open for all of it, or it is lost."""
        self.receipts.let_go(self._room.segment_of(position))

    def flush(self) -> None:
        """Let what was appended go to the disk, without waiting for it."""
        if self._pending:
            first = self._next - len(self._pending)
            self._writer.put(Write(first, self._pending, self._pending_is_waited_for))
            self._pending = []
            self._pending_is_waited_for = False

    def flush_soon(self) -> None:
        """Let what was appended go to the disk once this go is over, together with what else it appends."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush_now)

    def receipt(self, signal: Signal, released: int, first: int, trace_id: bytes, items: int) -> Receipt:
        """Open the account of a kept trace, or of a request, that was released by the record at `released`.

        `first` is the position of the first record that holds a part of it.
        """
        return self.receipts.make(signal, released, self._room.segment_of(first), trace_id, items)

    def tidy(self, oldest: Callable[[], int | None]) -> None:
        """Delete the oldest segments, as long as nothing in them is owed and a newer checkpoint is safe.

        `oldest` gives the lowest position of what waits for a decision. Called between goes.
        """
        now = self._clock.monotonic()
        if self.failed or now < self._tidy_not_before:
            return
        self._tidy_not_before = now + _TIDY_SECONDS
        if self._rolling is not None and self._rolling.done():
            self._rolling.result()  # a defect in it is one of whoever calls this
        if self._room.is_full or (self._room.is_old and self._next - 1 > self._checkpoint_at):
            self._begin_roll(0)
        if self._room.oldest is None or self._checkpoint_at > self._safe:
            return
        waiting = oldest()
        needed = [self._room.current.number]
        if waiting is not None:
            needed.append(self._room.segment_of(waiting))
        if (released := self.receipts.oldest_segment()) is not None:
            needed.append(released)
        while (gone := self._room.oldest) is not None and gone.number < min(needed):
            self._room.forget_oldest()
            self._writer.put(Forget(gone.number, gone.damaged))

    async def stop(self, oldest: Callable[[], int | None]) -> None:
        """Write what was appended, end with a checkpoint if there is room for one, delete and close.

        A gateway that finds a journal which ends so has nothing to measure again.
        """
        await self.rolled()
        self._record_settlements()
        self.flush()
        if not self.failed and await self._roll(0):
            await self.synced(self._checkpoint_at)
            self._tidy_not_before = 0.0
            self.tidy(oldest)
        self._closed = self._loop.create_future()
        self._writer.close()
        await self._closed

    def _put(self, encoded: bytes) -> bool:
        if not self._room.take(len(encoded) + (0 if self._pending else BLOCK_BYTES)):
            return False
        self._pending.append(encoded)
        self._next += 1
        return True

    async def _roll(self, size: int) -> bool:
        """Begin the segment that is ready, if a record of so many bytes has room in it behind the checkpoint."""
        rolling = self._begin_roll(size)
        return rolling is not None and await asyncio.shield(rolling)  # whoever asked for it may go away

    def _begin_roll(self, size: int) -> asyncio.Task[bool] | None:
        """Begin to do so, unless that goes on; None when no segment is ready. Called between goes only."""
        if not self.is_rolling:
            if not self._room.has_ready:
                return None
            self._rolling = self._loop.create_task(self._write_checkpoint(size), name="write a checkpoint")
        return self._rolling

    async def _write_checkpoint(self, size: int) -> bool:
        state = await asyncio.to_thread(self._snapshot.stages)
        self._record_settlements()
        checkpoint = encode(Checkpoint(self._clock.monotonic(), {**state, **self._snapshot.books()}))
        self._room.checkpoint_bytes = len(checkpoint)
        if not self._room.is_ready_for(size):
            return False
        self.flush()
        self._room.begin(self._next)
        self._writer.put(Roll())
        self._put(checkpoint)
        self._pending_is_waited_for = True
        self.flush()
        self._checkpoint_at = self._next - 1
        self._room.make_next()
        return True

    def _settled(self, settlement: Settlement) -> None:
        self._settlements.append(settlement)
        self.flush_soon()  # all that one answer of the peer settles in one record

    def _flush_now(self) -> None:
        self._flushing = False
        self._record_settlements()
        self.flush()

    def _record_settlements(self) -> None:
        settlements, self._settlements = self._settlements, []
        if settlements:
            self.append(Settled(settlements))

    def _from_thread(self, report: Report) -> None:
        self._loop.call_soon_threadsafe(self._on, report)

    def _on(self, report: Report) -> None:
        match report:
            case Written(position):
                self._safe = position
                while self._waiting and self._waiting[0][0] <= position:
                    _, waiter = self._waiting.popleft()
                    if not waiter.done():  # its sender may have gone away
                        waiter.set_result(None)
            case Prepared():
                self._room.prepared(report)
            case Failed(error):
                self._fail(error)
            case Stays(error):
                self._stays(error)
            case Closed():
                if self._closed is not None:
                    self._closed.set_result(None)

    def _stays(self, error: str) -> None:
        if error:
            self._logger.error("journal_segment_stays", error=error, remedy="see to the disk: it is tried again")
        else:
            self._logger.info("journal_segment_gone")

    def _fail(self, error: str) -> None:
        self.failed = True
        self._logger.error("journal_failed", error=error, remedy="mend the disk and restart: nothing is accepted")
        for _, waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(_failed())
        self._waiting.clear()
        self._room.give_up_waiting()


def _failed() -> Unavailable:
    return Unavailable(
        "The journal could not be written, and takes no more until the gateway is restarted.",
        "journal_failed",
        RETRY_AFTER_SECONDS,
    )
