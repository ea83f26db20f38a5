"""The table of contents: what happens to a request, a line a stage, in the only order that the types allow.

    receive ─▶ decode ─▶ redact ─▶ measure ─▶ sample ─▶ export

Everything from decode to the sampler runs in one go on the event loop, without a pause in which a half-done request
could be seen: a request is wholly accepted, and its items are in the ledger, or it left no trace but a count.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from spansieve import decode, measure, redact, sample
from spansieve.clock import Clock
from spansieve.decode import Decoded
from spansieve.errors import Unavailable
from spansieve.export import Destination
from spansieve.measure import Meter
from spansieve.model import Answer, MeasuredBatch, ReceivedRequest, SampledTrace, Signal, Trigger
from spansieve.outcome import Ledger, Outcome, Reason
from spansieve.redact import CompiledRules
from spansieve.sample import Decided, Sampler

# Traces are decided early when the waiting ones alone hold this share of the memory limit, so that a burst ends in
# early decisions before it ends in refusals.
_EARLY_SHARE = 0.75
# What a refused sender is told to wait: about the time in which decisions and exports free some memory.
_RETRY_AFTER_SECONDS = 2.0
# Traces decided in one go; between two goes the event loop serves everyone else.
_DECISIONS_AT_ONCE = 500


class Observer(Protocol):
    """Whom the pipeline tells what it did."""

    def observe_stage(self, stage: str, seconds: float) -> None:
        """One request spent so long in a stage."""

    def count_findings(self, rule: str, values: int) -> None:
        """A redaction rule took out so many values."""


class Pipeline:
    """All stages between the receivers and the destination. Owner of the sampler; one for each process."""

    def __init__(
        self,
        *,
        rules: CompiledRules,
        meter: Meter,
        sampler: Sampler,
        destination: Destination,
        ledger: Ledger,
        clock: Clock,
        limit_bytes: int,
        observer: Observer,
    ) -> None:
        self.rules = rules
        self._meter = meter
        self._sampler = sampler
        self._destination = destination
        self._ledger = ledger
        self._clock = clock
        self._limit_bytes = limit_bytes
        self._observer = observer

    def admit(self, size: int) -> None:
        """Refuse a request of `size` bytes that would take what we hold over the memory limit.

        Raises Unavailable, which tells the sender when to try again.
        """
        if self.held_bytes + size > self._limit_bytes:
            raise Unavailable(
                "The gateway holds as much telemetry as it may: try again later.",
                "memory_limiter",
                _RETRY_AFTER_SECONDS,
            )

    async def accept(self, request: ReceivedRequest) -> Answer:
        """Take a request through all stages up to the sampler. Once this returns, each item is owed an outcome.

        Raises MalformedRequest or Unavailable, and then nothing of the request remains.
        """
        self.admit(len(request.body))
        with self._stage("decode"):
            decoded = decode.request(request)
        with self._stage("redact"):
            redacted = redact.batch(decoded.batch, self.rules)
        with self._stage("measure"):
            measured = measure.batch(redacted, self._meter)
        self._enter(decoded, measured)
        for rule, count in redacted.findings.items():
            self._observer.count_findings(rule, count)
        if request.signal is Signal.TRACES:
            with self._stage("sample"):
                self._sample(measured)
        elif measured.items:
            self._destination.submit(request.signal, measured.message.SerializeToString(), measured.items)
        return Answer(sum(decoded.rejected.values()), decoded.message)

    def decide_due(self) -> bool:
        """Decide traces whose wait is over, some hundred at a time; say whether more are due already."""
        now = self._clock.monotonic()
        if not self._is_due(now):
            return False
        with self._stage("decide"):
            self._finish(self._sampler.take_due(now, _DECISIONS_AT_ONCE))
        return self._is_due(now)

    def decide_all(self) -> None:
        """Decide every waiting trace on what is known of it: the gateway stops."""
        self._finish(self._sampler.flush(Trigger.SHUTDOWN))

    def _is_due(self, now: float) -> bool:
        due = self._sampler.next_due()
        return due is not None and due <= now

    @property
    def held_bytes(self) -> int:
        """Bytes of telemetry that wait for a decision or for export."""
        return self._sampler.held_bytes + self._destination.held_bytes

    def _enter(self, decoded: Decoded, measured: MeasuredBatch) -> None:
        signal = measured.signal
        self._ledger.receive(signal, decoded.batch.items + sum(decoded.rejected.values()))
        for reason, items in decoded.rejected.items():
            self._ledger.settle(signal, Outcome.REJECTED, items, reason)
        self._ledger.settle(signal, Outcome.DROPPED, measured.left_out, Reason.DERIVED_HERE)

    def _sample(self, measured: MeasuredBatch) -> None:
        late = self._sampler.add(sample.by_trace(measured), self._clock.monotonic())
        self._settle(late.kept, late.sampled_out_spans)
        excess = self._sampler.held_bytes - int(self._limit_bytes * _EARLY_SHARE)
        if excess > 0:
            self._finish(self._sampler.evict(excess))

    def _finish(self, decided: Decided) -> None:
        self._settle(decided.kept, decided.sampled_out_spans)

    def _settle(self, kept: list[SampledTrace], sampled_out_spans: int) -> None:
        self._ledger.settle(Signal.TRACES, Outcome.SAMPLED_OUT, sampled_out_spans)
        if kept:
            self._destination.submit_traces(kept)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        begin = self._clock.monotonic()
        try:
            yield
        finally:
            self._observer.observe_stage(name, self._clock.monotonic() - begin)
