from bench.micro import FLOOR, STAGES, default_rules, median_round

from unit.bench.helpers_bench import recording


def test_every_stage_is_timed() -> None:
    """A round spends time in each stage and in the floor."""
    spent = median_round(recording("chat"), default_rules(), 0.1, 1)
    assert set(spent) == {*STAGES, *FLOOR}
    assert all(microseconds > 0 for microseconds in spent.values())
