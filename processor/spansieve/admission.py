"""Whether a request may come in: how much is held, how long it would wait, and when to come back otherwise."""

import math
from typing import Final, NamedTuple

from spansieve.clock import Clock
from spansieve.errors import TooLarge, Unavailable

# What a sender is told to wait that was refused for memory: about the time in which decisions and exports free some.
_RETRY_AFTER_SECONDS: Final = 2.0
# A request that would wait longer than this is refused: senders give up after ten seconds.
LONGEST_WAIT_SECONDS: Final = 2.0
# While requests are seen later than this after they came, none is accepted.
_LATEST_SEEN_SECONDS: Final = 0.25
# Nobody is told to come back later than this: things may have changed by then.
_LATEST_APPOINTMENT_SECONDS: Final = 60.0


class Arrival(NamedTuple):
    """What is known of a request when it is seen first, in seconds.

    `waited` is how long requests wait at present before they are seen; `left` how long the sender waits for an answer.
    """

    waited: float = 0.0
    left: float = math.inf


UNKNOWN: Final = Arrival()


class Admission:
    """Refuses what would take memory over a limit, or wait too long. Owner of the appointments that it gave."""

    def __init__(self, clock: Clock, limit_bytes: int) -> None:
        """At most `limit_bytes` may be held."""
        self._clock = clock
        self.limit_bytes = limit_bytes
        self._booked_until = 0.0

    def check_size(self, size: int) -> None:
        """Refuse a request of `size` bytes for which there will never be room. Raises TooLarge."""
        if size > self.limit_bytes:
            raise TooLarge(self.limit_bytes)

    def check_room(self, size: int, held_bytes: int) -> None:
        """Refuse a request of `size` bytes for which there is no room beside those held. Raises Unavailable."""
        if held_bytes + size > self.limit_bytes:
            raise Unavailable(
                "The gateway holds as much telemetry as it may: try again later.",
                "memory_limiter",
                _RETRY_AFTER_SECONDS,
            )

    def check_wait(self, size: int, wait: float, seconds_per_byte: float, arrival: Arrival = UNKNOWN) -> None:
        """Refuse a request that would wait too long: `wait` seconds, at a pace of `seconds_per_byte`. As above.

        Longer than its sender waits is too long, too. And while requests are seen late all are refused, which takes a
        fraction of the time that it takes to accept them: soon they are seen in time again.
        """
        if wait > min(LONGEST_WAIT_SECONDS, arrival.left) or arrival.waited > _LATEST_SEEN_SECONDS:
            raise Unavailable(
                "The gateway has more to do than it can: try again later.",
                "overload",
                self._appointment(max(wait, arrival.waited), size * seconds_per_byte),
            )

    def _appointment(self, wait: float, seconds: float) -> float:
        """In how many seconds a refused request would find room: after what waits, and after those refused before it.

        So each comes back once. To tell all of them the same would have them come back together, time after time.
        """
        now = self._clock.monotonic()
        self._booked_until = max(self._booked_until, now + wait) + seconds
        return min(self._booked_until - now, _LATEST_APPOINTMENT_SECONDS)
