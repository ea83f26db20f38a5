"""The event loop's side of the journal: positions, who waits for what, what is settled, and what may be deleted."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from spansieve.clock import Clock
from spansieve.errors import Unavailable
from spansieve.journal.blocks import BLOCK_BYTES
from spansieve.journal.log import SegmentLog
from spansieve.journal.reading import Cursor, Findings, Unreadable
from spansieve.journal.receipts import Receipt, Receipts
from spansieve.journal.records import (
    Batch,
    Checkpoint,
    Parked,
    ParkedRequest,
    Piece,
    Record,
    Settled,
    Settlement,
    encode,
)
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
_PIECE_BYTES = 256 * 1024
"""Of a record of the state at most: a larger one would hold the disk up for those who wait for it."""
_GO_SECONDS = 0.001
_PAUSE_SECONDS = 0.001
"""So long the state is written down at a time, and so long everybody else has the loop then."""

State: TypeAlias = Callable[[], Mapping[str, Iterable[bytes]]]
"""Gives the state of all that stands behind the journal, by name of the part, as it is when it is called.

That is between two goes, and it returns within some ms. What it returns are the pieces of the state as it was then:
they are made while everything goes on (see pieces.py).
"""


class DurableJournal:
    """The journal of `durability: fsync` (`sync`) and `os`. Owner: the event loop's thread.

    A request passes in one go from `reserve` to `synced`: what is appended in between stands in the journal together,
    or not at all.

    A segment is begun between two goes. The state of that moment follows in it piece by piece, between what comes on
    top of it, and a Checkpoint says that it is complete: from then on the older segments are not needed for it.
    """

    def __init__(
        self,
        log: SegmentLog,
        cursor: Cursor,
        findings: Findings,
        clock: Clock,
        logger: Logger,
        state: State,
        *,
        sync: bool,
        max_bytes: int,
    ) -> None:
        self._cursor = cursor
        self._clock = clock
        self._logger = logger
        self._state = state
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
        self._of_state = 0  # records of the current segment that are pieces of the state, or say that it is complete
        self._writing: asyncio.Task[None] | None = None  # the state
        self._hurried = False  # while somebody waits for that
        self._incomplete = False  # the state had no room
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

    async def start(self) -> None:
        """Begin a segment, in which the state stands as it is now. Raises Unavailable when it cannot be had."""
        self._writer.start()
        self._room.checkpoint_bytes = sum(len(piece) for pieces in self._state().values() for piece in pieces)
        self._room.make_first()
        try:
            await self.reserve(0)
        except Unavailable:
            await self._start_small()
        await self.checkpointed()
        await self.synced(self._checkpoint_at)

    @property
    def is_checkpointing(self) -> bool:
        """Whether a state is being written down."""
        return self._writing is not None and not self._writing.done()

    async def checkpointed(self) -> None:
        """Wait until no state is being written down, which goes faster then."""
        if self._writing is not None:
            self._hurried = True
            await asyncio.shield(self._writing)  # whoever waits for it may go away

    async def _start_small(self) -> None:
        """Begin with the smallest segment. Raises Unavailable when there is no room for that one either.

        A disk may be full of what is owed: to deliver and delete it frees room, if only that can be written down.
        """
        with self._room.small():
            self._room.make_first()
            await self.reserve(0)
            await self.checkpointed()
        self._logger.warning("journal_begun_small", size=self._room.current.size)

    async def reserve(self, size: int) -> None:
        """Wait until a record of so many bytes can be written for sure. Raises Unavailable when it cannot."""
        while not self._room.fits(size):
            if self.failed:
                raise _failed()
            if self.is_checkpointing:  # which may free some of what is set apart for it
                await self.checkpointed()
            elif not self._roll(size):
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
        if self._writing is not None and self._writing.done():
            self._writing.result()  # a defect in it is one of whoever calls this
        if self._is_to_be_left and not self.is_checkpointing and not self._roll(0) and self._incomplete:
            # Beyond the bound if need be: until the state stands somewhere, no older segment can be deleted.
            self._room.make_first()
        if self._room.oldest is None or self._checkpoint_at > self._safe:
            return
        waiting = oldest()
        needed = [self._room.segment_of(self._checkpoint_at)]
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
        try:
            await self.checkpointed()
            self._record_settlements()
            self.flush()
            if (preparing := self._room.preparing) is not None:
                await asyncio.shield(preparing)
            if not self.failed and self._roll(0):
                await self.checkpointed()
                await self.synced(self._checkpoint_at)
                self._tidy_not_before = 0.0
                self.tidy(oldest)
        finally:
            self._closed = self._loop.create_future()
            self._writer.close()
            await self._closed

    def _put(self, encoded: bytes) -> bool:
        if not self._room.take(len(encoded) + (0 if self._pending else BLOCK_BYTES)):
            return False
        self._pending.append(encoded)
        self._next += 1
        return True

    @property
    def _is_to_be_left(self) -> bool:
        """Whether the segment is over, though nobody waits for a new one."""
        others = self._next - self._room.current.first_position > self._of_state
        return self._room.is_full or self._incomplete or (self._room.is_old and others)

    def _roll(self, size: int) -> bool:
        """Begin the segment that is ready, if a record of so many bytes has room in it; whether it was begun.

        Called between goes only, and not while a state is being written down.
        """
        if not self._room.is_ready_for(size):
            return False
        self._record_settlements()
        self.flush()
        writing = self._write_state(self._next - 1, self._clock.monotonic(), self._state())
        self._room.begin(self._next)
        self._writer.put(Roll())
        self._of_state = 0
        self._incomplete = self._hurried = False
        self._writing = self._loop.create_task(writing, name="write a checkpoint")
        return True

    async def _write_state(self, after: int, time: float, state: Mapping[str, Iterable[bytes]]) -> None:
        """Put the records of a state among the others, without holding anybody up; the last one completes it."""
        sizes = dict.fromkeys(state, 0)
        made = 0
        until = self._clock.monotonic() + _GO_SECONDS
        for part, pieces in state.items():
            gathered: list[bytes] = []
            size = 0
            for each in pieces:
                gathered.append(each)
                size += len(each)
                is_time = self._clock.monotonic() >= until
                if is_time or size >= _PIECE_BYTES:
                    made += self._put_of_state(Piece(after, part, b"".join(gathered)))
                    sizes[part] += size
                    gathered, size = [], 0
                if is_time:
                    self.flush()
                    await asyncio.sleep(0 if self._hurried else _PAUSE_SECONDS)
                    until = self._clock.monotonic() + _GO_SECONDS
            made += self._put_of_state(Piece(after, part, b"".join(gathered)))
            sizes[part] += size
        made += self._put_of_state(Checkpoint(time, after, sizes))
        self._room.checkpoint_made(made)
        if self._incomplete:
            # `tidy` begins one that is large enough
            self._logger.warning("journal_state_outgrew_its_segment", size=made)
        else:
            self._checkpoint_at = self._next - 1
            self._pending_is_waited_for = True
            self._room.make_next()
        self.flush()

    def _put_of_state(self, record: Piece | Checkpoint) -> int:
        """Put it at the end, unless there was no room for one before it; its bytes, and those of a block of its own."""
        encoded = encode(record)
        size = len(encoded) + BLOCK_BYTES
        self._incomplete = self._incomplete or not self._room.take_for_checkpoint(size)
        if not self._incomplete:
            self._pending.append(encoded)
            self._next += 1
            self._of_state += 1
        return size

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
