"""Waits between attempts, which the end of the process cuts short, or news of the peer."""

import asyncio
from collections.abc import Awaitable, Callable

Sleep = Callable[[float], Awaitable[None]]


class Pause:
    """Sleeps until `cut_short`: that wakes all who sleep, once; who sleeps after it sleeps as long as asked.

    So everything that waits for a peer gets one more attempt when the gateway stops, even before the time that the
    peer asked for: the alternative is certain loss.
    """

    def __init__(self, sleep: Sleep) -> None:
        self._sleep = sleep
        self._bell = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        """Sleep."""
        if self._bell.is_set():
            await self._sleep(seconds)
            return
        naps = [asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._bell.wait())]
        try:
            await asyncio.wait(naps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for nap in naps:
                nap.cancel()

    def wake(self) -> None:
        """Wake all who sleep now: what they wait for may be over."""
        if not self._bell.is_set():
            self._bell.set()
            self._bell.clear()

    def cut_short(self) -> None:
        """Wake all who sleep."""
        self._bell.set()
