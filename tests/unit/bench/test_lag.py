import math

from bench.lag import quantile, since

BEFORE = {0.01: 5, 0.02: 5, math.inf: 5}
NOW = {0.01: 103, 0.02: 105, math.inf: 105}


def test_what_was_before_does_not_count() -> None:
    """A histogram is cumulative since the start of the gateway."""
    assert since(NOW, BEFORE) == {0.01: 98, 0.02: 100, math.inf: 100}


def test_a_quantile_is_the_bound_of_its_bucket() -> None:
    """98 of 100 were within 10 ms: so many, and no more."""
    found = since(NOW, BEFORE)
    assert [quantile(found, share) for share in (0.5, 0.98, 0.99, 1.0)] == [0.01, 0.01, 0.02, 0.02]


def test_what_is_beyond_the_last_bound_is_infinite() -> None:
    """Nobody knows how late it was."""
    assert math.isinf(quantile({0.01: 1, math.inf: 2}, 0.99))


def test_without_a_look_there_is_no_lag() -> None:
    """As between two scrapes in the same moment."""
    assert quantile({0.01: 0, math.inf: 0}, 0.99) == 0.0
