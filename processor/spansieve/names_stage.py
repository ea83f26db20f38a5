"""Names out of what leaves: a destination before the destination, with a thread that reads texts.

Between the verdict and the export, so that only what is kept is read. What waits here is counted and bounded like what
waits for export; what cannot be read leaves without its texts, or not at all, and never unread.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from queue import SimpleQueue
from typing import Final, NamedTuple, TypeAlias, overload

from spansieve import redact
from spansieve.export import Destination, QueueStatus
from spansieve.logs import Logger
from spansieve.model import (
    REQUESTS,
    DecodedBatch,
    DecodedSpans,
    Receipt,
    RedactedBatch,
    RedactedSpans,
    SampledTrace,
    Signal,
)
from spansieve.names import model, otlp
from spansieve.names.redactor import Redactor
from spansieve.outcome import Ledger, Outcome, Reason
from spansieve.redact import CompiledRules

CountFindings = Callable[[str, int], None]
"""Told of each rule how many values it took out."""

_STOP: Final = None


class _Request(NamedTuple):
    """A request of logs or metrics."""

    signal: Signal
    payload: bytes
    items: int
    receipt: Receipt | None


_Work: TypeAlias = SampledTrace | _Request


class _Job(NamedTuple):
    work: _Work
    size: int
    redactor: Redactor
    withhold: bool


class _Done(NamedTuple):
    job: _Job
    work: _Work | None  # None when even its texts could not be removed
    findings: Mapping[str, int]


class NamesStage:
    """Takes names out of what is submitted, then hands it on. Its methods belong to one event loop's thread.

    `redactor` may be replaced between two submissions, and None hands on as it is. Beyond `most_waiting` bytes texts
    are not read any more but removed; None is no bound, and whoever admits requests looks at `held_bytes`.
    """

    def __init__(
        self,
        inner: Destination,
        redactor: Redactor | None,
        ledger: Ledger,
        count_findings: CountFindings,
        logger: Logger,
        *,
        most_waiting: int | None = None,
    ) -> None:
        self.redactor = redactor
        self._inner = inner
        self._ledger = ledger
        self._count_findings = count_findings
        self._logger = logger
        self._most_waiting = most_waiting
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._waiting_bytes = 0
        self._waiting = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._given_up = False
        self.withheld_bytes = 0
        """Bytes of traces and requests that left without their texts, because too much waited."""

    @property
    def held_bytes(self) -> int:
        """Bytes of what waits here, and of what the destination holds."""
        return self._waiting_bytes + self._inner.held_bytes

    @property
    def waiting_bytes(self) -> int:
        """Bytes of what waits to be read."""
        return self._waiting_bytes

    @property
    def consecutive_failures(self) -> int:
        """Those of the destination."""
        return self._inner.consecutive_failures

    @property
    def defects(self) -> int:
        """Of the destination; what fails here is told in the ledger."""
        return self._inner.defects

    def submit_traces(self, traces: Sequence[SampledTrace]) -> None:
        """Queue traces, or late spans of some. Never blocks, never fails."""
        if self.redactor is None:
            self._inner.submit_traces(traces)
            return
        for trace in traces:
            self._put(trace, sum(group.size for group in trace.groups), self.redactor)

    def submit(self, signal: Signal, payload: bytes, items: int, receipt: Receipt | None = None) -> None:
        """Queue a serialized request of logs or metrics. Never blocks, never fails."""
        if self.redactor is None:
            self._inner.submit(signal, payload, items, receipt)
            return
        self._put(_Request(signal, payload, items, receipt), len(payload), self.redactor)

    def submit_own_metrics(self, payload: bytes) -> None:
        """Hand on the gateway's own metrics: their labels have been looked at."""
        self._inner.submit_own_metrics(payload)

    async def start(self) -> None:
        """Start the destination."""
        await self._inner.start()

    async def stop(self, deadline: float, *, owed: bool = False) -> None:
        """Read what waits, within `deadline` seconds; then stop the destination. The journal has what is `owed`."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        self._given_up = owed
        try:
            async with asyncio.timeout(max(0.0, deadline)):
                await self._idle.wait()
        except TimeoutError:
            self._given_up = True
            await self._idle.wait()  # the thread hands the rest back unread, one after the other
        if self._thread is not None:
            self._jobs.put(_STOP)
            self._thread.join()  # it waits for work, and ends at once
            self._thread = None
        await self._inner.stop(max(0.0, deadline - (loop.time() - begun)), owed=owed)

    def status(self) -> Mapping[Signal, QueueStatus]:
        """The queues of the destination."""
        return self._inner.status()

    def _put(self, work: _Work, size: int, redactor: Redactor) -> None:
        withhold = self._most_waiting is not None and self._waiting_bytes + size > self._most_waiting
        if withhold:
            self.withheld_bytes += size
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, args=(loop,), name="names", daemon=True)
            self._thread.start()
        self._waiting += 1
        self._idle.clear()
        self._waiting_bytes += size
        self._jobs.put(_Job(work, size, redactor, withhold))

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not _STOP:
            loop.call_soon_threadsafe(self._hand_on, _Done(job, None, {}) if self._given_up else _read(job))

    def _hand_on(self, done: _Done) -> None:
        """Hand on what was read; on the event loop's thread."""
        job, work = done.job, done.work
        self._waiting_bytes -= job.size
        self._waiting -= 1
        for rule, count in done.findings.items():
            self._count_findings(rule, count)
        if isinstance(work, SampledTrace):
            self._inner.submit_traces([work])
        elif work is not None:
            self._inner.submit(work.signal, work.payload, work.items, work.receipt)
        else:
            self._lose(job.work)
        if not self._waiting:
            self._idle.set()

    def _lose(self, work: _Work) -> None:
        """Enter what could not be read, or was not read in time."""
        if isinstance(work, SampledTrace):
            signal, items = Signal.TRACES, work.facts.spans
        else:
            signal, items = work.signal, work.items
        if self._given_up and work.receipt is not None:
            return  # the journal has it, and the next start reads it
        reason = Reason.SHUTDOWN if self._given_up else Reason.NAMES_FAILED
        self._ledger.settle(signal, Outcome.DROPPED, items, reason)
        if work.receipt is not None:
            work.receipt.settle(items, items, reason)
        self._logger.error("dropped", signal=signal.value, items=items, reason=reason.value)


