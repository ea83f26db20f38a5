"""The lag of the event loop: what is seen of a loop that is late, on a clock of ours."""

import asyncio
from collections.abc import Iterable

import pytest

from fakes import ManualClock
from spansieve import loop_lag
from spansieve.loop_lag import PERIOD_SECONDS


class _Ended(Exception):
    """The test has seen enough."""


async def _seen(turns: Iterable[float]) -> list[float]:
    """What is observed when each sleep takes so many seconds more than it should."""
    clock = ManualClock()
    late = iter(turns)
    seen: list[float] = []

    async def sleep(seconds: float) -> None:
        try:
            clock.advance(seconds + next(late))
        except StopIteration:
            raise _Ended from None

    with pytest.raises(_Ended):
        await loop_lag.watch(seen.append, clock, sleep)
    return seen


async def test_a_loop_in_time_has_no_lag() -> None:
    """Each appointment is met."""
    assert await _seen([0.0, 0.0, 0.0]) == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)


async def test_a_late_turn_is_late_by_what_it_took() -> None:
    """And the next appointment stands where it stood."""
    assert await _seen([0.015, 0.0]) == pytest.approx([0.015, 0.0], abs=1e-9)


async def test_a_long_stop_is_late_for_all_that_it_passed() -> None:
    """Whoever had come in the meantime had waited for the rest of it."""
    stop = 3.5 * PERIOD_SECONDS
    assert await _seen([stop]) == pytest.approx([stop - n * PERIOD_SECONDS for n in range(4)], abs=1e-9)


async def test_a_process_that_was_stopped_for_a_day_goes_on() -> None:
    """With a bounded number of observations, and with appointments of today."""
    seen = await _seen([86_400.0, 0.0])
    assert len(seen) == loop_lag._MOST_LOOKS + 1
    assert seen[-1] == pytest.approx(0.0, abs=1e-4)


async def test_a_real_loop_that_is_held_up_is_seen() -> None:
    """With asyncio's own sleep: a turn that takes longer than a period."""
    seen: list[float] = []
    clock = ManualClock()
    held_up = asyncio.Event()

    def observe(lag: float) -> None:
        seen.append(lag)
        held_up.set()

    task = asyncio.create_task(loop_lag.watch(observe, clock))
    await asyncio.sleep(0)
    clock.advance(5 * PERIOD_SECONDS)  # while nobody else had a turn
    await asyncio.wait_for(held_up.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen[0] == pytest.approx(4 * PERIOD_SECONDS, abs=1e-9)
