"""What a dialect's table is made of."""

import pytest

from spansieve.measure.read.table import Patterns


@pytest.mark.parametrize(
    ("given", "name", "among"),
    [
        (["a.b"], "a.b", True),
        (["a.b"], "a.bc", False),
        (["a.*"], "a.bc", True),
        (["a.*"], "a", False),
        (True, "anything", True),
        (False, "anything", False),
        ([], "", False),
    ],
)
def test_patterns_of_names(given: list[str] | bool, name: str, *, among: bool) -> None:
    """A name stands for itself, one that ends in a * for all that begin so, true for all."""
    assert (name in Patterns.of(given)) is among
