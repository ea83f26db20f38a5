"""What would wait too long is refused, with an appointment."""

import math

import pytest

from fakes import ManualClock
from spansieve.admission import Admission, Arrival
from spansieve.errors import TooLarge, Unavailable


@pytest.mark.parametrize(
    ("wait", "arrival", "accepted"),
    [
        (2.0, Arrival(), True),
        (2.1, Arrival(), False),
        (1.0, Arrival(0.0, 10.0), True),
        (1.0, Arrival(0.0, 0.5), False),
        (0.0, Arrival(0.0, 0.001), True),
        (0.0, Arrival(0.2, 10.0), True),
        (0.0, Arrival(0.25, 10.0), True),
        (0.0, Arrival(0.3, 10.0), False),
        (0.0, Arrival(0.3, math.inf), False),
    ],
)
def test_what_cannot_be_answered_in_time_is_refused(wait: float, arrival: Arrival, *, accepted: bool) -> None:
    """For its own sender's patience, or for all while they are seen late; what waits for nobody is always tried."""
    admission = Admission(ManualClock(), 1 << 20)
    if accepted:
        admission.check_wait(1000, wait, 1e-6, arrival)
        return
    with pytest.raises(Unavailable) as refused:
        admission.check_wait(1000, wait, 1e-6, arrival)
    assert refused.value.reason == "overload"
    assert refused.value.retry_after >= max(wait, arrival.waited)


def test_those_who_are_refused_because_they_are_seen_late_come_back_one_after_the_other() -> None:
    """Each is told a time after the one before."""
    admission = Admission(ManualClock(), 1 << 20)
    told = []
    for _ in range(3):
        with pytest.raises(Unavailable) as refused:
            admission.check_wait(1000, 0.0, 1e-4, Arrival(0.5, 10.0))
        told.append(refused.value.retry_after)
    assert told == pytest.approx([0.6, 0.7, 0.8])


def test_what_will_never_fit_is_too_large() -> None:
    """A sender that was told to try it again would do so for ever."""
    admission = Admission(ManualClock(), 1 << 20)
    admission.check_size(1 << 20)
    with pytest.raises(TooLarge, match="1048576 bytes"):
        admission.check_size((1 << 20) + 1)


def test_what_fits_exactly_has_room() -> None:
    """Beside what is held; one byte more is told when to come again."""
    admission = Admission(ManualClock(), 1000)
    admission.check_room(400, 600)
    with pytest.raises(Unavailable) as refused:
        admission.check_room(401, 600)
    assert (refused.value.reason, refused.value.retry_after) == ("memory_limiter", 2.0)
