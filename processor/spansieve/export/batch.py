"""From kept traces to requests of a bounded size, and from a request that is too large to its halves. Pure.

Sizes are upper bounds of what a request takes on the wire, known without framing it.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, Self

from spansieve.export import halve
from spansieve.export.stamp import Stamp
from spansieve.model import Envelope, Receipt, SampledTrace, Signal, SpanGroup
from spansieve.outcome import Reason
from spansieve.wire import GROUP_OVERHEAD, SPAN_OVERHEAD, frame_traces


class Batch(Protocol):
    """One request to be: `items` items in at most `size` bytes."""

    @property
    def items(self) -> int:
        """The unit of account of its signal."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    def payload(self) -> bytes:
        """Serialize the request."""
        ...

    def halves(self) -> tuple["Batch", "Batch"] | None:
        """Split it in two of about as many items, in order; None when it cannot be split."""
        ...

    def settle(self, dropped: int, reason: Reason) -> None:
        """Tell the receipts that all items have left the gateway, so many of them dropped."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """Spans of one trace, all of it where that fits; `stamp` is put behind each when it is framed."""

    groups: tuple[SpanGroup, ...] = field(repr=False)
    stamp: Stamp
    items: int
    size: int
    receipt: Receipt | None = None

    @classmethod
    def of(cls, groups: tuple[SpanGroup, ...], stamp: Stamp, receipt: Receipt | None = None) -> Self:
        """Count and weigh."""
        items = sum(len(group.spans) for group in groups)
        overhead = len(groups) * GROUP_OVERHEAD + items * (SPAN_OVERHEAD + stamp.size)
        return cls(groups, stamp, items, overhead + sum(group.size for group in groups), receipt)

    def stamped(self) -> Iterator[SpanGroup]:
        """The groups as they leave."""
        stamped = self.stamp.on
        for group in self.groups:
            yield SpanGroup(group.envelope, tuple([stamped(span) for span in group.spans]))


def stamped(trace: SampledTrace) -> Iterator[SpanGroup]:
    """The groups of a trace as they leave, not cut."""
    return Piece.of(trace.groups, Stamp.of(trace)).stamped()


def cut(trace: SampledTrace, max_bytes: int) -> list[Piece]:
    """Cut a trace into pieces that each fit a request of `max_bytes`; mostly it is one.

    Spans stay in order. A span that is over the limit with its envelope is a piece of its own, over the limit.
    """
    stamp, receipt = Stamp.of(trace), trace.receipt
    whole = Piece.of(trace.groups, stamp, receipt)
    if whole.size <= max_bytes:
        return [whole]
    pieces: list[Piece] = []
    fitting: list[tuple[Envelope, bytes]] = []
    size = 0
    for group in trace.groups:
        envelope_size = group.envelope.size + GROUP_OVERHEAD
        for span in group.spans:
            new_group = not fitting or fitting[-1][0] is not group.envelope
            added = len(span) + SPAN_OVERHEAD + stamp.size + (envelope_size if new_group else 0)
            if fitting and size + added > max_bytes:
                pieces.append(Piece.of(_regroup(fitting), stamp, receipt))
                fitting, size = [], 0
                added = len(span) + SPAN_OVERHEAD + stamp.size + envelope_size
            fitting.append((group.envelope, span))
            size += added
    pieces.append(Piece.of(_regroup(fitting), stamp, receipt))
    return pieces


@dataclass(frozen=True, slots=True)
class TraceBatch:
    """Pieces of traces that go as one request."""

    pieces: tuple[Piece, ...]

    @property
    def items(self) -> int:
        """Spans."""
        return sum(piece.items for piece in self.pieces)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(piece.size for piece in self.pieces)

    def payload(self) -> bytes:
        """An ExportTraceServiceRequest of stamped spans."""
        return frame_traces(group for piece in self.pieces for group in piece.stamped())

    def halves(self) -> tuple["TraceBatch", "TraceBatch"] | None:
        """Between traces, as long as there is more than one; between spans then; None for a single span."""
        if len(self.pieces) > 1:
            middle = len(self.pieces) // 2
            return TraceBatch(self.pieces[:middle]), TraceBatch(self.pieces[middle:])
        (piece,) = self.pieces
        if piece.items < 2:
            return None
        spans = [(group.envelope, span) for group in piece.groups for span in group.spans]
        middle = len(spans) // 2
        first, second = (
            Piece.of(_regroup(half), piece.stamp, piece.receipt) for half in (spans[:middle], spans[middle:])
        )
        return TraceBatch((first,)), TraceBatch((second,))

    def settle(self, dropped: int, reason: Reason) -> None:
        """The peer does not say which items it did not take: the first ones are taken for dropped."""
        for piece in self.pieces:
            of_piece = min(dropped, piece.items)
            dropped -= of_piece
            if piece.receipt is not None:
                piece.receipt.settle(piece.items, of_piece, reason)


@dataclass(frozen=True, slots=True)
class RequestBatch:
    """A request of logs or metrics that goes as it is."""

    signal: Signal
    request: bytes = field(repr=False)
    items: int
    receipt: Receipt | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.request)

    def payload(self) -> bytes:
        """The request."""
        return self.request

    def halves(self) -> tuple["RequestBatch", "RequestBatch"] | None:
        """Between records or data points; None for a single one."""
        halves = halve.request(self.signal, self.request)
        if halves is None:
            return None
        (first, first_items), (second, second_items) = halves
        return (
            RequestBatch(self.signal, first, first_items, self.receipt),
            RequestBatch(self.signal, second, second_items, self.receipt),
        )

    def settle(self, dropped: int, reason: Reason) -> None:
        """Tell the request's receipt."""
        if self.receipt is not None:
            self.receipt.settle(self.items, dropped, reason)


def take_traces(waiting: deque[Piece], max_bytes: int) -> TraceBatch:
    """Take the next batch off a queue that is not empty: as many pieces in order as fit, at least one."""
    taken = [waiting.popleft()]
    size = taken[0].size
    while waiting and size + waiting[0].size <= max_bytes:
        piece = waiting.popleft()
        taken.append(piece)
        size += piece.size
    return TraceBatch(tuple(taken))


def fitting(batch: RequestBatch, max_bytes: int) -> list[RequestBatch]:
    """Halve a request until each part fits `max_bytes` or is a single item; parts stay in order."""
    parts: list[RequestBatch] = []
    pending = [batch]
    while pending:
        part = pending.pop()
        halves = part.halves() if part.size > max_bytes else None
        if halves is None:
            parts.append(part)
        else:
            pending += reversed(halves)
    return parts


def _regroup(spans: Iterable[tuple[Envelope, bytes]]) -> tuple[SpanGroup, ...]:
    """Put neighbours under one envelope into one group again."""
    groups: list[tuple[Envelope, list[bytes]]] = []
    for envelope, span in spans:
        if not groups or groups[-1][0] is not envelope:
            groups.append((envelope, []))
        groups[-1][1].append(span)
    return tuple(SpanGroup(envelope, tuple(members)) for envelope, members in groups)
