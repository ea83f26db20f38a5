"""Where requests are decoded and redacted: in a thread, since it is their costly part, and kept off the event loop.

Under more load than can be borne, a busy event loop would leave requests in the depths of gRPC, where nobody counts
them, until their senders give up. So the loop only receives, and what waits for this thread is counted and bounded, in
bytes and in time. The thread takes all that waits and hands results back together: one wake-up for many requests.

A small request that comes to an idle thread is redacted by the loop itself: two changes of threads would cost more.
"""

import asyncio
import math
import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from spansieve import decode
from spansieve.clock import Clock
from spansieve.decode import AnyDecoded
from spansieve.errors import MalformedRequest
from spansieve.model import DecodedSpans, ReceivedRequest, RedactedBatch, RedactedSpans
from spansieve.names_stage import AllNames
from spansieve.redact import Redactor

# Requests that wait are taken together, as many as take about so long.
_HAND_BACK_SECONDS: Final = 0.002
# Of the loop's time for what it redacts itself, and how much of it may be saved up. With much of it, the loop would be
# busy, and refuse nobody.
_ON_LOOP_SHARE: Final = 0.25
_ON_LOOP_BURST_SECONDS: Final = 0.02
# The weight of the latest requests in the pace, which is what the wait of a new one is estimated by.
_SMOOTHING: Final = 0.1
# No request is slower than this, a byte, whatever the clock says: whoever was stopped in the middle of one, or whose
# machine was, would refuse nearly everybody for hundreds of requests.
_SLOWEST: Final = 2e-5
_STOP: Final = None


class Result(NamedTuple):
    """A request that was decoded and redacted, and the seconds that each took."""

    decoded: AnyDecoded
    redacted: RedactedSpans | RedactedBatch
    decode_seconds: float
    redact_seconds: float


@dataclass(slots=True, eq=False)
class _Job:
    request: ReceivedRequest
    redactor: Redactor | AllNames
    future: asyncio.Future[Result]

    def let_go(self) -> None:
        """Forget all, at the end: an error holds the frames that it came through, these hold us, and the future it.

        In such a cycle the request would wait for the garbage collector.
        """
        del self.request, self.redactor, self.future


_Done = tuple[_Job, Result | BaseException]


