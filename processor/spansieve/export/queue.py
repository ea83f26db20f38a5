"""What one signal's export has in hand: a line of what waits, and the account of what is in flight."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Weighed(Protocol):
    """What can wait: so many items in so many bytes."""

    @property
    def items(self) -> int:
        """The unit of account of its signal."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...


Waiting = TypeVar("Waiting", bound=Weighed)
Taken = TypeVar("Taken", bound=Weighed)


Later = Callable[[float, Callable[[], None]], object]
"""Has something called in so many seconds, on the event loop's thread: a loop's call_later."""


def _in_a_while(seconds: float, call: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(seconds, call)


@dataclass(frozen=True, slots=True)
class Company:
    """What waits is not taken before so many bytes of it wait, or until it has waited so many seconds."""

    size: int
    seconds: float
    later: Later = _in_a_while


class ExportQueue(Generic[Waiting, Taken]):
    """First in, first out; `next_batch` takes one or more off the front. Owner: the event loop's thread.

    It has no bound of its own and drops nothing: `size` and `items` say what is in hand, and admission sees to it that
    this stays within memory_limiter.
    """

    def __init__(self, next_batch: Callable[[deque[Waiting]], Taken], company: Company | None = None) -> None:
        """Without `company` whatever waits is taken at once."""
        self._next_batch = next_batch
        self._company = company
        self._waiting: deque[Waiting] = deque()
        self._waiting_size = 0
        self._ripe = False  # what waits may be taken
        self._ripening = False
        self._changed = asyncio.Event()
        self._closed = False
        self.items = 0
        self.size = 0

    def put(self, arrivals: Iterable[Waiting]) -> None:
        """Add to the end."""
        for arrival in arrivals:
            self._waiting.append(arrival)
            self.items += arrival.items
            self.size += arrival.size
            self._waiting_size += arrival.size
        if not self._waiting:
            return
        if self._closed or self._company is None or self._waiting_size >= self._company.size:
            self._release()
        elif not self._ripening:
            self._ripening = True
            self._company.later(self._company.seconds, self._release)

    async def take(self) -> Taken | None:
        """The next batch, which stays in the account until it is `settled`. None once closed and empty."""
        while not (self._waiting and self._ripe):
            if self._closed and not self._waiting:
                return None
            self._changed.clear()
            await self._changed.wait()
        batch = self._next_batch(self._waiting)
        self._waiting_size -= batch.size
        self._ripe = self._closed or bool(self._waiting)
        return batch

    def settled(self, batch: Weighed) -> None:
        """Strike a batch that was taken off the account."""
        self.items -= batch.items
        self.size -= batch.size

    def replaced(self, batch: Weighed, parts: Iterable[Weighed]) -> None:
        """Note that parts of a batch that was taken go on in its place: together they weigh more."""
        self.settled(batch)
        for part in parts:
            self.items += part.items
            self.size += part.size

    def close(self) -> None:
        """Let takers go home once nothing waits."""
        self._closed = True
        self._release()

    def abandon(self) -> int:
        """Give up what waits and what is in flight; returns how many items that were."""
        items = self.items
        self._waiting.clear()
        self.items = self.size = self._waiting_size = 0
        return items

    def _release(self) -> None:
        self._ripe, self._ripening = self._closed or bool(self._waiting), False
        self._changed.set()
