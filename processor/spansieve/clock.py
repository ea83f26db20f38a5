"""Time as an argument: the core is handed instants, the shell reads them from a Clock."""

import time
from typing import Protocol


class Clock(Protocol):
    """Where the shell reads time; tests put a ManualClock (tests/fakes.py) in its place."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary point; never runs backwards."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since the Unix epoch, the unit of OTLP's `*_time_unix_nano`."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        return time.monotonic()

    def wall_ns(self) -> int:
        """Nanoseconds of CLOCK_REALTIME."""
        return time.time_ns()


class ResumedClock:
    """A clock that stands still while the gateway does not run, so that a wait goes on where it stopped.

    The times that the journal holds are this clock's: monotonic also from one process to the next.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead = 0.0

    def resume(self, at: float) -> None:
        """Go on from `at`, in the clock's own seconds."""
        self._ahead = at - self._clock.monotonic()

    def monotonic(self) -> float:
        """Seconds; never runs backwards, restarts included."""
        return self._clock.monotonic() + self._ahead

    def wall_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._clock.wall_ns()
