"""A worker: the receivers, and the thread that redacts, of a gateway whose other stages are in the owner's process."""

import asyncio
import itertools
import os
import socket
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from structlog.typing import FilteringBoundLogger

from spansieve import logs, policy_source, process, wire
from spansieve.admission import UNKNOWN, Admission, Arrival
from spansieve.clock import Clock
from spansieve.config import Protocols, Redaction
from spansieve.errors import Unavailable
from spansieve.model import Answer, ReceivedRequest, Signal
from spansieve.names_stage import AllNames, names_redactor
from spansieve.receive import GrpcReceiverServer, HttpReceiverServer
from spansieve.redact import PolicyError, Redactor
from spansieve.redaction_thread import RedactionThread
from spansieve.workers.agreement import fingerprint
from spansieve.workers.channel import Channel
from spansieve.workers.frames import Counted, Frame, Handed, Load, Ready, Stop, Taken, Terms, Unable

_REPORT_SECONDS: Final = 0.2
# Every so many reports one is sent even if there is nothing to tell, so that the owner knows that we are there.
_REPORTS_A_BEAT: Final = 5
# Nobody waits any more for a request that takes longer than this: then the thread hangs, and no beat is sent.
_STUCK_SECONDS: Final = 60.0
# What a request takes beside its body, so that many small ones are bounded too.
_REQUEST_BYTES: Final = 1024
_RETRY_AFTER_SECONDS: Final = 1.0


class OwnerFailed(Exception):
    """The owner met a defect with a request that was handed to it; its log says more."""


class _UnderWay(NamedTuple):
    """A request that was handed over and not answered yet."""

    answer: asyncio.Future[Taken]
    size: int
    since: float


