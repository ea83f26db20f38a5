"""Verdicts are remembered, within bounds."""

from spansieve.sample.late_spans import DecisionMemory
from unit.sample.helpers_sample import trace_id


def test_what_was_never_decided_is_not_recalled() -> None:
    """None is not the answer «sampled out»."""
    assert DecisionMemory(10, 10).recall(trace_id(1)) is None


def test_a_kept_trace_is_recalled_with_its_policy() -> None:
    """Late spans are credited to the same policy."""
    memory = DecisionMemory(10, 10)
    memory.remember(trace_id(1), "errors")
    assert memory.recall(trace_id(1)) == "errors"


def test_a_sampled_out_trace_is_recalled_without_one() -> None:
    """The empty name stands for the verdict no."""
    memory = DecisionMemory(10, 10)
    memory.remember(trace_id(1), "")
    assert memory.recall(trace_id(1)) == ""


def test_the_least_recently_used_is_forgotten_first() -> None:
    """Recalling is using."""
    memory = DecisionMemory(2, 2)
    for policy in ("errors", ""):
        for number in (1, 2):
            memory.remember(trace_id(number + 10 * bool(policy)), policy)
        memory.recall(trace_id(1 + 10 * bool(policy)))
        memory.remember(trace_id(3 + 10 * bool(policy)), policy)
    assert [memory.recall(trace_id(number)) for number in (1, 2, 3)] == ["", None, ""]
    assert [memory.recall(trace_id(number)) for number in (11, 12, 13)] == ["errors", None, "errors"]


def test_the_two_bounds_are_apart() -> None:
    """Any number of sampled-out traces does not push out a kept one."""
    memory = DecisionMemory(1, 3)
    memory.remember(trace_id(0), "errors")
    for number in range(1, 100):
        memory.remember(trace_id(number), "")
    assert memory.recall(trace_id(0)) == "errors"
    assert len(memory) == 4


def test_a_size_of_0_remembers_nothing() -> None:
    """As the Collector's decision cache when it is off."""
    memory = DecisionMemory(0, 0)
    memory.remember(trace_id(1), "errors")
    memory.remember(trace_id(2), "")
    assert len(memory) == 0


def test_a_trace_that_was_decided_anew_has_the_new_verdict() -> None:
    """One that was forgotten and came again may be decided otherwise: it is remembered once."""
    memory = DecisionMemory(10, 10)
    memory.remember(trace_id(1), "errors")
    memory.remember(trace_id(1), "")
    assert memory.recall(trace_id(1)) == ""
    assert len(memory) == 1
