"""Which spans are calls, and what is read from them."""

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from spansieve.measure.llm_call import CostSource, LlmCall, Tokens
from spansieve.measure.pricing import PriceRow, PriceTable, Rate, always
from unit.measure.helpers_measure import Value, call_of, chat, read, span


@pytest.mark.parametrize("operation", ["chat", "text_completion", "generate_content", "embeddings", "Chat"])
def test_leaf_operations_are_calls(operation: str) -> None:
    """Calls to a model count."""
    assert call_of(span(chat(operation__name=operation))).kind.operation == operation.lower()


@pytest.mark.parametrize(
    "operation",
    [
        "invoke_agent", "invoke_workflow", "create_agent", "execute_tool", "retrieval", "fetch_response", "plan",
        "create_memory", "something_new",
    ],
)  # fmt: skip
def test_other_operations_are_no_calls(operation: str) -> None:
    """Agents, tools and the like do not count, although they repeat the usage of the calls beneath them."""
    found = read(span(chat(operation__name=operation, usage__input_tokens=5)))
    assert not any(isinstance(each, LlmCall) for each in found)


@pytest.mark.parametrize(
    ("attributes", "counted"),
    [
        ({"gen_ai.request.model": "m", "gen_ai.provider.name": "openai"}, True),
        ({"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 3}, True),
        ({"gen_ai.request.model": "m", "gen_ai.usage.completion_tokens": 3}, True),
        ({"gen_ai.request.model": "m", "gen_ai.system": "openai"}, True),
        ({"gen_ai.request.model": "m"}, False),
        ({"gen_ai.provider.name": "openai", "gen_ai.usage.input_tokens": 3}, False),
        ({"gen_ai.operation.name": "", "gen_ai.provider.name": "openai"}, False),
        ({"http.request.method": "GET", "error.type": "500"}, False),
        ({}, False),
    ],
)
def test_without_an_operation(attributes: dict[str, Value], *, counted: bool) -> None:
    """Without an operation, a model with a provider or usage is a chat; nothing less is a call."""
    found = [each.kind.operation for each in read(span(attributes)) if isinstance(each, LlmCall)]
    assert found == ["chat"] * counted


@pytest.mark.parametrize(
    ("told", "conversation"),
    [
        ("c-1", "c-1"),
        ("chat [beta] 7", "chat [beta] 7"),
        ("[EMAIL:ab12cd34ef56]", "[EMAIL:ab12cd34ef56]"),
        ("[EMAIL]", ""),
        ("[PHONE_NUMBER]:42", ""),
    ],
)
def test_conversation_of_which_redaction_left_a_token_is_unknown(told: str, conversation: str) -> None:
    """All such would be one; a pseudonym tells them apart."""
    assert call_of(span(chat(conversation__id=told))).conversation == conversation


@pytest.mark.parametrize(
    ("key", "value", "provider"),
    [
        ("gen_ai.provider.name", "az.ai.openai", "azure.ai.openai"),
        ("gen_ai.provider.name", "Vertex_AI", "gcp.vertex_ai"),
        ("gen_ai.system", "xai", "x_ai"),
        ("gen_ai.system", "openai.responses", "openai"),
        ("gen_ai.provider.name", "my-own-vllm", "my-own-vllm"),
    ],
)
def test_providers_have_one_name(key: str, value: str, provider: str) -> None:
    """A provider's spellings become its name in the conventions; an unknown one keeps its own."""
    assert call_of(span({"gen_ai.operation.name": "chat", key: value})).kind.provider == provider


def test_old_usage_keys() -> None:
    """Tokens of the prompt and the completion are input and output."""
    found = call_of(
        span({"gen_ai.system": "vllm", "gen_ai.request.model": "m", "gen_ai.usage.prompt_tokens": 7,
              "gen_ai.usage.completion_tokens": 3})
    )  # fmt: skip
    assert (found.origin.source.dialect, found.tokens.input, found.tokens.output) == ("otel-earlier", 7, 3)


def test_current_keys_go_before_earlier_ones() -> None:
    """A span that writes both conventions is read by the current one."""
    assert call_of(span(chat(system="azure", usage__prompt_tokens=1, usage__input_tokens=2))).tokens.input == 2


@pytest.mark.parametrize("key", ["cache_write", "cache_creation"])
def test_cache_writes(key: str) -> None:
    """Tokens written to a cache are read under the names of both versions."""
    found = call_of(span(chat(usage__input_tokens=9, **{f"usage__{key}__input_tokens": 4})))
    assert found.tokens == Tokens(9, None, None, 4, None)


@pytest.mark.parametrize(
    ("scope", "provider", "given", "cached", "expected"),
    [
        ("some.scope", "openai", 30, 10, 30),
        ("some.scope", "openai", 30, 30, 30),
        ("some.scope", "anthropic", 30, 10, 30),
        ("some.scope", "anthropic", 5, 10, 15),
        ("some.scope", "bedrock", 5, 10, 15),
        ("opentelemetry.instrumentation.botocore.bedrock-runtime", "aws.bedrock", 30, 10, 40),
    ],
)
def test_input_includes_cached_tokens(scope: str, provider: str, given: int, cached: int, expected: int) -> None:
    """Where the count of the input leaves out cached tokens, they are added."""
    one = span(chat(provider__name=provider, usage__input_tokens=given, usage__cache_read__input_tokens=cached))
    call = call_of(one, scope=scope)
    assert (call.tokens.input, call.tokens.cache_read, call.suspects) == (expected, cached, ())


def test_more_cached_than_given_is_suspect() -> None:
    """Where the count of the input holds cached tokens, more of them than input are unknown, and the input stays."""
    found = call_of(span(chat(usage__input_tokens=5, usage__cache_read__input_tokens=10)))
    assert (found.tokens, found.suspects) == (Tokens(5, None, None, None, None), ("cached_exceeds_input",))


def test_more_reasoning_than_output_is_suspect() -> None:
    """Reasoning is part of the output: more of it than output is unknown, and the output stays."""
    found = call_of(span(chat(usage__output_tokens=5, usage__reasoning__output_tokens=10)))
    assert (found.tokens, found.suspects) == (Tokens(None, 5, None, None, None), ("reasoning_exceeds_output",))


@pytest.mark.parametrize(
    ("value", "tokens", "suspects"),
    [
        (0, 0, []),
        (7, 7, []),
        (7.0, 7, []),
        ("7", 7, []),
        (" 7 ", 7, []),
        ("", None, []),
        (AnyValue(), None, []),
        (10**9, 10**9, []),
        (10**9 + 1, None, ["too_large"]),
        ("1e999", None, ["not_finite"]),
        (-1, None, ["negative"]),
        (-0.5, None, ["negative"]),
        (0.5, None, ["not_whole"]),
        (float("nan"), None, ["not_finite"]),
        ("Infinity", None, ["not_finite"]),
        ("many", None, ["not_a_number"]),
        (True, None, ["not_a_number"]),
        (["7"], None, ["not_a_number"]),
    ],
)
def test_tokens_in_any_type(value: Value, tokens: int | None, suspects: list[str]) -> None:
    """Counts are read from any type that says them; what cannot be right is unknown, with a reason."""
    found = call_of(span(chat(usage__input_tokens=value)))
    assert (found.tokens.input, list(found.suspects)) == (tokens, suspects)


@pytest.mark.parametrize(
    ("value", "streaming", "suspects"),
    [
        (True, True, []),
        (False, False, []),
        ("True", True, []),
        ("false", False, []),
        (1, True, []),
        ("", None, []),
        (AnyValue(), None, []),
        ("maybe", None, ["not_a_truth_value"]),
        (7, None, ["not_a_truth_value"]),
        (0.5, None, ["not_a_truth_value"]),
    ],
)
def test_truth_values_in_any_type(value: Value, streaming: bool | None, suspects: list[str]) -> None:
    """Truth values are read from texts and numbers too."""
    found = call_of(span(chat(request__stream=value)))
    assert (found.streaming, list(found.suspects)) == (streaming, suspects)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["stop", "length"], ("stop", "length")),
        ('["stop"]', ("stop",)),
        ("stop", ("stop",)),
        ("[broken", ()),
        ("[" * 2000, ()),
        ('{"a": 1}', ('{"a": 1}',)),
        ("[1]", ()),
        ([], ()),
        ("", ()),
        (["x"] * 100, ("x",) * 8),
    ],
)
def test_finish_reasons_in_any_type(value: Value, expected: tuple[str, ...]) -> None:
    """Finish reasons are an array, a JSON array in a text, or one text."""
    assert call_of(span(chat(response__finish_reasons=value))).kind.finish_reasons == expected


