"""Each call is counted once, whoever tells of it and however often."""

from collections.abc import Sequence

import pytest

from spansieve.facts import ErrorClass
from spansieve.measure.count import once_state
from spansieve.measure.count.once import Once
from spansieve.measure.llm_call import (
    NO_TOKENS,
    AgentRun,
    Evaluation,
    LlmCall,
    NotCounted,
    Observation,
    Origin,
    Reconciliation,
    Tokens,
)
from spansieve.pieces import sections
from unit.measure.helpers_observations import call, origin

_SETTLE = 10.0


def _at(span: int, parent: int = 0, *, trace: int = 1, wraps: bool = False, log: bool = False) -> Origin:
    return origin(
        trace_id=trace.to_bytes(16, "big"),
        span_id=span.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        wraps=wraps,
        log=log,
    )


def _call(
    span: int, parent: int = 0, *, tokens: int | None = 5, error: ErrorClass | None = None, **more: int
) -> LlmCall:
    used = NO_TOKENS if tokens is None else Tokens(tokens, 1, None, None, None)
    return call(_at(span, parent, **more), tokens=used, error_class=error)


def _agent(span: int, parent: int = 0, *, told: int | None) -> AgentRun:
    tokens = Tokens(told, None, None, None, None)
    return AgentRun(_at(span, parent), "helper", "", "", 1.0, None, tokens, "", ())


def _take(once: Once, *observed: Observation, now: float = 0.0, others: Sequence[Origin] = ()) -> list[Observation]:
    return once.take([(one,) for one in observed], [*(one.origin for one in observed), *others], now)


def _spans(out: Sequence[Observation]) -> list[int]:
    """Return the span ids of the calls that count."""
    return [int.from_bytes(one.origin.span_id, "big") for one in out if isinstance(one, LlmCall)]


def _reasons(out: Sequence[Observation]) -> list[str]:
    return [one.reason.value for one in out if isinstance(one, NotCounted)]


def test_a_certain_call_counts_at_once() -> None:
    """A call that tells tokens, from an instrumentation that nothing stands beneath, does not wait."""
    assert _spans(_take(Once(), _call(1, 9))) == [1]


def test_a_span_counts_once() -> None:
    """The same span again, in one request or the next, tells nothing new."""
    once = Once()
    assert _spans(_take(once, _call(1), _call(1))) == [1]
    out = _take(once, _call(1))
    assert (_spans(out), _reasons(out)) == ([], ["repeated_span"])


def test_the_same_span_id_in_another_trace_is_another_span() -> None:
    """A span is known by its trace id and its span id."""
    once = Once()
    assert _spans(_take(once, _call(1), _call(1, trace=2))) == [1, 1]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
def test_of_two_that_stand_above_one_another_the_lower_counts(order: tuple[int, int], *, together: bool) -> None:
    """A framework's span gives way to that of the provider's SDK beneath it, in any order."""
    spans = [_call(2, 1, tokens=7), _call(1, 99, wraps=True)]
    spans = [spans[at] for at in order]
    once = Once()
    out = _take(once, *spans) if together else [*_take(once, spans[0]), *_take(once, spans[1])]
    out += once.settle(_SETTLE)
    assert (_spans(out), _reasons(out)) == ([2], ["nested"])


def test_spans_between_are_followed() -> None:
    """A call stands beneath another also when spans of no call are between them."""
    once = Once()
    between = [_at(3, 1)]
    out = _take(once, _call(2, 3), _call(1, 99, wraps=True), others=between)
    assert _spans([*out, *once.settle(_SETTLE)]) == [2]


def test_spans_between_may_come_first() -> None:
    """Which span stands above which is remembered also of spans that come before any call."""
    once = Once()
    between = [_at(3, 1)]
    once.take([], between, 0.0)
    out = [*_take(once, _call(2, 3)), *_take(once, _call(1, 99, wraps=True))]
    assert _spans([*out, *once.settle(_SETTLE)]) == [2]


def test_siblings_all_count() -> None:
    """Calls beneath the same span are different calls."""
    once = Once()
    out = _take(once, _call(2, 1, wraps=True), _call(3, 1, wraps=True), _call(1, 99, wraps=True), _call(4, 99))
    out += once.settle(_SETTLE)
    assert sorted(_spans(out)) == [2, 3, 4]


def test_retries_beneath_a_framework_each_count() -> None:
    """A call that failed, and its repetition that did not, are two requests; the framework's span is neither."""
    once = Once()
    failed = _call(2, 1, tokens=None, error=ErrorClass.RATE_LIMIT)
    out = _take(once, _call(1, 99, wraps=True), failed, _call(3, 1))
    assert sorted(_spans([*out, *once.settle(_SETTLE)])) == [2, 3]


