"""Thresholds of consistent probability sampling."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.sample.probability import rejection_threshold, threshold_of_rate
from spansieve.tracestate import NEVER, adjusted_count, written

# The table of the specification: 1 in N, `th` at precision 3, 4 and 5.
TABLE = [
    (1, "0", "0", "0"),
    (2, "8", "8", "8"),
    (3, "aab", "aaab", "aaaab"),
    (4, "c", "c", "c"),
    (5, "ccd", "cccd", "ccccd"),
    (8, "e", "e", "e"),
    (10, "e66", "e666", "e6666"),
    (16, "f", "f", "f"),
    (100, "fd71", "fd70a", "fd70a4"),
    (1000, "ffbe7", "ffbe77", "ffbe76d"),
    (10000, "fff972", "fff9724", "fff97247"),
    (100000, "ffff584", "ffff583a", "ffff583a5"),
    (1000000, "ffffef4", "ffffef39", "ffffef391"),
]


@pytest.mark.parametrize(("n", "three", "four", "five"), TABLE)
def test_table_of_the_specification(n: int, three: str, four: str, five: str) -> None:
    """One in N is written as the specification's table has it, at each precision."""
    assert [written(threshold_of_rate(n, precision)) for precision in (3, 4, 5)] == [three, four, five]


def test_digits_are_counted_after_the_leading_ones() -> None:
    """One in 257, the first that has two: 1 - 1/257 is .ff00ff00ff… to the base of 16."""
    assert [written(threshold_of_rate(257, precision)) for precision in (3, 4, 5)] == ["ff01", "ff00ff", "ff00ff"]


@pytest.mark.parametrize("rate", [0.999, 0.5, -1])
def test_rate_out_of_range(rate: float) -> None:
    """More than all cannot be kept."""
    with pytest.raises(ValueError, match="a rate is 1 or more"):
        threshold_of_rate(rate)


@pytest.mark.parametrize(("percentage", "th"), [(100, "0"), (50, "8"), (25, "c"), (10, "e666"), (1, "fd70a")])
def test_percentage(percentage: float, th: str) -> None:
    """A percentage is the share of traces that are kept."""
    assert written(rejection_threshold(percentage)) == th


def test_nothing_is_kept_of_zero() -> None:
    """0 % is the threshold that no randomness reaches."""
    assert rejection_threshold(0) == NEVER


def test_least_probability_is_not_rounded_away() -> None:
    """Half of 2^-56 and more is at least one trace in 2^56, what is less is none."""
    assert (rejection_threshold(100 * 2**-56), rejection_threshold(1e-30)) == (NEVER - 1, NEVER)
    half = Fraction(2) ** 57
    assert (threshold_of_rate(half), threshold_of_rate(half + 1)) == (NEVER - 1, NEVER)  # type: ignore[arg-type]


@pytest.mark.parametrize("percentage", [-1, 100.1, float("nan")])
def test_percentage_out_of_range(percentage: float) -> None:
    """What is no percentage is refused by name."""
    with pytest.raises(ValueError, match="from 0 to 100"):
        rejection_threshold(percentage)


@given(st.floats(1, 1e9))
def test_adjusted_count_is_about_the_rate(rate: float) -> None:
    """Rounding to four significant digits changes the rate by no more than one in 16^3."""
    assert adjusted_count(threshold_of_rate(rate)) == pytest.approx(rate, rel=1 / 4096)
