"""The gateway's own metrics on their way to the peer: the newest only, since each push says all that the last did."""

import asyncio

from spansieve.export.delivery import NotAcceptedError, Send, Surroundings, tell_failing
from spansieve.export.retry import Backoff, Verdict, judge


class OwnMetrics:
    """A place for one payload. Owner: the event loop's thread."""

    def __init__(self, send: Send, surroundings: Surroundings) -> None:
        self._send = send
        self._around = surroundings
        self._newest: bytes | None = None
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, payload: bytes) -> None:
        """Send this next, instead of one that waits."""
        self._newest = payload
        self._changed.set()

    def close(self) -> None:
        """Let `run` end once nothing waits."""
        self._closed = True
        self._changed.set()

    async def run(self) -> None:
        """Send until closed and empty. A payload that is refused for good is given up: the next one says it again."""
        while True:
            if self._newest is not None:
                await self._deliver()
            elif self._closed:
                return
            else:
                self._changed.clear()
                await self._changed.wait()

    async def _deliver(self) -> None:
        """Try until the newest payload, which may change between attempts, was accepted or refused."""
        backoff = Backoff(self._around.retry, self._around.random)
        failing = False
        while self._newest is not None:
            payload = self._newest
            try:
                rejected = await self._send(payload)
            except NotAcceptedError as refusal:
                if judge(refusal.code, refusal.retry_info, len(payload)) is Verdict.RETRY:
                    delay = backoff.next(refusal.retry_info)
                    if not failing:  # one line for an outage: without traffic this is the only one
                        failing = True
                        tell_failing(self._around.logger, "own_metrics", refusal, delay)
                    await self._around.pause(delay)
                    continue
                self._around.logger.warning("own_metrics_refused", code=refusal.code)
            else:
                if rejected:
                    self._around.logger.warning("own_metrics_refused", code="OK", items=rejected)
            if self._newest is payload:
                self._newest = None
