"""Calls that wait inside gRPC show by what their deadlines have left."""

import pytest

from spansieve.receive.unseen import Unseen


def wait(*calls: tuple[float, str, float | None]) -> float:
    """What is told at the last of these calls: when each came, of whom, and what it had left."""
    unseen, told = Unseen(), -1.0
    for now, sender, left in calls:
        told = unseen.wait(sender, left, now)
    return told


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([(0.0, "a", 10.0)], 0.0),
        ([(0.0, "a", None)], 0.0),
        ([(0.0, "a", 10.0), (0.2, "a", 9.0)], 0.0),
        ([(0.0, "a", 10.0), (0.2, "a", 9.0), (0.35, "a", 8.5)], 1.0),
        ([(0.0, "a", 10.0), (0.2, "a", 9.0), (0.35, "a", 8.5), (0.36, "b", 5.0)], 0.0),
        ([(0.0, "a", 10.0), (0.0, "b", 5.0), (0.2, "a", 9.0), (0.35, "b", 3.0)], 1.0),
        ([(0.0, "a", 10.0), (0.2, "a", 9.0), (0.35, "a", 8.5), (0.37, "a", 10.0)], 0.0),
        ([(0.0, "a", 10.0), (0.2, "a", 9.0), (5.0, "a", 8.0)], 0.0),
    ],
    ids=[
        "the first call of a sender",
        "no deadline",
        "a single late one in a while",
        "all are late",
        "one of a new sender among them",
        "senders with deadlines of their own",
        "one that was not late among them",
        "nothing came for long",
    ],
)
def test_wait_is_that_of_the_call_that_waited_least(
    calls: list[tuple[float, str, float | None]], expected: float
) -> None:
    """Of those that came in the last tenths of a second."""
    assert wait(*calls) == expected


def test_senders_are_boundedly_many() -> None:
    """The oldest is forgotten, and is a new one when it comes again."""
    unseen = Unseen()
    for number in range(10_000):
        unseen.wait(str(number), 10.0, 0.0)
    assert len(unseen._longest) == 4096
