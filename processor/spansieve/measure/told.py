"""What sampling is told of a span's observations: sums and sets that policies ask for."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from spansieve.facts import NO_LLM, NO_SCORES, LlmFacts, make_llm_facts
from spansieve.measure.llm_call import CallKind, Evaluation, Feedback, LlmCall, McpCall, Observation, ToolRun


def facts(observations: Sequence[Observation]) -> LlmFacts | None:
    """Sum up what a span, or a log record, tells; None when it tells nothing that a policy asks for.

    As told: where two spans of a trace tell of the same call, which the metrics count once, both are in its sums.
    """
    if len(observations) == 1:
        one = observations[0]
        if type(one) is LlmCall:
            return _of_call(one)
        return _of(one) if type(one) in _TELLING else None
    told = NO_LLM
    for each in observations:
        part = _of(each)
        if part is not None:
            told = part if told is NO_LLM else told.plus(part)
    return None if told is NO_LLM else told


_TELLING: Final = frozenset({ToolRun, McpCall, Evaluation, Feedback})
_CALLS_A_TOOL: Final = "tools/call"


def _of(observation: Observation) -> LlmFacts | None:
    match observation:
        case LlmCall():
            return _of_call(observation)
        case ToolRun(error_class=error) if error is not None:
            return LlmFacts(failed_tools=1)
        case McpCall(method=method, error_class=error) if error is not None and method == _CALLS_A_TOOL:
            return LlmFacts(failed_tools=1)
        case Evaluation(name=name, score=score, is_risk=False) if score is not None:
            return LlmFacts(lowest_scores={name: score})
        case Feedback(up=False):
            return LlmFacts(thumbs_down=1)
    return None


def _of_call(call: LlmCall) -> LlmFacts:
    # All at once: asking a tuple for a field by its name takes as long as what is done with it.
    _, kind, _, ttft, _, _, per_token, _, _, tokens, error, conversation, _, _, _, _, cost, _, _, _ = call
    providers, models, templates = _texts(kind)
    given, output, _, _, _ = tokens
    return make_llm_facts(
        (
            1,
            0 if error is None else 1,
            cost or 0.0,
            given or 0,
            output or 0,
            ttft or 0.0,
            per_token or 0.0,
            _NOBODY if error is None else _one(error.value),
            providers,
            models,
            templates,
            frozenset((conversation,)) if conversation else _NOBODY,
            0,
            0,
            NO_SCORES,
        )
    )


_NOBODY: Final[frozenset[str]] = frozenset()


@lru_cache(maxsize=1024)  # the same few come again and again
def _texts(kind: CallKind) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the providers, models and templates of a call."""
    return _one(kind.provider), _one(kind.model), _one(kind.prompt_name)


@lru_cache(maxsize=1024)
def _one(value: str) -> frozenset[str]:
    return frozenset((value,)) if value else _NOBODY
