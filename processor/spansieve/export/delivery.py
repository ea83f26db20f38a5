"""One signal's way to the peer: each batch is tried until it is accepted, refused for good, or the process ends.

What is refused for good is refused for what it is. A peer that takes nothing from us, whatever it is, is waited for
like one that is away (docs/decisions/0022-owed-means-owed.md).
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from spansieve.clock import Clock
from spansieve.config_exporters import Retry
from spansieve.export import QueueStatus
from spansieve.export.batch import Batch
from spansieve.export.pause import Pause
from spansieve.export.queue import ExportQueue, Weighed
from spansieve.export.retry import Backoff, Verdict, judge
from spansieve.logs import Logger
from spansieve.model import Signal
from spansieve.outcome import Ledger, Outcome, Reason


class NotAcceptedError(Exception):
    """An attempt that failed: the gRPC status code's name, and the seconds that the peer's RetryInfo asks for.

    `why` is what kept the peer from being reached at all, as `unreachable` has it.
    """

    def __init__(self, code: str, retry_info: float | None, why: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_info = retry_info
        self.why = why


def tell_failing(logger: Logger, signal: str, refusal: NotAcceptedError, delay: float) -> None:
    """Say that attempts have begun to fail. The peer's own words are left out: they may quote what it was sent."""
    logger.warning("export_failing", signal=signal, **_what_was_said(refusal), retry_in_seconds=round(delay, 3))


def _what_was_said(refusal: NotAcceptedError) -> dict[str, str]:
    return {"code": refusal.code} | ({} if refusal.why is None else {"why": refusal.why})


Send = Callable[[bytes], Awaitable[int]]
"""Makes one attempt: returns the number of items that the peer rejected, or raises NotAcceptedError."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all deliveries of one destination share."""

    retry: Retry
    ledger: Ledger
    clock: Clock
    random: Callable[[], float]  # from [0, 1), for the jitter
    pause: Pause
    logger: Logger
    accepted: set[Signal] = field(default_factory=set)  # signals of which the peer took something


_MOST_REFUSALS = 64
"""Of the parts of one batch, until what is left of it is given up as a whole: five bad traces among hundreds are found
so, and a peer that refuses everything costs no more calls."""


@dataclass(slots=True)
class _Losses:
    """What was dropped of one batch, by reason and code, and how often parts of it were refused."""

    items: Counter[tuple[Reason, str]] = field(default_factory=Counter)
    refusals: int = 0

    def may_search(self, verdict: Verdict) -> bool:
        """Note a refusal; whether to look for what in it the peer cannot take, so that the rest is not dropped."""
        self.refusals += verdict is Verdict.REFUSED
        return verdict is Verdict.REFUSED and self.refusals <= _MOST_REFUSALS


