"""Room in the journal: which segments there are, how large the next one has to be, and having it made ready."""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from spansieve.clock import Clock
from spansieve.errors import Unavailable
from spansieve.journal import reading
from spansieve.journal.blocks import BLOCK_BYTES
from spansieve.journal.writer import Prepared
from spansieve.logs import Logger

SEGMENT_BYTES = 32 * 1024 * 1024
"""Of a segment at least. A restart replays at most about so much before what is still owed."""

RETRY_AFTER_SECONDS = 2.0
"""What a sender is told whom the journal refuses."""

_SEGMENTS_IN_BOUND = 8  # so many fit a small bound; with fewer, deleting whole segments would free too much at once
_CHECKPOINTS_IN_SEGMENT = 4  # a segment is at least so many times its checkpoint: the price of one is a quarter
_GROWTH = 4  # a checkpoint may be larger than the one before it by one part in so many
_FRAMES = 4096
"""What the records of a checkpoint take beside what is in them, when it is written in one go; else that is growth."""
_SPARED = 16
"""Of a segment's room one part in so many is for what closes accounts, which must be writable when nothing else is."""

_FOR_ACCOUNTS = 64 * 1024
"""Room for what closes accounts in the smallest segment, which a journal begins with on a disk that is full."""

_ASK_AGAIN_SECONDS = 1.0
_AGE_SECONDS = 3600.0
"""After so long what is not full is left behind as well: at little traffic, too, what nobody is owed is deleted."""


@dataclass(slots=True)
class Segment:
    """One on the disk."""

    number: int
    first_position: int
    size: int
    damaged: bool = False