@pytest.mark.parametrize(
    ("attributes", "ttft", "streaming", "suspects"),
    [
        ({"request__stream": True, "response__time_to_first_chunk": 0.25}, 0.25, True, []),
        ({"response__time_to_first_chunk": 0.25}, 0.25, True, []),
        ({"response__time_to_first_chunk": "0.25"}, 0.25, True, []),
        ({"request__stream": True}, None, True, []),
        ({"request__stream": True, "response__time_to_first_chunk": 1.5}, None, True, ["ttft_exceeds_duration"]),
        ({"request__stream": False, "response__time_to_first_chunk": 0.2}, None, False, ["ttft_without_streaming"]),
        ({"response__time_to_first_chunk": -0.1}, None, None, ["negative"]),
        ({"response__time_to_first_chunk": "soon"}, None, None, ["not_a_number"]),
    ],
)
def test_time_to_first_chunk(
    attributes: dict[str, Value], ttft: float | None, streaming: bool | None, suspects: list[str]
) -> None:  # fmt: skip
    """The time to the first chunk shows streaming, is at most the duration, and only streamed answers have it."""
    found = call_of(span(chat(**attributes)))
    assert (found.ttft_s, found.streaming, list(found.suspects)) == (ttft, streaming, suspects)


@pytest.mark.parametrize(
    ("given", "ttft", "suspects"),
    [
        ("2025-10-09T08:53:20.250000Z", 0.25, []),
        ('"2025-10-09T08:53:20.250000+00:00"', 0.25, []),
        ("2025-10-09T08:53:20.25", 0.25, []),
        ("2025-10-09T10:53:20.250000+02:00", 0.25, []),
        ("2025-10-09T08:53:19Z", None, ["chunk_before_start"]),
        ("soon", None, ["not_a_time"]),
    ],
)
def test_a_time_of_day_in_place_of_the_time_to_the_first_chunk(
    given: str, ttft: float | None, suspects: list[str]
) -> None:
    """ISO 8601, in JSON's quotes or not; without a zone it is UTC's."""
    attributes: dict[str, Value] = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.completion_start_time": given,
    }
    found = call_of(span(attributes))
    assert (found.ttft_s, list(found.suspects)) == (ttft, suspects)


