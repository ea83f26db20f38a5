"""A share that adapts to how common a trace is: what is rare is kept, what is frequent is thinned out.

The rates follow a moving average of what each key brought, and give every key a goal that grows with the logarithm of
its frequency, as Honeycomb Refinery's EMADynamicSampler does. Unlike there, who is kept is not drawn by lot: a trace is
kept iff its randomness reaches the threshold of its key's rate, so that the same trace gets the same answer anywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from math import ceil, log10

from spansieve.facts import KeyPart, TraceFacts
from spansieve.sample.probability import threshold_of_rate

_FORGOTTEN_BELOW = 0.5
"""Traces in an interval, on average: a key that brings fewer is new when it comes again."""


_KEY_PARTS: Mapping[KeyPart, Callable[[TraceFacts], frozenset[str]]] = {
    KeyPart.MODEL: lambda facts: facts.llm.models,
    KeyPart.TEMPLATE: lambda facts: facts.llm.templates,
    KeyPart.PROVIDER: lambda facts: facts.llm.providers,
    KeyPart.ERROR_CLASS: lambda facts: facts.llm.error_classes,
    KeyPart.ENTITY: lambda facts: frozenset(facts.redacted),
}


class EmaDynamic:
    """Keep one trace in `goal_sampling_rate` on average, and of each key some.

    Rates are set anew every `adjustment_interval` seconds; `weight` (0 to 1) is how much the last interval counts
    against those before it. At most `max_keys` keys are told apart; what comes beyond them is one key together.
    """

    def __init__(
        self,
        name: str,
        keys: Sequence[KeyPart],
        goal_sampling_rate: float,
        *,
        adjustment_interval: float,
        weight: float,
        max_keys: int,
    ) -> None:
        self.name = name
        self._parts = tuple(_KEY_PARTS[key] for key in keys)
        self._goal = goal_sampling_rate
        self._interval = adjustment_interval
        self._weight = weight
        self._max_keys = max_keys
        self._averages: dict[str, float] = {}  # traces in an interval, by key
        self._counts: dict[str, int] = {}  # in this interval
        self._thresholds: dict[str, int] = {}
        self._since: float | None = None

    def threshold(self, facts: TraceFacts, now: float) -> int:
        """Count the trace under its key; the threshold of that key's rate. A key not met before is kept."""
        if self._since is None:
            self._since = now
        elif now - self._since >= self._interval:
            self._adjust(int((now - self._since) // self._interval))
            self._since = now
        key = self._key(facts)
        self._counts[key] = self._counts.get(key, 0) + 1
        return self._thresholds.get(key, 0)

    def state(self) -> tuple[dict[str, float], dict[str, int], dict[str, int], float | None]:
        """What `restore` takes."""
        return dict(self._averages), dict(self._counts), dict(self._thresholds), self._since

    def restore(self, state: Sequence[object]) -> None:
        """Go on from a state."""
        averages, counts, thresholds, since = state
        self._averages, self._counts, self._thresholds = dict(averages), dict(counts), dict(thresholds)  # type: ignore[call-overload] # what state() gave
        self._since = since  # type: ignore[assignment] # the same

    def _key(self, facts: TraceFacts) -> str:
        key = "\n".join(" ".join(sorted(part(facts))) for part in self._parts)
        if key in self._counts or key in self._averages or len(self._counts) < self._max_keys:
            return key
        return "\0"

    def _adjust(self, intervals: int) -> None:
        """Take the last interval into the averages, with those in which nothing came, and set the rates anew."""
        weight = self._weight
        for key in self._averages.keys() | self._counts.keys():
            average = self._averages.get(key, 0.0)
            count = self._counts.get(key, 0)
            new = average * (1 - weight) + count * weight if key in self._averages else float(count)
            self._averages[key] = new * (1 - weight) ** (intervals - 1)
        self._averages = {key: n for key, n in self._averages.items() if n >= _FORGOTTEN_BELOW}
        self._counts = {}
        self._thresholds = {key: threshold_of_rate(rate) for key, rate in self._rates().items()}

    def _rates(self) -> dict[str, float]:
        """One in how many to keep, by key: each key's goal is its part of all that is to be kept, by logarithms.

        What a rare key does not use of its goal is handed on to the more frequent ones.
        """
        total = sum(self._averages.values())
        logarithms = {key: log10(max(n, 1.0)) + 1 for key, n in self._averages.items()}
        left, weights = total / self._goal, sum(logarithms.values())
        rates: dict[str, float] = {}
        for key, average in sorted(self._averages.items(), key=lambda item: (item[1], item[0])):
            goal = left * logarithms[key] / weights if weights else 0.0
            rates[key] = 1.0 if average <= max(goal, 1.0) else float(ceil(average / max(goal, 1.0)))
            left = max(0.0, left - average / rates[key])
            weights -= logarithms[key]
        return rates
