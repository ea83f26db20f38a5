"""The event loop's side: what is answered is on the disk, what cannot be is refused, what is done with is deleted."""

import asyncio
import errno
import random
import threading
from collections.abc import Iterable, Iterator

import pytest

from fakes_disk import FakeDisk
from spansieve.errors import Unavailable
from spansieve.journal.log import SegmentLog
from spansieve.journal.reading import JournalReader, name_of
from spansieve.journal.records import Batch, Checkpoint, Piece, Settled, Settlement
from spansieve.model import Signal
from spansieve.outcome import Reason
from unit.journal.helpers_journal import RING, World, batch, read, states_of


async def started(**wishes: int) -> World:
    """A journal that was begun on an empty disk."""
    world = World(**wishes)
    await world.start()
    return world


async def filled(world: World) -> tuple[int, Unavailable]:
    """Write requests until one is refused, while all are owed: how many were answered, and the refusal."""
    for answered in range(1000):
        world.clock.advance(1)
        world.journal.tidy(lambda: 1)
        try:
            await world.write(5000)
        except Unavailable as refused:
            return answered, refused
    pytest.fail("nothing was refused")


async def test_a_journal_begins_with_a_checkpoint() -> None:
    """Which is synced before anything else is taken."""
    world = await started()
    records, _ = read(world.disk)
    (state,) = states_of(records).values()
    assert state == {"state": b"state", "books": b"books"}
    await world.journal.stop(lambda: None)


async def test_what_was_answered_survives_a_power_cut() -> None:
    """The waiter is woken after the sync, not before."""
    world = await started()
    position = await world.write()
    world.disk.cut_power(random.Random(1))
    records, _ = read(world.disk)
    assert records[position] == batch()


async def test_requests_that_wait_together_share_a_sync() -> None:
    """Group commit: fewer syncs than requests."""
    world = await started()
    before = world.disk.syncs
    await asyncio.gather(*(world.write(100) for _ in range(200)))
    assert world.disk.syncs - before < 100
    await world.journal.stop(lambda: None)


async def test_without_sync_nothing_is_synced_for_a_request() -> None:
    """`durability: os`: the bytes are with the operating system, which survives the process."""
    world = World(sync=False)
    await world.start()
    before = world.disk.syncs
    position = await world.write()
    assert world.disk.syncs == before
    assert read(world.disk)[0][position] == batch()
    await world.journal.stop(lambda: None)


@pytest.mark.parametrize("call", ["write", "sync"])
async def test_a_failed_write_or_sync_is_never_answered_ok(call: str) -> None:
    """The request that met it is refused, and so is everything after it, until a restart."""
    world = await started()
    world.disk.fail[call] = errno.EIO
    with pytest.raises(Unavailable) as refused:
        await world.write()
    assert refused.value.reason == "journal_failed"
    assert refused.value.retry_after > 0
    assert world.journal.failed
    with pytest.raises(Unavailable):
        await world.journal.reserve(1)
    assert (
        "journal_failed",
        {"error": f"{'write'}: EIO", "remedy": world.log.lines[-1][1]["remedy"]},
    ) in world.log.lines
    await world.journal.stop(lambda: None)


async def test_after_a_failure_nothing_more_is_written() -> None:
    """A sync that fails once may succeed the next time and mean nothing."""
    world = await started()
    world.disk.fail["sync"] = errno.EIO
    with pytest.raises(Unavailable):
        await world.write()
    calls = world.disk.calls["write"], world.disk.calls["sync"]
    world.journal.append(Settled([Settlement(1, Signal.TRACES, b"t" * 16, 1)]))
    world.journal.flush()
    await world.journal.stop(lambda: None)
    assert (world.disk.calls["write"], world.disk.calls["sync"]) == calls


async def test_a_full_disk_refuses_and_recovers() -> None:
    """No request that was answered depends on room that is not there; once there is room, all goes on."""
    world = await started(max_bytes=1 << 20)
    world.disk.room = world.disk.used
    answered, refused = await filled(world)
    assert refused.reason == "journal_full"
    assert answered > 10
    assert not world.journal.failed
    world.disk.room = 1 << 30
    with pytest.raises(Unavailable):  # the disk is not asked for each request
        await world.write(5000)
    world.clock.advance(1.1)
    await world.write(5000)
    assert world.log.events.count("journal_has_no_room") == 1
    assert world.log.events.count("journal_has_room_again") == 1
    await world.journal.stop(lambda: 1)
    records, _ = read(world.disk)
    assert sum(isinstance(each, Batch) for each in records.values()) == answered + 1


