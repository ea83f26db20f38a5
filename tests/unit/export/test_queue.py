"""The line of what waits, and the waits of those who try again."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from spansieve.export.pause import Pause
from spansieve.export.queue import Company, ExportQueue
from unit.export.helpers_export import Sleeps


@dataclass(frozen=True)
class Thing:
    """Something that waits."""

    items: int
    size: int


def queue() -> ExportQueue[Thing, Thing]:
    """One that hands out a thing at a time."""
    return ExportQueue(deque.popleft)


async def test_first_in_first_out() -> None:
    """In the order of `put`."""
    line = queue()
    things = [Thing(n, n) for n in (1, 2, 3)]
    line.put(things)
    assert [await line.take() for _ in things] == things


async def test_what_was_taken_is_in_hand_until_it_is_settled() -> None:
    """Bytes in flight are bytes held."""
    line = queue()
    line.put([Thing(2, 100), Thing(3, 50)])
    taken = await line.take()
    assert (line.items, line.size) == (5, 150)
    assert taken is not None
    line.settled(taken)
    assert (line.items, line.size) == (3, 50)


async def test_parts_weigh_in_place_of_the_whole() -> None:
    """Two halves with an envelope each weigh more than before."""
    line = queue()
    line.put([Thing(2, 100)])
    taken = await line.take()
    assert taken is not None
    line.replaced(taken, [Thing(1, 60), Thing(1, 60)])
    assert (line.items, line.size) == (2, 120)


async def test_a_taker_waits_for_the_next_thing() -> None:
    """It is woken by `put`."""
    line = queue()
    taker = asyncio.create_task(line.take())
    await asyncio.sleep(0)
    assert not taker.done()
    line.put([Thing(1, 1)])
    assert await taker == Thing(1, 1)


async def test_closing_sends_takers_home_once_nothing_waits() -> None:
    """What waits is still handed out."""
    line = queue()
    takers = [asyncio.create_task(line.take()) for _ in range(3)]
    await asyncio.sleep(0)
    line.put([Thing(1, 1)])
    line.close()
    assert sorted(str(taken) for taken in await asyncio.gather(*takers)) == ["None", "None", "Thing(items=1, size=1)"]


async def test_abandoning_gives_up_all_that_is_in_hand() -> None:
    """Once: the second time there is nothing."""
    line = queue()
    line.put([Thing(2, 100), Thing(3, 50)])
    await line.take()
    assert (line.abandon(), line.size, line.abandon()) == (5, 0, 0)


async def test_a_pause_lasts_as_long_as_its_sleep() -> None:
    """When nothing cuts it short."""
    sleeps = Sleeps(wakes_at_once=False)
    nap = asyncio.create_task(Pause(sleeps)(7.0))
    await sleeps.slept(1)
    assert sleeps.asked == [7.0]
    assert not nap.done()
    sleeps.wake()
    await nap


async def test_a_pause_is_cut_short_once() -> None:
    """Who sleeps wakes; who goes to sleep after that sleeps."""
    sleeps = Sleeps(wakes_at_once=False)
    pause = Pause(sleeps)
    first = asyncio.create_task(pause(7.0))
    await sleeps.slept(1)
    pause.cut_short()
    await first
    second = asyncio.create_task(pause(8.0))
    await sleeps.slept(2)
    for _ in range(10):  # turns of the event loop in which it could wake
        await asyncio.sleep(0)
    assert not second.done()
    sleeps.wake()
    await second


class Waits:
    """A `later` that notes what is to be called, and calls it when it is told that the time is up."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._calls: list[Callable[[], None]] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> None:
        self.seconds.append(seconds)
        self._calls.append(call)

    def are_over(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            call()


async def taken_of(line: ExportQueue[Thing, Thing], takers: int = 1) -> list[asyncio.Task[Thing | None]]:
    """Takers that have begun to wait."""
    tasks = [asyncio.create_task(line.take()) for _ in range(takers)]
    await asyncio.sleep(0)
    return tasks


async def test_who_wants_company_waits_for_it() -> None:
    """A time from the first on, and not anew with each that comes."""
    waits = Waits()
    line = ExportQueue[Thing, Thing](deque.popleft, Company(100, 0.1, waits))
    takers = await taken_of(line, 2)
    line.put([Thing(1, 10)])
    line.put([Thing(2, 10)])
    await asyncio.sleep(0)
    assert (waits.seconds, [each.done() for each in takers]) == ([0.1], [False, False])
    waits.are_over()
    assert await asyncio.gather(*takers) == [Thing(1, 10), Thing(2, 10)]


async def test_enough_is_taken_at_once() -> None:
    """And who comes after that waits for company again, also when the time of the first ones is up in between."""
    waits = Waits()
    line = ExportQueue[Thing, Thing](deque.popleft, Company(100, 0.1, waits))
    line.put([Thing(1, 10)])
    line.put([Thing(2, 90)])
    assert [await line.take(), await line.take()] == [Thing(1, 10), Thing(2, 90)]
    waits.are_over()
    (taker,) = await taken_of(line)
    line.put([Thing(3, 10)])
    await asyncio.sleep(0)
    assert not taker.done()
    waits.are_over()
    assert await taker == Thing(3, 10)


async def test_the_first_one_waits_for_company_too() -> None:
    """Also when nobody waited for it."""
    waits = Waits()
    line = ExportQueue[Thing, Thing](deque.popleft, Company(100, 0.1, waits))
    line.put([Thing(1, 10)])
    (taker,) = await taken_of(line)
    assert not taker.done()
    waits.are_over()
    assert await taker == Thing(1, 10)


async def test_who_comes_after_enough_waits_for_company_again() -> None:
    """With a time of its own."""
    waits = Waits()
    line = ExportQueue[Thing, Thing](deque.popleft, Company(100, 0.1, waits))
    line.put([Thing(1, 100)])
    assert await line.take() == Thing(1, 100)
    line.put([Thing(2, 10)])
    (taker,) = await taken_of(line)
    assert (waits.seconds, taker.done()) == ([0.1], False)
    waits.are_over()
    assert await taker == Thing(2, 10)


async def test_at_the_end_nobody_waits_for_company() -> None:
    """What waits when the line is closed is handed out, and so is what comes then."""
    line = ExportQueue[Thing, Thing](deque.popleft, Company(100, 0.1, Waits()))
    (taker,) = await taken_of(line)
    line.put([Thing(1, 10)])
    line.close()
    line.put([Thing(2, 10)])
    assert [await taker, await line.take(), await line.take()] == [Thing(1, 10), Thing(2, 10), None]
