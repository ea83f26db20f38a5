"""What others tell of a trace, such as a score in a log record, before it comes and while it waits."""

import pytest

from spansieve.facts import LlmFacts
from spansieve.pieces import sections
from spansieve.sample.decision import Rule
from spansieve.sample.policies import AtLeast, StatusCode
from unit.sample.helpers_sample import part, plan, sampler, trace_id

ERRORS = Rule(StatusCode("errors", frozenset({"ERROR"})), floor=True)
A, B, C = trace_id(1), trace_id(2), trace_id(3)


def test_note_adds_to_a_waiting_trace() -> None:
    """A score that a log record tells."""
    tail = sampler(plan(AtLeast("bad", "thumbs_down", 1)))
    tail.add([part(A), part(B)], now=0.0)
    tail.note(A, LlmFacts(thumbs_down=1), 0.0)
    assert [each.trace_id for each in tail.take_due(now=30.0, limit=10).kept] == [A]


def test_note_that_comes_before_its_trace_counts() -> None:
    """SDKs send log records sooner than spans; here the gateway was restarted in between."""
    tail, restarted = (sampler(plan(AtLeast("bad", "thumbs_down", 1))) for _ in range(2))
    tail.note(A, LlmFacts(thumbs_down=1), 0.0)
    restarted.restore(b"".join(tail.state()))
    restarted.add([part(A), part(B)], now=5.0)
    assert [each.trace_id for each in restarted.take_due(now=35.0, limit=10).kept] == [A]


def test_note_is_recalled_for_a_trace_that_waits() -> None:
    """After a restart the spans may have been there first."""
    tail = sampler(plan(AtLeast("bad", "thumbs_down", 1)))
    tail.hold([part(A)], now=0.0)
    tail.recall(A, LlmFacts(thumbs_down=1), 0.0, known=True)
    assert len(tail.take_due(now=30.0, limit=10).kept) == 1


def test_notes_of_which_no_state_tells_are_recalled_each() -> None:
    """Two that came after the checkpoint are two."""
    tail = sampler(plan(AtLeast("worse", "thumbs_down", 2)))
    for _ in range(2):
        tail.recall(A, LlmFacts(thumbs_down=1), 0.0, known=False)
    tail.hold([part(A)], now=5.0)
    assert len(tail.take_due(now=35.0, limit=10).kept) == 1


def test_note_waits_for_its_trace_no_longer_than_a_trace_waits() -> None:
    """Then it is forgotten."""
    tail = sampler(plan(AtLeast("bad", "thumbs_down", 1)))
    tail.note(A, LlmFacts(thumbs_down=1), 0.0)
    tail.add([part(A)], now=31.0)
    assert tail.take_due(now=61.0, limit=10).kept == []


@pytest.mark.parametrize("errors", [0, 1])
def test_note_for_a_trace_that_has_left_is_nothing(errors: int) -> None:
    """It is not taken for one that is yet to come, whether that was kept or not."""
    tail = sampler(plan(ERRORS))
    tail.add([part(A, errors=errors)], now=0.0)
    tail.take_due(now=30.0, limit=10)
    tail.note(A, LlmFacts(thumbs_down=1), 31.0)
    assert "early" not in sections(b"".join(tail.state()))


@pytest.mark.parametrize("in_state", [True, False])
def test_recalled_note_counts_once(*, in_state: bool) -> None:
    """After a restart, one that came before the checkpoint is in its state, or with spans that are recalled, too."""
    tail = sampler(plan(AtLeast("worse", "thumbs_down", 2)))
    if in_state:
        tail.note(A, LlmFacts(thumbs_down=1), 0.0)
    tail.recall(A, LlmFacts(thumbs_down=1), 0.0, known=True)
    tail.hold([part(A)], now=5.0)
    assert tail.take_due(now=35.0, limit=10).kept == []
