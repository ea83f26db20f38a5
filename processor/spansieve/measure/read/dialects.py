r"""The tables that say where each dialect of LLM telemetry writes what, read from `dialects/*.yaml`.

A dialect is a file, named as the dialect. Its first document is the table:

    title: Some SDK                     # for people
    precedence: 40                      # without a scope that decides: asked in ascending order
    base: otel                          # whatever that dialect reads is read as well, after the dialect's own
    scopes: [some-sdk, some.sdk.*]      # instrumentation scopes that speak nothing else: names, or beginnings with a *
    keys: [some.key]                    # without such a scope: any of these attributes shows the dialect …
    unless: [other.key]                 # … when none of these is there
    wraps: true                         # its spans may stand above another instrumentation's span of the same call
    streams_apart: "streaming *"        # spans of this name tell a streamed answer; the call's own ends when it begins
    echoes: [some-cloud]                # scopes whose spans tell once more what one above them may tell; or true
    provider: some-provider             # whom its calls ask when no attribute says it
    json_values: true                   # texts are JSON: "\"gpt-4o\""
    input_without_cache: true           # the input count leaves out cached tokens; or a list of scopes where it does
    operations:                         # the value of `operation`, in any case → what it is, see OPERATIONS
      chat: chat
      stream: {is: chat, streaming: true}
      plan: ignored                     # known, and nothing that is measured
    other_operation: mcp                # what any other value of `operation` is; left out, nothing
    names: {"chat *": chat}             # the same by the span's name, for spans that have no operation, and for those
                                        # that are ignored; what stands in place of the * is the model if nothing else
                                        # names one
    default_operation: chat             # when neither says anything, but there are a model and a provider or usage
    logs:                               # log records that tell of what no span need tell, by the event's name. What is
      some.response: chat               # not ignored and has a dot is known in all scopes, else in those of the dialect
      some.error: {is: chat, failed: true, when: {kind: final}}  # only those with this value; "" is any
    fields:                             # field → where it may stand, in order of precedence; what is not empty counts
      ttft:
        - gen_ai.response.time_to_first_chunk         # seconds, as all times
        - {key: some.time.in.ms, factor: 0.001}       # a number in another unit
        - {key: some.start, since_start: true}        # a time of day in ISO 8601, less the span's start
        - {event: First Token Stream Event}           # the time of the span's first such event, less the span's start
        - {key: some.ttft, if_streaming: true}        # counts only if the call is known to be streamed
      streaming:
        - {key: some.time, present: true}             # it streamed if the attribute is there
      input_tokens:
        - {key: usage, json: input.text}              # a member of a JSON (or Python) object in a text
        - {key: parts, json: 0.tokens}                # the same, of the first element of a list

All but `precedence` may be left out. The documents after the first are examples: a span, where it was taken from, and
what must be read from it; the tests read them (see tests/golden/test_dialects.py).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from spansieve.measure.read.table import (
    FIELDS,
    LOGGED,
    OPERATIONS,
    Dialect,
    Dialects,
    Fields,
    Logged,
    Operation,
    Option,
    Patterns,
)

_NUMBERED = 8  # attributes with a number in them, as in annotations.0.annotation.score, are read up to this many


class DialectError(ValueError):
    """A dialect's file that contradicts itself: a defect of the package."""


@cache  # the package's data do not change
def load() -> Dialects:
    """Read every dialect of the package. Raises DialectError when a file contradicts itself."""
    return Dialects(parse_all(texts()))


def texts() -> dict[str, str]:
    """Return the text of every dialect's file, examples included, by the dialect's name."""
    folder = files("spansieve.measure.read").joinpath("dialects")
    return {
        entry.name.removesuffix(".yaml"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".yaml")
    }


def parse_all(given: Mapping[str, str]) -> list[Dialect]:
    """Read dialects that may build on one another, from texts by name. Raises DialectError."""
    trees: dict[str, dict[str, Any]] = {}
    for name, text in given.items():
        tree = next(iter(yaml.load_all(text, Loader=_Loader)), None)  # the documents that follow are examples
        if not isinstance(tree, dict):
            raise DialectError(f"{name}: it is no table")
        trees[name] = tree
    return [_dialect(name, _on_base(name, trees, ())) for name in trees]


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast, where there is one
_TABLE = frozenset(
    {"title", "precedence", "base", "scopes", "keys", "unless", "wraps", "provider", "json_values"}
    | {"input_without_cache", "operations", "names", "default_operation", "fields"}
    | {"echoes", "other_operation", "logs", "streams_apart"}
)


