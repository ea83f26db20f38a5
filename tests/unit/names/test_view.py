"""Views of JSON."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spansieve.names import view

_LEAVES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@settings(max_examples=60)
@given(_LEAVES | st.text())
def test_nothing_changes_when_nothing_is_put(value: object) -> None:
    """A value in which nothing is put is as it was, byte for byte."""
    text = value if isinstance(value, str) else json.dumps(value)
    assert view.put(view.of(text), [], {}) == text


@settings(max_examples=60)
@given(st.lists(_LEAVES) | st.dictionaries(st.text(), _LEAVES), st.booleans())
def test_json_stays_json(value: list[object] | dict[str, object], ascii_only: bool) -> None:
    """Whatever stretch of the view is replaced, JSON stays JSON of the same kind."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    made = view.of(text)
    changes = [(start, end, "[PERSON]") for start, end, _, _ in made.parts]
    new = json.loads(view.put(made, changes, {}))
    assert type(new) is type(value)
    assert len(new) == len(value)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ('{"n": "Jane Roe"}', "Jane Roe", '{"n": "[X]"}'),
        ('{"n": "a\\nJane"}', "Jane", '{"n": "a\\n[X]"}'),
        ('say "Jane": {"a": 1} to Tom', "Tom", 'say "Jane": {"a": 1} to [X]'),
        ('say "Jane": {"a": 1} to Tom', "Jane", 'say "[X]": {"a": 1} to Tom'),
        ("plain Jane", "Jane", "plain [X]"),
        ("{'n': 'Jane'}", "Jane", "{'n': '[X]'}"),
    ],
)
def test_a_name_is_replaced_where_it_stands(text: str, name: str, expected: str) -> None:
    """What is found in the view is replaced in the value, escapes and quotes kept."""
    made = view.of(text)
    start = made.text.index(name)
    assert view.put(made, [(start, start + len(name), "[X]")], {}) == expected


def test_keys_of_json_stay() -> None:
    """A key is no part of what may change in JSON from end to end."""
    made = view.of('{"Jane": "Roe"}')
    start = made.text.index("Jane")
    assert view.put(made, [(start, start + 4, "[X]")], {}) == '{"Jane": "Roe"}'


def test_long_leaves_and_inner_json_are_views_of_their_own() -> None:
    """A long literal, and JSON in a literal, are read by themselves."""
    made = view.of(json.dumps({"a": "word " * 40, "b": json.dumps({"n": "Jane"})}))
    assert [each.text[:5] for each in made.inner.values()] == ["word ", '{"n":']


def test_depth_is_bounded() -> None:
    """JSON in JSON in JSON, and so on, is read as it stands from some depth on."""
    text = "Jane"
    for _ in range(12):
        text = json.dumps({"a": text})
    assert sum(1 for _ in view.of(text).all()) < 12
