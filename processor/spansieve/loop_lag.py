"""How late the event loop is: what a request, an answer or a probe would wait for its turn at any moment.

Whatever holds the loop up shows here, and nowhere else: a stage that takes long, a collection of garbage, a thread that
has the interpreter, a machine without time for us.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from spansieve.clock import Clock

PERIOD_SECONDS: Final = 0.02
"""How often is looked. A look takes some 10 µs."""

_MOST_LOOKS: Final = 500
"""Of one late turn: a process that was stopped for a day was not late 4 million times."""


async def watch(
    observe: Callable[[float], None], clock: Clock, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Tell `observe` by how many seconds the loop was late for an appointment, again and again, until cancelled.

    Appointments stand at even distances. One late turn is late for all that it passed: who only asks after it would
    take a stop of a second for a single lag among fifty that were none.
    """
    due = clock.monotonic() + PERIOD_SECONDS
    while True:
        await sleep(max(0.0, due - clock.monotonic()))
        now = clock.monotonic()
        for _ in range(_MOST_LOOKS):
            if due > now:
                break
            observe(now - due)
            due += PERIOD_SECONDS
        else:
            due = now + PERIOD_SECONDS
