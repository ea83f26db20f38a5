"""The strings of whole JSON, by its quotes, are those that a parser finds."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact import jsontext
from spansieve.redact.quoted import Quoted

_KEYS = st.sampled_from(["role", "content", "text", "a", 'q"', "back\\", ""])
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text('a"\\\n{}[]:, é', max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=12,
)


@given(_VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_strings_and_their_keys_are_those_of_the_tokens(value: object, ascii_only: bool, indent: int | None) -> None:  # noqa: FBT001 - drawn
    """The same strings as by reading token by token, each under the same key."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    quoted = Quoted(text)
    for token in jsontext.tokens(text, "above", whole=True):
        number = quoted.number(token.start + 1)
        if token.kind == jsontext.NUMBER:
            assert number % 2 == 0
            continue
        assert quoted.span(number) == (token.start + 1, token.end - 1)
        assert quoted.is_key(number) == (token.kind == jsontext.KEY)
        if token.kind == jsontext.STRING:
            key = quoted.key(number)
            name = "above" if key is None else jsontext.decoded(text[slice(*quoted.span(key))])[0]
            assert name == token.key


def test_strings_under_one_key_that_carries_text_are_a_group() -> None:
    """Of which one may continue the other."""
    text = '[{"role":"user","content":"a"},{"role":"user","content":"b"}]'
    groups = Quoted(text).groups()
    assert groups is not None
    assert [[text[slice(*Quoted(text).span(number))] for number in group] for group in groups] == [["a", "b"]]


@pytest.mark.parametrize("text", ['{"chunks":["a","b"]}', '{"content": [ "a", "b" ]}'])
def test_a_list_of_strings_is_for_the_tokens(text: str) -> None:
    """Their order in nested lists is not known here."""
    assert Quoted(text).groups() is None


def test_escapes_are_found() -> None:
    """A string with an escape does not stand as it is."""
    text = r'["a\"b", "c", "\\"]'
    assert [text[slice(*Quoted(text).span(number))] for number in Quoted(text).escaped()] == [r"a\"b", r"\\"]
