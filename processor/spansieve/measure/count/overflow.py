"""Which label values were too many: the most frequent of those that counted under `other`, for the operator to see."""

from typing import NamedTuple

REMEMBERED = 100
"""Values remembered for each label."""


class Overflowed(NamedTuple):
    """A value of a label that counted under `other`, at most so many times."""

    label: str
    value: str
    times: int


class OverflowTop:
    """The top values of each label, by the Space-Saving algorithm (Metwally, Agrawal, El Abbadi 2005): bounded memory.

    A value that takes another one's place inherits its count, so a count may be too high, and is never too low for a
    value that is in the list. Owner: one Meter.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._counts: dict[str, dict[str, int]] = {}

    def add(self, label: str, value: str) -> None:
        """Count a value that became `other`."""
        counts = self._counts.setdefault(label, {})
        if value in counts:
            counts[value] += 1
        elif len(counts) < self._remembered:
            counts[value] = 1
        else:
            least = min(counts, key=counts.__getitem__)
            counts[value] = counts.pop(least) + 1

    def top(self) -> list[Overflowed]:
        """Return what is remembered: label by label, the most frequent first."""
        return [
            Overflowed(label, value, count)
            for label, counts in sorted(self._counts.items())
            for value, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        ]

    def state(self) -> dict[str, dict[str, int]]:
        """Return what is remembered, as JSON can write it."""
        return {label: dict(counts) for label, counts in self._counts.items()}

    def restore(self, state: dict[str, dict[str, int]]) -> None:
        """Take over what `state` returned."""
        self._counts = {label: dict(counts) for label, counts in state.items()}
