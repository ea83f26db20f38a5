"""Blocks: sealed, checked, and found again among what a crash leaves."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.journal import blocks
from spansieve.journal.blocks import HEAD_BYTES, Block, Gap, Seal, SegmentHead, key_id, read

KEY = b"k" * 32
HEAD = SegmentHead(3, key_id(KEY), b"s" * 32)
SEAL = Seal(KEY, HEAD)
CONTENTS = [b"first", b"second" * 100, b"third"]


def segment(*contents: bytes) -> bytes:
    """A segment with a block for each content; positions 10, 11, …"""
    return HEAD.encode() + b"".join(SEAL.block(n, 10 + n, content) for n, content in enumerate(contents))


def contents(data: bytes) -> list[bytes]:
    """What can be read."""
    return [each.records for each in read(data, SEAL) if isinstance(each, Block)]


def gaps(data: bytes) -> list[Gap]:
    """What cannot."""
    return [each for each in read(data, SEAL) if isinstance(each, Gap)]


def test_blocks_come_back_with_their_positions() -> None:
    """In their order, each with where the next may begin."""
    data = segment(*CONTENTS)
    found = list(read(data, SEAL))
    assert [(each.position, each.records) for each in found if isinstance(each, Block)] == [
        (10, CONTENTS[0]),
        (11, CONTENTS[1]),
        (12, CONTENTS[2]),
    ]
    assert isinstance(found[-1], Block)
    assert found[-1].end == len(data)


def test_room_that_was_never_used_is_no_gap() -> None:
    """Zeros behind the last block are how a segment is made ready."""
    assert not gaps(segment(*CONTENTS) + bytes(5000))


@pytest.mark.parametrize("kept", [1, 20, blocks.BLOCK_HEAD_BYTES, blocks.BLOCK_BYTES + 5])
def test_a_torn_tail_is_a_gap_at_the_end(kept: int) -> None:
    """What is whole before it is read."""
    whole = segment(*CONTENTS[:2])
    data = whole + SEAL.block(2, 12, b"t" * 100)[:kept] + bytes(1000)
    assert contents(data) == CONTENTS[:2]
    (gap,) = gaps(data)
    assert gap.is_tail
    assert gap.offset == len(whole)


def test_a_broken_middle_loses_only_itself() -> None:
    """The blocks on both sides are read, and the gap is not taken for a torn tail."""
    data = bytearray(segment(*CONTENTS))
    data[len(segment(CONTENTS[0])) + blocks.BLOCK_HEAD_BYTES + 3] ^= 1
    assert contents(bytes(data)) == [CONTENTS[0], CONTENTS[2]]
    (gap,) = gaps(bytes(data))
    assert not gap.is_tail


@given(st.data())
def test_no_single_changed_bit_goes_unseen(data: st.DataObject) -> None:
    """What is read is what was written, or it is not read."""
    broken = bytearray(segment(*CONTENTS))
    at = data.draw(st.integers(HEAD_BYTES, len(broken) - 1))
    broken[at] ^= 1 << data.draw(st.integers(0, 7))
    assert gaps(bytes(broken))
    left = contents(bytes(broken))
    assert len(left) == len(CONTENTS) - 1
    assert set(left) < set(CONTENTS)


def test_a_block_that_was_moved_does_not_open() -> None:
    """A block of another segment of the same key, or under another number, is no block here."""
    other = Seal(KEY, SegmentHead(4, key_id(KEY), b"s" * 32))
    assert contents(HEAD.encode() + other.block(0, 10, b"x")) == []
    sealed = SEAL.block(0, 10, b"x")[blocks.BLOCK_HEAD_BYTES :]
    assert SEAL.open(0, 10, sealed) == b"x"
    assert SEAL.open(1, 10, sealed) is None
    assert SEAL.open(0, 11, sealed) is None


def test_equal_contents_look_different() -> None:
    """In two blocks, and in two segments: nothing can be learned by comparing."""
    one, two = bytes(SEAL.block(0, 1, b"same" * 10)), bytes(SEAL.block(1, 1, b"same" * 10))
    three = bytes(Seal(KEY, SegmentHead(3, key_id(KEY), b"t" * 32)).block(0, 1, b"same" * 10))
    bodies = {each[blocks.BLOCK_HEAD_BYTES :] for each in (one, two, three)}
    assert len(bodies) == 3


def test_records_cannot_be_read_off_the_bytes() -> None:
    """Not a word of them."""
    assert b"umbrella" not in segment(b"the umbrella was repaired" * 10)


@pytest.mark.parametrize("at", [0, 9, 20, 40, HEAD_BYTES - 1])
def test_a_broken_head_is_none(at: int) -> None:
    """So that its segment is put aside, not misread."""
    broken = bytearray(HEAD.encode())
    broken[at] ^= 0x10
    assert SegmentHead.decode(bytes(broken)) is None


def test_a_head_of_another_format_is_none() -> None:
    """Its checksum is right; what follows it is not ours to read."""
    other = HEAD.encode().replace(b"SPSVJNL1", b"SPSVJNL2")[:-4]
    assert SegmentHead.decode(other + zlib.crc32(other).to_bytes(4, "big")) is None


def test_what_a_block_takes_is_known() -> None:
    """Beside its records, whatever they are: room is reckoned with it."""
    assert [len(SEAL.block(0, 1, content)) - len(content) for content in CONTENTS] == [blocks.BLOCK_BYTES] * 3


def test_a_head_is_read() -> None:
    """With number, key id and salt."""
    assert SegmentHead.decode(HEAD.encode() + b"more") == HEAD
    assert SegmentHead.decode(HEAD.encode()[:-1]) is None


def test_a_key_id_gives_no_key_away() -> None:
    """It is no part of the key, and differs for keys that differ."""
    assert key_id(KEY) not in KEY
    assert key_id(KEY) != key_id(b"l" * 32)
