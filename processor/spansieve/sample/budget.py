"""So many traces or bytes a minute, and no more: what is kept of what the policies want, the most useful first.

Who is useful is a matter of class: a trace that a policy keeps as a whole kind (slow, dear, failed …) comes before one
that stands for others (a share, a rate). The lesser class may not spend the last half of what is saved up, so that a
burst of the better one finds room: trunk reservation, as telephone networks do it. What a floor bears (errors) is
always kept, and is paid for by the others: for a minute at most after it has ended, however long it was.
"""

from collections.abc import Sequence

from spansieve.model import Because, Decision
from spansieve.sample.rates import Bucket

_MINUTE = 60.0
_RESERVED = 0.5


class Budget:
    """What may be spent, in traces and in bytes; None for no bound. Saves up for a minute at most."""

    def __init__(self, traces_per_minute: float | None, bytes_per_minute: float | None) -> None:
        self._buckets = tuple(
            (limit and Bucket(limit / _MINUTE, limit), by_bytes)
            for limit, by_bytes in ((traces_per_minute, False), (bytes_per_minute, True))
        )
        self._denied_at: float | None = None

    def spend(self, decision: Decision, size: int, now: float, *, floor: bool) -> bool:
        """Whether a trace of `size` bytes that is to be kept may be; if so, it is paid for."""
        lesser = decision.because is not Because.MATCHED
        pays = []
        for bucket, by_bytes in self._buckets:
            if not bucket:
                continue
            price = size if by_bytes else 1
            level = bucket.fill(now)
            if not floor and level - price < (bucket.capacity * _RESERVED if lesser else 0):
                self._denied_at = now
                return False
            pays.append((bucket, price))
        for bucket, price in pays:
            bucket.level = max(bucket.level - price, -bucket.capacity)
        return True

    def pressed(self, now: float) -> bool:
        """Whether anything was denied within the last minute: what is kept then has no known probability."""
        return self._denied_at is not None and now - self._denied_at < _MINUTE

    def state(self) -> tuple[list[Sequence[float | None]], float | None]:
        """What `restore` takes."""
        return [bucket.state() for bucket, _ in self._buckets if bucket], self._denied_at

    def restore(self, state: tuple[list[Sequence[float | None]], float | None]) -> None:
        """Go on from a state of a budget with the same bounds; with others, start full."""
        saved, denied_at = state
        buckets = [bucket for bucket, _ in self._buckets if bucket]
        if len(saved) == len(buckets):
            for bucket, level in zip(buckets, saved, strict=True):
                bucket.restore(level)
            self._denied_at = denied_at