async def test_a_disk_without_room_for_a_name_refuses_and_recovers() -> None:
    """ENOSPC may come where a file is created, before it takes any room."""
    world = await started(max_bytes=1 << 20)
    world.disk.fail["create"] = errno.ENOSPC
    await world.write(110_000)
    while "journal_has_no_room" not in world.log.events:  # the segment after the next one is asked for
        await world.write(500)
    assert not world.journal.failed
    world.clock.advance(1.1)
    for _ in range(100):
        await world.write(5000)
        world.journal.tidy(lambda: None)
        world.clock.advance(1)
    assert world.log.events.count("journal_has_room_again") == 1
    await world.journal.stop(lambda: None)


async def test_nobody_waits_for_a_file_to_be_made() -> None:
    """While the disk takes its time over the next segment, requests are synced to this one."""
    world = await started(max_bytes=1 << 20)
    gate = world.disk.gates["allocate"] = threading.Event()
    before = world.disk.calls["allocate"]
    await world.write(110_000)
    while world.disk.calls["allocate"] == before:
        await world.write(500)
    for _ in range(5):
        position = await world.write(5000)
    assert read(world.disk)[0][position] == batch(5000)
    gate.set()
    await world.journal.stop(lambda: None)


@pytest.mark.parametrize("operation", ["rename", "remove"])
async def test_a_segment_that_cannot_be_deleted_is_tried_again(operation: str) -> None:
    """It harms nobody while it stays, in which case those after it stay, too; the log says so once."""
    world = World(await _disk_with_segments(damaged=operation == "rename"), max_bytes=1 << 20)
    await world.start()
    old = [name for name in world.segments() if name < world.segments()[-2]]
    world.disk.fail[operation] = errno.ENOSPC
    world.clock.advance(1)
    world.journal.tidy(lambda: None)
    while "journal_segment_gone" not in world.log.events or set(old) & set(world.segments()):
        await world.write()  # is answered
    assert world.log.events.count("journal_segment_stays") == 1
    assert world.log.events.count("journal_segment_gone") == 1
    assert not world.journal.failed
    await world.journal.stop(lambda: None)


async def test_a_defect_while_a_segment_is_made_refuses_who_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a thread that is dead."""
    world = await started(max_bytes=1 << 20)

    def broken(_log: SegmentLog, _size: int) -> int:
        raise ArithmeticError

    monkeypatch.setattr(SegmentLog, "prepare", broken)
    with pytest.raises(Unavailable) as refused:
        await world.write(400_000)
    assert refused.value.reason == "journal_failed"
    assert world.log.lines[-1][1]["error"] == "prepare: ArithmeticError"
    await world.journal.stop(lambda: None)


async def test_a_defect_while_a_segment_is_deleted_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays, and what is to be made is made."""
    world = World(await _disk_with_segments(damaged=False), max_bytes=1 << 20)
    await world.start()

    def broken(_log: SegmentLog, _number: int, *, damaged: bool) -> None:
        raise ArithmeticError(damaged)

    monkeypatch.setattr(SegmentLog, "forget", broken)
    world.clock.advance(1)
    world.journal.tidy(lambda: None)
    while "journal_segment_stays" not in world.log.events:
        await world.write()
    await world.write(400_000)
    assert ("journal_segment_stays", "ArithmeticError") in [
        (event, told.get("error")) for event, told in world.log.lines
    ]
    await world.journal.stop(lambda: None)


