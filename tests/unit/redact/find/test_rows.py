"""Tables in JSON that name their columns once."""

import json

import pytest

from unit.redact.helpers_redact import clean


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        (
            {"columns": ["id", "first_name", "password"], "rows": [[1, "Alice", "horse"], [2, "Bob", None]]},
            {"columns": ["id", "first_name", "password"], "rows": [[1, "[PERSON]", "[SECRET]"], [2, "[PERSON]", None]]},
        ),
        (
            {"data": [["horse", 1]], "columns": [{"name": "password", "type": "text"}, {"name": "id"}]},
            {"data": [["[SECRET]", 1]], "columns": [{"name": "password", "type": "text"}, {"name": "id"}]},
        ),
        (
            {"range": "A1:B2", "values": [["Name", "Email", "Pwd"], ["Alice", "x", "horse"]]},
            {"range": "A1:B2", "values": [["Name", "Email", "Pwd"], ["[PERSON]", "x", "[SECRET]"]]},
        ),
        (
            {"columns": ["id", "ssn"], "rows": [[1, 219099999]]},
            {"columns": ["id", "ssn"], "rows": [[1, "[US_SSN]"]]},
        ),
        (
            {"result": {"columns": ["id", "last_name"], "rows": [[1, "Roe"]]}},
            {"result": {"columns": ["id", "last_name"], "rows": [[1, "[PERSON]"]]}},
        ),
    ],
)
def test_a_cell_has_its_columns_name_as_its_key(value: object, becomes: object) -> None:
    """Whichever of names and rows comes first, alone and as JSON in a string."""
    for text in (json.dumps(value), json.dumps(value, separators=(",", ":"))):
        assert json.loads(clean(text)) == becomes
        assert json.loads(json.loads(clean(json.dumps([text])))[0]) == becomes


def test_large_tables_are_read_like_small_ones() -> None:
    """What is taken through in pieces keeps its columns."""
    value = {"columns": ["id", "password"], "rows": [[number, f"horse{number}"] for number in range(900)]}
    assert "horse" not in clean(json.dumps(value))


@pytest.mark.parametrize(
    "value",
    [
        {"columns": ["model", "tokens"], "data": [["gpt-4o", 1024]]},
        {"headers": {"password": ""}, "data": [["a", "b"]]},
        {"columns": ["id", "password"], "rows": []},
        {"columns": ["id", "password"], "rows": [{"a": "b"}]},
        {"fields": ["password"], "values": [{"x": ["a"]}]},
    ],
)
def test_what_has_no_cells_below_a_name_stays(value: object) -> None:
    """Names that tell nothing, and rows that are none."""
    assert json.loads(clean(json.dumps(value))) == value


def test_lists_too_deep_are_no_table() -> None:
    """They are walked as any JSON is."""
    text = '{"columns":["password"],"rows":' + "[" * 100 + '"horse"' + "]" * 100 + "}"
    assert clean(text) == text
