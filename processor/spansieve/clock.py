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
