"""Segments on a disk: made ready so that a power cut finds them, written at their end, let go of."""

import errno
import random

import pytest

from fakes_disk import FakeDisk
from spansieve.journal.blocks import HEAD_BYTES
from spansieve.journal.log import SegmentLog
from spansieve.journal.reading import JournalReader, name_of
from spansieve.journal.records import encode
from unit.journal.helpers_journal import RING, batch, records_of

ROOM = 10_000


def log_on(disk: FakeDisk) -> SegmentLog:
    """A log whose next segment is the first."""
    return SegmentLog(disk, RING, lambda n: bytes(n), 1)  # noqa: PLW0108 - a salt of zeros


def survives(disk: FakeDisk) -> list[int]:
    """The positions that can be read after the worst power cut: nothing that was not synced reached the disk."""
    return list(records_of(JournalReader(disk.left(_Never()), RING)))


class _Never(random.Random):
    """Chance that lets nothing happen."""

    def random(self) -> float:
        return 1.0


def write(log: SegmentLog, position: int, *, sync: bool) -> None:
    """Write one record."""
    log.write([encode(batch(100))], position, sync=sync)


def test_a_segment_that_is_ready_outlives_a_power_cut() -> None:
    """Its head and its name: what is written and synced into it later needs both."""
    disk = FakeDisk()
    log_on(disk).prepare(ROOM)
    left = disk.left(_Never())
    assert left.names() == [name_of(1)]
    assert left.read(name_of(1)) == disk.read(name_of(1))


@pytest.mark.parametrize("operation", ["allocate", "write", "sync", "sync_directory"])
def test_a_segment_that_cannot_be_made_ready_leaves_nothing(operation: str) -> None:
    """No file, no handle; the next attempt may succeed."""
    disk = FakeDisk()
    log = log_on(disk)
    disk.fail[operation] = errno.ENOSPC
    with pytest.raises(OSError, match="No space left"):
        log.prepare(ROOM)
    assert (disk.names(), disk.files_open) == ([], 0)
    log.prepare(ROOM)
    log.roll(sync=True)
    write(log, 1, sync=True)
    assert survives(disk) == [1]


def test_a_segment_that_is_too_small_makes_way() -> None:
    """For the next one: its file is deleted and its handle given back."""
    disk = FakeDisk()
    log = log_on(disk)
    numbers = [log.prepare(ROOM), log.prepare(2 * ROOM)]
    assert numbers == [1, 2]
    assert (disk.names(), disk.files_open) == ([name_of(2)], 1)


def test_a_segment_that_ends_gives_back_what_it_did_not_use() -> None:
    """And its handle; with `sync`, what was written to it is safe then."""
    disk = FakeDisk()
    log = log_on(disk)
    log.prepare(ROOM)
    log.roll(sync=True)
    write(log, 1, sync=False)
    log.prepare(ROOM)
    log.roll(sync=True)
    assert len(disk.read(name_of(1))) == len(disk.read(name_of(1)).rstrip(b"\0")) < ROOM
    assert disk.files_open == 1
    assert survives(disk) == [1]


def test_what_is_written_without_sync_is_safe_after_one() -> None:
    """Not before."""
    disk = FakeDisk()
    log = log_on(disk)
    log.prepare(ROOM)
    log.roll(sync=True)
    write(log, 1, sync=False)
    write(log, 2, sync=False)
    assert survives(disk) == []
    log.sync()
    assert survives(disk) == [1, 2]


def test_a_sync_before_anything_was_begun_is_none() -> None:
    """There is nothing to wait for."""
    disk = FakeDisk()
    log_on(disk).sync()
    assert disk.syncs == 0


def test_a_log_that_is_closed_keeps_its_room_and_no_handle() -> None:
    """What was written is safe; the segment that was ready is deleted, the one that was written stays as large."""
    disk = FakeDisk()
    log = log_on(disk)
    log.prepare(ROOM)
    log.roll(sync=True)
    log.prepare(ROOM)
    write(log, 1, sync=False)
    log.close(sync=True)
    assert (disk.names(), disk.files_open) == ([name_of(1)], 0)
    assert len(disk.read(name_of(1))) == HEAD_BYTES + ROOM
    assert survives(disk) == [1]


def test_a_segment_whose_last_sync_fails_is_closed() -> None:
    """The error is told, and the handle is given back."""
    disk = FakeDisk()
    log = log_on(disk)
    log.prepare(ROOM)
    log.roll(sync=True)
    disk.fail["sync"] = errno.EIO
    with pytest.raises(OSError, match="Input/output"):
        log.close(sync=True)
    assert disk.files_open == 0


def test_steps_out_of_their_order_are_defects() -> None:
    """Nothing is written where no segment was begun, and none begins that was not made ready."""
    log = log_on(FakeDisk())
    with pytest.raises(RuntimeError, match="no segment is ready"):
        log.roll(sync=True)
    with pytest.raises(RuntimeError, match="no segment was begun"):
        write(log, 1, sync=True)
