"""What an earlier release has written to the disk: a journal outlives the gateway that wrote it."""

import pytest

from spansieve.journal import records
from spansieve.journal.blocks import Block, Gap, Seal, SegmentHead, key_id, read
from spansieve.journal.records import (
    Batch,
    Checkpoint,
    Parked,
    ParkedRequest,
    ParkedTrace,
    Piece,
    Record,
    Settled,
    Settlement,
    Verdict,
    Verdicts,
)
from spansieve.model import Because, Decision, Signal, Trigger
from spansieve.outcome import Reason

A, B = bytes(range(16)), bytes(range(15, -1, -1))
KEPT = Decision(keep=True, policy="errors", trigger=Trigger.WAIT_EXPIRED, threshold=0)
OUT = Decision(keep=False, policy="", trigger=Trigger.ROOT_ARRIVED, because=Because.NO_MATCH)
DECISIONS = b'[[true,"errors","wait_expired","matched",0],[false,"","root_arrived","no_match",null]]'
KEY = b"k" * 32
HEAD = bytes.fromhex("535053564a4e4c31 0000000000000003 60acc1f91f2fbd01") + b"s" * 32 + bytes.fromhex("41d10e5f")
BLOCK = bytes.fromhex(
    "53505342 00000001 00000011 0000000000000102 b6e07567 a3fa7dc1 e11f23a7f8a1468044e09cd4cb877be17f"
)
"""The block 1 of the segment, at position 258, with one byte: x."""


@pytest.mark.parametrize(
    ("written", "record"),
    [
        (
            b'\x01\0\0\0\x4d\0\x44{"time":1.5,"signal":"traces","items":2,"rejected":{"invalid_id":3}}payload',
            Batch(1.5, Signal.TRACES, 2, {Reason.INVALID_ID: 3}, b"payload"),
        ),
        (
            b'\x02\0\0\0\xc0\0\x7c{"time":2.5,"decisions":' + DECISIONS + b',"repeated":4}'
            + A + b"\0\0\0\x07\0\0" + B + b"\0\0\0\x01\0\x01" + A + b"\0\0\x01\x2c\0\0",
            Verdicts(2.5, [Verdict(A, 7, KEPT), Verdict(B, 1, OUT), Verdict(A, 300, KEPT)], 4),
        ),
        (
            b'\x03\0\0\0\x6e\0\x26{"reasons":["","downstream_rejected"]}'
            b"\0\0\0\0\0\0\x01\x02\0" + A + b"\0\0\0\x07\0\0\0\0\0\0"
            + b"\0\0\0\0\0\0\0\x03\x02" + bytes(16) + b"\0\0\0\x05\0\0\0\x02\0\x01",
            Settled(
                [
                    Settlement(258, Signal.TRACES, A, 7),
                    Settlement(3, Signal.METRICS, b"", 5, 2, Reason.DOWNSTREAM_REJECTED),
                ]
            ),
        ),
        (
            b'\x05\0\0\0\xbd\0\x6f{"decisions":' + DECISIONS + b',"traces":2}'
            + b"\0\0\0\0\0\0\x01\x02" + A + b"\0\0\0\x07\0\0\0\0\0\x03"
            + b"\0\0\0\0\0\0\x01\x03" + B + b"\0\0\0\x01\0\x01\0\0\0\x05oneother",
            Parked([ParkedTrace(258, A, 7, KEPT, b"one"), ParkedTrace(259, B, 1, OUT, b"other")]),
        ),
        (
            b'\x06\0\0\0\x31\0\x28{"released":5,"signal":"logs","items":2}payload',
            ParkedRequest(5, Signal.LOGS, 2, b"payload"),
        ),
        (
            b'\x04\0\0\0\x45\0\x43{"version":2,"time":3.5,"after":258,"sizes":{"meter":1,"ledger":5}}',
            Checkpoint(3.5, 258, {"meter": 1, "ledger": 5}),
        ),
        (
            b'\x07\0\0\0\x24\0\x1d{"after":258,"part":"ledger"}books',
            Piece(258, "ledger", b"books"),
        ),
    ],
    ids=lambda each: type(each).__name__ if not isinstance(each, bytes) else "",
)  # fmt: skip
def test_a_record_is_read_as_it_was_meant(written: bytes, record: Record) -> None:
    """Whatever a later release writes itself."""
    assert records.decode(written) == [record]


def test_a_segment_is_opened_with_its_key() -> None:
    """Its head names the key, and its block is whole."""
    head = SegmentHead.decode(HEAD)
    assert head == SegmentHead(3, key_id(KEY), b"s" * 32)
    assert list(read(HEAD + BLOCK, Seal(KEY, head))) == [Block(len(HEAD + BLOCK), 258, b"x")]


def test_a_block_of_another_segment_is_none() -> None:
    """It was sealed under another number."""
    seal = Seal(KEY, SegmentHead(4, key_id(KEY), b"s" * 32))
    assert list(read(HEAD + BLOCK, seal)) == [Gap(len(HEAD), len(BLOCK), is_tail=True)]
