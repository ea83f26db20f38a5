"""Redacting what has been redacted changes nothing, for any text and any JSON."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from unit.redact.helpers_redact import clean, mixed_texts

_keys = st.sampled_from(
    ["", "password", "db.password", "token", "ssn", "phone", "note", "gen_ai.input.messages", "alice@example.com"]
)
_json = st.recursive(
    mixed_texts | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False) | st.just(219099999),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4) | inner.map(json.dumps),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(mixed_texts, _keys)
def test_text_redacted_twice_is_the_same_as_once(text: str, key: str) -> None:
    """redact(redact(x)) == redact(x)."""
    once = clean(text, key)
    assert clean(once, key) == once


@settings(max_examples=150, deadline=None)
@given(_json, _keys)
def test_json_redacted_twice_is_the_same_as_once(tree: object, key: str) -> None:
    """redact(redact(x)) == redact(x) for JSON, also in JSON."""
    once = clean(json.dumps(tree), key)
    assert clean(once, key) == once


@settings(max_examples=150, deadline=None)
@given(_json)
def test_json_stays_json(tree: object) -> None:
    """What parsed before parses after, and is of the same shape."""
    text = json.dumps(tree, ensure_ascii=False)
    assert _shape(json.loads(clean(text))) == _shape(json.loads(text))


@settings(max_examples=150, deadline=None)
@given(_json, st.integers(min_value=0, max_value=400))
def test_json_cut_off_anywhere_is_redacted_the_same_twice(tree: object, length: int) -> None:
    """What an SDK truncated is stable too."""
    once = clean(json.dumps(tree)[:length])
    assert clean(once) == once


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400), _keys)
def test_any_text_at_all_comes_out(text: str, key: str) -> None:
    """No text makes redaction fail, or removes a value by an error of ours."""
    assert clean(text, key) != "[REMOVED]" or text == "[REMOVED]"


def _shape(tree: object) -> object:
    if isinstance(tree, dict):
        return "object", [_shape(value) for value in tree.values()] if len(tree) else []
    if isinstance(tree, list):
        return "array", [_shape(value) for value in tree]
    return "leaf"