class Delivery:
    """Takes batches off the queue of one signal and settles every item exactly once."""

    def __init__(
        self, signal: Signal, queue: ExportQueue[Weighed, Batch], send: Send, surroundings: Surroundings
    ) -> None:
        self._signal = signal
        self._queue = queue
        self._send = send
        self._around = surroundings
        self.failures = 0
        self._failing_since = 0.0
        self._refused_with = ""

    def status(self) -> QueueStatus:
        """The queue as it is now."""
        return QueueStatus(self._queue.items, self._queue.size, self.failures, self._refused_with)

    async def run(self) -> None:
        """Deliver one batch after the other until the queue is closed and empty. Several may run at once."""
        while (batch := await self._queue.take()) is not None:
            losses = _Losses()
            try:
                await self._deliver(batch, losses)
            finally:
                self._tell(losses)

    def abandon(self, *, owed: bool) -> None:
        """Drop what is left, unless it is `owed` and stays in the journal; nothing may be running any more."""
        items = self._queue.abandon()
        if items and not owed:
            self._around.ledger.settle(self._signal, Outcome.DROPPED, items, Reason.SHUTDOWN)
            self._around.logger.error(
                "export_dropped", signal=self._signal.value, items=items, reason=Reason.SHUTDOWN.value
            )

    async def _deliver(self, batch: Batch, losses: "_Losses") -> None:
        """Deliver a batch, in parts where it is not taken whole."""
        refused = await self._offered(batch, losses)
        if refused is None:
            return
        verdict, code = refused
        halves = batch.halves() if verdict is Verdict.SPLIT or losses.may_search(verdict) else None
        if halves is None:
            reason = Reason.TOO_LARGE if verdict is Verdict.SPLIT else Reason.DOWNSTREAM_REJECTED
            self._settle(batch, batch.items, reason, code, losses)
            return
        self._queue.replaced(batch, halves)
        for half in halves:
            await self._deliver(half, losses)

    async def _offered(self, batch: Batch, losses: "_Losses") -> tuple[Verdict, str] | None:
        """Offer a batch until it is accepted, and settled, or refused for what it is: how, and with which code."""
        payload = batch.payload()
        backoff = Backoff(self._around.retry, self._around.random)
        while True:
            try:
                rejected = await self._send(payload)
            except NotAcceptedError as refusal:
                match self._judged(refusal, len(payload)):
                    case Verdict.RETRY:
                        delay = backoff.next(refusal.retry_info)
                        self._failed(refusal, delay)
                    case Verdict.HOLD:
                        delay = backoff.longest(refusal.retry_info)
                        self._held(refusal, delay)
                    case verdict:
                        self._answered()
                        return verdict, refusal.code
                await self._around.pause(delay)
                continue
            self._answered()
            self._around.accepted.add(self._signal)
            # A peer cannot reject more than it was sent, or less than nothing, whatever it says.
            dropped = min(max(rejected, 0), batch.items)
            self._settle(batch, dropped, Reason.DOWNSTREAM_REJECTED, "OK", losses)
            return None

    def _settle(self, batch: Batch, dropped: int, reason: Reason, code: str, losses: "_Losses") -> None:
        """Settle a batch: so many of its items were dropped, the others exported."""
        ledger, signal = self._around.ledger, self._signal
        ledger.settle(signal, Outcome.EXPORTED, batch.items - dropped)
        ledger.settle(signal, Outcome.DROPPED, dropped, reason)
        self._queue.settled(batch)
        batch.settle(dropped, reason)
        losses.items[reason, code] += dropped

    def _tell(self, losses: "_Losses") -> None:
        """Say what of a batch was dropped. The peer's own words are left out: they may quote what it was sent."""
        for (reason, code), items in losses.items.items():
            if items:
                self._around.logger.error(
                    "export_dropped", signal=self._signal.value, items=items, reason=reason.value, code=code
                )

    def _judged(self, refusal: NotAcceptedError, size: int) -> Verdict:
        is_peer_known = bool(self._around.accepted - {self._signal})
        return judge(refusal.code, refusal.retry_info, size, refusal.why, is_peer_known=is_peer_known)

    def _failed(self, refusal: NotAcceptedError, delay: float) -> None:
        self._refused_with = ""
        self._count_failure()
        if self.failures == 1:  # one line for an outage, not one for each attempt
            tell_failing(self._around.logger, self._signal.value, refusal, delay)

    def _held(self, refusal: NotAcceptedError, delay: float) -> None:
        self._count_failure()
        if self._refused_with != refusal.code:
            self._refused_with = refusal.code
            self._around.logger.error(
                "export_refused",
                signal=self._signal.value,
                **_what_was_said(refusal),
                retry_in_seconds=round(delay, 3),
                remedy="see to exporters.otlp: endpoint, headers, tls. Nothing is given up: it is tried again",
            )

    def _count_failure(self) -> None:
        self.failures += 1
        if self.failures == 1:
            self._failing_since = self._around.clock.monotonic()

    def _answered(self) -> None:
        self._refused_with = ""
        if self.failures:
            seconds = round(self._around.clock.monotonic() - self._failing_since, 3)
            self._around.logger.info(
                "export_recovered", signal=self._signal.value, failed_attempts=self.failures, after_seconds=seconds
            )
            self.failures = 0