class Room:
    """All segments, of which the last is written. Owner: the event loop's thread.

    `prepare` has one made ready that has room for so many bytes, and `prepared` is called when that is done or failed.
    """

    def __init__(
        self,
        found: Sequence[reading.Segment],
        next_position: int,
        max_bytes: int,
        clock: Clock,
        logger: Logger,
        prepare: Callable[[int], None],
    ) -> None:
        self._max_bytes = max_bytes
        self._least = min(SEGMENT_BYTES, max_bytes // _SEGMENTS_IN_BOUND)
        self._old = [Segment(each.number, each.first_position, each.size, each.damaged) for each in found]
        self._clock = clock
        self._logger = logger
        self._prepare = prepare
        self._current = Segment(0, next_position, 0)
        self._left = 0  # bytes, in the current one
        self._for_checkpoint = 0  # bytes beside these, for its checkpoint while that is not complete
        self._begun_at = 0.0
        self._is_small = False
        self._ready = Prepared()
        self._ask_not_before = 0.0
        self.preparing: asyncio.Future[None] | None = None
        self.checkpoint_bytes = 0
        """Of the newest checkpoint: each segment has one."""

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(each.size for each in self._old) + self._current.size + self._ready.size

    @property
    def current(self) -> Segment:
        """The segment that is written; of number 0 before any was begun."""
        return self._current

    @property
    def oldest(self) -> Segment | None:
        """The oldest of those that were left behind."""
        return self._old[0] if self._old else None

    def forget_oldest(self) -> Segment:
        """Strike it off."""
        return self._old.pop(0)

    def fits(self, size: int) -> bool:
        """Whether a record of so many bytes can be written, and what closes accounts still can then."""
        return self._left >= size + 2 * BLOCK_BYTES + self._current.size // _SPARED

    def take(self, size: int) -> bool:
        """Use so many bytes; whether there were as many."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def take_for_checkpoint(self, size: int) -> bool:
        """Use so many bytes of what was set apart for the checkpoint, or else of the rest; whether there were any."""
        beyond = max(0, size - self._for_checkpoint)
        if not self.take(beyond):
            return False
        self._for_checkpoint -= size - beyond
        return True

    def checkpoint_made(self, size: int) -> None:
        """Note how large it became; what it has not used of what was set apart is for all."""
        self.checkpoint_bytes = size
        self._left += self._for_checkpoint
        self._for_checkpoint = 0

    @property
    def is_full(self) -> bool:
        """Whether closing accounts has filled the segment, for which nobody reserves."""
        return self._left < self._current.size // _SPARED // 2

    @property
    def is_old(self) -> bool:
        """Whether the segment was begun an hour ago."""
        return self._clock.monotonic() - self._begun_at >= _AGE_SECONDS

    def segment_of(self, position: int) -> int:
        """The number of the segment that a position is in."""
        if position >= self._current.first_position or not self._old:
            return self._current.number
        index = bisect_right(self._old, position, key=lambda each: each.first_position)
        return self._old[max(index - 1, 0)].number

    def is_ready_for(self, size: int) -> bool:
        """Whether it has room for a checkpoint, which may have grown since it was asked for, and such a record."""
        return self._ready.size >= self._needed(size)

    def begin(self, first_position: int) -> None:
        """Leave the current segment behind, and go on in the one that is ready: first of all with a checkpoint."""
        ready, self._ready = self._ready, Prepared()
        if self._current.number:
            self._current.size -= self._left
            self._old.append(self._current)
        self._current = Segment(ready.number, first_position, ready.size)
        self._for_checkpoint = min(self._set_apart, ready.size)
        self._left = ready.size - self._for_checkpoint
        self._begun_at = self._clock.monotonic()

    def make_next(self) -> None:
        """Have the next segment made ready, if the bound allows for it."""
        if self._within_bound(self._wanted(0)):
            self.make_first()

    def make_first(self) -> None:
        """Have one made ready, beyond the bound if need be: without it nothing could be delivered and deleted."""
        self._ask(self._wanted(0))

    @contextmanager
    def small(self) -> Iterator[None]:
        """Within, a segment is as small as can be: for a disk that is full of what is owed."""
        self._is_small = True
        try:
            yield
        finally:
            self._is_small = False

    async def make(self, size: int) -> None:
        """Have one made ready for a record of so many bytes, and wait. Raises Unavailable when there is no room."""
        if self.preparing is None:
            if not self._within_bound(self._wanted(size)):
                raise _full("The journal has reached its bound, storage.journal_max_mib")
            if self._clock.monotonic() < self._ask_not_before:
                raise _full("The disk under the journal has no room")
            self._ask(self._wanted(size))
        if self.preparing is not None:
            await asyncio.shield(self.preparing)
        if self._ready.refused:
            raise _full("The disk under the journal has no room")

    def prepared(self, report: Prepared) -> None:
        """Note that a segment is ready, or cannot be had."""
        if report.refused and not self._ready.refused:
            self._logger.error("journal_has_no_room", error=report.refused)
        elif self._ready.refused and not report.refused:
            self._logger.info("journal_has_room_again")
        if report.refused:
            self._ask_not_before = self._clock.monotonic() + _ASK_AGAIN_SECONDS
        self._ready = report
        self.give_up_waiting()

    def give_up_waiting(self) -> None:
        """Wake those who wait for a segment, whether or not there is one."""
        preparing, self.preparing = self.preparing, None
        if preparing is not None:
            preparing.set_result(None)

    def _wanted(self, size: int) -> int:
        """How large the next segment is to be, with room for a record of so many bytes."""
        needed = self._needed(size)
        if self._is_small:
            return needed + _FOR_ACCOUNTS
        return max(self._least, _CHECKPOINTS_IN_SEGMENT * self.checkpoint_bytes, needed)

    def _needed(self, size: int) -> int:
        """How large a segment has to be at least for its checkpoint and a record of so many bytes."""
        return (self._set_apart + size + 4 * BLOCK_BYTES) * _SPARED // (_SPARED - 1) + _SPARED

    @property
    def _set_apart(self) -> int:
        """For the checkpoint, of a segment that is begun."""
        return self.checkpoint_bytes + self.checkpoint_bytes // _GROWTH + _FRAMES

    def _within_bound(self, size: int) -> bool:
        return self.size - self._ready.size + size <= self._max_bytes

    def _ask(self, size: int) -> None:
        if self.preparing is None:
            self.preparing = asyncio.get_running_loop().create_future()
            self._ready = Prepared(refused=self._ready.refused)  # one that is too small is deleted for the next one
            self._prepare(size)


def _full(what: str) -> Unavailable:
    return Unavailable(f"{what}: try again later.", "journal_full", RETRY_AFTER_SECONDS)
