"""Why an answer ended."""

import pytest

from spansieve.measure import finish_reasons


@pytest.mark.parametrize(
    ("told", "meaning"),
    [
        (("stop",), "stop"),
        (("end_turn",), "stop"),
        (("FinishReason.STOP",), "stop"),
        (("MAX_TOKENS",), "length"),
        (("max-tokens",), "length"),
        (("length",), "length"),
        (("tool_calls",), "tool_call"),
        (("tool-calls",), "tool_call"),
        (("tool_use",), "tool_call"),
        (("content_filter",), "content_filter"),
        (("content-filter",), "content_filter"),
        (("SAFETY",), "content_filter"),
        (("refusal",), "content_filter"),
        (("error",), "error"),
        (("alice@example.com",), "other"),
        (("",), "other"),
        (("x" * 100_000,), "other"),
        (("stop", "length"), "length"),
        (("content_filter", "stop"), "content_filter"),
        (("stop", "nobody-knows"), "stop"),
    ],
)
def test_meanings(told: tuple[str, ...], meaning: str) -> None:
    """Spellings of all providers have one of six meanings; of several answers, the gravest counts."""
    assert finish_reasons.load().of(told) == meaning


def test_a_spelling_has_one_meaning() -> None:
    """No spelling stands under two meanings."""
    shipped = finish_reasons.load()
    assert len(shipped._meaning) == len(set(shipped._meaning))
