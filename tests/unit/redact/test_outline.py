"""Outlines of patterns, and the gate made of them: never less than the patterns themselves."""

import re

import pytest

from spansieve.redact import patterns, vectorscan
from spansieve.redact.gate import Gate


def _matches(pattern: str, text: str) -> bool:
    raw = re.sub(r"[^\x00-\x7f]", chr(patterns.OTHER), text).encode("latin-1")
    return re.search(patterns.outline(pattern), raw, re.IGNORECASE | re.DOTALL) is not None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"a\d{2,3}", "A12"),
        (r"(?<![0-9])\d{4}(?![0-9])", "x1234y"),
        (r"(?<=key=)\w{3}", "key=abc"),
        (r"(?i:straße)\d", "STRASSE STRAßE1"),
        (r"[^@]{2}@", "é1@"),
        (r"(?:ab|cd){1,2}+e", "abcde"),
        (r"(?>a{1,3})b", "aab"),
        (r"\d[ \u00a0]\d", "1\u00a02"),
        (r"(?i:k)\d", "\u212a1"),
        (r"x.y", "x\ny"),
        (r"\w\s\w", "é\u2003ü"),
        (r"a{1,3}?b", "ab"),
    ],
)
def test_an_outline_matches_where_the_pattern_does(pattern: str, text: str) -> None:
    """Look-around is left out or made wider; what is not ASCII is all one."""
    assert _matches(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(?<![0-9])\d{4}(?![0-9])", "12345"),
        (r"\d{3}-\d{2}-\d{4}", "123-45-678"),
        (r"[2-6]\d{11}", "100000000000"),
    ],
)
def test_an_outline_says_no_where_it_can(pattern: str, text: str) -> None:
    """A gate that let everything through would save nothing."""
    assert not _matches(pattern, text)


def test_a_reference_back_has_no_outline() -> None:
    """Such a pattern is refused by `problem` before."""
    with pytest.raises(ValueError, match="GROUPREF"):
        patterns.outline(r"(a)\1")


_MEMBERS = [(r"\d{3}-\d{2}-\d{4}", 0, 80), (r"\d{16}", 0, 80), (r"[a-z]{4}\d{4}", 8, 80), (r"\d{1,900}x", 0, 1000)]


def _likely(text: str, *places: int) -> dict[int, list[int]]:
    return Gate([*_MEMBERS, *_MEMBERS], [[0, 1, 2, 3, 4, 5], [6]]).likely(text, [(at, 0) for at in places])


@pytest.mark.skipif(not vectorscan.installed(), reason="without Vectorscan all is let through")
def test_what_can_match_is_let_through_with_its_places() -> None:
    """The engine tries a pattern only where it may find something."""
    found = _likely("no 078-05-1120 " + "." * 200 + " 4111111111111111", 3, 216)
    assert found[0] == [3]
    assert found[1] == [216]
    assert 2 not in found


def test_what_reaches_far_is_always_let_through() -> None:
    """A window that holds it whole would cost as much as the pattern."""
    assert _likely("1", 0)[3] == [0]


def test_patterns_of_other_anchors_are_not_asked() -> None:
    """An anchor brings only the patterns that hang on it."""
    assert 6 not in _likely("078-05-1120", 0)


def test_no_place_no_pattern() -> None:
    """A text without anchors costs nothing."""
    assert _likely("078-05-1120") == {}
