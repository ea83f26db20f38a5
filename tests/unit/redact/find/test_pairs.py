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
    ("value", "becomes"),
    [
        (
            {"headers": [{"name": "Accept", "value": "*/*"}, {"name": "Authorization", "value": "x y"}]},
            {"headers": [{"name": "Accept", "value": "*/*"}, {"name": "Authorization", "value": "[SECRET]"}]},
        ),
        ({"env": [{"name": "DB_PASSWORD", "value": "z"}]}, {"env": [{"name": "DB_PASSWORD", "value": "[SECRET]"}]}),
        ([{"Key": "api_key", "Value": "z"}], [{"Key": "api_key", "Value": "[SECRET]"}]),
        ({"selector": "#password", "value": "z"}, {"selector": "#password", "value": "[SECRET]"}),
        ([{"label": "Password", "value": "z"}], [{"label": "Password", "value": "[SECRET]"}]),
        (
            {"key": "password", "value": {"stringValue": "z"}},
            {"key": "password", "value": {"stringValue": "[SECRET]"}},
        ),
        (
            [{"name": "password", "value": "z", "type": "text"}, {"value": "y"}],
            [{"name": "password", "value": "[SECRET]", "type": "text"}, {"value": "y"}],
        ),
        ({"name": "password", "value": ["z", "y"]}, {"name": "password", "value": ["[SECRET]", "[SECRET]"]}),
    ],
)
def test_a_value_has_the_name_before_it_as_its_key(value: object, becomes: object) -> None:
    """As Kubernetes lists variables, archives of HTTP headers, clouds tags, and OTLP attributes."""
    for text in (json.dumps(value), json.dumps(value, separators=(",", ":"))):
        assert json.loads(clean(text)) == becomes
        assert json.loads(json.loads(clean(json.dumps([text])))[0]) == becomes


@pytest.mark.parametrize(
    "value",
    [
        {"name": "password", "description": "what opens the door", "value": "z"},
        {"name": "password", "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}},
        [{"name": "password"}, {"value": "z"}],
        {"name": "model", "value": "gpt-4o"},
    ],
)
def test_other_objects_are_objects(value: object) -> None:
    """A name that something else than its value follows is one of many things."""
    text = json.dumps(value)
    assert clean(text) == text


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


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        (["tool", "--password", "z", "-v"], ["tool", "--password", "[SECRET]", "-v"]),
        ({"args": ["-y", "srv", "--api-key", "z"]}, {"args": ["-y", "srv", "--api-key", "[SECRET]"]}),
        ({"a": [["x", "-password", "z"]]}, {"a": [["x", "-password", "[SECRET]"]]}),
        (["--name", "z", "--password"], ["--name", "z", "--password"]),
        (["--password-file", "/run/z"], ["--password-file", "/run/z"]),
    ],
)
def test_an_argument_has_the_option_before_it_as_its_key(value: object, becomes: object) -> None:
    """As commands are dumped that somebody started."""
    assert json.loads(clean(json.dumps(value))) == becomes
