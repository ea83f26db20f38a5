"""Keys written as values: `[["x-api-key", "…"], …]`, `{"name": "x-api-key", "value": "…"}`, `["--token", "…"]`.

Headers, environment variables, form fields and attributes are dumped so. Only pairs within a list count: two words in a
list of their own are just words. In an object the name comes first, as everyone writes it.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from spansieve.redact.text import arguments, jsontext

NAMES: Final = frozenset({"name", "key", "field", "label", "selector", "Name", "Key", "Field", "Label"})
"""Under which an object says what its value is."""

VALUES: Final = frozenset({"value", "Value"})
"""Under which the value stands."""

_TYPED = frozenset({"stringValue", "string_value", "S"})
"""Under which a value stands once more, in OTLP/JSON and others."""


def named(text: str, members: Sequence[jsontext.Token]) -> dict[int, str]:
    """The leaves of a JSON text whose key is the value before them, by index, with that key."""
    return _behind_options(text, members) | _in_lists(text, members) | _in_objects(text, members)


def may_name(keys: AbstractSet[str]) -> bool:
    """Whether objects with these keys may name a value by another one."""
    return not (keys.isdisjoint(NAMES) or keys.isdisjoint(VALUES))


def _behind_options(text: str, members: Sequence[jsontext.Token]) -> dict[int, str]:
    if '"-' not in text:
        return {}
    found: dict[int, str] = {}
    for index in range(1, len(members)):
        before, token = members[index - 1], members[index]
        if (
            before.kind == token.kind == jsontext.STRING
            and text[before.end : token.start].strip() == ","
            and (name := arguments.option(before.text))
        ):
            found[index] = name
    return found


def _in_lists(text: str, members: Sequence[jsontext.Token]) -> dict[int, str]:
    if '["' not in text or "]" not in text:
        return {}
    found: dict[int, str] = {}
    before: jsontext.Token | None = None
    for index, token in enumerate(members):
        if (
            before is not None
            and before.kind == token.kind == jsontext.STRING
            and text[token.end : token.end + 1] == "]"
            and text[before.end : token.start].strip() == ","
            and text[before.start - 1 : before.start] == "["
            and text[: before.start - 1][-8:].rstrip()[-1:] in ("[", ",")
        ):
            found[index] = before.text
        before = token
    return found


def _in_objects(text: str, members: Sequence[jsontext.Token]) -> dict[int, str]:
    if 'alue"' not in text:
        return {}
    found: dict[int, str] = {}
    name: jsontext.Token | None = None
    named = False  # what comes next has the name as its key
    for index, token in enumerate(members):
        if token.kind == jsontext.KEY:
            if named and token.text in _TYPED:
                continue
            if named:
                name, named = None, False
            else:
                named = name is not None and token.text in VALUES and text[name.end : token.start].strip() == ","
        elif named and name is not None:
            found[index] = name.text
            named = text[token.end : token.end + 1] == ","  # a list of values, or else a key follows
        else:
            name = token if token.kind == jsontext.STRING and token.key in NAMES else None
    return found
