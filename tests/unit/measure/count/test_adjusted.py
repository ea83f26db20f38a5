"""The adjusted count of a trace state."""

import pytest

from spansieve.measure.count.adjusted import adjusted_count


@pytest.mark.parametrize(
    ("trace_state", "count"),
    [
        ("", 1.0),
        ("vendor=x", 1.0),
        ("ot=rv:ecc4bb9e5a8b91", 1.0),
        ("ot=th:0", 1.0),
        ("ot=th:8", 2.0),
        ("ot=th:c", 4.0),
        ("vendor=x,ot=th:e;rv:ecc4bb9e5a8b91", 8.0),
        ("ot=th:fffff", None),
        ("ot=th:ffff", 65_536.0),
        ("ot=th:ff", 256.0),
        ("ot=th:ffffffffffffff", None),
        ("ot=th:xyz", None),
        ("ot=th:", None),
        ("ot=th:123456789abcdef", None),
    ],
)
def test_adjusted_count(trace_state: str, count: float | None) -> None:
    """A span kept with probability p stands for 1/p; a state that is malformed or absurd is unknown."""
    assert adjusted_count(trace_state) == count


def test_counts_need_not_be_whole() -> None:
    """A probability of 0.7 makes 1.428…"""
    assert adjusted_count("ot=th:4ccccccccccccd") == pytest.approx(1 / 0.7)
