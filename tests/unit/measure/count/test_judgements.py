"""Evaluations and judgements that a span's event and a log record both tell."""

from hypothesis import given
from hypothesis import strategies as st

from spansieve.measure.count.once import Once
from spansieve.measure.llm_call import Evaluation, Feedback, LlmCall, NotCounted, NotCountedReason, Observation, Origin
from unit.measure.helpers_observations import call, origin

_TRACE, _SPAN = bytes(15) + b"\1", bytes(7) + b"\1"


def _at(time: int = 1, *, log: bool = False) -> Origin:
    return origin(trace_id=_TRACE, span_id=_SPAN, start_ns=time, end_ns=time, log=log)


def _score(name: str = "tone", score: float = 0.5, time: int = 1, *, log: bool = False) -> Evaluation:
    return Evaluation(_at(time, log=log), name, score, "", "", ())


def _span(*told: Observation) -> tuple[Observation, ...]:
    return (call(_at()), *told)


def _counted(once: Once, *spans_or_logs: tuple[Observation, ...]) -> list[Observation]:
    """Return what counts, of requests that came one after the other."""
    found = [each for one in spans_or_logs for each in once.take([one], [], 0.0)]
    return [each for each in found if isinstance(each, Evaluation | Feedback)]


def test_an_event_and_a_log_record_are_one_evaluation() -> None:
    """What a span's event told is not counted once more from the log record, whose time is another."""
    assert _counted(Once(), _span(_score()), (_score(time=2, log=True),)) == [_score()]


def test_a_log_record_may_come_first() -> None:
    """It counts then, and the span's event does not; the span's call does."""
    once = Once()
    assert _counted(once, (_score(time=2, log=True),)) == [_score(time=2, log=True)]
    found = once.take([_span(_score())], [], 1.0)
    assert [type(each) for each in found] == [NotCounted]
    assert [each.reason for each in found if isinstance(each, NotCounted)] == [NotCountedReason.REPEATED_LOG]
    assert any(isinstance(each, LlmCall) for each in once.settle(100.0))


def test_a_judgement_is_counted_once_as_well() -> None:
    """A thumb down in an event and in a log record is one thumb."""
    event = Feedback(_at(), up=False, name="", prompt_name="", model="")
    record = event._replace(origin=_at(time=2, log=True))
    assert _counted(Once(), _span(event), (record,)) == [event]


def test_other_evaluations_are_not_the_same() -> None:
    """Of another name, with another score, or of another span, both count."""
    once = Once()
    elsewhere = _score(log=True)._replace(origin=origin(trace_id=_TRACE, span_id=bytes(7) + b"\2", log=True))
    records = (_score("truth", log=True), _score(score=0.75, log=True), elsewhere)
    assert len(_counted(once, _span(_score()), *((each,) for each in records))) == 4


def test_the_same_may_be_said_several_times() -> None:
    """Two documents that both are relevant are two evaluations, as often as they are told."""
    once = Once()
    twice = [_score(), _score(time=2)]
    records = [(_score(time=time, log=True),) for time in (3, 4, 5)]
    assert _counted(once, _span(*twice), *records) == [*twice, records[2][0]]


def test_more_log_records_that_say_the_same_than_are_told_apart_count() -> None:
    """Nothing is left out for want of a place to note it."""
    records = [(_score(time=time, log=True),) for time in range(40)]
    assert len(_counted(Once(), *records)) == 40


def test_a_repeated_log_record_counts_once() -> None:
    """A sender that sends a record again adds nothing."""
    record = (_score(log=True),)
    assert len(_counted(Once(), record, record, record)) == 1


@given(st.integers(0, 5), st.integers(0, 5), st.data())
def test_the_order_makes_no_difference(events: int, records: int, data: st.DataObject) -> None:
    """As many count as the more talkative of span and log records tells, whenever the span comes, and sent twice."""
    span = _span(*(_score(time=time) for time in range(events)))
    logs = [(_score(time=100 + time, log=True),) for time in range(records)]
    sent = data.draw(st.permutations([span, *logs]))
    assert len(_counted(Once(), *sent, *sent)) == max(events, records)
