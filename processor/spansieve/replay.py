"""After a restart: what the journal holds goes through the stages again, so that all stands as it stood.

    checkpoint ─▶ meter, sampler, ledger        records ─▶ measure ─▶ hold ─▶ follow the verdicts ─▶ strike what left

Records after the newest checkpoint are counted again, as they were when they came. Those before it are in its state
already: of them only the spans are taken, which a checkpoint does not hold. No policy is asked: a verdict that was
written down is followed, whatever the configuration says today.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from spansieve import decode, measure, redact, sample
from spansieve.journal.errors import JournalError
from spansieve.journal.reading import Placed, Saved
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
from spansieve.measure import Meter
from spansieve.model import (
    DecodedSpans,
    Encoding,
    MeasuredSpans,
    ReceivedRequest,
    RedactedBatch,
    SampledTrace,
    Signal,
)
from spansieve.outcome import Ledger, Outcome, Reason
from spansieve.reads import Reads
from spansieve.sample import Sampler
from spansieve.sample.probes import Probes


@dataclass(frozen=True, slots=True)
class Request:
    """A request of logs or metrics that has to be handed over."""

    signal: Signal
    payload: bytes = field(repr=False)
    items: int


@dataclass(frozen=True, slots=True)
class Released:
    """What was released at `position` in the journal, and has not left the gateway as far as the journal knows."""

    position: int
    what: SampledTrace | Request

    @property
    def signal(self) -> Signal:
        """Of what it is."""
        return self.what.signal if isinstance(self.what, Request) else Signal.TRACES

    @property
    def items(self) -> int:
        """Spans, log records or data points."""
        return self.what.items if isinstance(self.what, Request) else self.what.facts.spans


def revive(parked: ParkedTrace, position: int) -> SampledTrace:
    """Make a kept trace of what is parked at a position: its spans, and of its facts those that handing over needs."""
    decoded = decode.request(ReceivedRequest(Signal.TRACES, Encoding.PROTO, parked.payload))
    if not isinstance(decoded.batch, DecodedSpans):
        raise TypeError("traces are decoded to spans")
    spans = redact.restored(decoded.batch, _nothing, _nothing)
    (part,) = sample.by_trace(MeasuredSpans(spans.sets, spans.items, 0), Probes(), position)
    return SampledTrace(parked.trace_id, part.groups, part.facts, parked.decision, position)


def _nothing(_: str) -> bool:
    return False


class Replay:
    """One restart: `restore` the state if there is one, `play` everything in its order, then `finish`.

    `time` is the time of the last record, in the journal's own seconds. `records` counts what was played. `started_ns`
    is when the series began that are gone on with, in Unix nanoseconds; None when they begin now.
    """

    def __init__(self, meter: Meter, sampler: Sampler, ledger: Ledger) -> None:
        self._meter = meter
        self._sampler = sampler
        self._reads = Reads(meter, sampler)
        self._ledger = ledger
        self._released: defaultdict[tuple[int, bytes], deque[Released]] = defaultdict(deque)
        self._parked: dict[tuple[int, bytes], tuple[int, ParkedTrace | ParkedRequest]] = {}
        self.time = 0.0
        self.records = 0
        self.started_ns: int | None = None

    def restore(self, saved: Saved) -> None:
        """Take over a state. Raises JournalError for one that another version wrote."""
        try:
            self._meter.restore(saved.parts["meter"])
            self._sampler.restore(saved.parts["sampler"])
            self._ledger.restore(saved.parts["ledger"])
            self.started_ns = int(saved.parts["started_ns"])
        except (KeyError, TypeError, ValueError):
            raise JournalError(
                "The journal's checkpoint was written by another version. Have that version hand on what is owed "
                "(drain_on_shutdown: true) and delete the journal, or name another storage.directory."
            ) from None
        self.time = saved.time

    def play(self, placed: Placed, *, count: bool) -> None:
        """Play neighbouring records, the first of which stands at `position`; `count` those after the checkpoint."""
        for number, record in enumerate(placed.records):
            self.records += not isinstance(record, Piece)
            self._play(record, placed.position + number, count=count)

    def finish(self) -> Iterator[Released]:
        """What has to be handed over, in the order in which it was released."""
        return (each for line in self._released.values() for each in line)

    def parked(self) -> dict[int, list[ParkedTrace | ParkedRequest]]:
        """What has to be handed over and stands whole in the journal, by position, in the order of these."""
        found: dict[int, list[ParkedTrace | ParkedRequest]] = {}
        for position, each in sorted(self._parked.values(), key=itemgetter(0)):
            found.setdefault(position, []).append(each)
        return found

    def reconcile(self) -> dict[Signal, int]:
        """Drop from the books what they still expect and nobody has: the journal's disk lost it. Items by signal."""
        held = dict.fromkeys(Signal, 0)
        held[Signal.TRACES] = self._sampler.held_spans
        for _, parked in self._parked.values():
            held[parked.signal] += parked.items
        for each in self.finish():
            held[each.signal] += each.items
        lost: dict[Signal, int] = {}
        for signal, items in held.items():
            missing = self._ledger.in_flight(signal) - items
            if missing > 0:
                self._ledger.settle(signal, Outcome.DROPPED, missing, Reason.JOURNAL_DAMAGED)
                lost[signal] = missing
            else:  # what the books took for done is back, since the disk lost the record that said so
                self._ledger.receive(signal, -missing)
        return lost

    def _play(self, record: Record, position: int, *, count: bool) -> None:
        match record:
            case Batch():
                self.time = max(self.time, record.time)
                self._batch(record, position, count=count)
            case Verdicts(time, verdicts, repeated):
                self.time = max(self.time, time)
                if count:
                    self._settle(Signal.TRACES, Outcome.DROPPED, repeated, Reason.DUPLICATE)
                for verdict in verdicts:
                    self._follow(verdict, position, count=count)
            case Parked(traces):
                self._park(traces, position)
            case ParkedRequest():
                self._park([record], position)
            case Settled(settlements):
                for settlement in settlements:
                    self._strike(settlement, count=count)
            case Checkpoint() | Piece():
                pass  # of the state that was restored, or of an older one

    def _batch(self, record: Batch, position: int, *, count: bool) -> None:
        signal, ledger = record.signal, self._ledger
        decoded = decode.request(ReceivedRequest(signal, Encoding.PROTO, record.payload))
        if count:
            ledger.receive(signal, decoded.batch.items + sum(record.rejected.values()))
            for reason, items in record.rejected.items():
                ledger.settle(signal, Outcome.REJECTED, items, reason)
        if isinstance(decoded.batch, DecodedSpans):
            redacted = self._reads.restored(decoded.batch)
            spans = measure.batch(redacted, self._meter, record.time, count=count)
            self._sampler.hold(sample.by_trace(spans, self._sampler.probes, position), record.time)
            return
        batch = RedactedBatch(signal, decoded.batch.message, decoded.batch.items, {})  # the journal vouches for it
        measured = measure.batch(batch, self._meter, record.time, count=count)
        if count:
            ledger.settle(signal, Outcome.DROPPED, measured.left_out, Reason.DERIVED_HERE)
        for trace_id, told in measured.notes:
            self._sampler.recall(trace_id, told, record.time, known=not count)
        if measured.items:
            request = Request(signal, measured.message.SerializeToString(), measured.items)
            self._released[position, b""].append(Released(position, request))

    def _follow(self, verdict: Verdict, position: int, *, count: bool) -> None:
        """Do as was decided. Of a trace that has left the gateway since, parts may be gone from the disk.

        So what the books say follows from what was written down, and not from what is still found.
        """
        trace_id, decision = verdict.trace_id, verdict.decision
        outcome = self._sampler.follow(trace_id, decision, remember=count, spans=verdict.spans)
        if isinstance(outcome, SampledTrace):
            self._released[position, trace_id].append(Released(position, measure.marked(outcome, self._meter)))
        if not count:
            return
        if decision.keep:
            self._meter.kept(trace_id)
        else:
            self._settle(Signal.TRACES, Outcome.SAMPLED_OUT, verdict.spans)

    def _park(self, parked: Sequence[ParkedTrace | ParkedRequest], position: int) -> None:
        for each in parked:
            key = each.released, each.trace_id
            self._take(key)
            self._parked[key] = position, each

    def _strike(self, settlement: Settlement, *, count: bool) -> None:
        key = settlement.position, settlement.trace_id
        if not self._take(key):
            self._parked.pop(key, None)
        if count:
            dropped = min(settlement.dropped, settlement.items)
            self._settle(settlement.signal, Outcome.DROPPED, dropped, settlement.reason)
            self._settle(settlement.signal, Outcome.EXPORTED, settlement.items - dropped)

    def _take(self, key: tuple[int, bytes]) -> bool:
        """Take one out of what is released; whether there was one."""
        line = self._released.get(key)
        if not line:
            return False
        line.popleft()
        if not line:
            del self._released[key]
        return True

    def _settle(self, signal: Signal, outcome: Outcome, items: int, reason: Reason = Reason.NONE) -> None:
        """Enter in the ledger what a record says, as far as the disk kept the record of what it is about."""
        self._ledger.settle(signal, outcome, min(items, self._ledger.in_flight(signal)), reason)