def test_a_lower_span_without_tokens_gives_way() -> None:
    """Where only the upper span tells tokens, it is the one that counts: no tokens are lost."""
    once = Once()
    out = _take(once, _call(2, 1, tokens=None), _call(1, 99, wraps=True, tokens=7))
    assert _spans([*out, *once.settle(_SETTLE)]) == [1]


def test_a_call_beneath_a_known_root_does_not_wait() -> None:
    """When the trace's root is there, children have come: what was held counts."""
    once = Once()
    assert _spans(_take(once, _call(2, 1, wraps=True))) == []
    root = [_at(1)]
    assert _spans(once.take([], root, 1.0)) == [2]


def test_a_root_does_not_wait() -> None:
    """A call without a parent is its trace's root."""
    assert _spans(_take(Once(), _call(1, wraps=True))) == [1]


def test_what_is_held_counts_in_the_end() -> None:
    """Without a root, a call counts after a while, and not before."""
    once = Once()
    _take(once, _call(2, 1, wraps=True), now=5.0)
    assert _spans(once.settle(14.9)) == []
    assert _spans(once.settle(15.0)) == [2]


def test_a_log_record_of_a_told_call_is_left_out() -> None:
    """A call that its span tells is not counted again for its log record, whichever comes first."""
    for order in ((0, 1), (1, 0)):
        told = [_call(2, 1), _call(2, log=True)]
        once = Once()
        out = [*_take(once, told[order[0]]), *_take(once, told[order[1]]), *once.settle(_SETTLE)]
        assert (_spans(out), _reasons(out)) == ([2], ["repeated_log"])
        assert not any(each.origin.source.log for each in out if isinstance(each, LlmCall))


def test_a_log_record_of_a_span_that_gave_way_is_left_out() -> None:
    """A record of a span whose call another span tells does not count in its place."""
    for order in ((0, 1, 2), (2, 0, 1), (0, 2, 1)):
        told = [_call(1, wraps=True), _call(2, 1), _call(2, log=True)]
        once = Once()
        out = [each for at in order for each in _take(once, told[at])]
        assert len(_spans([*out, *once.settle(_SETTLE)])) == 1


def test_a_log_record_alone_counts_after_a_while() -> None:
    """Where no span comes, the log record is the call; a span that comes even later is a repetition."""
    once = Once()
    assert _spans(_take(once, _call(2, log=True))) == []
    assert _spans(once.settle(_SETTLE)) == [2]
    assert _reasons(_take(once, _call(2, 1), now=_SETTLE + 1)) == ["repeated_span"]


def test_a_log_record_without_a_trace_counts_at_once() -> None:
    """A record that belongs to no span can be told by none."""
    nowhere = _at(1, log=True)._replace(trace_id=b"", span_id=b"")
    once = Once()
    assert len(_take(once, call(nowhere))) == 1
    assert _reasons(_take(once, call(nowhere))) == ["repeated_log"]


def test_evaluations_of_one_span_are_told_apart() -> None:
    """Log records of one span count each, by their name and time."""
    once = Once()
    at = _at(1, log=True)
    first, second = (Evaluation(at, name, 1.0, "", "", ()) for name in ("tone", "truth"))
    assert len(_take(once, first, second)) == 2
    assert _reasons(_take(once, first)) == ["repeated_log"]


def test_what_else_a_span_tells_counts_once_with_it() -> None:
    """A call's span that carries an evaluation is repeated as a whole."""
    once = Once()
    both = (_call(1), Evaluation(_at(1), "tone", 1.0, "", "", ()))
    assert len(once.take([both], [], 0.0)) == 2
    assert _reasons(once.take([both], [], 0.0)) == ["repeated_span"]


def test_an_agent_is_compared_with_its_calls() -> None:
    """What an agent's span tells of usage is compared with what was counted beneath it, and nowhere added."""
    once = Once()
    out = _take(once, _call(2, 1), _call(3, 1), _call(4, 9), _agent(1, 8, told=10))
    assert sorted(_spans(out)) == [2, 3, 4]
    (compared,) = once.settle(_SETTLE)
    assert isinstance(compared, Reconciliation)
    assert (compared.told.input, compared.counted.input, compared.agrees) == (10, 10, True)
    assert once.disagreements(_at(1).trace_id) == {}


