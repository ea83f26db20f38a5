"""What sampling is told of a span's observations: sums and sets that policies ask for."""

from collections.abc import Iterable

from spansieve.facts import NO_LLM, LlmFacts
from spansieve.measure.llm_call import Evaluation, Feedback, LlmCall, Observation, ToolRun


def facts(observations: Iterable[Observation]) -> LlmFacts | None:
    """Sum up what a span, or a log record, tells; None when it tells nothing that a policy asks for.

    As told: where two spans of a trace tell of the same call, which the metrics count once, both are in its sums.
    """
    told = NO_LLM
    for each in observations:
        part = _of(each)
        if part is not None:
            told = part if told is NO_LLM else told.plus(part)
    return None if told is NO_LLM else told


def _of(observation: Observation) -> LlmFacts | None:
    match observation:
        case LlmCall():
            return _of_call(observation)
        case ToolRun(error_class=error) if error is not None:
            return LlmFacts(failed_tools=1)
        case Evaluation(name=name, score=score) if score is not None:
            return LlmFacts(lowest_scores={name: score})
        case Feedback(up=False):
            return LlmFacts(thumbs_down=1)
    return None


def _of_call(call: LlmCall) -> LlmFacts:
    error = call.error_class
    return LlmFacts(
        calls=1,
        failed_calls=0 if error is None else 1,
        cost_usd=call.cost_usd or 0.0,
        input_tokens=call.tokens.input or 0,
        output_tokens=call.tokens.output or 0,
        ttft_s=call.ttft_s or 0.0,
        time_per_output_token_s=call.time_per_output_token_s or 0.0,
        error_classes=_some("" if error is None else error.value),
        providers=_some(call.provider),
        models=_some(call.response_model or call.request_model),
        templates=_some(call.prompt_name),
        conversations=_some(call.conversation),
    )


def _some(value: str) -> frozenset[str]:
    return frozenset((value,)) if value else frozenset()