class RedactionThread:
    """Decodes and redacts one request after the other. Its methods belong to one event loop's thread.

    A Redactor that it was given is used by the thread, or by the loop while nothing is with the thread. `waiting_bytes`
    and `expected_wait` are what admission looks at.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.seconds_per_byte = 0.0
        self._idle = asyncio.Event()
        self._idle.set()
        self._waiting = 0
        self._at_once: list[_Job] = []  # came in this turn of the loop, to an idle thread
        self._allowance = _ON_LOOP_BURST_SECONDS
        self._allowed_at = clock.monotonic()
        self._busy_since = math.inf
        self.waiting_bytes = 0

    @property
    def busy_seconds(self) -> float:
        """For how long the thread has been at what it does now."""
        return max(0.0, self._clock.monotonic() - self._busy_since)

    @property
    def expected_wait(self) -> float:
        """Seconds until a request that came now would be taken, at the present pace."""
        return self.waiting_bytes * self.seconds_per_byte

    async def redact(self, request: ReceivedRequest, redactor: Redactor | AllNames) -> Result:
        """Have a request decoded and redacted. Raises MalformedRequest, or what else went wrong with it."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting += 1
        self._idle.clear()
        self.waiting_bytes += len(request.body)
        self._take(_Job(request, redactor, future))
        try:
            return await future
        finally:
            del future, request  # an error would hold this frame, and so the request, and be held by the future

    def _take(self, job: _Job) -> None:
        """Hand a job over; or, if nothing is with the thread, see at the end of this turn what else came."""
        if self._waiting == 1:
            asyncio.get_running_loop().call_soon(self._end_of_turn)
        elif not self._at_once:
            self._send(job)
            return
        self._at_once.append(job)

    def _end_of_turn(self) -> None:
        jobs, self._at_once = self._at_once, []
        now = self._clock.monotonic()
        earned = (now - self._allowed_at) * _ON_LOOP_SHARE
        self._allowance = min(self._allowance + earned, _ON_LOOP_BURST_SECONDS)
        self._allowed_at = now
        if self.seconds_per_byte and self.expected_wait < min(_HAND_BACK_SECONDS, self._allowance):
            done = self._work_on(jobs)
            self._allowance -= self._clock.monotonic() - now
            self._hand_back(done)
        else:
            for job in jobs:
                self._send(job)

    def _send(self, job: _Job) -> None:
        if self._thread is None:
            self._start()
        self._jobs.put(job)

    async def stop(self) -> None:
        """Finish what waits, then end the thread. Another request would start it again."""
        await self._idle.wait()
        if self._thread is not None:
            self._jobs.put(_STOP)
            self._thread.join()  # it waits for work, and ends at once
            self._thread = None

    def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="redact", daemon=True)
        self._thread.start()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not _STOP:
            self._busy_since = self._clock.monotonic()
            done = self._batch(job)
            self._busy_since = math.inf
            loop.call_soon_threadsafe(self._hand_back, done)
            del done
            del job  # which is raw, and would stay until the next one comes

    def _batch(self, first: _Job) -> list[_Done]:
        """Work on a request, and on those that wait behind it, as many as the first may wait for at this pace."""
        jobs, size = [first], len(first.request.body)
        most = _HAND_BACK_SECONDS / self.seconds_per_byte if self.seconds_per_byte else 0.0
        while size < most and (job := self._next()) is not None:
            jobs.append(job)
            size += len(job.request.body)
        return self._work_on(jobs)

    def _work_on(self, jobs: list[_Job]) -> list[_Done]:
        if len(jobs) > 1 and (results := self._together(jobs)):
            return list(zip(jobs, results, strict=True))
        return [(job, self._work(job)) for job in jobs]

    def _next(self) -> _Job | None:
        """The next one, if it waits already."""
        try:
            job = self._jobs.get_nowait()
        except Empty:
            return None
        if job is _STOP:
            self._jobs.put(_STOP)
        return job

    def _together(self, jobs: list[_Job]) -> list[Result]:
        """Redact requests in one run, which costs less when they are small. Nothing when each has to go alone."""
        redactor = jobs[0].redactor
        if any(job.redactor is not redactor or job.future.cancelled() for job in jobs):
            return []
        monotonic = self._clock.monotonic
        times = [monotonic()]
        decoded: list[AnyDecoded] = []
        batches: list[DecodedSpans] = []
        try:
            for job in jobs:
                one = decode.request(job.request)
                if not isinstance(one.batch, DecodedSpans):
                    return []
                decoded.append(one)
                batches.append(one.batch)
                times.append(monotonic())
            redacted = redactor.requests(batches)
        except Exception:  # noqa: BLE001 - something is wrong with one of them: alone, each gets its own answer
            return []
        pace = (monotonic() - times[-1]) / sum(len(job.request.body) for job in jobs)
        return [
            Result(one, spans, end - begin, pace * len(job.request.body))
            for job, one, spans, begin, end in zip(jobs, decoded, redacted, times, times[1:], strict=False)
        ]

    def _work(self, job: _Job) -> Result | BaseException:
        if job.future.cancelled():  # its sender gave up
            return asyncio.CancelledError()
        try:
            return self._redacted(job.request, job.redactor)
        except MalformedRequest as error:
            mended = decode.mended(job.request)
            if mended is None:
                # Its frames hold the request, and the future that is to hold it: a cycle, which waits for the garbage
                # collector, and anybody can send what is large and malformed.
                error.__context__ = None
                return error.with_traceback(None)
        except BaseException as error:  # noqa: BLE001 - whatever it is, whoever waits for the result is told
            return error
        try:
            return self._redacted(mended, job.redactor)
        except BaseException as error:  # noqa: BLE001 - as above
            return error

    def _redacted(self, request: ReceivedRequest, redactor: Redactor | AllNames) -> Result:
        monotonic = self._clock.monotonic
        begin = monotonic()
        decoded = decode.request(request)
        middle = monotonic()
        return Result(decoded, redactor.request(decoded.batch), middle - begin, monotonic() - middle)

    def _hand_back(self, done: list[_Done]) -> None:
        """Give results to those who wait for them, on the event loop's thread."""
        for job, result in done:
            future, size = job.future, len(job.request.body)
            job.let_go()
            self._waiting -= 1
            self.waiting_bytes -= size
            if isinstance(result, BaseException):
                if not future.done():
                    future.set_exception(result)
                continue
            if size:
                pace = (result.decode_seconds + result.redact_seconds) / size
                self.seconds_per_byte += _SMOOTHING * (min(pace, _SLOWEST) - self.seconds_per_byte)
            if not future.done():
                future.set_result(result)
        if not self._waiting:
            self._idle.set()
