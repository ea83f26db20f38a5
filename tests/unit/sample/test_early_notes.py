"""What is told of traces before they come, within bounds."""

import json

from hypothesis import given
from hypothesis import strategies as st

from spansieve.facts import NO_LLM, LlmFacts
from spansieve.sample.early_notes import EarlyNotes
from unit.sample.helpers_sample import trace_id

DOWN = LlmFacts(thumbs_down=1)
_name = st.sampled_from(["a", "b", "ü", ""])
_names = st.frozensets(_name, max_size=3)
_facts = st.fixed_dictionaries(
    {},
    optional={
        "failed_calls": st.integers(0, 5),
        "cost_usd": st.floats(0, 9),
        "error_classes": _names,
        "failed_tools": st.integers(0, 5),
        "thumbs_down": st.integers(0, 5),
        "lowest_scores": st.dictionaries(_name, st.floats(-1, 1), max_size=3),
    },
).map(lambda told: LlmFacts(**told))


def test_notes_of_one_trace_add_up() -> None:
    """Until the trace comes, once."""
    notes = EarlyNotes()
    notes.add(trace_id(1), DOWN, 0.0)
    notes.add(trace_id(1), DOWN, 1.0)
    assert (notes.take(trace_id(1)).thumbs_down, notes.take(trace_id(1)), len(notes)) == (2, NO_LLM, 0)


def test_notes_are_forgotten_by_their_age() -> None:
    """Counted from the last of a trace."""
    notes = EarlyNotes()
    for trace, at in ((1, 0.0), (2, 1.0), (1, 5.0)):
        notes.add(trace_id(trace), DOWN, at)
    notes.forget(2.0)
    assert (trace_id(1) in notes, trace_id(2) in notes) == (True, False)


def test_notes_are_bounded_in_traces() -> None:
    """Whoever sends judgements of traces that never come takes no more memory than that."""
    notes = EarlyNotes()
    for trace in range(11_000):
        notes.add(trace_id(trace), DOWN, 0.0)
    assert (len(notes), trace_id(999) in notes, trace_id(1000) in notes) == (10_000, False, True)


def test_notes_are_bounded_in_scores() -> None:
    """Of which one trace may have many."""
    notes = EarlyNotes()
    scores = LlmFacts(lowest_scores={f"score {number}": 0.5 for number in range(50)})
    for trace in range(1000):
        notes.add(trace_id(trace), scores, 0.0)
    assert len(notes) == 800


@given(st.lists(st.tuples(st.integers(0, 5), _facts), max_size=8))
def test_notes_are_restored_as_they_were(told: list[tuple[int, LlmFacts]]) -> None:
    """From what JSON gives back."""
    notes, again = EarlyNotes(), EarlyNotes()
    for number, facts in told:
        notes.add(trace_id(number), facts, float(number))
    again.restore(json.loads(json.dumps(list(notes.state()))))
    assert [again.take(trace_id(n)) for n in range(6)] == [notes.take(trace_id(n)) for n in range(6)]
