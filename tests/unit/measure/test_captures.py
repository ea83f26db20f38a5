"""What real instrumentations sent, read by hand from the captures, is what is measured."""

import pytest

from spansieve import measure
from spansieve.measure.llm_call import LlmCall
from unit.measure.helpers_measure import captured, measured, prices, series


def _calls(name: str) -> list[LlmCall]:
    calls = measure.Meter(prices()).calls
    return [
        call
        for resource in captured(name).resource_spans
        for group in resource.scope_spans
        for span in group.spans
        if (call := calls.read(span, calls.by_scope(group.scope.name), group.scope.name, "")) is not None
    ]


# operation, request model, response model, (input, output, cache read, cache write, reasoning), streaming, TTFT, error
_MINI = ("chat", "gpt-4o-mini", "gpt-4o-mini-2024-07-18")
_NO_TOKENS = (None, None, None, None, None)
_GENAI = [
    (*_MINI, (30, 12, 10, None, 4), None, None, None),
    (*_MINI, (30, 12, 10, None, 4), None, None, None),
    (*_MINI, (30, 12, 10, None, 4), True, 0.06361713600017538, None),
    ("embeddings", "text-embedding-3-small", "text-embedding-3-small", (5, None, None, None, None), None, None, None),
    ("chat", "rate", "", _NO_TOKENS, None, None, "rate_limit"),
    ("chat", "ctx", "", _NO_TOKENS, None, None, "context_overflow"),
    ("chat", "filter", "", _NO_TOKENS, None, None, "safety_block"),
    ("chat", "slow", "", _NO_TOKENS, None, None, "timeout"),
]
_V2OLD = [
    (*_MINI, (30, 12, None, None, None), None, None, None),
    (*_MINI, (30, 12, None, None, None), None, None, None),
    (*_MINI, (30, 12, None, None, None), None, None, None),
    *_GENAI[4:],
]
_TRL1 = [
    (*_MINI, (30, 12, 10, None, 4), False, None, None),
    (*_MINI, (30, 12, 10, None, 4), False, None, None),
    (*_MINI, (30, 12, 10, None, None), True, None, None),
    ("embeddings", "text-embedding-3-small", "text-embedding-3-small", (5, None, 0, None, None), False, None, None),
    *[(*each[:4], False, *each[5:]) for each in _GENAI[4:]],
]


@pytest.mark.parametrize(
    ("name", "dialect", "expected"),
    [("genai", "otel", _GENAI), ("v2old", "otel-earlier", _V2OLD), ("trl1", "otel", _TRL1)],
)
def test_calls_of_a_capture(name: str, dialect: str, expected: list[tuple[object, ...]]) -> None:
    """Every call of a capture is read with its models, tokens, times and error class."""
    calls = _calls(name)
    assert [
        (c.operation, c.request_model, c.response_model, tuple(c.tokens), c.streaming, c.ttft_s, c.error_class)
        for c in calls
    ] == expected
    assert {(c.dialect, c.provider, c.suspects) for c in calls} == {(dialect, "openai", ())}


@pytest.mark.parametrize(
    ("name", "durations"),
    [
        (
            "genai",
            [29944226, 51295454, 119765655, 7115796, 48606063, 47690832, 47528882, 505680055],
        ),
        ("v2old", [27751405, 51335615, 118548224, 46771031, 47563793, 47478801, 505465754]),
    ],
)
def test_durations_of_a_capture(name: str, durations: list[int]) -> None:
    """A call lasts from its span's start to its end."""
    assert [call.duration_s for call in _calls(name)] == [nanoseconds / 1e9 for nanoseconds in durations]


def test_finish_reasons_of_a_capture() -> None:
    """Finish reasons are read."""
    assert [call.finish_reasons for call in _calls("genai")[:4]] == [("stop",), ("tool_calls",), ("stop",), ()]


def test_series_of_a_capture() -> None:
    """What a capture's spans tell ends up in the series, under the sender's name."""
    meter = measure.Meter(prices())
    assert measured(captured("genai"), meter).calls == 8
    labels = ("chat", "openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", "unknown_service:python")
    embeddings = ("embeddings", "openai", *["text-embedding-3-small"] * 2, "unknown_service:python")
    assert series(meter, "spansieve.llm.requests")[*labels, "ok"] == 3
    assert series(meter, "gen_ai.client.token.usage") == {
        (*labels, "input"): (3, 90),
        (*labels, "output"): (3, 36),
        (*embeddings, "input"): (1, 5),
    }
    assert series(meter, "gen_ai.client.operation.time_to_first_chunk") == {labels: (1, 0.06361713600017538)}
    assert series(meter, "spansieve.llm.streaming_requests") == {(*labels, "present"): 1}
    assert {key[-1]: value for key, value in series(meter, "spansieve.llm.errors").items()} == {
        "rate_limit": 1,
        "context_overflow": 1,
        "safety_block": 1,
        "timeout": 1,
    }
    assert series(meter, "spansieve.llm.unpriced_tokens") == {labels: 126, embeddings: 5}
