"""Literals that keys begin with are looked for around long runs: they are found as in all text."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact.rules import anchors, near
from spansieve.redact.text import tokens
from unit.redact.helpers_redact import clean

_LITERALS = ["^sk-", "^ya29.", "ABSK", "@"]
_EVERYWHERE = anchors.build(_LITERALS)
_PIECES = st.sampled_from(
    [
        "sk-",
        "SK-",
        "ya29.",
        "ABSK",
        "absk",
        "@",
        "x",
        " ",
        "\\n",
        "\n",
        ".",
        "é",
        "a" * 14,
        "Z9" * 8,
        "b/" * 40,
        " a" * 600,
    ]
)


@pytest.mark.parametrize("native", [True, False])
@given(pieces=st.lists(_PIECES, max_size=30))
def test_all_that_have_a_run_soon_after_are_found(native: bool, pieces: list[str]) -> None:
    """Also where many runs are, where one begins long before the literal, and at both ends of a text."""
    scanner = anchors.build(_LITERALS, before_runs=_LITERALS[:3], native=native)
    text = "".join(pieces)
    runs = tokens.runs(text.encode("latin-1"))
    wanted = {
        (at, anchor)
        for at, anchor in _EVERYWHERE.scan([text]).get(0, ())
        if anchor > anchors.COLUMN and (text[at] == "@" or any(at <= end and at + 8 >= start for start, end in runs))
    }
    found = set(scanner.scan([text]).get(0, ()))
    assert wanted <= found <= set(_EVERYWHERE.scan([text]).get(0, ()))


def test_an_excerpt_says_where_its_parts_were() -> None:
    """A place in it is one in the text that it was cut from."""
    text = bytes(random.Random(1).choices(b"abc", k=5000))
    excerpt = near.Excerpt(text, [(10, 20), (100, 101), (4990, 6000)])
    assert excerpt.buffer == text[10:20] + b"\0" + text[100:101] + b"\0" + text[4990:] + b"\0"
    assert [text[excerpt.at(at)] for at in (0, 9, 11, 13, 22)] == [excerpt.buffer[at] for at in (0, 9, 11, 13, 22)]


def test_windows_that_meet_are_one() -> None:
    """What stands between two runs is told once."""
    assert near.windows(9000, [(100, 120), (4000, 4020), (110, 150)], 5) == [(48, 159), (3948, 4029)]


@pytest.mark.parametrize(("size", "runs"), [(1000, [(100, 120)]), (9000, [(i, i + 20) for i in range(0, 9000, 450)])])
def test_a_small_text_and_one_of_many_runs_are_searched_as_a_whole(size: int, runs: list[tuple[int, int]]) -> None:
    """To cut them up would cost more."""
    assert near.windows(size, runs, 5) == [(0, size)]


@pytest.mark.parametrize("filler", ["", "word " * 2000, f"{'0123456789abcdef' * 2} " * 300])
@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-AAAAAAAAAAAAAAAAAAAA0000",
        "ghp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "ya29.AAAAAAAAAAAAAAAAAAAAAAAA",
        "hooks.slack.com/services/T00000000/B00000000/AAAAAAAA",
        "SG.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ],
)
def test_a_key_is_found_in_whatever_text(filler: str, key: str) -> None:
    """Among words, and among runs that are none."""
    assert clean(f"{filler}key {key} end {filler}") == f"{filler}key [API_KEY] end {filler}"
