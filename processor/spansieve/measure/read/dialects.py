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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import yaml

LEAVES = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
"""The operations of the GenAI conventions that are leaf calls to a model."""
OPERATIONS = LEAVES | {
    "agent",  # a run of an agent
    "workflow",  # a run of a workflow
    "chain",  # a step of a framework: a workflow if it is the trace's root, else nothing
    "tool",  # an execution of a tool
    "retrieval",
    "rerank",
    "mcp",  # a request of the Model Context Protocol
    "ignored",  # known, and nothing that is measured
}
"""Everything that an operation may be."""
LOGGED = LEAVES | {"tool", "ignored"}
"""What a log record of a dialect's own may tell."""
_NUMBERED = 8  # attributes with a number in them, as in annotations.0.annotation.score, are read up to this many


FEW = (
    "operation", "provider", "request_model", "response_model", "service_tier", "prompt_name", "prompt_version",
    "finish_reasons", "name", "agent_name", "workflow_name", "tool_name", "tool_type", "data_source", "mcp_method",
    "mcp_name",
)  # fmt: skip
"""Fields that take few different values."""


@dataclass(frozen=True, slots=True)
class Option:
    """One place that may carry a field: an attribute, or an event of the span."""

    key: str
    factor: float = 1.0  # a number is multiplied by it
    path: tuple[str, ...] = ()  # members of the object that the attribute's text holds
    quoted: bool = False  # a text is a JSON string
    since_start: bool = False
    event: str = ""
    if_streaming: bool = False
    present: bool = False
    special: bool = False  # more is to be done than to look at the attribute's value
    at: int = -1  # where the attribute stands among those of a span, see `placed`


Options: TypeAlias = tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """Where a dialect writes each field, in order of precedence; empty when it does not."""

    operation: Options = ()
    provider: Options = ()
    request_model: Options = ()
    response_model: Options = ()
    service_tier: Options = ()
    streaming: Options = ()
    ttft: Options = ()
    time_per_output_token: Options = ()
    time_per_output_chunk: Options = ()  # an event: the mean time from one such event to the next
    input_tokens: Options = ()
    output_tokens: Options = ()
    cache_read_tokens: Options = ()
    cache_write_tokens: Options = ()
    reasoning_tokens: Options = ()
    more_input_tokens: Options = ()  # that the input count leaves out, besides cached ones
    more_output_tokens: Options = ()  # that the output count leaves out
    cache_write_1h_tokens: Options = ()  # those of cache_write_tokens that stay an hour: they cost more
    audio_input_tokens: Options = ()  # parts of the input, the output, and what the cache served
    audio_output_tokens: Options = ()
    audio_cache_read_tokens: Options = ()
    image_input_tokens: Options = ()
    image_output_tokens: Options = ()
    duration: Options = ()  # of what a log record tells, or a span that took no time
    finish_reasons: Options = ()
    reported_usd: Options = ()
    prompt_name: Options = ()
    prompt_version: Options = ()
    conversation: Options = ()
    turn: Options = ()  # what a log record without a trace tells of its turn in the conversation
    user: Options = ()
    name: Options = ()  # of the agent, workflow or tool, where neither of the next says it; else it is the span's
    agent_name: Options = ()
    agent_id: Options = ()
    workflow_name: Options = ()
    tool_name: Options = ()
    tool_type: Options = ()
    tool_call: Options = ()  # its id, where a span and a log record tell of the same one
    data_source: Options = ()
    mcp_method: Options = ()
    mcp_name: Options = ()
    response_id: Options = ()


FIELDS = tuple(each.name for each in fields(Fields))


class Operation(NamedTuple):
    """What a span is: one of OPERATIONS, and whether that alone says that the answer was streamed."""

    what: str
    streaming: bool | None = None


