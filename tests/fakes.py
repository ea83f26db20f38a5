"""Stand-ins for the world around the gateway's core: time. Everything else is real in the tests."""


class ManualClock:
    """A Clock that stands still until it is told to go on."""

    def __init__(self, monotonic: float = 1000.0, wall_ns: int = 1_700_000_000_000_000_000) -> None:
        self._monotonic = monotonic
        self._wall_ns = wall_ns

    def monotonic(self) -> float:
        """Seconds."""
        return self._monotonic

    def wall_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return self._wall_ns

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._monotonic += seconds
        self._wall_ns += int(seconds * 1e9)
