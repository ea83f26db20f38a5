"""What was released is owed until all of it is settled."""

import pytest

from spansieve.journal.receipts import Receipts
from spansieve.journal.records import Settlement
from spansieve.model import Signal
from spansieve.outcome import Outcome, Reason

A = b"\1" * 16


@pytest.fixture
def heard() -> list[Settlement]:
    """What the journal hears."""
    return []


@pytest.fixture
def receipts(heard: list[Settlement]) -> Receipts:
    """None open."""
    return Receipts(heard.append)


def test_the_journal_hears_of_a_trace_that_is_wholly_settled(receipts: Receipts, heard: list[Settlement]) -> None:
    """Once, with what was dropped of it, and why."""
    receipt = receipts.make(Signal.TRACES, 70, 3, A, 5)
    receipt.settle(2, 0, "")
    receipt.settle(1, 1, "downstream_rejected")
    assert heard == []
    receipt.settle(2, 1, "downstream_rejected")
    assert heard == [Settlement(70, Signal.TRACES, A, 5, 2, Reason.DOWNSTREAM_REJECTED)]
    assert (len(receipts), receipts.oldest_segment(), list(receipts.partly_settled())) == (0, None, [])


def test_the_oldest_segment_is_that_of_anything_open(receipts: Receipts) -> None:
    """Of two in one segment, until both are settled; and while something is parked in it."""
    first, second = (receipts.make(Signal.LOGS, at, 3, b"", 1) for at in (70, 80))
    receipts.hold(5)
    later = receipts.make(Signal.LOGS, 90, 4, b"", 1)
    oldest = [receipts.oldest_segment()]
    for receipt in (first, second, later):
        receipt.settle(1, 0, "")
        oldest.append(receipts.oldest_segment())
    receipts.let_go(5)
    assert ([*oldest, receipts.oldest_segment()], len(receipts)) == ([3, 3, 4, 5, None], 0)


def test_what_is_partly_settled_is_told_by_outcome(receipts: Receipts) -> None:
    """Of what nothing is settled, nothing."""
    receipts.make(Signal.TRACES, 70, 3, A, 5)
    receipts.make(Signal.LOGS, 80, 3, b"", 5).settle(2, 0, "")
    receipts.make(Signal.TRACES, 90, 3, A, 5).settle(4, 3, "downstream_rejected")
    assert sorted(receipts.partly_settled()) == [
        (Signal.LOGS, Outcome.EXPORTED, Reason.NONE, 2),
        (Signal.TRACES, Outcome.DROPPED, Reason.DOWNSTREAM_REJECTED, 3),
        (Signal.TRACES, Outcome.EXPORTED, Reason.NONE, 1),
    ]
