"""A dialect of LLM telemetry: where it writes what, and how its spans are known. Read from YAML by `dialects`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import NamedTuple, TypeAlias

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
    tool_too: Options = ()  # of a request of MCP: `execute_tool` says that the span is the tool's own as well
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


def placed(options: Options, places: Mapping[str, int], *, events: bool = False) -> Options:
    """Return those options that a span with these attributes, by their places, can answer; and those of `events`."""
    return tuple(
        replace(option, at=places[option.key]) if option.key else option
        for option in options
        if (option.key in places if option.key else events)
    )