def _on_base(name: str, trees: Mapping[str, dict[str, Any]], above: tuple[str, ...]) -> dict[str, Any]:
    """Return a dialect's tree with what its base reads behind its own; options stand in place of their spellings."""
    if name not in trees:
        raise DialectError(f"{above[-1]}: its base {name} does not exist")
    if name in above:
        raise DialectError(f"{name}: it is its own base")
    tree = dict(trees[name])
    if strange := tree.keys() - _TABLE:
        raise DialectError(f"{name}: {', '.join(sorted(strange))} is not known")
    table = tree.get("fields", {})
    if strange := table.keys() - set(FIELDS):
        raise DialectError(f"{name}: {', '.join(sorted(strange))} is no field")
    quoted = bool(tree.get("json_values", False))
    tree["fields"] = {
        field: tuple(option for entry in entries for option in _options(name, entry, quoted=quoted))
        for field, entries in table.items()
    }
    if "base" not in tree:
        return tree
    base = _on_base(tree.pop("base"), trees, (*above, name))
    for part in ("operations", "names"):
        tree[part] = base.get(part, {}) | tree.get(part, {})
    tree["fields"] = {
        field: tuple(dict.fromkeys((*tree["fields"].get(field, ()), *base["fields"].get(field, ()))))
        for field in FIELDS
    }
    tree.setdefault("default_operation", base.get("default_operation", "chat"))
    return tree


def _dialect(name: str, tree: Mapping[str, Any]) -> Dialect:
    logs = {str(key): _logged(name, value) for key, value in tree.get("logs", {}).items()}
    # To a log record its event's name is what its own is to a span.
    names = {key: logged.operation for key, logged in logs.items()}
    names |= {str(key): _operation(name, value) for key, value in tree.get("names", {}).items()}
    beginnings = {key[:-1]: operation for key, operation in names.items() if key.endswith("*")}
    return Dialect(
        name,
        tree.get("title", name),
        tree["precedence"],
        Patterns.of(tree.get("scopes", ())),
        frozenset(tree.get("keys", ())),
        frozenset(tree.get("unless", ())),
        bool(tree.get("wraps", False)),
        Patterns.of((tree["streams_apart"],) if "streams_apart" in tree else ()),
        Patterns.of(tree.get("echoes", ())),
        tree.get("provider", ""),
        Patterns.of(tree.get("input_without_cache", ())),
        MappingProxyType(
            {str(key).lower(): _operation(name, value) for key, value in tree.get("operations", {}).items()}
        ),
        MappingProxyType({key: operation for key, operation in names.items() if not key.endswith("*")}),
        tuple(sorted(beginnings.items(), key=lambda item: -len(item[0]))),
        _operation(name, tree.get("default_operation", "chat")),
        _operation(name, tree["other_operation"]) if "other_operation" in tree else None,
        MappingProxyType(logs),
        Fields(**tree["fields"]),
    )


def _operation(name: str, entry: Any) -> Operation:  # noqa: ANN401 - a word, or a mapping
    what = entry if isinstance(entry, str) else entry["is"]
    if what not in OPERATIONS:
        raise DialectError(f"{name}: {what} is no operation")
    return Operation(what, None if isinstance(entry, str) else entry.get("streaming"))


def _logged(name: str, entry: Any) -> Logged:  # noqa: ANN401 - a word, or a mapping
    operation = _operation(name, entry)
    if operation.what not in LOGGED:
        raise DialectError(f"{name}: {operation.what} is nothing that a log record tells")
    if isinstance(entry, str):
        return Logged(operation)
    if strange := entry.keys() - {"is", "streaming", "failed", "when"}:
        raise DialectError(f"{name}: {', '.join(sorted(strange))} is not known of a log record")
    return Logged(operation, bool(entry.get("failed", False)), tuple(entry.get("when", {}).items()))


def _options(name: str, entry: Any, *, quoted: bool) -> list[Option]:  # noqa: ANN401 - a key, or a mapping
    given = {"key": entry} if isinstance(entry, str) else dict(entry)
    if "json" in given:
        given["path"] = tuple(str(given.pop("json")).split("."))
    given.setdefault("key", "")
    given.setdefault("quoted", quoted)
    try:
        option = Option(**given)
    except TypeError:
        raise DialectError(f"{name}: an option has a member that is not known") from None
    option = replace(option, special=bool(option.path or option.quoted))
    if bool(option.key) == bool(option.event):
        raise DialectError(f"{name}: an option has either a key or an event")
    if "{n}" not in option.key:
        return [option]
    return [replace(option, key=option.key.replace("{n}", str(number))) for number in range(_NUMBERED)]