async def _disk_with_segments(*, damaged: bool) -> FakeDisk:
    """A disk with three segments that nothing is owed of, the first of them perhaps broken."""
    world = await started(max_bytes=1 << 20)
    while len(world.segments()) < 4:
        await world.write(5000)
    if damaged:
        first = world.segments()[0]
        world.disk.corrupt(first, len(world.disk.read(first)) // 2)
    disk = world.disk.left()
    await world.journal.stop(lambda: 1)
    return disk


async def test_accounts_can_be_closed_on_a_full_disk() -> None:
    """Room is spared for what frees room."""
    world = await started()
    world.disk.room = world.disk.used
    await filled(world)
    for n in range(100):
        world.journal.append(Settled([Settlement(n + 1, Signal.TRACES, b"t" * 16, 1)]))
    world.journal.flush()
    await world.journal.stop(lambda: 1)
    assert world.journal.unrecorded == 0
    assert sum(isinstance(each, Settled) for each in read(world.disk)[0].values()) == 100


async def test_the_bound_refuses_while_everything_is_owed() -> None:
    """And the journal stays within it."""
    world = await started(max_bytes=1 << 20)
    _, refused = await filled(world)
    assert "journal_max_mib" in refused.description
    assert world.disk.used <= (1 << 20) + 4096
    await world.journal.stop(lambda: 1)


async def test_what_is_not_owed_is_deleted() -> None:
    """Far more goes through than the bound, as long as nobody is owed it."""
    world = await started(max_bytes=1 << 20)
    for _ in range(1000):
        await world.write(5000)
        world.clock.advance(1)
        world.journal.tidy(lambda: None)
    assert world.journal.size <= 1 << 20
    await world.journal.stop(lambda: None)
    assert len(world.segments()) == 1


async def test_what_is_not_owed_is_deleted_within_an_hour_without_traffic() -> None:
    """A segment need not be full; one in which nothing stands but its checkpoint stays the one that is written."""
    world = await started()
    position = await world.write(5000)
    first = world.segments()[0]
    world.clock.advance(3599)
    world.journal.tidy(lambda: None)
    assert not world.journal.is_checkpointing
    checkpoints = []
    for _ in range(3):
        world.clock.advance(3600)
        world.journal.tidy(lambda: None)
        await world.journal.checkpointed()
        checkpoints.append(world.journal._checkpoint_at)
        await world.journal.synced(checkpoints[-1])
    assert checkpoints == [position + 3] * 3
    world.clock.advance(1)
    world.journal.tidy(lambda: None)
    await world.journal.stop(lambda: None)
    assert first not in world.segments()


async def test_a_waiting_trace_keeps_its_segment_and_all_after_it() -> None:
    """`oldest` names the position of what waits."""
    world = await started(max_bytes=1 << 20)
    position = await world.write(5000)
    first = world.segments()[0]
    for _ in range(60):
        await world.write(5000)
    world.clock.advance(1)
    world.journal.tidy(lambda: position)
    assert world.segments()[0] == first
    world.clock.advance(1)
    world.journal.tidy(lambda: None)
    await world.journal.stop(lambda: None)
    assert first not in world.segments()


async def test_an_open_receipt_keeps_its_segment() -> None:
    """Until all items have left."""
    world = await started(max_bytes=1 << 20)
    position = await world.write(5000)
    first = world.segments()[0]
    receipt = world.journal.receipt(Signal.TRACES, position, position, b"t" * 16, 2)
    for _ in range(60):
        await world.write(5000)
    receipt.settle(1, 0, Reason.NONE)
    world.clock.advance(1)
    world.journal.tidy(lambda: None)
    assert world.segments()[0] == first
    receipt.settle(1, 1, Reason.DOWNSTREAM_REJECTED)
    world.clock.advance(1)
    world.journal.tidy(lambda: None)
    await world.journal.stop(lambda: None)
    assert first not in world.segments()


async def test_what_left_is_written_down() -> None:
    """With its outcome, in one record for all that one turn of the loop settled."""
    world = await started()
    one, two = (world.journal.receipt(Signal.TRACES, n, n, bytes([n]) * 16, 3) for n in (1, 2))
    one.settle(3, 0, Reason.NONE)
    two.settle(1, 1, Reason.TOO_LARGE)
    two.settle(2, 0, Reason.NONE)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    position = await world.write()
    records, _ = read(world.disk)
    assert records[position - 1] == Settled(
        [Settlement(1, Signal.TRACES, b"\1" * 16, 3), Settlement(2, Signal.TRACES, b"\2" * 16, 3, 1, Reason.TOO_LARGE)]
    )
    await world.journal.stop(lambda: None)


async def test_the_state_in_a_checkpoint_is_that_between_two_requests() -> None:
    """A request whose segment was full stands behind the checkpoint, and its effects are not in it."""
    world = World(max_bytes=1 << 20)
    world.state = b"0"
    await world.start()
    for _ in range(120):
        world.journal.tidy(lambda: 1)
        world.clock.advance(1)
        await world.journal.reserve(5200)
        position = world.journal.append(batch(5000))
        world.state = str(position).encode()
        await world.journal.synced(position)
    await world.journal.stop(lambda: 1)
    records, _ = read(world.disk)
    states = states_of(records)
    assert len(states) > 2
    for position, state in states.items():
        checkpoint = records[position]
        assert isinstance(checkpoint, Checkpoint)
        assert state["state"] == str(checkpoint.after).encode()


def roll(world: World, pieces: Iterable[bytes]) -> None:
    """Have a segment begun with a state of these pieces, each of which takes its time to be made."""

    def slowly() -> Iterator[bytes]:
        for each in pieces:
            world.clock.advance(1)
            yield each

    world.pieces = lambda: {"state": slowly(), "books": [world.books]}
    assert world.journal._roll(0)


async def test_requests_go_on_while_the_state_is_written_down() -> None:
    """They stand between its pieces, and what they change is not in it; nor what leaves meanwhile."""
    world = await started(max_bytes=1 << 20)
    position = await world.write()
    receipt = world.journal.receipt(Signal.TRACES, position, position, b"t" * 16, 1)
    makes = asyncio.Event()

    def pieces() -> Iterator[bytes]:
        for number in range(10_000):
            if makes.is_set():
                return
            yield b"%d " % number

    roll(world, pieces())
    world.books = b"something left"
    receipt.settle(1, 0, Reason.NONE)
    while world.journal._of_state < 3:
        later = await world.write(10)
    assert world.journal.is_checkpointing
    makes.set()
    await world.journal.checkpointed()
    await world.journal.synced(world.journal._checkpoint_at)
    found, _ = read(world.disk)
    state = states_of(found)[world.journal._checkpoint_at]
    assert state["state"].startswith(b"0 ")
    assert state["books"] == b"books"
    assert {type(found[at]) for at in range(position + 1, later)} >= {Piece, Settled}
    assert later < world.journal._checkpoint_at
    await world.journal.stop(lambda: None)


async def test_no_segment_is_deleted_before_a_newer_state_is_complete() -> None:
    """A process that dies in between goes on from the older one."""
    world = await started(max_bytes=1 << 20)
    await world.write()
    first = world.segments()[0]
    gate = asyncio.Event()

    def pieces() -> Iterator[bytes]:
        while not gate.is_set():
            yield b"x"

    roll(world, pieces())
    for _ in range(3):
        await world.write(10)
        world.clock.advance(1)
        world.journal.tidy(lambda: None)
    assert world.segments()[0] == first
    saved = JournalReader(world.disk.left(), RING).saved()
    assert saved is not None
    assert (name_of(saved.segment), saved.parts["state"]) == (first, b"state")
    gate.set()
    await world.journal.stop(lambda: None)
    assert first not in world.segments()


async def test_who_finds_the_segment_full_waits_until_the_state_is_complete() -> None:
    """The one after it is begun with a state of its own."""
    world = await started(max_bytes=1 << 20)
    roll(world, [b"x" * 10] * 50)
    written = [await world.write(60_000) for _ in range(4)]
    records, _ = read(world.disk)
    assert all(records[position] == batch(60_000) for position in written)
    assert len(states_of(records)) >= 3
    await world.journal.stop(lambda: None)


async def test_a_state_that_outgrows_its_segment_is_written_to_a_larger_one() -> None:
    """Also beyond the bound: without it nothing could be deleted, and the journal would be full for ever."""
    world = await started(max_bytes=1 << 20)
    first = world.segments()[0]
    roll(world, [b"y" * 10_000] * 30)
    await world.write(10)
    await world.journal.checkpointed()
    assert states_of(read(world.disk)[0]) == {3: {"state": b"state", "books": b"books"}}
    for _ in range(3):
        world.clock.advance(1)
        world.journal.tidy(lambda: None)
        if world.journal._room.preparing is not None:
            await world.journal._room.preparing
        await world.journal.checkpointed()
    await world.write(10)
    world.clock.advance(1)
    world.journal.tidy(lambda: None)
    await world.journal.stop(lambda: None)
    saved = JournalReader(world.disk.left(), RING).saved()
    assert saved is not None
    assert saved.parts["state"] == b"y" * 300_000
    assert first not in world.segments()


async def test_a_defect_in_what_gives_the_state_ends_the_gateway() -> None:
    """It is raised to whoever looks after the journal: a journal of which nothing can be deleted would end it later."""
    before = set(threading.enumerate())
    world = await started(max_bytes=1 << 20)

    def broken() -> Iterator[bytes]:
        yield b"x"
        raise ArithmeticError

    roll(world, broken())
    with pytest.raises(ArithmeticError):
        await world.journal.checkpointed()
    world.clock.advance(1)
    with pytest.raises(ArithmeticError):
        world.journal.tidy(lambda: None)
    with pytest.raises(ArithmeticError):
        await world.journal.stop(lambda: None)
    assert not [each for each in threading.enumerate() if each.name.startswith("journal") and each not in before]


async def test_a_state_is_written_down_though_who_asked_for_it_went_away() -> None:
    """The next one finds the segment begun."""
    world = await started(max_bytes=1 << 20)
    await world.write(20_000)
    gone = asyncio.create_task(world.journal.reserve(110_000))
    await asyncio.sleep(0)
    assert world.journal.is_checkpointing
    gone.cancel()
    await world.journal.checkpointed()
    await world.write()
    assert len(states_of(read(world.disk)[0])) == 2
    await world.journal.stop(lambda: None)


async def test_a_segment_that_gives_way_to_a_larger_one_is_not_begun() -> None:
    """A small request that comes while that is made waits for it, too."""
    world = await started(max_bytes=1 << 20)
    gate = world.disk.gates["allocate"] = threading.Event()
    large = asyncio.create_task(world.write(400_000))
    await asyncio.sleep(0)
    await world.journal.checkpointed()
    for _ in range(3):
        await asyncio.sleep(0)
    assert world.journal._room.preparing is not None
    small = [asyncio.create_task(world.write(20_000)) for _ in range(12)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(large, *small)
    assert not world.journal.failed
    await world.journal.stop(lambda: None)


async def test_a_record_larger_than_a_segment_gets_a_segment_of_its_size() -> None:
    """Nothing that was admitted is too large for the journal, below its bound."""
    world = await started(max_bytes=1 << 20)
    position = await world.write(400_000)
    assert read(world.disk)[0][position] == batch(400_000)
    await world.journal.stop(lambda: None)


async def test_a_sender_that_goes_away_harms_nobody() -> None:
    """Its request is written all the same; others get their answers."""
    world = await started()
    gone = asyncio.create_task(world.write())
    await asyncio.sleep(0)
    gone.cancel()
    await world.write()
    await world.journal.stop(lambda: 1)
    records, _ = read(world.disk)
    assert [each for each in records.values() if isinstance(each, Batch)] == [batch(), batch()]


async def test_stop_leaves_a_checkpoint_behind_everything() -> None:
    """So that a restart after an orderly stop has nothing to measure again."""
    world = await started()
    await world.write()
    world.state = b"at the end"
    await world.journal.stop(lambda: None)
    records, findings = read(world.disk)
    assert states_of(records)[max(records)]["state"] == b"at the end"
    assert (findings.gaps, findings.torn_bytes) == (0, 0)


async def test_a_new_process_goes_on_behind_the_old_one() -> None:
    """Positions and segments are never used again."""
    world = await started()
    position = await world.write()
    again = World(world.disk.left())
    await again.journal.start()
    assert await again.write() > position + 1
    assert again.found[position] == batch()
    assert len(set(again.segments())) == len(again.segments())
    await again.journal.stop(lambda: position)
    assert read(again.disk)[0][position] == batch()
    await world.journal.stop(lambda: None)


async def test_a_journal_can_be_begun_on_a_full_disk() -> None:
    """A gateway that was killed there delivers what it owes, which frees room: the usual segment is not needed."""
    disk = await _disk_with_segments(damaged=False)
    world = World(disk)  # reading frees what the last segments did not use
    disk.room = disk.used + 80_000
    await world.start()
    assert "journal_begun_small" in world.log.events
    with pytest.raises(Unavailable, match="no room"):
        await world.write(70_000)
    for n in range(100):
        world.journal.append(Settled([Settlement(n + 1, Signal.TRACES, b"t" * 16, 1)]))
    world.clock.advance(2)
    world.journal.tidy(lambda: None)
    await world.write(70_000)
    assert world.journal.unrecorded == 0
    await world.journal.stop(lambda: None)


async def test_a_stop_keeps_the_room_that_the_next_start_needs() -> None:
    """Others may fill the disk to its last byte between the two: what the last segment did not use is not theirs."""
    world = World(FakeDisk(room=200_000))
    await world.start()
    position = await world.write()
    await world.journal.stop(lambda: position)
    world.disk.room = world.disk.used
    again = World(world.disk)
    await again.start()
    assert again.found[position] == batch()
    assert "journal_begun_small" in again.log.events
    await again.journal.stop(lambda: position)


async def test_a_journal_that_cannot_be_begun_says_so() -> None:
    """The gateway does not start on a disk without room."""
    world = World(FakeDisk(room=1000))
    with pytest.raises(Unavailable, match="no room"):
        await world.journal.start()
    await world.journal.stop(lambda: None)