def test_ttft_says_where_it_was_read() -> None:
    """The attribute that the time to the first chunk was read from is known."""
    found = call_of(span(chat(client__operation__time_to_first_chunk=0.5)))
    assert (found.ttft_s, found.ttft_key) == (0.5, "gen_ai.client.operation.time_to_first_chunk")


@pytest.mark.parametrize(("seconds", "suspect"), [(-1.0, "ends_before_start"), (90_000.0, "too_large")])
def test_impossible_durations(seconds: float, suspect: str) -> None:
    """A call that ends before it starts, or lasts more than a day, has no duration."""
    found = call_of(span(chat(), seconds=seconds))
    assert (found.duration_s, list(found.suspects)) == (None, [suspect])


def test_a_priced_call_has_a_cost() -> None:
    """The cost is that of plain input, cached input and output."""
    found = call_of(span(chat(usage__input_tokens=100, usage__output_tokens=50, usage__cache_read__input_tokens=40)))
    assert found.cost_usd == pytest.approx(60e-6 + 40e-7 + 100e-6)
    assert found.cost_source is CostSource.TABLE


def test_an_unpriced_call_has_none() -> None:
    """A call to an unknown model has no cost, not a cost of 0."""
    found = call_of(span(chat(request__model="unknown", usage__input_tokens=100)))
    assert (found.cost_usd, found.cost_source) == (None, None)


def test_long_names_are_cut() -> None:
    """Names from outside are kept short."""
    assert len(call_of(span(chat(request__model="m" * 100_000))).kind.request_model) == 256


_SPEECH = PriceRow(
    CostSource.TABLE, Rate(1.0), Rate(10.0), audio_input=Rate(5.0), audio_output=Rate(50.0), cache_write_1h=Rate(2.0)
)


@pytest.mark.parametrize(
    ("scope", "attributes", "usd"),
    [
        (
            "some.scope",
            chat(
                usage__input_tokens=100,
                usage__output_tokens=10,
                usage__audio__input_tokens=40,
                usage__audio__output_tokens=4,
            ),
            60 * 1 + 40 * 5 + 6 * 10 + 4 * 50,
        ),
        (
            "openinference.instrumentation.openai",
            {
                "openinference.span.kind": "LLM",
                "llm.provider": "openai",
                "llm.request.model_name": "priced",
                "llm.token_count.prompt": 100,
                "llm.token_count.prompt_details.audio": 40,
            },
            60 * 1 + 40 * 5,
        ),
        (
            "com.anthropic.sdk.python",
            chat(usage__input_tokens=100, usage__cache_write__input_tokens=10)
            | {"anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 10},
            90 * 1 + 10 * 2,
        ),
    ],
)
def test_parts_that_cost_more_are_read(scope: str, attributes: dict[str, Value], usd: float) -> None:
    """Audio, and what is kept for an hour, in the keys of those who tell it."""
    table = PriceTable([lambda *_: always(_SPEECH)])
    assert call_of(span(attributes), scope=scope, table=table).cost_usd == pytest.approx(usd)
