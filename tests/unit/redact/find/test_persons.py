"""The key `name` is a person's in an object that says so."""

import json
from time import process_time

import pytest

from unit.redact.helpers_redact import clean


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Alice Smith", "email": "a@b.example"},
        {"phone": "+1 415 555 2671", "name": "Alice Smith"},
        {"id": 3, "name": "alice", "dateOfBirth": None},
        {"name": "Alice Smith", "contact": {"city": "Rome", "mobile": None}},
        {"customer": {"tier": "gold", "name": "Alice Smith"}},
        {"passengers": [{"seat": "1A", "name": "Zoë O'Neil"}, {"seat": "1B", "name": "Alice Smith"}]},
        {"result": json.dumps({"patient": {"name": "Alice Smith"}})},
        [{"role": "tool", "content": json.dumps([{"name": "Alice Smith", "home_address": None}])}],
    ],
)
def test_a_persons_name_goes(value: object) -> None:
    """Beside an address, a birth date, a telephone; under customer, patient, passengers."""
    out = clean(json.dumps(value, ensure_ascii=False), "gen_ai.tool.call.result")
    assert "lice" not in out
    assert "Zo" not in out
    json.loads(out)


@pytest.mark.parametrize(
    "value",
    [
        {"name": "get_weather", "arguments": {"email": True}},
        {
            "type": "function",
            "function": {"name": "Search", "parameters": {"properties": {"email": {"type": "string"}}}},
        },
        {"tool_calls": [{"name": "Search", "id": "call_1"}], "user": {"tier": "gold"}},
        {"name": "Production", "region": "eu"},
        {"name": "Sonnet", "version": "4", "user": "x"},
        {"model": {"name": "Sonnet"}, "customer": {"tier": "gold"}},
        {"name": "gpt-4o", "phone": None},
        {"project": {"name": "Apollo"}, "owner": {"id": 7}},
        [{"role": "tool", "name": "Search", "tool_call_id": "call_1", "content": "x"}],
    ],
)
def test_a_things_name_stays(value: object) -> None:
    """Tools, models, projects and files have names too."""
    text = json.dumps(value)
    assert clean(text, "gen_ai.tool.definitions") == text


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Al ", "a": {' * 3000,
        "[" + '{"name": "Alice", "x": [{}]}, ' * 3000,
        '{"name": "Alice"' + "}" * 30000,
        '"name": "Alice", ' * 3000,
    ],
)
def test_many_names_cost_little(text: str) -> None:
    """However deep they stand, and whether the braces match or not."""
    clean('{"name": "Alice", "n": {}}')
    started = process_time()
    clean(text)
    assert process_time() - started < 1
