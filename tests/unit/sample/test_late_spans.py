"""Verdicts are remembered, within bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.model import Because, Decision, Trigger
from spansieve.pieces import sections
from spansieve.sample.late_spans import DecisionMemory
from unit.sample.helpers_sample import trace_id

ERRORS = Decision(keep=True, policy="errors", trigger=Trigger.WAIT_EXPIRED, threshold=0)
SHARE = Decision(
    keep=True, policy="baseline", trigger=Trigger.WAIT_EXPIRED, because=Because.PROBABILITY, threshold=0xE6 << 48
)
A, B, C = trace_id(1), trace_id(2), trace_id(3)


def test_what_was_never_decided_is_not_recalled() -> None:
    """Neither kept nor sampled out."""
    memory = DecisionMemory(10, 10)
    assert (memory.kept(A), memory.dropped(A)) == (None, False)


def test_a_kept_trace_is_recalled_with_its_decision() -> None:
    """Late spans follow it in all: policy, reason, threshold."""
    memory = DecisionMemory(10, 10)
    memory.keep(A, SHARE)
    assert (memory.kept(A), memory.dropped(A)) == (SHARE, False)


def test_a_sampled_out_trace_is_recalled() -> None:
    """As such."""
    memory = DecisionMemory(10, 10)
    memory.drop(A)
    assert (memory.kept(A), memory.dropped(A)) == (None, True)


def test_the_kept_trace_used_longest_ago_is_forgotten_first() -> None:
    """Recalling is using."""
    memory = DecisionMemory(2, 2)
    memory.keep(A, ERRORS)
    memory.keep(B, ERRORS)
    memory.kept(A)
    memory.keep(C, ERRORS)
    assert [memory.kept(each) for each in (A, B, C)] == [ERRORS, None, ERRORS]


def test_at_least_half_of_the_sampled_out_traces_are_remembered() -> None:
    """The last so many, in two generations that together never exceed the size."""
    memory = DecisionMemory(0, 100)
    for number in range(1000):
        memory.drop(trace_id(number))
        assert len(memory) <= 100
    assert all(memory.dropped(trace_id(number)) for number in range(950, 1000))
    assert not any(memory.dropped(trace_id(number)) for number in range(900))


def test_a_sampled_out_trace_that_is_asked_for_stays() -> None:
    """Use carries it over into the next generation."""
    memory = DecisionMemory(0, 4)
    memory.drop(A)
    for number in range(10, 20):
        assert memory.dropped(A)
        memory.drop(trace_id(number))


def test_what_was_decided_last_holds() -> None:
    """Of a trace that was kept, and is sampled out."""
    memory = DecisionMemory(10, 10)
    memory.keep(A, ERRORS)
    memory.drop(A)
    assert (memory.kept(A), memory.dropped(A)) == (None, True)


def test_to_keep_a_trace_again_is_to_use_it() -> None:
    """By another decision, which is the one that counts."""
    memory = DecisionMemory(2, 2)
    memory.keep(A, ERRORS)
    memory.keep(B, ERRORS)
    memory.keep(A, SHARE)
    memory.keep(C, ERRORS)
    assert [memory.kept(each) for each in (A, B, C)] == [SHARE, None, ERRORS]


def test_equal_decisions_are_one_object() -> None:
    """A hundred thousand traces that a policy kept take one decision; of those that adapt none is held for ever."""
    memory = DecisionMemory(4, 2)
    memory.keep(A, ERRORS)
    memory.keep(B, Decision(*ERRORS))
    assert memory.kept(A) is memory.kept(B)
    for threshold in range(5000):
        memory.keep(C, SHARE._replace(threshold=threshold))
    assert len(memory._young_kept._decisions) + len(memory._old_kept._decisions) <= 4


@pytest.mark.parametrize("byte", range(16))
def test_ids_that_differ_in_one_byte_are_told_apart(byte: int) -> None:
    """Also after a restart, in both generations."""
    one = bytes(range(0xF0, 0x100))
    other = one[:byte] + b"\0" + one[byte + 1 :]
    memory, again = DecisionMemory(0, 2), DecisionMemory(0, 2)
    memory.drop(one)
    memory.drop(A)
    again.restore(sections(b"".join(memory.state())))
    assert [again.dropped(each) for each in (other, one, A)] == [False, True, True]


def test_the_two_bounds_are_apart() -> None:
    """Any number of sampled-out traces does not push out a kept one."""
    memory = DecisionMemory(1, 4)
    memory.keep(A, ERRORS)
    for number in range(10, 100):
        memory.drop(trace_id(number))
    assert memory.kept(A) == ERRORS


def test_a_size_of_0_remembers_nothing() -> None:
    """As the Collector's decision cache when it is off."""
    memory = DecisionMemory(0, 0)
    memory.keep(A, ERRORS)
    memory.drop(B)
    assert (len(memory), memory.kept(A), memory.dropped(B)) == (0, None, False)


def test_state_comes_back() -> None:
    """Every verdict, in the order of use."""
    memory = DecisionMemory(2, 10)
    memory.keep(A, ERRORS)
    memory.keep(B, SHARE)
    memory.drop(C)
    again = DecisionMemory(2, 10)
    again.restore(sections(b"".join(memory.state())))
    again.keep(trace_id(9), ERRORS)
    assert (again.kept(A), again.kept(B), again.dropped(C)) == (None, SHARE, True)


def test_each_kept_trace_comes_back_with_its_own_decision() -> None:
    """However many share one."""
    memory, again = DecisionMemory(10, 0), DecisionMemory(10, 0)
    decided = {A: ERRORS, B: SHARE, C: ERRORS}
    for trace, decision in decided.items():
        memory.keep(trace, decision)
    again.restore(sections(b"".join(memory.state())))
    assert {trace: again.kept(trace) for trace in decided} == decided
    assert len(again) == 3


def test_state_is_cut_to_a_smaller_size() -> None:
    """What was kept last stays."""
    memory = DecisionMemory(10, 10)
    memory.keep(A, ERRORS)
    memory.keep(B, ERRORS)
    again = DecisionMemory(1, 0)
    again.restore(sections(b"".join(memory.state())))
    assert (again.kept(A), again.kept(B)) == (None, ERRORS)


steps = st.lists(st.tuples(st.sampled_from(["keep", "share", "drop", "ask"]), st.integers(0, 9)), max_size=30)


def do(memory: DecisionMemory, what: str, trace: bytes) -> None:
    """One thing that is noted of a trace, or asked."""
    match what:
        case "keep":
            memory.keep(trace, ERRORS)
        case "share":
            memory.keep(trace, SHARE)
        case "drop":
            memory.drop(trace)
        case _:
            memory.kept(trace) or memory.dropped(trace)


@given(steps, steps)
def test_a_state_is_that_of_the_moment_in_which_it_was_asked_for(
    before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    """Whatever is noted until its pieces are made; and who restores it goes on as this one did."""
    memory, again = DecisionMemory(4, 4), DecisionMemory(4, 4)
    for what, number in before:
        do(memory, what, trace_id(number))
    again.restore(sections(b"".join(memory.state())))
    whole, pieces = b"".join(memory.state()), memory.state()
    for what, number in after:
        for each in (memory, again):
            do(each, what, trace_id(number))
    assert b"".join(pieces) == whole
    for number in range(10):
        assert memory.kept(trace_id(number)) == again.kept(trace_id(number))
        assert memory.dropped(trace_id(number)) == again.dropped(trace_id(number))
