"""A bound on metric labels whose values come from outside."""

from functools import lru_cache

OTHER = "other"
MAX_LENGTH = 128
"""Characters of a label value; model and service names are shorter, and what is longer is cut."""

_COMBINATIONS = 10
_REMEMBERED = 8192


class LabelLimiter:
    """Admits `limit` distinct values of each label, and ten times as many combinations; all else is `other`.

    What was admitted stays admitted, so that a series never ends; with the default of 200 there are at most 2000
    combinations, the cardinality limit of OpenTelemetry's SDKs. The first label is trusted: its values are the
    gateway's own. An empty value is always admitted. Owner: one Meter.
    """

    def __init__(self, labels: tuple[str, ...], limit: int) -> None:
        self._labels = labels
        self._limit = limit
        self._admitted: tuple[set[str], ...] = tuple(set() for _ in labels)
        self._combinations: set[tuple[str, ...]] = set()
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._limit_values)

    def limit(self, values: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the values as they may be used, and the names of the labels whose value was replaced.

        When only the combination is one too many, the second is ("combination",).
        """
        return self._remembered(values)

    def _limit_values(self, values: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        first, *outside = values
        usable, overflowed = [first], []
        for label, admitted, value in zip(self._labels[1:], self._admitted[1:], outside, strict=True):
            cut = value[:MAX_LENGTH]
            if cut in admitted or not cut:
                usable.append(cut)
            elif len(admitted) < self._limit:
                admitted.add(cut)
                usable.append(cut)
            else:
                usable.append(OTHER)
                overflowed.append(label)
        combination = tuple(usable)
        if combination not in self._combinations:
            if len(self._combinations) >= _COMBINATIONS * self._limit:
                return (first, *[OTHER] * len(outside)), tuple(overflowed) or ("combination",)
            self._combinations.add(combination)
        return combination, tuple(overflowed)
