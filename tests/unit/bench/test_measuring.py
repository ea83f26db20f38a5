"""What measuring adds, told apart."""

import pytest
from bench import measuring
from bench.micro import default_rules

from unit.bench.helpers_bench import recording


def test_llm_spans_and_others_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a trace of five spans three tell of a call, its agent and a tool; the cost of either kind is its own."""
    monkeypatch.setattr(measuring, "_SPANS", 25)
    found = measuring.run(recording("small"), default_rules(), 1)
    assert (found.llm_spans, found.other_spans) == (15, 10)
    assert found.llm is not None
    assert found.other is not None
    assert found.llm > found.other > 0
