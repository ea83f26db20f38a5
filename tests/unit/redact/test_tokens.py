"""Values in base64 and hexadecimal, from nine and from eight characters on."""

import base64

import pytest

from spansieve.redact import tokens
from unit.redact.helpers_redact import clean


@pytest.mark.parametrize(
    "value", ["078-05-1120", "219 09 9999", "(212) 736-5000", "203.0.113.9", "a@corp.example", "eve@x.example"]
)
@pytest.mark.parametrize("padded", [True, False])
def test_a_short_value_is_found_in_base64(value: str, padded: bool) -> None:  # noqa: FBT001 - a column of a table
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


def test_runs_are_told_with_both_ends() -> None:
    """The last one first, since that is how they are found."""
    text = b"short " + b"x" * 12 + b" " + b"y" * 11 + b"," + b"z/" * 9
    assert tokens.runs(text) == [(31, 49), (6, 18)]
