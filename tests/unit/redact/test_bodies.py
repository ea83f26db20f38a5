"""JSON in pieces, of which some are known, becomes what it becomes token by token."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spansieve import redact
from spansieve.redact import CompiledRules, bodies, policy
from spansieve.redact.cache import Cache
from unit.redact.helpers_redact import default_policy

_FILLER = "The clerk sends the parcel on time, and nobody asks why it was late. " * 5
_WORDS = st.sampled_from(
    [
        "alice@example.com", "to bob@exam", "ple.com", "4111 1111", "1111 1111 ok", "4155552671", "078-05-1120",
        'say "hi"\n', "back\\slash", "é \u2019 👍", "\\u0040",
        '{"password": "hunter2"}', '{"a": ["carol@example.com"]}',
        "call", "", "x", _FILLER, "a\u0000b", "]}, {", '},{"role":',
    ]
)  # fmt: skip
_STRINGS = st.lists(_WORDS, max_size=4).map(" ".join)
_KEYS = st.sampled_from(
    ["content", "text", "role", "password", "name", "email", "phone", "alice@example.com", 'q"', "arguments"]
)
_SCALARS = st.one_of(
    _STRINGS, st.none(), st.booleans(), st.sampled_from([1, 4155552671, 4111111111111111, 0.5, 4.111111111111111e15])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=8,
)
_MESSAGES = st.lists(
    st.builds(lambda role, content, more: {"role": role, "content": content, **more},
              st.sampled_from(["user", "tool"]), _VALUES, st.dictionaries(_KEYS, _VALUES, max_size=2)),
    min_size=1, max_size=6,
)  # fmt: skip
_EXAMPLES = 100
_WRITERS: list[Callable[[Any], str]] = [
    lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    lambda value: json.dumps(value, separators=(",", ":")),
    json.dumps,
    lambda value: json.dumps(value, indent=1),
]


@cache
def _rules() -> CompiledRules:
    return policy.compile(default_policy())


def _by_tokens(text: str) -> tuple[str, dict[str, int]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "body", lambda *_: None)
        new, found = redact.text(text, replace(_rules(), cache=Cache()))
    return new, dict(found)


@settings(max_examples=_EXAMPLES, deadline=None)
@given(st.one_of(_MESSAGES, _VALUES), st.sampled_from(_WRITERS))
def test_the_result_is_that_of_reading_by_tokens(value: object, write: Callable[[Any], str]) -> None:
    """With an empty memory, with one that knows all of it, and with one that knows a part of it."""
    text = write(value)
    expected = _by_tokens(text)
    for part in (value, value[:-1] if isinstance(value, list) else value):
        rules = replace(_rules(), cache=Cache())
        redact.text(write(part), rules)
        for _ in range(2):
            new, found = redact.text(text, rules)
            assert (new, dict(found)) == expected
