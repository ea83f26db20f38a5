"""The strings of parsed JSON are those of its tokens, and new ones are put where they stand."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact import jsontext, parsed

_KEYS = st.sampled_from(["role", "content", "text", "a", 'q"', "back\\", ""])
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text('a"\\\n{}[]:, é', max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=12,
)


@given(_VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_strings_and_their_keys_are_those_of_the_tokens(value: Any, ascii_only: bool, indent: int | None) -> None:  # noqa: ANN401, FBT001 - drawn
    """The same strings as by reading token by token, each under the same key."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    strings = parsed.read(text.encode(), "above")
    if strings is None:
        return
    tokens = [token for token in jsontext.tokens(text, "above", whole=True) if token.kind != jsontext.NUMBER]
    assert strings.texts == [token.text for token in tokens]
    assert [key or "" for key in strings.keys] == [token.key for token in tokens]


@given(_VALUES, st.booleans(), st.data())
def test_what_is_spliced_in_stands_in_the_place_of_the_old(value: Any, ascii_only: bool, data: st.DataObject) -> None:  # noqa: ANN401, FBT001 - drawn
    """The same text as by splicing tokens: all else stays as it is."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    strings = parsed.read(text.encode(), "")
    if strings is None or not strings.texts:
        return
    changed = data.draw(st.dictionaries(st.integers(0, len(strings.texts) - 1), st.text(max_size=8), min_size=1))
    tokens = [token for token in jsontext.tokens(text, "", whole=True) if token.kind != jsontext.NUMBER]
    assert parsed.splice(text, strings.texts, changed) == jsontext.splice(text, tokens, changed)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "alice@example.com", "a": "x"}',
        '{"a": "say \\"x\\"", "a": "y"}',
        '{"a": "\\u0022x", "b": "\\""}',
        '{"a": 0.41111111111111111}',
        '[["x-api-key", "value"]]',
        "[" * 100 + "]" * 100,
        "17",
    ],
)
def test_what_a_parser_hides_is_for_the_tokens(text: str) -> None:
    """A value that it drops, digits that it rounds, headers in pairs, and what is nested beyond all use."""
    assert parsed.read(text.encode(), "") is None


@pytest.mark.parametrize("text", ["{", "[1,]", '{"a": "\\ud800"}', "word", "[" * 100_000])
def test_what_the_parser_does_not_take_is_an_error(text: str) -> None:
    """The text may still be JSON to other parsers."""
    with pytest.raises(ValueError, match=r".*"):
        parsed.read(text.encode(), "")
