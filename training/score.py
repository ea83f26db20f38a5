"""Recall and precision of a tagger on labelled texts, by characters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.model_text import LOCATION, OTHER, PERSON, Text

Spans = Sequence[tuple[int, int, int]]
Tag = Callable[[Sequence[str]], list[Spans]]
_ENOUGH = 0.8


@dataclass(frozen=True, slots=True)
class Score:
    """How a type was found.

    Recall: entities of which 80 % of the characters are covered, by either type. Precision: characters marked as this
    type that are of it. `entities` of this type there are.
    """

    recall: float
    precision: float
    entities: int


def score(texts: Sequence[Text], found: Sequence[Spans]) -> dict[int, Score]:
    """Score what was found in texts."""
    hit = {PERSON: 0, LOCATION: 0}
    all_of = {PERSON: 0, LOCATION: 0}
    right = {PERSON: 0, LOCATION: 0}
    marked = {PERSON: 0, LOCATION: 0}
    for text, spans in zip(texts, found, strict=True):
        truth = bytearray(len(text.text))
        covered = bytearray(len(text.text))
        for start, end, label in text.spans:
            truth[start:end] = bytes([label]) * (end - start)
        for start, end, label in spans:
            covered[start:end] = b"\1" * (end - start)
            marked[label] += end - start
            right[label] += truth[start:end].count(label)
        for start, end, label in text.spans:
            if label == OTHER:
                continue
            all_of[label] += 1
            hit[label] += sum(covered[start:end]) >= _ENOUGH * (end - start)
    return {
        label: Score(hit[label] / max(1, all_of[label]), right[label] / max(1, marked[label]), all_of[label])
        for label in (PERSON, LOCATION)
    }
