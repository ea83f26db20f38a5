"""Cutting texts into tokens."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.names import tokens


@given(st.text())
def test_tokens_are_the_text(text: str) -> None:
    """Joined, the tokens of any text are that text."""
    assert "".join(tokens.split(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear Jane,", ["Dear", " Jane", ","]),
        ("user_name(x)", ["user", "_", "name", "(", "x", ")"]),
        ("Name:\nJane", ["Name", ":", "\nJane"]),
        ("a  b", ["a", " ", " b"]),
        ("zip 80331", ["zip", " 80331"]),
        ("Zoë नमस्ते", ["Zoë", " नमस्ते"]),
        ("hi😀Jane", ["hi", "😀", "Jane"]),
        ("", []),
    ],
)
def test_a_token_holds_the_blank_before_it(text: str, expected: list[str]) -> None:
    """Runs of letters, digits and signs are tokens, each with the one blank before it."""
    assert tokens.split(text) == expected


def test_a_long_word_is_several_tokens() -> None:
    """No token has more letters than the limit, so that no word costs more than its length."""
    assert max(map(len, tokens.split("x" * 100_000))) == tokens.LONGEST


def test_offsets_say_where_tokens_stand() -> None:
    """Each token stands in the text between its offset and the next."""
    text = "Call Jane Roe\n now"
    split = tokens.split(text)
    places = tokens.offsets(split)
    assert [text[a:b] for a, b in pairwise(places)] == split