class Logged(NamedTuple):
    """What log records of one name are; with `when`, those alone that have these values, of which "" is any."""

    operation: Operation
    failed: bool = False
    when: tuple[tuple[str, str], ...] = ()

    def holds(self, found: Mapping[str, object]) -> bool:
        """Whether a record with these attributes is one of them."""
        return all(key in found and said in ("", str(found[key])) for key, said in self.when)


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One dialect's table, see the head of this module."""

    name: str
    title: str
    precedence: int
    scopes: "Patterns"
    keys: frozenset[str]
    unless: frozenset[str]
    wraps: bool
    streams_apart: "Patterns"  # of spans
    echoes: "Patterns"  # of scopes
    provider: str  # canonical; empty when its calls may ask anyone
    input_without_cache: "Patterns"  # of scopes
    operations: Mapping[str, Operation]
    names: Mapping[str, Operation]
    name_beginnings: tuple[tuple[str, Operation], ...]  # longest first
    default_operation: Operation
    other_operation: Operation | None
    logs: Mapping[str, Logged]
    fields: Fields

    @property
    def has_names(self) -> bool:
        """Whether a span's name may tell what it is."""
        return bool(self.names or self.name_beginnings)

    @property
    def attributes(self) -> frozenset[str]:
        """Every attribute that it reads."""
        options = (getattr(self.fields, name) for name in FIELDS)
        asked = {key for logged in self.logs.values() for key, _ in logged.when}
        return self.keys | self.unless | asked | {option.key for some in options for option in some if option.key}

    def by_name(self, span_name: str) -> tuple[Operation, str] | None:
        """Return what a span is by its name, and what stands in place of the * in the table."""
        if (exact := self.names.get(span_name)) is not None:
            return exact, ""
        for beginning, operation in self.name_beginnings:
            if span_name.startswith(beginning):
                return operation, span_name[len(beginning) :]
        return None


@dataclass(frozen=True, slots=True)
class Patterns:
    """Names, and beginnings of names; false when there are none."""

    names: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: Iterable[str] | bool) -> "Patterns":  # noqa: FBT001 - what YAML holds: true, or a list
        """Read names, and beginnings that end in a `*`; True is all names, False none."""
        if isinstance(given, bool):
            return cls(beginnings=("",) if given else ())
        given = tuple(given)
        return cls(
            frozenset(each for each in given if not each.endswith("*")),
            tuple(each[:-1] for each in given if each.endswith("*")),
        )

    def __bool__(self) -> bool:
        return bool(self.names or self.beginnings)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self.names or name.startswith(self.beginnings))


class DialectError(ValueError):
    """A dialect's file that contradicts itself: a defect of the package."""


class Dialects:
    """All dialects, and which of them a span speaks."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        self.ordered = sorted(dialects, key=lambda dialect: dialect.precedence)
        self.keys: frozenset[str] = frozenset().union(*(dialect.attributes for dialect in self.ordered))
        """Every attribute that any dialect reads."""
        self.few: frozenset[str] = frozenset(
            option.key
            for dialect in self.ordered
            for name in FEW
            for option in getattr(dialect.fields, name)
            if option.key
        )
        """Those that take few different values."""
        self.marks: frozenset[str] = frozenset().union(*(dialect.keys for dialect in self.ordered))
        """A span with none of these, in a scope of no dialect, is no LLM span that we understand."""
        self.logs: Mapping[str, Dialect] = {
            name: dialect
            for dialect in self.ordered
            for name, logged in dialect.logs.items()
            if "." in name and logged.operation.what != "ignored"
        }
        """Whose log records have a name that says it."""
        # Scope names come from outside: remembered, but not without bound.
        self.by_scope = lru_cache(maxsize=1024)(self._by_scope)

    def _by_scope(self, scope: str) -> Dialect | None:
        """Return the dialect that a scope is known to speak."""
        return next((dialect for dialect in self.ordered if scope in dialect.scopes), None)

    def logged(self, by_scope: Dialect | None, name: str) -> tuple[Dialect, Logged] | None:
        """Return what log records of a name are in scopes of a dialect, or in any, and whose they are."""
        dialect = by_scope if by_scope is not None and name in by_scope.logs else self.logs.get(name)
        return None if dialect is None else (dialect, dialect.logs[name])

    def by_keys(self, found: Mapping[str, object] | frozenset[str]) -> Dialect | None:
        """Return the dialect that a span's attributes show."""
        for dialect in self.ordered:
            if not dialect.keys.isdisjoint(found) and dialect.unless.isdisjoint(found):
                return dialect
        return None


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


def placed(options: Options, places: Mapping[str, int], *, events: bool = False) -> Options:
    """Return those options that a span with these attributes, by their places, can answer; and those of `events`."""
    return tuple(
        replace(option, at=places[option.key]) if option.key else option
        for option in options
        if (option.key in places if option.key else events)
    )
