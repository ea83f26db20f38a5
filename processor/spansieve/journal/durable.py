"""The event loop's side of the journal: positions, room, who waits for what, and what may be deleted."""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from spansieve.clock import Clock
from spansieve.errors import Unavailable
from spansieve.journal.blocks import BLOCK_BYTES
from spansieve.journal.log import SegmentLog
from spansieve.journal.reading import Cursor, Findings, Unreadable
from spansieve.journal.receipts import Receipt, Receipts
from spansieve.journal.records import Batch, Checkpoint, Parked, ParkedRequest, Record, Settled, Settlement, encode
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
from spansieve.model import Signal

SEGMENT_BYTES = 32 * 1024 * 1024
"""Of a segment at least. A restart replays at most about so much before what is still owed."""

_SEGMENTS_IN_BOUND = 8  # so many fit a small bound; with fewer, deleting whole segments would free too much at once
_CHECKPOINTS_IN_SEGMENT = 4  # a segment is at least so many times its checkpoint: the price of one is a quarter
_SPARED = 16
"""Of a segment's room one part in so many is for what closes accounts, which must be writable when nothing else is."""

_FOR_ACCOUNTS = 64 * 1024
"""Room for what closes accounts in the smallest segment, which a journal begins with on a disk that is full."""

_RETRY_AFTER_SECONDS = 2.0
_ASK_AGAIN_SECONDS = 1.0
_TIDY_SECONDS = 0.5
_AGE_SECONDS = 3600.0
"""After so long what is not full is left behind as well: at little traffic, too, what nobody is owed is deleted."""


@dataclass(slots=True)
class _Kept:
    """A segment on the disk."""

    number: int
    first_position: int
    size: int
    damaged: bool = False


