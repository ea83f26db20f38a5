"""What is the same for all files that operators write: what is a mistake in any, and the words for it.

None of the words shows a value.
"""

import datetime as dt
import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, get_args

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import ErrorDetails


class _Truth:
    """Stands for `yes` or `no` where a number is needed: pydantic would take them for 1 and 0."""


class Written(BaseModel):
    """Keys and values as an operator writes them. A key that is not known is a mistake; so is `yes` for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _truth_is_no_number(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        wrong = {key: _Truth() for key, value in values.items() if isinstance(value, bool) and cls._is_number(key)}
        return values | wrong if wrong else values

    @classmethod
    def _is_number(cls, key: str) -> bool:
        types = set(_types(cls.model_fields[key].annotation)) if key in cls.model_fields else set()
        return bool not in types and not types.isdisjoint((int, float))


def _types(annotation: object) -> Iterator[object]:
    """What a type is made of: `int | None` of both."""
    yield annotation
    for inner in get_args(annotation):
        yield from _types(inner)


_KINDS: Final[Mapping[type, str]] = {
    type(None): "nothing",
    list: "a list",
    tuple: "a list",
    dict: "keys and values",
    str: "a text",
    bool: "a truth value",
    _Truth: "a truth value",
    int: "a number",
    float: "a number",
    dt.date: "a date",
    dt.datetime: "a date",
}


def kind(value: object) -> str:
    """What a value that YAML was read into is, in words."""
    return _KINDS.get(type(value), "a value")


# What pydantic calls a mistake → what is needed; its own words are for programmers.
_NEEDED: Final[Mapping[str, str]] = {
    "string_type": "a text is needed, in quotes where it looks like something else",
    "string_pattern_mismatch": "a text of the form {pattern} is needed",
    "string_too_short": "a text of {min_length} characters or more is needed",
    "int_type": "a whole number is needed",
    "int_parsing": "a whole number is needed, without a unit",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "float_parsing": "a number is needed, without a unit",
    "bool_type": "true or false is needed",
    "bool_parsing": "true or false is needed",
    "tuple_type": "a list is needed",
    "path_type": "a path is needed",
    "greater_than_equal": "{ge}{unit} is the least",
    "greater_than": "more than {gt}{unit} is needed",
    "less_than_equal": "{le}{unit} is the most",
    "literal_error": "{expected} is needed",
    "invalid_key": "keys are texts: put it in quotes",
}


def needed(details: ErrorDetails, unit: str = "") -> str:
    """What would be accepted in place of what pydantic refused, with bounds in a `unit`; the rarest in its words."""
    bounds = {key: _bound(value) for key, value in details.get("ctx", {}).items()}
    if details["type"] == "string_too_short" and bounds["min_length"] == 1:
        return "a text is needed"
    words = _NEEDED.get(details["type"])
    if words is None:
        return details["msg"][0].lower() + details["msg"][1:]
    return words.format_map({"unit": unit, **bounds})


def _bound(value: object) -> object:
    """29, not 29.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def did_you_mean(wrong: object, known: Iterable[str]) -> str:
    """A question, after a space, for the one of the known names that is most like a wrong one; empty without such."""
    like = difflib.get_close_matches(str(wrong), known, 1)
    return f" Did you mean {like[0]}?" if like else ""
