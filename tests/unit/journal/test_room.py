"""Room for records: what is spared, how large the next segment has to be, and who is told that there is none."""

import asyncio

import pytest

from fakes import ManualClock
from spansieve.errors import Unavailable
from spansieve.journal.reading import Segment
from spansieve.journal.room import Room
from spansieve.journal.writer import Prepared
from unit.journal.helpers_journal import Lines

MIB = 1024 * 1024


class Rooms:
    """A Room, and the sizes that it asked for."""

    def __init__(self, *found: Segment, max_bytes: int = 64 * MIB) -> None:
        self.asked: list[int] = []
        self.clock = ManualClock()
        self.log = Lines()
        self.room = Room(found, 100, max_bytes, self.clock, self.log, self.asked.append)

    def begun(self, number: int = 7) -> Room:
        """With a segment of the size that it wants."""
        self.room.make_first()
        self.room.prepared(Prepared(number, self.asked[-1]))
        self.room.begin(100)
        return self.room


async def test_a_sixteenth_is_spared_for_what_closes_accounts() -> None:
    """Nobody can reserve it, and it can be taken."""
    room = Rooms().begun()
    room.checkpoint_made(0)
    assert room.current.size == 8 * MIB
    assert room.fits(7 * MIB)
    assert not room.fits(8 * MIB - 8 * MIB // 16)
    assert room.take(7 * MIB)
    assert not room.fits(MIB - 8 * MIB // 16)
    assert room.take(MIB)
    assert room.is_full
    assert not room.take(1)


async def test_a_segment_is_four_times_its_checkpoint() -> None:
    """Or as much as a large record needs beside it."""
    rooms = Rooms()
    rooms.room.checkpoint_bytes = 3 * MIB
    rooms.begun()
    rooms.room.make_next()
    assert rooms.asked == [12 * MIB, 12 * MIB]
    rooms.room.prepared(Prepared(8, 12 * MIB))
    assert rooms.room.is_ready_for(7 * MIB)
    assert not rooms.room.is_ready_for(8 * MIB)


async def test_room_is_set_apart_for_a_checkpoint_until_it_is_complete() -> None:
    """As much as the one before took, and a quarter more; what it does not take is for all then."""
    rooms = Rooms(max_bytes=16 * MIB)
    rooms.room.checkpoint_bytes = MIB
    room = rooms.begun()
    assert room.current.size == 4 * MIB
    assert not room.fits(3 * MIB - 4 * MIB // 16)
    assert room.fits(2 * MIB)
    assert room.take(2 * MIB)
    assert room.take_for_checkpoint(MIB)
    room.checkpoint_made(MIB)
    assert room.fits(MIB - 4 * MIB // 16 - 1000)


async def test_a_checkpoint_that_has_grown_takes_of_what_is_for_all() -> None:
    """As far as there is any; the next segment has room for it."""
    rooms = Rooms(max_bytes=16 * MIB)
    rooms.room.checkpoint_bytes = MIB // 2
    room = rooms.begun()
    assert room.take_for_checkpoint(room.current.size)
    assert not room.take_for_checkpoint(1)
    room.checkpoint_made(2 * MIB)
    room.make_next()
    assert rooms.asked == [2 * MIB, 8 * MIB]


async def test_a_checkpoint_may_grow_before_its_segment_is_begun() -> None:
    """By little, the smallest one too: another of the right size may not be had any more."""
    rooms = Rooms()
    with rooms.room.small():
        rooms.room.checkpoint_bytes = 1000
        rooms.room.make_first()
        rooms.room.prepared(Prepared(7, rooms.asked[-1]))
        rooms.room.checkpoint_bytes = 1100
        assert rooms.room.is_ready_for(0)


async def test_the_bound_holds_for_all_segments_together() -> None:
    """But for the first of a process, without which nothing could be deleted."""
    rooms = Rooms(Segment(1, 6 * MIB, 1), Segment(2, 6 * MIB, 50), max_bytes=16 * MIB)
    room = rooms.begun()
    assert room.size == 14 * MIB
    room.forget_oldest()
    with pytest.raises(Unavailable, match="journal_max_mib"):
        await room.make(9 * MIB)
    assert rooms.asked == [2 * MIB]


async def test_a_position_is_in_the_segment_that_begins_before_it() -> None:
    """Among those found and the one that is written."""
    room = Rooms(Segment(3, MIB, 10), Segment(5, MIB, 40)).begun(7)
    assert [room.segment_of(position) for position in (10, 39, 40, 99, 100, 500)] == [3, 3, 5, 5, 7, 7]


async def test_a_disk_without_room_is_asked_again_after_a_second() -> None:
    """It is said once, and once that there is room again; who comes in between is refused at once."""
    rooms = Rooms()
    room = rooms.begun()
    room.make_next()
    room.prepared(Prepared(refused="ENOSPC"))
    with pytest.raises(Unavailable, match="no room"):
        await room.make(MIB)
    assert len(rooms.asked) == 2
    rooms.clock.advance(1)
    room.make_next()
    room.prepared(Prepared(9, rooms.asked[-1]))
    assert room.is_ready_for(0)
    assert rooms.log.events == ["journal_has_no_room", "journal_has_room_again"]


async def test_who_waits_for_a_segment_that_is_refused_is_refused() -> None:
    """The disk had no room: there is nothing to write into."""
    rooms = Rooms()
    room = rooms.begun()
    waiting = asyncio.ensure_future(room.make(MIB))
    await asyncio.sleep(0)
    room.prepared(Prepared(refused="ENOSPC"))
    with pytest.raises(Unavailable, match="no room"):
        await waiting


async def test_segments_are_small_no_longer_than_asked() -> None:
    """Once the disk has room again they are of their usual size."""
    rooms = Rooms()
    with rooms.room.small():
        rooms.begun()
    rooms.room.make_first()
    assert rooms.asked[0] < MIB
    assert rooms.asked[1] == 8 * MIB


async def test_an_hour_makes_a_segment_old() -> None:
    """Full or not."""
    rooms = Rooms()
    room = rooms.begun()
    assert not room.is_old
    rooms.clock.advance(3600)
    assert room.is_old
    assert not room.is_full
