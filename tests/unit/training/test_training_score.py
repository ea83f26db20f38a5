"""How findings are scored, and how sure the figures are."""

import pytest

from training import score
from training.model_text import LOCATION, OTHER, PERSON, Text

_TEXT = Text("Jane Roe left Umber for Ochre Ltd", ((0, 8, PERSON), (14, 19, LOCATION), (24, 33, OTHER)))


@pytest.mark.parametrize(
    ("found", "recall", "precision"),
    [
        ([(0, 8, PERSON)], 1.0, 1.0),
        ([(0, 8, LOCATION)], 1.0, 0.0),
        ([(0, 4, PERSON)], 0.0, 1.0),
        ([(0, 8, PERSON), (24, 32, PERSON)], 1.0, 0.5),
        ([], 0.0, 0.0),
    ],
)
def test_a_person_counts_by_characters(found: list[tuple[int, int, int]], recall: float, precision: float) -> None:
    """Found is what is covered by 80 %, by either type; right are marked characters that are of a person."""
    total = score.total(score.blocks([_TEXT], [found]), PERSON)
    assert (total.recall, total.precision) == (recall, precision)


def test_blocks_add_up() -> None:
    """The score of many texts is that of their blocks together."""
    found = [[(0, 8, PERSON)]] * 50 + [[]] * 50
    of_blocks = score.blocks([_TEXT] * 100, found)
    assert len(of_blocks) == 3
    assert score.total(of_blocks, PERSON) == score.Score(entities=100, hit=50, marked=400, right=400)


def test_an_interval_holds_the_figure() -> None:
    """The bounds lie on either side of what was measured, and apart where blocks differ."""
    of_blocks = score.blocks([_TEXT] * 400, [[(0, 8, PERSON)]] * 200 + [[]] * 200)
    (low, high), precision = score.interval(of_blocks, PERSON)
    assert 0 < low < score.total(of_blocks, PERSON).recall < high < 1
    assert precision == (1.0, 1.0)
