from collections import Counter
from itertools import islice

import pytest
from demo.conversation import Fate, Shape, questions
from demo.planted import KINDS


def test_same_seed_same_questions() -> None:
    """A run can be repeated."""
    assert list(islice(questions(3), 30)) == list(islice(questions(3), 30))


def test_other_seed_other_questions() -> None:
    """The seed decides."""
    assert next(questions(3)).text != next(questions(4)).text


@pytest.mark.parametrize("seed", range(5))
def test_shares_of_fates_are_exact(seed: int) -> None:
    """In every block of twenty, two are slow and four fail in three ways."""
    fates = Counter(question.fate for question in islice(questions(seed), 40))
    assert fates == {
        Fate.OK: 28,
        Fate.SLOW: 4,
        Fate.RATE_LIMIT: 4,
        Fate.CONTEXT_OVERFLOW: 2,
        Fate.PROVIDER_5XX: 2,
    }


@pytest.mark.parametrize("first", range(10))
def test_every_kind_comes_up_in_three_questions(first: int) -> None:
    """A short run has all kinds of personal data in its prompts."""
    some = islice(questions(1), first, first + 3)
    assert {value.kind for question in some for value in question.planted} == set(KINDS)


def test_every_shape_comes_up_in_four_questions() -> None:
    """A short run has all kinds of traces."""
    assert {question.shape for question in islice(questions(1), 4)} == set(Shape)


def test_text_holds_marker_and_planted_values() -> None:
    """What is planted is really in the prompt, and so is the word that must arrive."""
    for question in islice(questions(1), 20):
        assert question.marker in question.text
        assert all(value.text in question.text for value in question.planted)


def test_markers_are_distinct() -> None:
    """A marker leads to one question."""
    assert len({question.marker for question in islice(questions(1), 100)}) == 100
