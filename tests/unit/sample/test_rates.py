"""So much in a time: buckets, rates, composite, budget."""

import pytest

from spansieve.model import Because, Decision, Trigger
from spansieve.sample.budget import Budget
from spansieve.sample.policies import SPENT, All, AlwaysSample, Latency, Not, Probabilistic
from spansieve.sample.rates import Bucket, Composite, RateLimiting, Share
from spansieve.tracestate import NEVER
from unit.sample.helpers_sample import facts

SLOW = Decision(keep=True, policy="slow", trigger=Trigger.WAIT_EXPIRED, because=Because.MATCHED, threshold=0)
SHARE = Decision(keep=True, policy="p", trigger=Trigger.WAIT_EXPIRED, because=Because.PROBABILITY, threshold=1)


def test_bucket_fills_steadily_up_to_its_capacity() -> None:
    """Two a second, five at most."""
    bucket = Bucket(2, 5)
    assert bucket.take(5, 10.0)
    assert not bucket.take(1, 10.4)
    assert bucket.take(1, 10.5)
    assert bucket.fill(100.0) == 5


def test_bucket_leaves_a_reserve() -> None:
    """Nothing is taken when less than the reserve would be left."""
    bucket = Bucket(1, 10)
    assert not bucket.take(6, 0.0, reserve=5)
    assert bucket.take(5, 0.0, reserve=5)


@pytest.mark.parametrize(("units", "said"), [("spans", {"spans": 4}), ("bytes", {"size": 4})])
def test_rate_limiting_keeps_while_there_is_room(units: str, said: dict[str, int]) -> None:
    """Ten a second: two traces of four, then none, and one more half a second later."""
    policy = RateLimiting("rate", Bucket(10, 10), units)  # type: ignore[arg-type]
    assert [policy.threshold(facts(**said), 0.0) for _ in range(3)] == [0, 0, SPENT]
    assert policy.threshold(facts(**said), 0.5) == 0


def test_trace_larger_than_the_capacity_passes_a_full_bucket() -> None:
    """Else it could never pass; what it took has to come in again."""
    policy = RateLimiting("rate", Bucket(10, 10), "spans")
    assert policy.threshold(facts(spans=30), 0.0) == 0
    assert policy.threshold(facts(spans=1), 2.0) == SPENT
    assert policy.threshold(facts(spans=1), 2.2) == 0


def test_composite_gives_each_policy_its_share() -> None:
    """The first in order that keeps the trace and has room."""
    composite = Composite(
        "all",
        (Share(Latency("slow", 10), Bucket(2, 2)), Share(AlwaysSample("rest"), Bucket(1, 1))),
    )
    assert [composite.threshold(facts(duration_ms=50), 0.0) for _ in range(4)] == [0, 0, 0, SPENT]
    assert composite.threshold(facts(duration_ms=5), 0.5) == SPENT
    assert composite.threshold(facts(duration_ms=50), 0.5) == 0


def test_composite_spends_nothing_on_what_it_does_not_keep() -> None:
    """A trace that no policy wants leaves the buckets as they are."""
    composite = Composite("all", (Share(Latency("slow", 10), Bucket(1, 1)),))
    assert composite.threshold(facts(), 0.0) == NEVER
    assert composite.threshold(facts(duration_ms=50), 0.0) == 0


def test_composite_passes_a_share_on() -> None:
    """A probability within it stays one."""
    share = Probabilistic("p", 25)
    composite = Composite("all", (Share(share, Bucket(5, 5)),))
    assert composite.threshold(facts(), 0.0) == share.threshold(facts(), 0.0)


