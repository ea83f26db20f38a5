"""Values in base64, from eleven characters on, and the runs of letters in which they are looked for."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact.text import tokens
from unit.redact.helpers_redact import clean


@pytest.mark.parametrize(
    "value", ["078-05-1120", "219 09 9999", "(212) 736-5000", "203.0.113.9", "a@corp.example", "eve@x.example"]
)
@pytest.mark.parametrize("padded", [True, False])
def test_a_short_value_is_found_in_base64(value: str, padded: bool) -> None:
    """Nobody writes a number so by accident."""
    token = base64.b64encode(value.encode()).decode()
    token = token if padded else token.rstrip("=")
    assert clean(f'"{token}" said') == f'"{clean(value)}" said' != f'"{value}" said'


@pytest.mark.parametrize(
    "word", ["administrator", "configuration", "kubernetes/api", "gpt-4o-mini-2", "MiddlewareABCD"]
)
def test_long_words_say_nothing_else(word: str) -> None:
    """They are made of the same letters."""
    assert clean(f"the {word} is here") == f"the {word} is here"


_PIECES = st.sampled_from(["a", "b/", "Z9", "-", "+", "_", " ", ",", "\0", "é", "x" * 11, "y" * 14, "z" * 15, "w" * 40])


@given(
    st.lists(_PIECES, max_size=40).map("".join),
    st.sampled_from([0, 1, 4097, 4098, 4099, 4100]),
    st.sampled_from([" a", "abcdefg.hijklmn,opqrstu "]),
)
def test_runs_are_told_with_both_ends(text: str, filler: int, words: str) -> None:
    """However large the text is around them, and of whatever words."""
    raw = (words * filler + text).encode("latin-1")
    wanted = [match.span() for match in re.finditer(rb"[A-Za-z0-9+/_-]+", raw) if len(match[0]) >= tokens.SHORTEST]
    assert sorted(tokens.runs(raw)) == wanted
