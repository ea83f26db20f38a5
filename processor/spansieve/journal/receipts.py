"""What was released and is not settled yet: what remains of each such trace, and what the journal hears at the end."""

from collections import Counter
from collections.abc import Callable, Iterator

from spansieve.journal.records import Settlement
from spansieve.model import Signal
from spansieve.outcome import Outcome, Reason


class Receipt:
    """Goes with a kept trace, or a request of logs or metrics, to its exporter, which settles it item by item.

    `released` is the position of the record that released it, `segment` the oldest that holds a part of it.
    """

    __slots__ = ("dropped", "items", "left", "owner", "reason", "released", "segment", "signal", "trace_id")

    def __init__(
        self, owner: "Receipts", signal: Signal, released: int, segment: int, trace_id: bytes, items: int
    ) -> None:
        self.owner = owner
        self.signal = signal
        self.released = released
        self.segment = segment
        self.trace_id = trace_id
        self.items = self.left = items
        self.dropped = 0
        self.reason = Reason.NONE

    def settle(self, items: int, dropped: int, reason: str) -> None:
        """So many of its items have left the gateway, `dropped` of them for `reason`."""
        self.left -= items
        if dropped:
            self.dropped += dropped
            self.reason = Reason(reason)
        self.owner.changed(self)


class Receipts:
    """All of them. Owner: the event loop's thread. `settled` is told of each that has nothing left."""

    def __init__(self, settled: Callable[[Settlement], None]) -> None:
        self._settled = settled
        self._by_segment: Counter[int] = Counter()
        self._partly: set[Receipt] = set()

    def __len__(self) -> int:
        return self._by_segment.total()

    def make(self, signal: Signal, released: int, segment: int, trace_id: bytes, items: int) -> Receipt:
        """Open one."""
        self.hold(segment)
        return Receipt(self, signal, released, segment, trace_id, items)

    def hold(self, segment: int) -> None:
        """Keep a segment, in which something is parked."""
        self._by_segment[segment] += 1

    def let_go(self, segment: int) -> None:
        """Undo a `hold`."""
        self._by_segment[segment] -= 1
        if not self._by_segment[segment]:
            del self._by_segment[segment]

    def changed(self, receipt: Receipt) -> None:
        """Note that some of its items were settled."""
        if receipt.left > 0:
            self._partly.add(receipt)
            return
        self._partly.discard(receipt)
        self.let_go(receipt.segment)
        self._settled(
            Settlement(
                receipt.released, receipt.signal, receipt.trace_id, receipt.items, receipt.dropped, receipt.reason
            )
        )

    def oldest_segment(self) -> int | None:
        """The oldest segment that something open has a part in."""
        return min(self._by_segment, default=None)

    def partly_settled(self) -> Iterator[tuple[Signal, Outcome, Reason, int]]:
        """Lines of the ledger that the journal does not know yet, since their trace is not wholly settled.

        After a crash such a trace is exported again as a whole, and settled again.
        """
        for each in self._partly:
            yield each.signal, Outcome.EXPORTED, Reason.NONE, each.items - each.left - each.dropped
            if each.dropped:
                yield each.signal, Outcome.DROPPED, each.reason, each.dropped
