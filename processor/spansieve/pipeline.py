"""The table of contents: what happens to a request, a line a stage, in the only order that the types allow.

    receive ─▶ decode ─▶ redact ─▶ measure ─▶ journal ─▶ sample ─▶ export

Decode and redact run in a thread of their own, one request after the other, and leave nothing behind; with
`workers`, in processes of their own, which hand over what they redacted. Everything from there to the sampler runs in
one go on the event loop, without a pause in which a half-done request could be seen: a request is wholly accepted, and
its items are in the ledger, or it left no trace but a count. Then the request waits until the journal is safe on the
disk, and only then is answered OK.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from spansieve import decode, measure, sample, wire
from spansieve.admission import UNKNOWN, Admission, Arrival
from spansieve.clock import Clock
from spansieve.export import Destination
from spansieve.journal import DurableJournal
from spansieve.journal.records import Batch, Verdict, Verdicts
from spansieve.measure import Meter
from spansieve.model import (
    Answer,
    Decision,
    DecodedSpans,
    Encoding,
    MeasuredBatch,
    MeasuredSpans,
    ReceivedRequest,
    RedactedBatch,
    RedactedSpans,
    Signal,
    Trigger,
)
from spansieve.names_stage import AllNames, names_redactor
from spansieve.outbox import Outbox
from spansieve.outcome import Ledger, Outcome, Reason
from spansieve.reads import Reads
from spansieve.redact import CompiledRules, Redactor
from spansieve.redaction_thread import RedactionThread
from spansieve.sample import Decided, Sampler
from spansieve.workers.frames import Handed

# Traces are decided early when the waiting ones alone hold this share of the memory limit, so that a burst ends in
# early decisions before it ends in refusals.
_EARLY_SHARE = 0.75
# What a request takes in the journal beside its payload, at most.
_RECORD_BYTES = 1024
# Traces decided in one go: as many as take about 2 ms; when the loop was busy with other things for long, a quarter of
# that time, lest decisions fall behind. Between two goes the event loop serves everyone else.
_DECISIONS_AT_ONCE = 50
_FEWEST_AT_ONCE = 4
_DECIDING_SECONDS = 0.002
_LONGEST_DECIDING_SECONDS = 0.005
_DECIDING_SHARE = 0.25
_SMOOTHING = 0.2


class Observer(Protocol):
    """Whom the pipeline tells what it did."""

    def observe_stage(self, stage: str, seconds: float) -> None:
        """One request spent so long in a stage."""

    def count_findings(self, rule: str, values: int) -> None:
        """A redaction rule took out so many values."""

    def note_verdicts(self, verdicts: Sequence[tuple[bytes, Decision]]) -> None:
        """These traces were decided so."""


class Pipeline:
    """All stages between the receivers and the destination. Owner of the sampler; one for each process."""

    def __init__(  # noqa: PLR0913 - the parts that it puts in their order
        self,
        *,
        rules: CompiledRules,
        meter: Meter,
        sampler: Sampler,
        destination: Destination,
        thread: RedactionThread,
        ledger: Ledger,
        clock: Clock,
        limit_bytes: int,
        observer: Observer,
        names: bool = False,
    ) -> None:
        """With `names` they are taken out of all that comes, with the rules."""
        self._meter = meter
        self._sampler = sampler
        self._reads = Reads(meter, sampler)
        self._destination = destination
        self._thread = thread
        self.journal: DurableJournal | None = None  # both are set once it has been read back;
        self.outbox: Outbox | None = None  # None for durability: memory
        self._ledger = ledger
        self._clock = clock
        self._admission = Admission(clock, limit_bytes)
        self._observer = observer
        self._decision_seconds = 0.0  # that one takes, of late
        self._decided_at = 0.0
        self._reading_bytes = 0
        self.names = names
        self.rules = rules

    @property
    def rules(self) -> CompiledRules:
        """The rules in force."""
        return self._redactor.rules

    @rules.setter
    def rules(self, rules: CompiledRules) -> None:
        """Redact by these from the next request on. After the sampler: what its policies look at now is marked."""
        redactor = Redactor(rules, self._reads.attribute, self._reads.event)
        names = names_redactor(rules) if self.names else None
        self._redactor = redactor if names is None else AllNames(redactor, names)

    def admit(self, size: int, arrival: Arrival = UNKNOWN) -> None:
        """Refuse a request of `size` bytes that would take what we hold over the memory limit, or wait too long.

        Raises Unavailable, which tells the sender when to try again, or TooLarge, which tells it not to.
        """
        self._admission.check_size(size)
        self._admission.check_room(size, self.held_bytes)
        self._admission.check_wait(size, self._thread.expected_wait, self._thread.seconds_per_byte, arrival)

    def hold(self, size: int, already: int) -> None:  # noqa: ARG002 - an Acceptor's; only workers make use of it
        """Count bytes of a body that is being read, or let go of them. Raises Unavailable when there is no room."""
        if size > 0:
            self._admission.check_room(size, self.held_bytes)
        self._reading_bytes += size

    async def accept(self, request: ReceivedRequest, arrival: Arrival = UNKNOWN) -> Answer:
        """Take a request through all stages up to the sampler. Once this returns, each item is owed an outcome.

        Raises MalformedRequest, TooLarge or Unavailable, and then nothing of the request remains.
        """
        self.admit(len(request.body), arrival)
        decoded, redacted, decoding, redacting = await self._thread.redact(request, self._redactor)
        self._observer.observe_stage("decode", decoding)
        self._observer.observe_stage("redact", redacting)
        payload = b""
        if self.journal is not None:
            with self._stage("journal"):
                payload = wire.request(redacted)
        await self._take(redacted, decoded.rejected, payload)
        return Answer(sum(decoded.rejected.values()), decoded.message)

    async def take_over(self, handed: Handed) -> None:
        """Take a request that a worker decoded and redacted, as `accept` goes on with its own.

        Raises Unavailable, and then nothing of the request remains.
        """
        self._admission.check_room(len(handed.payload), self.held_bytes)
        self._observer.observe_stage("decode", handed.decode_seconds)
        self._observer.observe_stage("redact", handed.redact_seconds)
        with self._stage("take_over"):
            decoded = decode.request(ReceivedRequest(handed.signal, Encoding.PROTO, handed.payload)).batch
            redacted: RedactedSpans | RedactedBatch
            if isinstance(decoded, DecodedSpans):
                redacted = self._reads.restored(decoded)
                redacted = replace(redacted, findings=handed.findings)
            else:
                redacted = RedactedBatch(handed.signal, decoded.message, decoded.items, handed.findings)
        if redacted.items != handed.items:
            raise ValueError("what a worker handed over is not what it announced")
        await self._take(redacted, handed.rejected, handed.payload)

    async def _take(
        self, redacted: RedactedSpans | RedactedBatch, rejected: Mapping[Reason, int], payload: bytes
    ) -> None:
        """Measure, write down and sample what was redacted; `payload` is the same, serialized for the journal."""
        signal = Signal.TRACES if isinstance(redacted, RedactedSpans) else redacted.signal
        if self.journal is not None:
            await self.journal.reserve(len(payload) + _RECORD_BYTES)
        now = self._clock.monotonic()
        with self._stage("measure"):
            measured = measure.batch(redacted, self._meter, now)
        position = 0
        if self.journal is not None:
            position = self.journal.append(Batch(now, signal, redacted.items, rejected, payload))
        self._enter(signal, redacted.items, rejected, measured)
        for rule, count in redacted.findings.items():
            self._observer.count_findings(rule, count)
        if isinstance(measured, MeasuredSpans):
            with self._stage("sample"):
                self._sample(measured, position, now)
        else:
            for trace_id, told in measured.notes:
                self._settle(self._sampler.note(trace_id, told, now), now)
        if isinstance(measured, MeasuredBatch) and measured.items:
            self.submit(measured.signal, measured.message.SerializeToString(), measured.items, position)
        if self.journal is not None:
            with self._stage("sync"):
                await self.journal.synced(position)

    def decide_due(self) -> bool:
        """Decide traces whose wait is over, some at a time; say whether more are due already."""
        now = self._clock.monotonic()
        if self.journal is not None:
            self.journal.tidy(self._sampler.oldest_position)
        self._meter.settle(now)
        if self.outbox is not None:
            self.outbox.prod()
        if self._is_due(now):
            with self._stage("decide"):
                decided = self._sampler.take_due(now, self._at_once(now))
                self._settle(decided, now)
            self._note_pace(len(decided.verdicts), now)
        return self._is_due(now)

    def decide_all(self) -> None:
        """Decide every waiting trace on what is known of it: the gateway stops."""
        now = self._clock.monotonic()
        if self.journal is None:
            self._meter.settle(math.inf)  # with one, what waits to be counted waits on after the restart
        self._settle(self._sampler.flush(Trigger.SHUTDOWN, now), now)

    def _at_once(self, now: float) -> int:
        """How many traces to decide now."""
        seconds = max(_DECIDING_SECONDS, min(_DECIDING_SHARE * (now - self._decided_at), _LONGEST_DECIDING_SECONDS))
        fitting = seconds / self._decision_seconds if self._decision_seconds else _DECISIONS_AT_ONCE
        return max(_FEWEST_AT_ONCE, min(int(fitting), _DECISIONS_AT_ONCE))

    def _note_pace(self, traces: int, began: float) -> None:
        self._decided_at = self._clock.monotonic()
        pace = (self._decided_at - began) / max(1, traces)
        self._decision_seconds += _SMOOTHING * (pace - self._decision_seconds)

    def submit(self, signal: Signal, payload: bytes, items: int, position: int) -> None:
        """Hand over a request of logs or metrics, that the journal has at `position`."""
        if self.outbox is not None:
            self.outbox.submit_request(signal, payload, items, position)
        else:
            self._destination.submit(signal, payload, items)

    def state(self) -> dict[str, Iterable[bytes]]:
        """The state of the stages behind the journal as it is now, in pieces, as replay.Replay takes it."""
        unknown = self.journal.receipts.partly_settled() if self.journal is not None else ()
        return {
            "meter": self._meter.state(),
            "sampler": self._sampler.state(),
            "ledger": [self._ledger.state(unknown)],
        }

    def _is_due(self, now: float) -> bool:
        due = self._sampler.next_due()
        return due is not None and due <= now

    @property
    def held_bytes(self) -> int:
        """Bytes of telemetry that wait for the end of their request, for redaction, for a decision or for export."""
        waiting = self._reading_bytes + self._thread.waiting_bytes
        return waiting + self._sampler.held_bytes + self._destination.held_bytes

    def _enter(
        self, signal: Signal, items: int, rejected: Mapping[Reason, int], measured: MeasuredSpans | MeasuredBatch
    ) -> None:
        self._ledger.receive(signal, items + sum(rejected.values()))
        for reason, count in rejected.items():
            self._ledger.settle(signal, Outcome.REJECTED, count, reason)
        if isinstance(measured, MeasuredBatch):
            self._ledger.settle(signal, Outcome.DROPPED, measured.left_out, Reason.DERIVED_HERE)

    def _sample(self, measured: MeasuredSpans, position: int, now: float) -> None:
        slices = sample.by_trace(measured, self._sampler.probes, position)
        self._settle(self._sampler.add(slices, now), now)
        excess = self._sampler.held_bytes - int(self._admission.limit_bytes * _EARLY_SHARE)
        if excess > 0:
            self._settle(self._sampler.evict(excess, now), now)

    def _settle(self, decided: Decided, now: float) -> None:
        """Write verdicts down, enter in the ledger what ends here, and hand over what is kept."""
        position = 0
        if self.journal is not None and (decided.verdicts or decided.repeated_spans):
            position = self.journal.append(Verdicts(now, _verdicts(decided), decided.repeated_spans))
            self.journal.flush_soon()
        self._observer.note_verdicts(decided.verdicts)
        self._ledger.settle(Signal.TRACES, Outcome.SAMPLED_OUT, decided.sampled_out_spans)
        self._ledger.settle(Signal.TRACES, Outcome.DROPPED, decided.repeated_spans, Reason.DUPLICATE)
        if decided.kept:
            kept = [measure.marked(trace, self._meter) for trace in decided.kept]
            for trace in kept:
                self._meter.kept(trace.trace_id)
            if self.outbox is not None:
                self.outbox.submit(kept, position)
            else:
                self._destination.submit_traces(kept)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        begin = self._clock.monotonic()
        try:
            yield
        finally:
            self._observer.observe_stage(name, self._clock.monotonic() - begin)


def _verdicts(decided: Decided) -> list[Verdict]:
    """What was decided, with the spans that it was decided of."""
    spans = dict(decided.sampled_out)
    spans |= {each.trace_id: each.facts.spans for each in decided.kept}
    return [Verdict(trace_id, spans[trace_id], decision) for trace_id, decision in decided.verdicts]
