"""Policies that keep so much in a time: each has a bucket of its own, and whoever it lets through has no probability.

Time is monotonic seconds, handed in; it never runs backwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from spansieve.facts import TraceFacts
from spansieve.sample.policies import SPENT, Policy, is_kept
from spansieve.tracestate import NEVER


class Bucket:
    """Tokens that come at a steady rate up to a capacity, and are taken. Starts full."""

    __slots__ = ("_at", "capacity", "level", "rate")

    def __init__(self, rate: float, capacity: float) -> None:
        self.rate = rate
        self.capacity = capacity
        self.level = capacity
        self._at: float | None = None

    def fill(self, now: float) -> float:
        """Let the tokens come that are due; the level."""
        if self._at is not None:
            self.level = min(self.capacity, self.level + max(0.0, now - self._at) * self.rate)
        self._at = now
        return self.level

    def take(self, tokens: float, now: float, *, reserve: float = 0.0) -> bool:
        """Take tokens, all or none of them; none when fewer than `reserve` would be left."""
        if self.fill(now) - tokens < reserve:
            return False
        self.level -= tokens
        return True

    def state(self) -> tuple[float, float | None]:
        """What `restore` takes."""
        return self.level, self._at

    def restore(self, state: Sequence[float | None]) -> None:
        """Go on from a state, as far as today's capacity allows."""
        level, at = state
        self.level = min(self.capacity, level or 0.0)
        self._at = at


@dataclass(frozen=True, slots=True)
class RateLimiting:
    """Keep traces while they come to no more than so many `units` a second, in the order in which they are decided.

    `rate_limiting` counts spans, `bytes_limiting` counts bytes; both save up as told. A trace that is larger than what
    can be saved up passes when the bucket is full, and leaves it in debt: with the Collector it never passes.
    """

    name: str
    bucket: Bucket
    units: Literal["spans", "bytes"]

    def threshold(self, facts: TraceFacts, now: float) -> int:
        """Take the tokens of the trace, and keep it, or do neither."""
        tokens = facts.spans if self.units == "spans" else facts.size
        if tokens > self.bucket.capacity and self.bucket.fill(now) >= self.bucket.capacity:
            self.bucket.level -= tokens
            return 0
        return 0 if self.bucket.take(tokens, now) else SPENT


@dataclass(frozen=True, slots=True)
class Share:
    """A policy within `Composite`, and the bucket of spans that it has there."""

    policy: Policy
    bucket: Bucket


@dataclass(frozen=True, slots=True)
class Composite:
    """Ask policies in order; the first that keeps a trace, and has not used up its share of the rate, keeps it.

    With the Collector nobody is asked after a policy that would keep the trace and has used up its share, so that what
    it leaves over fills up with nothing; and a policy without a share of its own has as much as if all shares were
    equal, so that together they may exceed the whole.
    """

    name: str
    shares: tuple[Share, ...]

    def threshold(self, facts: TraceFacts, now: float) -> int:
        """The threshold of the first policy that says yes within its share; SPENT when only shares were in the way."""
        none = NEVER
        for share in self.shares:
            found = share.policy.threshold(facts, now)
            if not is_kept(found, facts):
                none = max(none, found)
            elif share.bucket.take(facts.spans, now):
                return found
            else:
                none = SPENT
        return none
