"""A text near some spans of it: windows, and where their places are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact.text.excerpt import Excerpt, Span, joined


@pytest.mark.parametrize(
    ("windows", "whole"),
    [
        ([], []),
        ([(-5, 3)], [(0, 3)]),
        ([(-9, 3), (-2, 5)], [(0, 5)]),
        ([(2, 9), (3, 4)], [(2, 9)]),
        ([(2, 4), (4, 6), (8, 99)], [(2, 6), (8, 20)]),
    ],
)
def test_windows_that_meet_are_one(windows: list[Span], whole: list[Span]) -> None:
    """None goes beyond the text."""
    assert joined(windows, 20) == whole


@given(st.text(max_size=200), st.lists(st.tuples(st.integers(-9, 200), st.integers(0, 30)), max_size=6))
def test_a_place_of_an_excerpt_is_one_of_the_text(text: str, starts: list[tuple[int, int]]) -> None:
    """The same character stands there."""
    excerpt = Excerpt(text, sorted((start, start + size) for start, size in starts if start < len(text)))
    inside = [(at, 0) for at, each in enumerate(excerpt.text) if each != "\0"]
    assert [excerpt.text[at] for at, _ in inside] == [text[at] for at, _ in excerpt.placed(inside)]


def test_windows_of_most_of_a_text_are_all_of_it() -> None:
    """To search them apart would cost more."""
    assert Excerpt("x" * 100, [(0, 80)]).text == "x" * 100
