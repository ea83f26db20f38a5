"""What measuring may add to spans that leave: the conventions' current keys, and a mark where an agent's sums disagree.

Serialized, so that it can be put behind a serialized Span: its attributes then grow by these. Nothing that a span says
is changed or taken away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve import wire
from spansieve.measure.llm_call import (
    AgentRun,
    LlmCall,
    McpCall,
    Observation,
    Reconciliation,
    Retrieval,
    ToolRun,
    WorkflowRun,
)
from spansieve.measure.read.attributes import AttributeReader
from spansieve.model import SpanGroup

Value: TypeAlias = str | int | float | bool | tuple[str, ...] | None

DISAGREES: Final = "spansieve.usage.disagrees"
"""On the span of an agent or workflow: what it tells of usage is not what was counted beneath it."""
COUNTED_INPUT: Final = "spansieve.usage.counted.input_tokens"
COUNTED_OUTPUT: Final = "spansieve.usage.counted.output_tokens"

_CURRENT: Final = (
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.request.stream",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.id",
    "gen_ai.prompt.name",
    "gen_ai.prompt.version",
    "gen_ai.conversation.id",
    "gen_ai.agent.name",
    "gen_ai.agent.id",
    "gen_ai.workflow.name",
    "gen_ai.tool.name",
    "gen_ai.tool.type",
    "gen_ai.data_source.id",
    "mcp.method.name",
    "error.type",
)
_present = AttributeReader(_CURRENT)
_EMPTY: Final = (None, "", ())


def current(observed: Iterable[Observation], attributes: Iterable[bytes]) -> bytes:
    """Return what a span tells in the keys of the current conventions, less those that it carries already.

    `attributes` are the span's, serialized. An agent's usage is left out: it is the sum of its calls'.
    """
    told: dict[str, Value] = {}
    for each in observed:
        told.update(_told(each))
    if not told:
        return b""
    carried = _present.of_bytes(attributes)
    return _serialized({key: value for key, value in told.items() if key not in carried})


def marked(groups: tuple[SpanGroup, ...], marks: Mapping[bytes, bytes]) -> tuple[SpanGroup, ...]:
    """Return groups in which the spans that `marks` names by their ids carry its attributes."""
    return tuple(
        replace(group, spans=tuple(span + marks.get(wire.span_id(span), b"") for span in group.spans))
        for group in groups
    )


def mark(found: Reconciliation) -> bytes:
    """Return the mark of a run whose told usage is not what was counted beneath it."""
    return _serialized(
        {DISAGREES: True, COUNTED_INPUT: found.counted.input or 0, COUNTED_OUTPUT: found.counted.output or 0}
    )


def _told(one: Observation) -> Mapping[str, Value]:
    match one:
        case LlmCall():
            return _of_call(one)
        case AgentRun():
            return {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": one.name,
                "gen_ai.agent.id": one.agent_id,
                "gen_ai.request.model": one.model,
                "gen_ai.conversation.id": one.conversation,
                "error.type": one.error_class,
            }
        case WorkflowRun():
            return {
                "gen_ai.operation.name": "invoke_workflow",
                "gen_ai.workflow.name": one.name,
                "gen_ai.conversation.id": one.conversation,
                "error.type": one.error_class,
            }
        case ToolRun():
            return {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": one.name,
                "gen_ai.tool.type": one.tool_type,
                "gen_ai.agent.name": one.agent_name,
                "error.type": one.error_class,
            }
        case Retrieval():
            return {
                "gen_ai.operation.name": one.operation,
                "gen_ai.provider.name": one.provider,
                "gen_ai.data_source.id": one.name,
                "error.type": one.error_class,
            }
        case McpCall():
            return {"mcp.method.name": one.method, "error.type": one.error_class}
        case _:
            return {}


def _of_call(call: LlmCall) -> Mapping[str, Value]:
    kind, tokens = call.kind, call.tokens
    return {
        "gen_ai.operation.name": kind.operation,
        "gen_ai.provider.name": kind.provider,
        "gen_ai.request.model": kind.request_model,
        "gen_ai.response.model": kind.response_model,
        "gen_ai.request.stream": call.streaming or None,  # the conventions have it on streamed calls alone
        "gen_ai.response.time_to_first_chunk": call.ttft_s,
        "gen_ai.usage.input_tokens": tokens.input,
        "gen_ai.usage.output_tokens": tokens.output,
        "gen_ai.usage.cache_read.input_tokens": tokens.cache_read,
        "gen_ai.usage.cache_write.input_tokens": tokens.cache_write,
        "gen_ai.usage.reasoning.output_tokens": tokens.reasoning,
        "gen_ai.response.finish_reasons": kind.finish_reasons,
        "gen_ai.response.id": call.response_id,
        "gen_ai.prompt.name": kind.prompt_name,
        "gen_ai.prompt.version": kind.prompt_version,
        "gen_ai.conversation.id": call.conversation,
        "gen_ai.agent.name": kind.agent_name,
        "gen_ai.agent.id": call.agent_id,
        "error.type": call.error_class,
    }


def _serialized(attributes: Mapping[str, Value]) -> bytes:
    keys = [KeyValue(key=key, value=_any(value)) for key, value in attributes.items() if value not in _EMPTY]
    return Span(attributes=keys).SerializeToString() if keys else b""


def _any(value: str | float | bool | Sequence[str]) -> AnyValue:  # noqa: FBT001 - an attribute's value
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case _:
            return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=each) for each in value]))
