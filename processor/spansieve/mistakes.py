"""Words for the mistakes that operators make in files, the same for whatever file it is. None of them shows a value."""

import datetime as dt
import difflib
from collections.abc import Iterable, Mapping
from typing import Final

_KINDS: Final[Mapping[type, str]] = {
    type(None): "nothing",
    list: "a list",
    tuple: "a list",
    dict: "keys and values",
    str: "a text",
    bool: "a truth value",
    int: "a number",
    float: "a number",
    dt.date: "a date",
    dt.datetime: "a date",
}


def kind(value: object) -> str:
    """What a value that YAML was read into is, in words."""
    return _KINDS.get(type(value), "a value")


def did_you_mean(wrong: object, known: Iterable[str]) -> str:
    """A question, after a space, for the one of the known names that is most like a wrong one; empty without such."""
    like = difflib.get_close_matches(str(wrong), known, 1)
    return f" Did you mean {like[0]}?" if like else ""
