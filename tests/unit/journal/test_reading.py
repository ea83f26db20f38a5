"""Reading back: what a crash leaves is mended and said, what a disk broke is put aside and said."""

from collections.abc import Sequence

import pytest

from fakes_disk import FakeDisk
from spansieve.journal.blocks import HEAD_BYTES
from spansieve.journal.errors import JournalError
from spansieve.journal.keys import Keyring
from spansieve.journal.log import SegmentLog
from spansieve.journal.reading import Cursor, JournalReader, Saved, Unreadable, name_of
from spansieve.journal.records import Checkpoint, Piece, Record, encode
from unit.journal.helpers_journal import RING, batch, records_of

OTHER = Keyring([b"o" * 32])
STATE = [Piece(0, "state", b"some "), Piece(0, "other", b""), Piece(0, "state", b"bytes")]
COMPLETE = Checkpoint(3.0, 0, {"state": 10, "other": 0})


def written(*sizes: int, segments: int = 1, state: Sequence[Record] = (Checkpoint(0.0, 0, {}),)) -> FakeDisk:
    """A disk with segments of a state and a block for each size; positions from 1 on."""
    disk = FakeDisk()
    log = SegmentLog(disk, RING, lambda n: (len(disk.names()) + 1).to_bytes(n, "big"), 1)
    position = 1
    for _ in range(segments):
        log.prepare(100_000)
        log.roll(sync=True)
        for record in (*state, *map(batch, sizes)):
            log.write([encode(record)], position, sync=True)
            position += 1
    log.close(sync=True)
    return disk


def end_of(disk: FakeDisk) -> int:
    """Where the first segment ends, but for room that was taken and not used."""
    return len(disk.read(name_of(1)).rstrip(b"\0"))


def test_an_intact_journal_is_read_whole() -> None:
    """In order, and without a complaint."""
    reader = JournalReader(written(10, 20, segments=2), RING)
    assert list(records_of(reader)) == [1, 2, 3, 4, 5, 6]
    found = reader.findings
    assert (found.gaps, found.torn_bytes, found.put_aside) == (0, 0, [])
    assert (found.next_number, found.next_position) == (3, 7)


def test_the_newest_checkpoint_is_the_one_to_start_from() -> None:
    """With the segment that it begins."""
    reader = JournalReader(written(10, segments=3), RING)
    assert reader.saved() == Saved(3, 0.0, {})


def test_a_state_is_put_together_of_its_pieces() -> None:
    """By part, in their order, whatever requests came between them."""
    disk = written(10, segments=2, state=[STATE[0], batch(10), *STATE[1:], batch(5), COMPLETE])
    assert JournalReader(disk, RING).saved() == Saved(2, 3.0, {"state": b"some bytes", "other": b""})


@pytest.mark.parametrize("missing", [0, 2, 3], ids=["first", "last", "that it is complete"])
def test_a_state_of_which_a_piece_is_missing_is_none(missing: int) -> None:
    """A process that died while it wrote it down, or a disk that lost a piece."""
    records = [*STATE, COMPLETE]
    del records[missing]
    assert JournalReader(written(10, state=records), RING).saved() is None


def test_pieces_of_a_state_that_was_given_up_are_none_of_the_next_one() -> None:
    """They name another position."""
    disk = written(10, state=[Piece(7, "state", b"given up"), *STATE, COMPLETE])
    assert JournalReader(disk, RING).saved() == Saved(1, 3.0, {"state": b"some bytes", "other": b""})


def test_a_broken_newest_checkpoint_leaves_the_one_before() -> None:
    """Its segment is still there: it is deleted only when a newer one is safe."""
    disk = written(10, segments=2)
    disk.corrupt(name_of(2), HEAD_BYTES + 40)
    assert JournalReader(disk, RING).saved() == Saved(1, 0.0, {})


def test_an_empty_directory_has_no_checkpoint() -> None:
    """The first start."""
    reader = JournalReader(FakeDisk(), RING)
    assert reader.saved() is None
    assert records_of(reader) == {}


def test_a_torn_tail_is_cut_off_and_said_once() -> None:
    """The next start finds nothing wrong."""
    disk = written(10, 5000)
    disk.truncate(name_of(1), end_of(disk) - 100)
    reader = JournalReader(disk, RING)
    assert list(records_of(reader)) == [1, 2]
    assert reader.findings.torn_bytes > 4000
    assert reader.findings.gaps == 0
    again = JournalReader(disk, RING)
    assert list(records_of(again)) == [1, 2]
    assert again.findings.torn_bytes == 0


def test_a_torn_tail_before_a_segment_that_was_made_ready_is_one() -> None:
    """The next segment stands ready most of the time."""
    disk = written(10, 5000)
    disk.truncate(name_of(1), end_of(disk) - 100)
    SegmentLog(disk, RING, lambda n: bytes(n), 2).prepare(1000)  # noqa: PLW0108 - a salt of zeros
    reader = JournalReader(disk, RING)
    assert list(records_of(reader)) == [1, 2]
    assert (reader.findings.gaps, reader.findings.torn_bytes > 4000) == (0, True)


def test_a_broken_middle_is_said_and_its_segment_is_not_deleted_later() -> None:
    """Everything around it is read; later it is put aside for whoever wants to look at it."""
    disk = written(10, 5000, 10)
    disk.corrupt(name_of(1), HEAD_BYTES + 1000)
    reader = JournalReader(disk, RING)
    assert list(records_of(reader)) == [1, 2, 4]
    assert reader.findings.gaps == 1
    (segment,) = reader.findings.segments
    assert segment.damaged
    SegmentLog(disk, RING, bytes, 2).forget(1, damaged=segment.damaged)
    assert disk.names() == [name_of(1) + ".damaged"]
    assert JournalReader(disk, RING).findings.next_number == 2