class Worker:
    """Receives and redacts by its owner's terms. It is the Acceptor and the RequestObserver of its receivers.

    Fails closed: without rules that the owner redacts by too, every request is refused. `under_way_bytes` is what was
    received, and neither refused nor answered by the owner.
    """

    def __init__(self, clock: Clock, logger: FilteringBoundLogger) -> None:
        self._clock = clock
        self._logger = logger
        self._channel = Channel(self._received, self._owner_gone)
        self._thread = RedactionThread(clock)
        self._receivers: list[Any] = []
        self._terms: Terms | None = None
        self._redactor: Redactor | AllNames | None = None
        self._room = Admission(clock, 0)
        self._share = Admission(clock, 0)
        self._following: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._number = 0
        self._handed: dict[int, _UnderWay] = {}
        self.under_way_bytes = 0
        self._owner_holds = 0
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._defects: Counter[str] = Counter()
        self._reported = 0

    async def run(self, end: socket.socket) -> None:
        """Serve until the owner says stop. When the owner is gone the process ends here."""
        await self._channel.open(end)
        tasks = [asyncio.create_task(each) for each in (self._report(), process.collect_garbage())]
        await self._ended.wait()
        for task in tasks:
            task.cancel()

    def admit(self, size: int, arrival: Arrival = UNKNOWN) -> None:
        """Refuse a request of so many bytes that there is no room or no time for. Raises Unavailable or TooLarge."""
        if self._redactor is None:
            raise Unavailable("The gateway changes its redaction policy: try again.", "no_policy", _RETRY_AFTER_SECONDS)
        self._room.check_size(size)
        self._room.check_room(self.under_way_bytes + size, self._owner_holds)
        if self.under_way_bytes:  # one request goes in whatever its size
            self._share.check_room(size, self.under_way_bytes)
        wait = max(self._thread.expected_wait, self._oldest_age())
        self._room.check_wait(size, wait, self._thread.seconds_per_byte, arrival)

    def hold(self, size: int, already: int) -> None:
        """Count bytes of a body that is being read, or let go of them. Raises Unavailable when there is no room."""
        if size > 0:
            self._room.check_room(self.under_way_bytes + size, self._owner_holds)
            if self.under_way_bytes > already:
                self._share.check_room(size, self.under_way_bytes)
        self.under_way_bytes += size

    async def accept(self, request: ReceivedRequest, arrival: Arrival = UNKNOWN) -> Answer:
        """Redact a request and hand it over. When this returns, the owner owes its items a fate.

        Raises MalformedRequest, TooLarge, Unavailable or OwnerFailed, and then nothing of the request remains.
        """
        self.admit(len(request.body), arrival)
        redactor = self._redactor
        if redactor is None:
            raise OwnerFailed  # admit has refused by then
        size = len(request.body) + _REQUEST_BYTES
        self.under_way_bytes += size
        answer: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        try:
            decoded, redacted, decoding, redacting = await self._thread.redact(request, redactor)
            handed = Handed(
                self._number,
                request.signal,
                redacted.items,
                decoded.rejected,
                redacted.findings,
                decoding,
                redacting,
                wire.request(redacted),
            )
            self._channel.send(handed)
        except BaseException:
            self.under_way_bytes -= size
            raise
        self._number += 1
        self._handed[handed.number] = _UnderWay(answer, size, self._clock.monotonic())
        rejected, message = sum(decoded.rejected.values()), decoded.message
        del request, decoded, redacted, handed
        taken = await answer
        if taken.refused is not None:
            raise Unavailable(taken.refused.description, taken.refused.reason, taken.refused.retry_after)
        if taken.failed:
            raise OwnerFailed
        return Answer(rejected, message)

    def finished(self, transport: str, signal: Signal | None, code: str) -> None:
        """Count an answer, for the next report."""
        self._requests[transport, signal or "", code] += 1

    def failed(self, transport: str, signal: Signal | None, error: BaseException) -> None:
        """Log a defect, and count it for the next report."""
        self._defects[transport] += 1
        self._logger.error("request_failed", transport=transport, signal=signal, **logs.frames(error))

    def _received(self, frame: Frame) -> None:
        match frame:
            case Taken(number):
                under_way = self._handed.pop(number)
                self.under_way_bytes -= under_way.size
                if not under_way.answer.done():  # its sender may have given up
                    under_way.answer.set_result(frame)
            case Load(held_bytes):
                self._owner_holds = held_bytes
            case Terms():
                self._terms = frame
                if self._following is None:
                    self._following = asyncio.create_task(self._follow(), name="follow")
            case Stop(grace):
                self._stopping = asyncio.create_task(self._stop(grace), name="stop")
            case _:
                raise TypeError(f"a worker is not told {type(frame).__name__}")

    def _owner_gone(self, error: BaseException | None) -> None:
        """End: at once, unless all is done. Nobody could take what is received from now on."""
        if self._stopping is not None and self._stopping.done():
            self._ended.set()
            return
        self._logger.error("owner_gone", **(logs.frames(error) if error else {}))
        os._exit(1)

    async def _follow(self) -> None:
        """Do as the latest terms say, and tell the owner."""
        done: Terms | None = None
        while (terms := self._terms) is not None and terms is not done:
            try:
                problems = await self._apply(terms)
            except Exception as error:  # noqa: BLE001 - whatever it is: refuse, and say so
                self._logger.error("terms_failed", **logs.frames(error))
                problems = [f"A worker failed to follow: {type(error).__name__}."]
            if problems:
                self._redactor = None
            self._channel.send(Unable(terms.round, problems) if problems else Ready(terms.round))
            done = terms
        self._following = None

    async def _apply(self, terms: Terms) -> list[str]:
        """Load the policy, and receive. Return what is in the way."""
        wanted = Redaction.model_validate(terms.redaction)
        try:
            rules = await asyncio.to_thread(policy_source.load, wanted.policy, os.environ, wanted.key_file)
        except PolicyError as error:
            return error.problems
        if fingerprint(rules) != terms.fingerprint:
            return [f"redaction.policy {wanted.policy}: it, or its key, changed while it was loaded: reload again."]
        redactor = Redactor(rules)
        names = names_redactor(rules) if wanted.names == "all" else None
        self._redactor = redactor if names is None else AllNames(redactor, names)
        self._room.limit_bytes, self._share.limit_bytes = terms.limit_bytes, terms.share_bytes
        if not self._receivers and self._stopping is None:
            try:
                await self._receive(terms.protocols)
            except OSError as error:
                return [str(error)]
            process.settle_in()
        return []

    async def _receive(self, protocols: Mapping[str, Any]) -> None:
        wanted = Protocols.model_validate(protocols)
        servers: list[Any] = []
        if wanted.grpc:
            servers.append(GrpcReceiverServer(wanted.grpc, self, self, shared=True))
        if wanted.http:
            servers.append(HttpReceiverServer(wanted.http, self, self, shared=True))
        for server in servers:
            await server.start()
            self._receivers.append(server)

    async def _stop(self, grace: float) -> None:
        """Refuse what is new, finish what is under way, tell the last counts, and end."""
        if self._following is not None:
            await self._following
        await asyncio.gather(*(receiver.stop(grace) for receiver in self._receivers))
        await self._thread.stop()
        self._tell_counts()
        self._channel.close()

    async def _report(self) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(_REPORT_SECONDS)
            self._tell_owner(number)

    def _tell_owner(self, number: int) -> None:
        """Report for the n-th time, unless our work stands still."""
        if self._thread.busy_seconds < _STUCK_SECONDS:
            self._tell_counts(beat=number % _REPORTS_A_BEAT == 0)

    def _tell_counts(self, *, beat: bool = False) -> None:
        if not (beat or self._requests or self._defects or self.under_way_bytes != self._reported):
            return
        counts = [(*labels, count) for labels, count in self._requests.items()]
        self._channel.send(Counted(counts, dict(self._defects), self.under_way_bytes))
        self._requests.clear()
        self._defects.clear()
        self._reported = self.under_way_bytes

    def _oldest_age(self) -> float:
        """Seconds that the oldest request waits for the owner's answer."""
        oldest = next(iter(self._handed.values()), None)
        return 0.0 if oldest is None else self._clock.monotonic() - oldest.since