def _read(job: _Job) -> _Done:
    """Take the names out; where that fails remove all texts; where that fails too nothing is left."""
    for withhold in (False, True):
        if job.withhold and not withhold:
            continue
        try:
            work, findings = _redacted(job.work, job.redactor, withhold=withhold)
        except Exception:  # noqa: BLE001, S112 - whatever it is, and said in the ledger when nothing helps
            continue
        return _Done(job, work, findings)
    return _Done(job, None, {})


def _redacted(work: _Work, redactor: Redactor, *, withhold: bool) -> tuple[_Work, Counter[str]]:
    if isinstance(work, SampledTrace):
        return otlp.trace(work, redactor, withhold=withhold)
    message = REQUESTS[work.signal].FromString(work.payload)
    findings = otlp.request(message, redactor, withhold=withhold)
    return (work._replace(payload=message.SerializeToString()) if findings else work), findings


def names_redactor(rules: CompiledRules) -> Redactor | None:
    """Make what takes names out by a policy; None when the policy does not ask for it. Reads the model once."""
    return Redactor(rules, model.shipped()) if rules.named else None


class AllNames:
    """Redacts requests by the rules, then takes the names out too: before the metrics, the journal, the sampler."""

    def __init__(self, inner: redact.Redactor, names: Redactor) -> None:
        self.rules = inner.rules
        self._inner = inner
        self._names = names

    @overload
    def request(self, decoded: DecodedSpans) -> RedactedSpans: ...
    @overload
    def request(self, decoded: DecodedBatch) -> RedactedBatch: ...
    def request(self, decoded: DecodedSpans | DecodedBatch) -> RedactedSpans | RedactedBatch:
        """Redact a request; see redact.Redactor. Raises what that raises."""
        redacted = self._inner.request(decoded)
        if isinstance(redacted, RedactedSpans):
            return otlp.spans(redacted, self._names)
        findings = otlp.request(redacted.message, self._names)
        return replace(redacted, findings=Counter(redacted.findings) + findings) if findings else redacted

    def requests(self, decoded: Sequence[DecodedSpans]) -> list[RedactedSpans]:
        """Redact requests of spans together; see redact.Redactor."""
        return [otlp.spans(each, self._names) for each in self._inner.requests(decoded)]
