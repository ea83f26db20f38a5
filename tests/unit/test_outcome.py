"""The ledger: each item one fate, and the books balance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.model import Signal
from spansieve.outcome import Ledger, LedgerError, Outcome, Reason


def test_items_are_in_flight_until_settled() -> None:
    """What was received and not settled is in flight."""
    ledger = Ledger()
    ledger.receive(Signal.TRACES, 5)
    ledger.settle(Signal.TRACES, Outcome.EXPORTED, 2)
    assert (ledger.received(Signal.TRACES), ledger.in_flight(Signal.TRACES)) == (5, 3)


def test_signals_are_booked_apart() -> None:
    """A log record cannot pay for a span."""
    ledger = Ledger()
    ledger.receive(Signal.LOGS, 5)
    with pytest.raises(LedgerError):
        ledger.settle(Signal.TRACES, Outcome.EXPORTED, 1)


def test_settling_more_than_is_in_flight_is_a_defect() -> None:
    """An item cannot have two fates."""
    ledger = Ledger()
    ledger.receive(Signal.TRACES, 1)
    ledger.settle(Signal.TRACES, Outcome.EXPORTED, 1)
    with pytest.raises(LedgerError):
        ledger.settle(Signal.TRACES, Outcome.SAMPLED_OUT, 1)


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.DROPPED])
def test_a_loss_needs_a_reason(outcome: Outcome) -> None:
    """Rejecting or dropping without saying why is a defect."""
    ledger = Ledger()
    ledger.receive(Signal.TRACES, 1)
    with pytest.raises(LedgerError):
        ledger.settle(Signal.TRACES, outcome, 1)


def test_success_takes_no_reason() -> None:
    """A reason on an exported item would be counted as a loss by whoever reads reasons."""
    ledger = Ledger()
    ledger.receive(Signal.TRACES, 1)
    with pytest.raises(LedgerError):
        ledger.settle(Signal.TRACES, Outcome.EXPORTED, 1, Reason.SHUTDOWN)


@given(st.lists(st.tuples(st.sampled_from(Signal), st.sampled_from(Outcome), st.integers(0, 50), st.integers(0, 50))))
def test_the_books_balance_whatever_happens(steps: list[tuple[Signal, Outcome, int, int]]) -> None:
    """After any sequence of receipts and settlements, refused ones included, received = settled + in flight."""
    ledger = Ledger()
    for signal, outcome, received, settled in steps:
        ledger.receive(signal, received)
        lost = outcome in (Outcome.REJECTED, Outcome.DROPPED)
        if settled > ledger.in_flight(signal):
            with pytest.raises(LedgerError):
                ledger.settle(signal, outcome, settled, Reason.INVALID_ID if lost else Reason.NONE)
        else:
            ledger.settle(signal, outcome, settled, Reason.INVALID_ID if lost else Reason.NONE)
    assert ledger.balances()


@pytest.mark.parametrize("items", [-1, -5])
def test_items_are_not_given_back(items: int) -> None:
    """Fewer than none cannot have a fate."""
    ledger = Ledger()
    ledger.receive(Signal.TRACES, 5)
    with pytest.raises(LedgerError, match="settled as exported, 5 in flight"):
        ledger.settle(Signal.TRACES, Outcome.EXPORTED, items)


def test_books_go_on_after_a_restart() -> None:
    """Line by line; what was not settled is in flight, and can be settled once."""
    ledger, again = Ledger(), Ledger()
    for signal, items in ((Signal.TRACES, 10), (Signal.LOGS, 3)):
        ledger.receive(signal, items)
    ledger.settle(Signal.TRACES, Outcome.EXPORTED, 4)
    ledger.settle(Signal.TRACES, Outcome.DROPPED, 1, Reason.DUPLICATE)
    again.restore(ledger.state())
    assert list(again.outcomes()) == list(ledger.outcomes())
    assert [again.received(signal) for signal in Signal] == [ledger.received(signal) for signal in Signal]
    assert (again.in_flight(Signal.TRACES), again.in_flight(Signal.LOGS), again.balances()) == (5, 3, True)
    again.settle(Signal.TRACES, Outcome.EXPORTED, 5)
    with pytest.raises(LedgerError):
        again.settle(Signal.TRACES, Outcome.EXPORTED, 1)


def test_what_may_be_delivered_again_is_in_flight_after_a_restart() -> None:
    """Lines that the journal does not know for sure are left out; the books that go on are not touched."""
    ledger, again = Ledger(), Ledger()
    ledger.receive(Signal.TRACES, 10)
    ledger.settle(Signal.TRACES, Outcome.EXPORTED, 4)
    again.restore(ledger.state([(Signal.TRACES, Outcome.EXPORTED, Reason.NONE, 3)]))
    assert (again.settled(Signal.TRACES, Outcome.EXPORTED), again.in_flight(Signal.TRACES)) == (1, 9)
    assert (ledger.settled(Signal.TRACES, Outcome.EXPORTED), ledger.in_flight(Signal.TRACES)) == (4, 6)


def test_an_item_that_nobody_knows_of_is_seen() -> None:
    """Whatever the signal: the books say when they do not balance."""
    ledger = Ledger()
    ledger.receive(Signal.TRACES, 5)
    ledger._received[Signal.LOGS] += 1
    assert not ledger.balances()
