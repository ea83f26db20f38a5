"""Recall and precision of a tagger on labelled texts, by characters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from training.model_text import LOCATION, OTHER, PERSON, Text

Spans = Sequence[tuple[int, int, int]]
Tag = Callable[[Sequence[str]], list[Spans]]
_ENOUGH = 0.8
_RESAMPLED = 1000
_BLOCK = 40  # texts, mostly of a few documents


@dataclass(frozen=True, slots=True)
class Score:
    """How a type was found; scores of several texts add up.

    `entities` of the type there are, of which `hit` had 80 % of their characters covered, by either type; of the
    characters `marked` as of the type as many are `right`.
    """

    entities: int = 0
    hit: int = 0
    marked: int = 0
    right: int = 0

    def __add__(self, other: "Score") -> "Score":
        """Both together."""
        return Score(
            self.entities + other.entities, self.hit + other.hit, self.marked + other.marked, self.right + other.right
        )

    @property
    def recall(self) -> float:
        """The share of entities that were found."""
        return self.hit / max(1, self.entities)

    @property
    def precision(self) -> float:
        """The share of marked characters that are right."""
        return self.right / max(1, self.marked)


Scores = dict[int, Score]
"""By PERSON and LOCATION."""


def blocks(texts: Sequence[Text], found: Sequence[Spans]) -> list[Scores]:
    """Score what was found in texts, by blocks of texts."""
    pairs = list(zip(texts, found, strict=True))
    return [_score(pairs[at : at + _BLOCK]) for at in range(0, len(pairs), _BLOCK)]


def total(of_blocks: Sequence[Scores], label: int) -> Score:
    """All blocks together."""
    return sum((scores[label] for scores in of_blocks), Score())


def interval(of_blocks: Sequence[Scores], label: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Between which bounds recall and precision lie in 95 of 100 drawings of as many blocks from these."""
    random = Random(1)
    drawn = [total(random.choices(of_blocks, k=len(of_blocks)), label) for _ in range(_RESAMPLED)]
    cut = _RESAMPLED // 40
    recalls, precisions = sorted(each.recall for each in drawn), sorted(each.precision for each in drawn)
    return (recalls[cut], recalls[-cut - 1]), (precisions[cut], precisions[-cut - 1])


def _score(pairs: Sequence[tuple[Text, Spans]]) -> Scores:
    scores = {PERSON: Score(), LOCATION: Score()}
    for text, spans in pairs:
        truth = bytearray(len(text.text))
        covered = bytearray(len(text.text))
        for start, end, label in text.spans:
            truth[start:end] = bytes([label]) * (end - start)
        for start, end, label in spans:
            covered[start:end] = b"\1" * (end - start)
            scores[label] += Score(marked=end - start, right=truth[start:end].count(label))
        for start, end, label in text.spans:
            if label != OTHER:
                scores[label] += Score(1, int(sum(covered[start:end]) >= _ENOUGH * (end - start)))
    return scores
