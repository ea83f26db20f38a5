"""What sampling is told of a span's observations."""

import pytest

from spansieve.facts import NO_LLM, ErrorClass, LlmFacts
from spansieve.measure.llm_call import Evaluation, Feedback, LlmCall, McpCall, McpSide, Tokens, ToolRun
from spansieve.measure.told import facts
from unit.measure.helpers_observations import call, origin


def _score(score: float | None, *, is_risk: bool = False) -> Evaluation:
    return Evaluation(origin(), "tone", score, "", "", (), is_risk)


def test_a_call_tells_what_policies_ask_for() -> None:
    """Tokens, cost, times and texts; what is unknown counts as nothing."""
    one = call(tokens=Tokens(7, None, None, None, None), cost_usd=0.5, ttft_s=0.25, conversation="c", prompt_name="p")
    assert facts((one,)) == LlmFacts(
        calls=1,
        cost_usd=0.5,
        input_tokens=7,
        ttft_s=0.25,
        providers=frozenset({"openai"}),
        models=frozenset({"gpt-4o"}),
        templates=frozenset({"p"}),
        conversations=frozenset({"c"}),
    )


@pytest.mark.parametrize(
    ("score", "is_risk", "expected"),
    [(0.5, False, LlmFacts(lowest_scores={"tone": 0.5})), (None, False, None), (0.0, True, None)],
)
def test_low_scores_are_told(*, score: float | None, is_risk: bool, expected: LlmFacts | None) -> None:
    """A guard's risk is none: that it is low is good, and no reason to keep a trace."""
    assert facts((_score(score, is_risk=is_risk),)) == expected


@pytest.mark.parametrize(
    ("method", "error", "expected"),
    [
        ("tools/call", ErrorClass.OTHER, LlmFacts(failed_tools=1)),
        ("tools/call", None, None),
        ("tools/list", ErrorClass.OTHER, None),
    ],
)
def test_a_tool_that_fails_behind_mcp_is_told(
    *, method: str, error: ErrorClass | None, expected: LlmFacts | None
) -> None:
    """Many tools have no span but that of the protocol's request, tools/call."""
    assert facts((McpCall(origin(), McpSide.CLIENT, method, "search", 1.0, error, ()),)) == expected


def test_what_stands_on_one_span_is_told_together() -> None:
    """A call, its score and a thumb down are one sum."""
    told: tuple[LlmCall | Evaluation | Feedback | ToolRun, ...] = (
        call(),
        _score(0.5),
        Feedback(origin(), up=False, name="", prompt_name="", model=""),
        Feedback(origin(), up=True, name="", prompt_name="", model=""),
        ToolRun(origin(), "t", "", "", 1.0, None, ()),
    )
    found = facts(told) or NO_LLM
    assert (found.calls, found.thumbs_down, found.failed_tools, found.lowest_scores) == (1, 1, 0, {"tone": 0.5})
