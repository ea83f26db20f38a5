"""A bound on metric labels whose values come from outside."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple, TypeAlias

CleanLabel: TypeAlias = Callable[[str, str], str]
"""(value, label) → the value without what must not be shown; pure, and the same each time."""

OTHER = "other"
MAX_LENGTH = 128
"""Characters of a label value; model and service names are shorter, and what is longer is cut."""

COMBINATION = "combination"
"""Stands for a label where each value was admitted, and only their combination was one too many."""

_COMBINATIONS = 10


class Limited(NamedTuple):
    """Label values as they may be used, and (label, value) for each that was replaced."""

    labels: tuple[str, ...]
    replaced: tuple[tuple[str, str], ...]


class LabelLimiter:
    """Admits `limit` distinct values of each label, and a bounded number of combinations; all else is `other`.

    A label in `allowed` admits the values that stand there and no others; one in `trusted` admits all, since its values
    are the gateway's own. What was admitted stays admitted, so that a series never ends, and the first come. An empty
    value and `other` are always admitted. Values of the labels in `written`, which people write as they like, are what
    `clean` makes of them.

    There are ten times `limit` combinations: 2000 by default, the cardinality limit of OpenTelemetry's SDKs. Beyond
    them labels become `other` from the last one on until the combination is known or there is room: each step may add
    `limit` combinations, so that with n labels there are at most (10 + n) `limit`. Owner: one Meter.
    """

    def __init__(
        self,
        labels: Sequence[str],
        limit: int,
        *,
        trusted: AbstractSet[str] = frozenset(),
        allowed: Mapping[str, AbstractSet[str]] | None = None,
        written: AbstractSet[str] = frozenset(),
        clean: CleanLabel | None = None,
    ) -> None:
        self.labels = tuple(labels)
        self._limit = limit
        self._trusted = tuple(label in trusted for label in labels)
        self._allowed = tuple((allowed or {}).get(label) for label in labels)
        self._clean = tuple(clean if label in written else None for label in labels)
        self._admitted: tuple[dict[str, None], ...] = tuple({} for _ in labels)
        # Combinations by how many of their labels, from the left, are as they came.
        self._combinations: tuple[dict[tuple[str, ...], None], ...] = tuple({} for _ in range(len(labels) + 1))

    def limit(self, values: tuple[str, ...]) -> Limited:
        """Return the values as they may be used. Remember the answer: it is the same for ever, and costs some µs."""
        usable: list[str] = []
        replaced: list[tuple[str, str]] = []
        for at, value in enumerate(values):
            cut = self._cleaned(at, value)
            if self._admits(at, cut):
                usable.append(cut)
            else:
                usable.append(OTHER)
                replaced.append((self.labels[at], cut))
        combination = self._combine(tuple(usable))
        if combination != tuple(usable) and not replaced:
            replaced.append((COMBINATION, ", ".join(filter(None, usable))))
        return Limited(combination, tuple(replaced))

    def _cleaned(self, at: int, value: str) -> str:
        if not value or self._trusted[at]:
            return value
        cut = value[:MAX_LENGTH]
        clean, allowed = self._clean[at], self._allowed[at]
        # What the operator lists needs no cleaning.
        if clean is None or (allowed is not None and cut in allowed):
            return cut
        return clean(cut, self.labels[at])[:MAX_LENGTH]

    def _admits(self, at: int, value: str) -> bool:
        if not value or value == OTHER or self._trusted[at]:
            return True
        allowed = self._allowed[at]
        if allowed is not None:
            return value in allowed
        admitted = self._admitted[at]
        if value not in admitted:
            if len(admitted) >= self._limit:
                return False
            admitted[value] = None
        return True

    def _combine(self, values: tuple[str, ...]) -> tuple[str, ...]:
        for kept in range(len(values), -1, -1):
            coarse = values[:kept] + tuple(
                value if not value or trusted else OTHER
                for value, trusted in zip(values[kept:], self._trusted[kept:], strict=True)
            )
            known = self._combinations[kept]
            room = self._limit * (_COMBINATIONS if kept == len(values) else 1)
            if coarse in known or len(known) < room:
                known[coarse] = None
                return coarse
        return (OTHER,) * len(values)

    def state(self) -> list[Any]:
        """Return what was admitted, as JSON can write it."""
        return [[list(each) for each in self._admitted], [[list(c) for c in each] for each in self._combinations]]

    def restore(self, state: list[Any]) -> None:
        """Take over what `state` returned of a limiter of the same labels; of others, nothing."""
        admitted, combinations = state
        if len(admitted) == len(self.labels):
            self._admitted = tuple(dict.fromkeys(each) for each in admitted)
            self._combinations = tuple(dict.fromkeys(map(tuple, each)) for each in combinations)
