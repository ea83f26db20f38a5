"""The fate of every item: one Outcome each, counted in the Ledger, so that nothing is lost unseen.

An item is a span, a log record or a metric data point. The equation that holds at any moment, for each signal:

    received = exported + sampled out + rejected + dropped + in flight
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum

import orjson

from spansieve.model import Signal


class Outcome(StrEnum):
    """How an item's way through the gateway ended."""

    EXPORTED = "exported"  # accepted by the exporter's peer, or committed to the embedded store
    SAMPLED_OUT = "sampled_out"  # a recorded verdict said no
    REJECTED = "rejected"  # told to the sender in partial_success
    DROPPED = "dropped"  # lost after the sender was answered OK; always with a reason, and logged as an error


class Reason(StrEnum):
    """Why an item was rejected or dropped. The value is the `reason` label of the metrics."""

    # rejected: the sender is told in partial_success
    INVALID_ID = "invalid_id"
    INVALID_TIME = "invalid_time"
    # dropped, on purpose
    NO_EXPORTER = "no_exporter"  # logs and metrics while only the embedded store is configured: it holds traces
    DERIVED_HERE = "derived_here"  # an application's own metric under a name that this gateway derives itself
    DUPLICATE = "duplicate"  # its trace has this span already: the sender had no answer, and sent it again
    # dropped, against our will
    DOWNSTREAM_REJECTED = "downstream_rejected"  # the exporter's peer refused for good, or by partial_success
    TOO_LARGE = "too_large"  # one item alone is over what the exporter's peer takes
    SHUTDOWN = "shutdown"  # the peer was away until the end of the shutdown's grace period
    NAMES_FAILED = "names_failed"  # names could not be taken out, and nothing leaves unread
    STORE_FAILED = "store_failed"  # the embedded store could not write
    JOURNAL_DAMAGED = "journal_damaged"  # the journal's disk lost or changed what was written
    # no particular reason: exported and sampled out
    NONE = ""


class LedgerError(AssertionError):
    """The books do not balance: an item was settled twice, or never received. A defect of ours."""


class Ledger:
    """The books of one process. Owner: the event loop's thread; all stages report here, nobody else writes."""

    def __init__(self) -> None:
        self._received: Counter[Signal] = Counter()
        self._settled: Counter[tuple[Signal, Outcome, Reason]] = Counter()
        self._in_flight: Counter[Signal] = Counter()

    def receive(self, signal: Signal, items: int) -> None:
        """Enter items of a request that was decoded; from here on they are owed a fate."""
        self._received[signal] += items
        self._in_flight[signal] += items

    def settle(self, signal: Signal, outcome: Outcome, items: int, reason: Reason = Reason.NONE) -> None:
        """Give items their fate.

        Raises LedgerError when more items are settled than are in flight, or when a rejection or a drop has no reason.
        """
        if not items:
            return
        if (reason is Reason.NONE) == (outcome in (Outcome.REJECTED, Outcome.DROPPED)):
            raise LedgerError(f"{outcome} with reason {reason!r}")
        if items < 0 or items > self._in_flight[signal]:
            raise LedgerError(f"{items} {signal.items} settled as {outcome}, {self._in_flight[signal]} in flight")
        self._in_flight[signal] -= items
        self._settled[signal, outcome, reason] += items

    def received(self, signal: Signal) -> int:
        """Items received since the process began."""
        return self._received[signal]

    def in_flight(self, signal: Signal) -> int:
        """Items received that have no outcome yet."""
        return self._in_flight[signal]

    def settled(self, signal: Signal, outcome: Outcome) -> int:
        """Items that ended so, for whatever reason."""
        return sum(n for (s, o, _), n in self._settled.items() if s is signal and o is outcome)

    def outcomes(self) -> Iterator[tuple[Signal, Outcome, Reason, int]]:
        """Every line of the books."""
        for (signal, outcome, reason), items in self._settled.items():
            yield signal, outcome, reason, items

    def state(self, apart_from: Iterable[tuple[Signal, Outcome, Reason, int]] = ()) -> bytes:
        """The books as they stand, for `restore`, as if the lines in `apart_from` were not settled yet."""
        settled = Counter(self._settled)
        for signal, outcome, reason, items in apart_from:
            settled[signal, outcome, reason] -= items
        received = {signal.value: items for signal, items in self._received.items()}
        return orjson.dumps({"received": received, "settled": [(*line, n) for line, n in settled.items() if n]})

    def restore(self, state: bytes) -> None:
        """Go on with the books of another process. What it had not settled is in flight. Raises ValueError."""
        books = orjson.loads(state)
        self._received = Counter({Signal(signal): items for signal, items in books["received"].items()})
        self._settled = Counter({(Signal(s), Outcome(o), Reason(r)): n for s, o, r, n in books["settled"]})
        self._in_flight = Counter(self._received)
        for (signal, _, _), items in self._settled.items():
            self._in_flight[signal] -= items

    def balances(self) -> bool:
        """Whether received = settled + in flight, for each signal."""
        return all(self._received[s] == self._in_flight[s] + sum(self.settled(s, o) for o in Outcome) for s in Signal)