def test_a_disagreement_is_known_by_its_span() -> None:
    """A run that tells other numbers than its calls is named, for its span to be marked."""
    once = Once()
    _take(once, _call(2, 1), _agent(1, told=99))
    ((span, found),) = once.disagreements(_at(1).trace_id).items()
    assert (span, found.told.input, found.counted.input) == (_at(1).span_id, 99, 5)


def test_what_is_held_is_no_disagreement_yet() -> None:
    """While a call of the trace waits to be counted, nothing can be said of its runs; after that it can."""
    once = Once()
    _take(once, _call(2, 1, wraps=True), _agent(1, 9, told=99))
    assert once.disagreements(_at(1).trace_id) == {}
    once.settle(_SETTLE)
    assert list(once.disagreements(_at(1).trace_id)) == [_at(1).span_id]


def test_an_agent_that_tells_nothing_is_not_compared() -> None:
    """Without a usage there is nothing to compare."""
    once = Once()
    _take(once, _agent(1, told=None))
    assert once.settle(_SETTLE) == []


def test_a_long_trace_bends_back_on_itself_in_vain() -> None:
    """Spans that are each other's parents end the way up, and every call counts."""
    once = Once()
    out = _take(once, _call(1, 2, wraps=True), _call(2, 1, wraps=True, trace=2), _call(3, 3))
    assert sorted(_spans([*out, *once.settle(_SETTLE)])) == [1, 2, 3]


@pytest.mark.parametrize("bound", [{"traces": 10}, {"calls": 10}])
def test_memory_is_bounded_and_nothing_is_lost(bound: dict[str, int]) -> None:
    """What has to make room counts first."""
    once = Once(**bound)
    out: list[Observation] = []
    for number in range(1, 1000):
        out += _take(once, _call(number, 5000, trace=number, wraps=True))
        assert len(once.traces) <= 11
    assert sorted(_spans([*out, *once.settle(_SETTLE)])) == list(range(1, 1000))


def test_one_trace_alone_is_bounded() -> None:
    """A trace with more spans than there is room for is settled, and its calls count."""
    once = Once(calls=10)
    out: list[Observation] = []
    for number in range(1, 100):
        out += _take(once, _call(number, 5000, wraps=True))
        assert sum(getattr(trace, "size", 1) for trace in once.traces.values()) <= 10
    assert sorted(_spans([*out, *once.settle(_SETTLE)])) == list(range(1, 100))


def test_old_traces_are_forgotten() -> None:
    """A trace that nothing was heard of for a while makes room."""
    once = Once(keep_s=60)
    _take(once, _call(1), now=0.0)
    _take(once, _call(2, trace=2), now=59.0)
    once.settle(60.0)
    assert list(once.traces) == [_at(2, trace=2).trace_id]


def test_a_restored_memory_goes_on_alike() -> None:
    """What was held, told and counted before a restart is so after it."""
    before, after = Once(), Once()
    told = [_call(2, 1, wraps=True), _call(3, trace=2, log=True), _call(4, trace=3), _call(6, 5, trace=4)]
    _take(before, *told, _agent(5, 9, told=7), now=1.0)
    once_state.restore(after, sections(b"".join(once_state.state(before))))
    assert (after.traces, after.queue) == (before.traces, before.queue)
    assert (after.seen.generations, after.links.generations) == (before.seen.generations, before.links.generations)
    assert _reasons(_take(after, _call(4, trace=3), now=2.0)) == ["repeated_span"]
    assert after.settle(11.0) == before.settle(11.0)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
def test_an_echo_gives_way_to_what_stands_above_it(order: tuple[int, int], *, together: bool) -> None:
    """A provider's own span of a call beneath that of its SDK: the application's counts, in any order."""
    echo = call(_at(2, 1)._replace(source=_at(2).source._replace(echo=True)), tokens=Tokens(5, 1, None, None, None))
    spans = [echo, _call(1, 99)]
    spans = [spans[at] for at in order]
    once = Once()
    out = _take(once, *spans) if together else [*_take(once, spans[0]), *_take(once, spans[1])]
    out += once.settle(_SETTLE)
    assert (_spans(out), _reasons(out)) == ([1], ["nested"])


def test_an_echo_alone_counts() -> None:
    """Of an application that sends no spans itself, what the provider tells is all there is."""
    echo = call(_at(2, 1)._replace(source=_at(2).source._replace(echo=True)), tokens=Tokens(5, 1, None, None, None))
    once = Once()
    assert _spans([*_take(once, echo), *once.settle(_SETTLE)]) == [2]
