"""The tables that say where each dialect of LLM telemetry writes what, read from `dialects/*.yaml`.

A dialect is a file, named as the dialect:

    precedence: 90                      # dialects are asked in ascending order; the most general last
    scopes: [some.instrumentation.]     # prefixes of instrumentation scope names that speak nothing else
    keys: [gen_ai.provider.name]        # without such a scope: any of these attributes shows the dialect …
    unless: [other.key]                 # … when none of these is there
    exclusive_input_scopes: [a.scope]   # prefixes of scopes whose input count leaves out cached tokens
    operations: {chat: chat}            # the value of `operation`, in any case → one of OPERATIONS; a span whose
                                        # operation is not here is no leaf call, and is not counted
    default_operation: chat             # when the span has no operation, but a model and either usage or a provider
    fields:                             # field → attributes in order of precedence; the first that is not empty counts
      ttft:
        - gen_ai.response.time_to_first_chunk         # seconds, as all times
        - {key: some.time.in.ms, factor: 0.001}       # a number in another unit

`scopes`, `unless`, `exclusive_input_scopes` and fields that the dialect does not have may be left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import yaml

OPERATIONS = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
"""The operations of the GenAI conventions that are leaf calls to a model."""


class Option(NamedTuple):
    """One attribute that may carry a field; a number is multiplied by `factor`."""

    key: str
    factor: float


Options: TypeAlias = tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """Where a dialect writes each field of a call, in order of precedence; empty when it does not."""

    operation: Options = ()
    provider: Options = ()
    request_model: Options = ()
    response_model: Options = ()
    streaming: Options = ()
    ttft: Options = ()
    input_tokens: Options = ()
    output_tokens: Options = ()
    cache_read_tokens: Options = ()
    cache_write_tokens: Options = ()
    reasoning_tokens: Options = ()
    finish_reasons: Options = ()
    reported_usd: Options = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One dialect's table, see the head of this module."""

    name: str
    precedence: int
    scopes: tuple[str, ...]
    keys: frozenset[str]
    unless: frozenset[str]
    exclusive_input_scopes: tuple[str, ...]
    operations: Mapping[str, str]
    default_operation: str
    fields: Fields


class DialectError(ValueError):
    """A dialect's file that contradicts itself: a defect of the package."""


class Dialects:
    """All dialects, and which of them a span speaks."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        self.ordered = sorted(dialects, key=lambda dialect: dialect.precedence)
        self.keys: frozenset[str] = frozenset().union(*map(_keys_of, self.ordered))
        """Every attribute that any dialect reads."""
        self.marks: frozenset[str] = frozenset().union(*(dialect.keys for dialect in self.ordered))
        """A span with none of these, in a scope of no dialect, is no LLM span."""
        # Scope names come from outside: remembered, but not without bound.
        self.by_scope = lru_cache(maxsize=1024)(self._by_scope)

    def _by_scope(self, scope: str) -> Dialect | None:
        """Return the dialect that a scope is known to speak."""
        return next((dialect for dialect in self.ordered if scope.startswith(dialect.scopes)), None)

    def by_keys(self, found: Mapping[str, object]) -> Dialect | None:
        """Return the dialect that a span's attributes show."""
        for dialect in self.ordered:
            if not dialect.keys.isdisjoint(found) and dialect.unless.isdisjoint(found):
                return dialect
        return None


@cache  # the package's data do not change
def load() -> Dialects:
    """Read every dialect of the package. Raises DialectError when a file contradicts itself."""
    folder = files("spansieve.measure").joinpath("dialects")
    return Dialects(
        parse(entry.name.removesuffix(".yaml"), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    )


def parse(name: str, text: str) -> Dialect:
    """Read one dialect. Raises DialectError when the text contradicts itself."""
    tree = yaml.safe_load(text)
    known = {each.name for each in fields(Dialect)} - {"name"}
    if not isinstance(tree, dict) or (strange := tree.keys() - known):
        raise DialectError(f"{name}: {', '.join(sorted(strange)) if isinstance(tree, dict) else 'it'} is not known")
    table = tree.get("fields", {})
    if strange := table.keys() - {each.name for each in fields(Fields)}:
        raise DialectError(f"{name}: {', '.join(sorted(strange))} is no field of a call")
    operations = tree.get("operations", {})
    default = tree.get("default_operation", "chat")
    if strange := {*operations.values(), default} - OPERATIONS:
        raise DialectError(f"{name}: {', '.join(sorted(strange))} is no leaf operation")
    return Dialect(
        name,
        tree["precedence"],
        tuple(tree.get("scopes", ())),
        frozenset(tree.get("keys", ())),
        frozenset(tree.get("unless", ())),
        tuple(tree.get("exclusive_input_scopes", ())),
        {named.lower(): operation for named, operation in operations.items()},
        default,
        Fields(**{field: tuple(map(_option, options)) for field, options in table.items()}),
    )


def _option(entry: Any) -> Option:  # noqa: ANN401 - a key, or a mapping of key and factor
    return Option(entry, 1.0) if isinstance(entry, str) else Option(entry["key"], float(entry["factor"]))


def _keys_of(dialect: Dialect) -> frozenset[str]:
    options = (getattr(dialect.fields, each.name) for each in fields(Fields))
    return dialect.keys | dialect.unless | {option.key for some in options for option in some}


@cache  # the package's data do not change
def load_providers() -> Mapping[str, str]:
    """Read `providers.yaml`: every spelling, in lower case, → the canonical provider name."""
    tree = yaml.safe_load(files("spansieve.measure").joinpath("providers.yaml").read_text(encoding="utf-8"))
    canonical: dict[str, str] = {}
    for name, aliases in tree.items():
        for spelling in (name, *aliases):
            if canonical.setdefault(spelling, name) != name:
                raise DialectError(f"providers.yaml: {spelling} stands for two providers")
    return MappingProxyType(canonical)
