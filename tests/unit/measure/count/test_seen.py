"""The memory of spans."""

import pytest

from spansieve.measure.count.seen import Seen


def test_a_span_is_first_once() -> None:
    """A span is first when it is met, and not again."""
    seen = Seen(10)
    assert [seen.first(b"a"), seen.first(b"a"), seen.first(b"b")] == [True, False, True]


def test_the_memory_is_bounded() -> None:
    """No more than its capacity is remembered, and at least half of it."""
    seen = Seen(10)
    for n in range(1000):
        seen.first(n.to_bytes(8, "big"))
    assert len(seen) <= 10
    assert not any(seen.first(n.to_bytes(8, "big")) for n in range(995, 1000))


def test_what_is_met_again_is_remembered_longer() -> None:
    """A span that keeps coming is not forgotten."""
    seen = Seen(10)
    seen.first(b"a")
    for n in range(100):
        seen.first(n.to_bytes(8, "big"))
        assert not seen.first(b"a")


def test_a_memory_of_nothing_is_refused() -> None:
    """A memory that could not remember a single span is refused."""
    with pytest.raises(ValueError, match="at least two"):
        Seen(1)


def test_what_was_saved_is_remembered_again() -> None:
    """Both generations, as they were: what is met next is forgotten in the same order."""
    seen, again = Seen(10), Seen(10)
    keys = [n.to_bytes(24, "big") for n in range(20)]
    for key in keys[:8]:
        seen.first(key)
    again.restore(*map(bytes, seen.state()))
    assert again.generations == seen.generations
    assert [again.first(key) for key in keys] == [seen.first(key) for key in keys]
    assert again.state() == seen.state()