@pytest.mark.parametrize("how", ["emptied", "removed"])
def test_a_segment_that_is_gone_from_between_others_is_said(how: str) -> None:
    """The positions that were in it are missing; the next start says so again, as long as those around it are there."""
    disk = written(10, 20, segments=3)
    if how == "emptied":
        disk.truncate(name_of(2), 0)
    else:
        disk.remove(name_of(2))
    for _ in range(2):
        reader = JournalReader(disk, RING)
        assert list(records_of(reader)) == [1, 2, 3, 7, 8, 9]
        assert reader.findings.gaps == 1


def test_what_is_missing_for_a_segment_that_was_put_aside_is_said_once() -> None:
    """By the start that put it aside."""
    disk = written(10, segments=3)
    disk.corrupt(name_of(2), 3)
    for gaps in (1, 0):
        reader = JournalReader(disk, RING)
        assert list(records_of(reader)) == [1, 2, 5, 6]
        assert reader.findings.gaps == gaps


def test_a_broken_end_is_said_once() -> None:
    """The positions that are missing before the next segment are those that were in it."""
    disk = written(10, 5000, segments=2)
    disk.corrupt(name_of(1), end_of(disk) - 100)
    reader = JournalReader(disk, RING)
    assert list(records_of(reader)) == [1, 2, 4, 5, 6]
    assert reader.findings.gaps == 1


def test_a_broken_segment_does_not_explain_one_that_is_missing_later() -> None:
    """Only what stands right before positions that are missing may be why."""
    disk = written(10, 5000, segments=4)
    disk.corrupt(name_of(1), end_of(disk) - 100)
    disk.remove(name_of(3))
    reader = JournalReader(disk, RING)
    assert list(records_of(reader)) == [1, 2, 4, 5, 6, 10, 11, 12]
    assert reader.findings.gaps == 2


def test_a_journal_that_was_emptied_is_not_taken_for_a_new_one() -> None:
    """Its files are there, and no block is in any of them; a new one has no files."""
    disk = written(10)
    SegmentLog(disk, RING, lambda n: bytes(n), 2).prepare(1000)  # noqa: PLW0108 - a salt of zeros
    disk.truncate(name_of(1), 0)
    reader = JournalReader(disk, RING)
    assert records_of(reader) == {}
    assert reader.findings.is_empty
    assert reader.findings.empty == [name_of(1), name_of(2)]
    new = JournalReader(FakeDisk(), RING)
    assert records_of(new) == {}
    assert not new.findings.is_empty


def test_a_segment_without_a_head_is_put_aside() -> None:
    """Nothing in it can be read, and nothing is deleted."""
    disk = written(10, segments=2)
    disk.corrupt(name_of(1), 3)
    reader = JournalReader(disk, RING)
    assert list(records_of(reader)) == [3, 4]
    assert reader.findings.put_aside == [name_of(1)]
    assert name_of(1) + ".damaged" in disk.names()


def test_a_segment_that_was_only_made_ready_is_removed() -> None:
    """It holds nothing."""
    disk = written(10)
    SegmentLog(disk, RING, lambda n: bytes(n), 2).prepare(1000)  # noqa: PLW0108 - a salt of zeros
    records_of(JournalReader(disk, RING))
    assert disk.names() == [name_of(1)]


def test_a_key_that_is_not_there_is_an_error() -> None:
    """Nothing is renamed, deleted, or started empty."""
    disk = written(10)
    with pytest.raises(JournalError, match="sealed with a key that is not there"):
        records_of(JournalReader(disk, OTHER))
    assert disk.names() == [name_of(1)]


def test_a_file_of_somebody_else_is_an_error() -> None:
    """With its name and what to do."""
    disk = FakeDisk()
    disk.create("notes.segment")
    with pytest.raises(JournalError, match=r"notes\.segment. Move it away"):
        JournalReader(disk, RING)


def test_a_cursor_finds_records_in_any_order() -> None:
    """Forwards without reading anything twice, backwards from the segment's begin."""
    cursor = Cursor(written(10, 20, 30, segments=2), RING)
    assert [cursor.find(1, 2), cursor.find(1, 4), cursor.find(2, 6), cursor.find(1, 3)] == [
        batch(10),
        batch(30),
        batch(10),
        batch(20),
    ]


def test_a_cursor_says_what_it_cannot_read() -> None:
    """What the disk broke, and what was never there."""
    disk = written(10, 20)
    disk.corrupt(name_of(1), end_of(disk) - 5)
    cursor = Cursor(disk, RING)
    assert cursor.find(1, 2) == batch(10)
    with pytest.raises(Unreadable):
        cursor.find(1, 3)
    with pytest.raises(Unreadable):
        Cursor(disk, OTHER).find(1, 2)


@pytest.mark.parametrize(
    ("at", "position"),
    [(3, 2), (HEAD_BYTES + 2, 2), (None, 4)],
    ids=["the segment's head", "a block's head", "behind the end"],
)
def test_a_cursor_says_where_there_is_no_record(at: int | None, position: int) -> None:
    """As an error of its own, that names the segment."""
    disk = written(10, 20)
    if at is not None:
        disk.corrupt(name_of(1), at)
    with pytest.raises(Unreadable, match=name_of(1)):
        Cursor(disk, RING).find(1, position)
