"""The top list of what overflowed."""

import json

from spansieve.measure.count.overflow import Overflowed, OverflowTop


def test_the_most_frequent_stand_first() -> None:
    """Values are listed by label, the most frequent first."""
    top = OverflowTop()
    for label, value in (("m", "a"), ("m", "b"), ("m", "b"), ("k", "c")):
        top.add(label, value)
    assert top.top() == [Overflowed("k", "c", 1), Overflowed("m", "b", 2), Overflowed("m", "a", 1)]


def test_the_list_is_bounded_and_keeps_the_frequent() -> None:
    """However many values come, so many are remembered, and one that makes a tenth of them is among those."""
    top = OverflowTop(remembered=20)
    for n in range(10_000):
        top.add("m", "often" if n % 10 == 0 else f"rare-{n}")
    found = top.top()
    assert len(found) == 20
    assert found[0].value == "often"
    assert found[0].times >= 1000


def test_the_state_is_everything() -> None:
    """A list that took over a state, through JSON, is the same."""
    first, second = OverflowTop(), OverflowTop()
    first.add("m", "a")
    second.restore(json.loads(json.dumps(first.state())))
    assert second.top() == first.top()
