import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import openai
import pytest
from demo.provider import FATE_HEADER, SLOW_HEADER, Provider, count_tokens
from demo.telemetry import client

Chat = Callable[..., Any]  # chat.completions.create: its type depends on its arguments

PROMPT = "call me at +44 20 7946 0123"
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PROMPT}]
INPUT_TOKENS = count_tokens("Be brief.") + 4 + count_tokens(PROMPT) + 4


class Api(NamedTuple):
    provider: Provider
    url: str
    client: openai.OpenAI


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """The stand-in on loopback, and the real client of it."""
    provider = Provider()
    with provider.serving() as url, client(url) as openai_client:
        yield Api(provider, url, openai_client)


@pytest.fixture
def chat(api: Api) -> Chat:
    """A chat completion, with an empty ledger."""
    api.provider.ledger.clear()
    return api.client.chat.completions.create


def asked(api: Api) -> list[dict[str, Any]]:
    """The ledger as the stand-in tells it."""
    lines: list[dict[str, Any]] = httpx.get(f"{api.url.removesuffix('/v1')}/asked").json()
    return lines


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("üü", 1), ("üüü", 2)])
def test_count_tokens(text: str, tokens: int) -> None:
    """Four bytes of UTF-8 are a token, a rest is one more."""
    assert count_tokens(text) == tokens


def test_answer_repeats_the_prompt(chat: Chat) -> None:
    """Models echo what users type, personal data included."""
    assert PROMPT in chat(model="gpt-4o", messages=MESSAGES).choices[0].message.content


def test_same_request_same_answer(chat: Chat) -> None:
    """Nothing of an answer is left to chance."""
    assert chat(model="gpt-4o", messages=MESSAGES) == chat(model="gpt-4o", messages=MESSAGES)


def test_response_model_is_dated(chat: Chat) -> None:
    """As with the real API, the model that answers has a longer name than the one asked for."""
    assert chat(model="gpt-4o-mini", messages=MESSAGES).model == "gpt-4o-mini-2024-07-18"


def test_usage_follows_the_rule_and_is_in_the_ledger(api: Api, chat: Chat) -> None:
    """What the answer reports can be counted from the texts, and the ledger says the same."""
    answer = chat(model="gpt-4o", messages=MESSAGES)
    output = count_tokens(answer.choices[0].message.content)
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (INPUT_TOKENS, output)
    assert asked(api) == [
        {
            "operation": "chat",
            "model": "gpt-4o",
            "stream": False,
            "outcome": "ok",
            "input_tokens": INPUT_TOKENS,
            "cached_tokens": count_tokens("Be brief."),
            "output_tokens": output,
        }
    ]


def test_stream_comes_in_pieces_that_make_the_answer(chat: Chat) -> None:
    """The streamed text is the text of the plain answer, in several chunks."""
    pieces = [
        chunk.choices[0].delta.content or ""
        for chunk in chat(model="gpt-4o", messages=MESSAGES, stream=True)
        if chunk.choices
    ]
    assert len(pieces) > 3
    assert PROMPT in "".join(pieces)


def test_stream_ends_with_usage_when_asked(api: Api, chat: Chat) -> None:
    """`stream_options.include_usage` adds one chunk without choices, with the ledger's numbers."""
    *_, last = chat(model="gpt-4o", messages=MESSAGES, stream=True, stream_options={"include_usage": True})
    assert last.choices == []
    (line,) = asked(api)
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (line["input_tokens"], line["output_tokens"])


def test_stream_has_no_usage_unless_asked(chat: Chat) -> None:
    """As with the real API, a stream says nothing of tokens by itself."""
    assert all(chunk.usage is None for chunk in chat(model="gpt-4o", messages=MESSAGES, stream=True))


def test_offered_tool_is_called_with_the_prompt(chat: Chat) -> None:
    """Tool arguments hold personal data as JSON in a string."""
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
    (call,) = chat(model="gpt-4o", messages=MESSAGES, tools=[tool]).choices[0].message.tool_calls
    assert call.function.name == "look_up"
    assert json.loads(call.function.arguments) == {"question": PROMPT}


@pytest.mark.parametrize(
    ("fate", "error", "code"),
    [
        ("rate_limit", openai.RateLimitError, "rate_limit_exceeded"),
        ("context_overflow", openai.BadRequestError, "context_length_exceeded"),
        ("provider_5xx", openai.InternalServerError, None),
    ],
)
def test_failure_quotes_the_prompt(
    api: Api, chat: Chat, fate: str, error: type[openai.APIStatusError], code: str | None
) -> None:
    """Each failure is an exception of the client with the prompt in its message, and costs no tokens in the ledger."""
    with pytest.raises(error) as caught:
        chat(model="gpt-4o", messages=MESSAGES, extra_headers={FATE_HEADER: fate})
    assert PROMPT in str(caught.value)
    assert caught.value.code == code
    (line,) = asked(api)
    assert (line["outcome"], line["input_tokens"], line["output_tokens"]) == (fate, 0, 0)


def test_slow_answer_takes_as_long_as_asked(chat: Chat) -> None:
    """The client gives up on an answer that is slower than its patience: the delay is real."""
    with pytest.raises(openai.APITimeoutError):
        chat(model="gpt-4o", messages=MESSAGES, extra_headers={FATE_HEADER: "slow", SLOW_HEADER: "20"}, timeout=0.2)


def test_embedding_counts_its_input(api: Api, chat: Chat) -> None:
    """Embeddings are in the ledger with the tokens of their text, and none of output."""
    api.client.embeddings.create(model="text-embedding-3-small", input=PROMPT, encoding_format="float")
    (line,) = asked(api)
    assert (line["operation"], line["input_tokens"], line["output_tokens"]) == ("embeddings", count_tokens(PROMPT), 0)
