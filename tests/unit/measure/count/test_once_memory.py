"""What is remembered of traces: counted right, whatever comes, and forgotten in its time."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from spansieve.measure.count.once import Once
from spansieve.measure.count.traces import Trace
from spansieve.measure.llm_call import NO_TOKENS, AgentRun, LlmCall, Observation, Origin, Tokens
from unit.measure.helpers_observations import call, origin


def _at(trace: int, span: int, parent: int = 0, *, wraps: bool = False, log: bool = False) -> Origin:
    above = parent.to_bytes(8, "big") if parent else b""
    ids = {"trace_id": trace.to_bytes(16, "big"), "span_id": span.to_bytes(8, "big"), "parent_span_id": above}
    return origin(**ids, wraps=wraps, log=log)


def _call(trace: int, span: int, parent: int = 0, *, wraps: bool = False, log: bool = False) -> LlmCall:
    return call(_at(trace, span, parent, wraps=wraps, log=log), tokens=Tokens(5, 1, None, None, None))


def _take(once: Once, now: float, *observed: Observation) -> Sequence[Observation]:
    return once.take([(one,) for one in observed], [one.origin for one in observed], now)


_steps = st.lists(
    st.tuples(
        st.integers(1, 3),  # trace
        st.integers(1, 5),  # span
        st.integers(0, 5),  # parent
        st.booleans(),
        st.booleans(),
        st.sampled_from([0.0, 0.0, 4.0, 11.0, 100.0]),  # seconds later
    ),
    max_size=30,
)


@given(_steps)
def test_the_account_is_that_of_what_is_remembered(steps: list[tuple[int, int, int, bool, bool, float]]) -> None:
    """By it memory is bounded: calls that were counted, that wait, that log records told, and runs."""
    once, now = Once(keep_s=60), 0.0
    for trace, span, parent, wraps, log, later in steps:
        now += later
        _take(once, now, _call(trace, span, parent, wraps=wraps, log=log))
        whole = [each for each in once.traces.values() if isinstance(each, Trace)]
        remembered = [len(each.counted) + len(each.held) + len(each.logged) + len(each.runs) for each in whole]
        assert (once._remembered, once._whole) == (sum(remembered), len(whole))


@given(_steps)
def test_traces_stand_in_the_order_in_which_they_were_touched(
    steps: list[tuple[int, int, int, bool, bool, float]],
) -> None:
    """So that the first is the one to forget."""
    once, now = Once(keep_s=60), 0.0
    for trace, span, parent, wraps, log, later in steps:
        now += later
        _take(once, now, _call(trace, span, parent, wraps=wraps, log=log))
        touched = [each.last if isinstance(each, Trace) else each[0] for each in once.traces.values()]
        assert touched == sorted(touched)


def test_a_trace_that_is_heard_of_again_is_remembered_on() -> None:
    """From then."""
    once = Once(keep_s=60)
    for span, now in ((1, 0.0), (2, 50.0), (3, 100.0)):
        _take(once, now, _call(1, span, 9))
    once.settle(159.0)
    assert len(once.traces) == 1
    once.settle(160.0)
    assert len(once.traces) == 0


def test_each_call_waits_for_its_own_time() -> None:
    """One that came later is not counted with the first."""
    once = Once()
    _take(once, 0.0, _call(1, 1, 9, wraps=True))
    _take(once, 4.0, _call(2, 2, 9, wraps=True))
    assert [[each.origin.span_id[-1] for each in once.settle(now)] for now in (9.9, 10.0, 13.9, 14.0)] == [
        [], [1], [], [2]
    ]  # fmt: skip


def test_a_call_that_tells_no_tokens_adds_none_to_a_comparison() -> None:
    """Beside one that does, beneath the same agent."""
    once = Once()
    agent = AgentRun(_at(1, 1), "helper", "", "", 1.0, None, Tokens(5, 1, None, None, None), "", ())
    silent = call(_at(1, 3, 1), tokens=NO_TOKENS)
    out = [*_take(once, 0.0, agent, _call(1, 2, 1), silent), *once.settle(10.0)]
    assert len([each for each in out if isinstance(each, LlmCall)]) == 2
    assert once.disagreements(_at(1, 1).trace_id) == {}