class JournalLogger(Protocol):
    """What is needed of a structlog logger."""

    def info(self, event: str, **values: object) -> object:
        """Note what is well."""
        ...

    def warning(self, event: str, **values: object) -> object:
        """Note what may be well."""
        ...

    def error(self, event: str, **values: object) -> object:
        """Note what is not."""
        ...


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
        logger: JournalLogger,
        snapshot: Snapshot,
        *,
        sync: bool,
        max_bytes: int,
    ) -> None:
        self._cursor = cursor
        self._clock = clock
        self._logger = logger
        self._snapshot = snapshot
        self._max_bytes = max_bytes
        self._least = min(SEGMENT_BYTES, max_bytes // _SEGMENTS_IN_BOUND)
        self._old = [_Kept(each.number, each.first_position, each.size, each.damaged) for each in findings.segments]
        self._writer = Writer(log, self._from_thread, sync=sync)
        self._loop = asyncio.get_running_loop()
        self._next = findings.next_position
        self._pending: list[bytes] = []  # appended, not handed over
        self._pending_is_waited_for = False
        self._safe = findings.next_position - 1
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._segment = _Kept(0, self._next, 0)  # the one that is being written
        self._room = 0  # bytes left in it
        self._begun_at = 0.0
        self._is_small = False
        self._ready = Prepared()
        self._preparing: asyncio.Future[None] | None = None
        self._ask_not_before = 0.0
        self._tidy_not_before = 0.0
        self._checkpoint_at = 0  # position of the newest checkpoint
        self._checkpoint_bytes = 0
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
        return sum(each.size for each in self._old) + self._segment.size + self._ready.size

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
        self._checkpoint_bytes = len(encode(Checkpoint(self._clock.monotonic(), state)))
        self._ask(self._wanted(0))  # beyond the bound if need be: without it nothing could be delivered and deleted
        try:
            await self.reserve(0)
        except Unavailable:
            await self._start_small()
        await self.synced(self._checkpoint_at)

    async def _start_small(self) -> None:
        """Begin with the smallest segment. Raises Unavailable when there is no room for that one either.

        A disk may be full of what is owed: to deliver and delete it frees room, if only that can be written down.
        """
        self._is_small = True
        try:
            self._ask(self._wanted(0))
            await self.reserve(0)
        finally:
            self._is_small = False
        self._logger.warning("journal_begun_small", size=self._segment.size)

    async def reserve(self, size: int) -> None:
        """Wait until a record of so many bytes can be written for sure. Raises Unavailable when it cannot."""
        while self.is_rolling or not self._has_room(size):
            if self.is_rolling:
                await self.rolled()
            elif self.failed:
                raise _failed()
            elif not await self._roll(size):
                await self._prepare(size)
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
        if self.failed or not self._has_room(len(encoded)):
            return None
        self._put(encoded)
        self.receipts.hold(self._segment.number)
        return self._next - 1

    async def fetch(self, position: int) -> Parked | ParkedRequest:
        """Read what was parked. Raises Unreadable, and Unavailable when it was never written."""
        await self.synced(position)
        segment = self._segment_of(position)
        record = await asyncio.to_thread(self._cursor.find, segment, position)
        if not isinstance(record, Parked | ParkedRequest):
            raise Unreadable(f"position {position} holds something else")
        return record

    def hold(self, position: int) -> None:
        """Keep what is parked at a position, that was found there at the start."""
        self.receipts.hold(self._segment_of(position))

    def unpark(self, position: int) -> None:
        """Let go of what is parked: receipts are open for all of it, or it is lost."""
        self.receipts.let_go(self._segment_of(position))

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
        return self.receipts.make(signal, released, self._segment_of(first), trace_id, items)

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
        is_full = self._room < self._segment.size // _SPARED // 2  # by closing accounts: no request asked for more
        is_old = now - self._begun_at >= _AGE_SECONDS and self._next - 1 > self._checkpoint_at
        if is_full or is_old:
            self._begin_roll(0)
        if not self._old or self._checkpoint_at > self._safe:
            return
        waiting = oldest()
        needed = [self._segment.number]
        if waiting is not None:
            needed.append(self._segment_of(waiting))
        if (released := self.receipts.oldest_segment()) is not None:
            needed.append(released)
        while self._old and self._old[0].number < min(needed):
            gone = self._old.pop(0)
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

    def _has_room(self, size: int) -> bool:
        return self._room >= size + 2 * BLOCK_BYTES + self._segment.size // _SPARED

    def _put(self, encoded: bytes) -> bool:
        cost = len(encoded) + (0 if self._pending else BLOCK_BYTES)
        if cost > self._room:
            return False
        self._room -= cost
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
            if not self._ready.size:
                return None
            self._rolling = self._loop.create_task(self._write_checkpoint(size), name="write a checkpoint")
        return self._rolling

    async def _write_checkpoint(self, size: int) -> bool:
        state = await asyncio.to_thread(self._snapshot.stages)
        ready = self._ready
        self._record_settlements()
        checkpoint = encode(Checkpoint(self._clock.monotonic(), {**state, **self._snapshot.books()}))
        self._checkpoint_bytes = len(checkpoint)
        if ready.size < self._wanted(size):
            return False
        self.flush()
        if self._segment.number:
            self._segment.size -= self._room
            self._old.append(self._segment)
        self._ready = Prepared()
        self._segment = _Kept(ready.number, self._next, ready.size)
        self._room = ready.size
        self._begun_at = self._clock.monotonic()
        self._writer.put(Roll())
        self._put(checkpoint)
        self._pending_is_waited_for = True
        self.flush()
        self._checkpoint_at = self._next - 1
        if self._within_bound(self._wanted(0)):
            self._ask(self._wanted(0))
        return True

    def _wanted(self, size: int) -> int:
        """How large a segment has to be for its checkpoint and a record of so many bytes."""
        least = (self._checkpoint_bytes + size + 4 * BLOCK_BYTES) * _SPARED // (_SPARED - 1) + _SPARED
        if self._is_small:
            return least + _FOR_ACCOUNTS
        return max(self._least, _CHECKPOINTS_IN_SEGMENT * self._checkpoint_bytes, least)

    def _within_bound(self, size: int) -> bool:
        return self.size - self._ready.size + size <= self._max_bytes

    async def _prepare(self, size: int) -> None:
        """Have a segment made ready for a record of so many bytes. Raises Unavailable when there is no room for it."""
        if self._preparing is None:
            if not self._within_bound(self._wanted(size)):
                raise _full("The journal has reached its bound, storage.journal_max_mib")
            if self._clock.monotonic() < self._ask_not_before:
                raise _full("The disk under the journal has no room")
            self._ask(self._wanted(size))
        if self._preparing is not None:
            await asyncio.shield(self._preparing)
        if self._ready.refused:
            raise _full("The disk under the journal has no room")

    def _ask(self, size: int) -> None:
        if self._preparing is None:
            self._preparing = self._loop.create_future()
            self._ready = Prepared(refused=self._ready.refused)  # one that is too small is deleted for the next one
            self._writer.put(Prepare(size))

    def _segment_of(self, position: int) -> int:
        if position >= self._segment.first_position or not self._old:
            return self._segment.number
        index = bisect_right(self._old, position, key=lambda each: each.first_position)
        return self._old[max(index - 1, 0)].number

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
                self._prepared(report)
            case Failed(error):
                self._fail(error)
            case Stays(error):
                self._stays(error)
            case Closed():
                if self._closed is not None:
                    self._closed.set_result(None)

    def _prepared(self, report: Prepared) -> None:
        if report.refused and not self._ready.refused:
            self._logger.error("journal_has_no_room", error=report.refused)
        elif self._ready.refused and not report.refused:
            self._logger.info("journal_has_room_again")
        if report.refused:
            self._ask_not_before = self._clock.monotonic() + _ASK_AGAIN_SECONDS
        self._ready = report
        preparing, self._preparing = self._preparing, None
        if preparing is not None:
            preparing.set_result(None)

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
        preparing, self._preparing = self._preparing, None
        if preparing is not None:
            preparing.set_result(None)


def _failed() -> Unavailable:
    return Unavailable(
        "The journal could not be written, and takes no more until the gateway is restarted.",
        "journal_failed",
        _RETRY_AFTER_SECONDS,
    )


def _full(what: str) -> Unavailable:
    return Unavailable(f"{what}: try again later.", "journal_full", _RETRY_AFTER_SECONDS)
