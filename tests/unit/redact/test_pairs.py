"""Headers written as pairs are read as keys and values."""

import json

import pytest

from unit.redact.helpers_redact import clean


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ([["x-api-key", "hunter"]], [["x-api-key", "[SECRET]"]]),
        ([["a", "b"], ["Authorization", "x y"], ["c", "d"]], [["a", "b"], ["Authorization", "[SECRET]"], ["c", "d"]]),
        ({"headers": [["host", "h"], ["cookie", "z"]]}, {"headers": [["host", "h"], ["cookie", "[SECRET]"]]}),
        ([[["password", "z"]]], [[["password", "[SECRET]"]]]),
    ],
)
def test_the_second_of_a_pair_has_the_first_as_its_key(value: object, becomes: object) -> None:
    """In a list of pairs, as frameworks dump their headers."""
    assert json.loads(clean(json.dumps(value))) == becomes
    assert json.loads(clean(json.dumps(value, separators=(",", ":")))) == becomes


@pytest.mark.parametrize(
    "value",
    [
        {"required": ["password", "email"]},
        ["password", "email"],
        [["password", "email", "name"]],
        [["password"], ["email"]],
        [["password", {"type": "string"}]],
        [["tokens", "8"], ["model", "gpt-4o"]],
    ],
)
def test_other_lists_are_lists(value: object) -> None:
    """Words of a schema, three in a row, one alone."""
    text = json.dumps(value)
    assert clean(text) == text