def test_a_rate_without_room_is_told_from_no_match_through_what_is_around_it() -> None:
    """`and` tells whichever there was, `not` keeps after either, and a later share of `composite` may yet have room."""
    spent = RateLimiting("rate", Bucket(1, 1), "spans")
    spent.threshold(facts(), 0.0)
    assert All("a", (AlwaysSample("all"), spent), spends=True).threshold(facts(), 0.0) == SPENT
    assert All("a", (Latency("slow", 10), spent), spends=True).threshold(facts(), 0.0) == NEVER
    assert [Not("n", each).threshold(facts(), 0.0) for each in (spent, Latency("slow", 10))] == [0, 0]
    shares = (Share(spent, Bucket(5, 5)), Share(Latency("slow", 10), Bucket(5, 5)))
    assert Composite("c", shares).threshold(facts(), 0.0) == SPENT
    assert Composite("c", shares).threshold(facts(duration_ms=50), 0.0) == 0


def test_budget_keeps_room_for_the_more_useful() -> None:
    """Shares may spend half of what is saved up, whole kinds all of it, and floors more than there is."""
    budget = Budget(10, None)
    assert [budget.spend(SHARE, 1, 0.0, floor=False) for _ in range(6)] == [True] * 5 + [False]
    assert [budget.spend(SLOW, 1, 0.0, floor=False) for _ in range(6)] == [True] * 5 + [False]
    assert [budget.spend(SLOW, 1, 0.0, floor=True) for _ in range(6)] == [True] * 6


def test_floor_is_paid_for_by_the_others() -> None:
    """Six traces on credit are a minute without any, at six a minute."""
    budget = Budget(6, None)
    for _ in range(12):
        budget.spend(SLOW, 1, 0.0, floor=True)
    assert not budget.spend(SLOW, 1, 60.0, floor=False)
    assert budget.spend(SLOW, 1, 70.1, floor=False)


def test_budget_of_bytes() -> None:
    """The size of a trace counts; what is over one bound pays nothing of the other."""
    budget = Budget(100, 1000)
    assert not budget.spend(SLOW, 1001, 0.0, floor=False)
    assert all(budget.spend(SLOW, 10, 0.0, floor=False) for _ in range(100))
    assert not budget.spend(SLOW, 10, 0.0, floor=False)


def test_budget_of_bytes_alone() -> None:
    """Any number of traces, as long as they are small."""
    budget = Budget(None, 1000)
    assert [budget.spend(SLOW, 400, 0.0, floor=False) for _ in range(3)] == [True, True, False]


def test_denial_presses_for_a_minute() -> None:
    """What is kept then has no known probability."""
    budget = Budget(2, None)
    assert not budget.pressed(0.0)
    for _ in range(2):
        budget.spend(SHARE, 1, 0.0, floor=False)
    assert (budget.pressed(59.9), budget.pressed(60.0)) == (True, False)
    budget.spend(SLOW, 3, 100.0, floor=False)
    budget.spend(SLOW, 3, 100.0, floor=False)
    budget.spend(SLOW, 3, 100.0, floor=False)
    assert (budget.pressed(159.9), budget.pressed(160.0)) == (True, False)


def test_others_pay_for_what_a_floor_bears_for_a_minute_at_most() -> None:
    """After an hour of a thousand failures a minute, that is, and not for days."""
    budget = Budget(10, None)
    for failure in range(60_000):
        assert budget.spend(SLOW, 100, failure * 0.06, floor=True)
    assert not budget.spend(SLOW, 100, 3660.0, floor=False)
    assert budget.spend(SLOW, 100, 3670.0, floor=False)


def test_budget_goes_on_from_its_state() -> None:
    """As if there had been no restart."""
    budget, again = Budget(4, None), Budget(4, None)
    for _ in range(4):
        budget.spend(SLOW, 1, 0.0, floor=False)
    again.restore(budget.state())
    assert not again.spend(SLOW, 1, 0.0, floor=False)


def test_denial_presses_on_after_a_restart() -> None:
    """For as long as it still had."""
    budget, again = Budget(2, None), Budget(2, None)
    for _ in range(2):
        budget.spend(SHARE, 1, 0.0, floor=False)
    again.restore(budget.state())
    assert (again.pressed(59.9), again.pressed(60.0)) == (True, False)
