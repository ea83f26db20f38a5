"""Reads spans and log records by the tables of the dialects: each becomes the observations that it tells of, or none.

Pure and without memory: whether something was told before, or is told by another span as well, is decided by `once`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spansieve import otlp_reduced
from spansieve.measure import signals, values
from spansieve.measure.attributes import AttributeReader, Found, Plain, is_empty, plain
from spansieve.measure.calls import CallReader
from spansieve.measure.dialects import LEAVES, Dialect, Dialects, Operation, Shape, shape
from spansieve.measure.failures import Failures
from spansieve.measure.llm_call import (
    AgentRun,
    McpCall,
    McpSide,
    NotUnderstood,
    Observation,
    Origin,
    Retrieval,
    Suspect,
    ToolRun,
    WorkflowRun,
)
from spansieve.measure.pricing import PriceTable
from spansieve.measure.signals import Signals
from spansieve.measure.traits import TraitReader, Traits
from spansieve.measure.values import Told
from spansieve.model import Envelope, EventHead, SpanHead, SpanRecord

_ERROR = Status.STATUS_CODE_ERROR
_EVENT_NAME = "event.name"
_SHAPES = 4096
_ENVELOPES = 1024
_LONGEST_ENVELOPE = 4096  # bytes of a resource or scope that is remembered


class Sender(NamedTuple):
    """What a resource says of the one that sent: `service` is its service.name, `extra` the operator's own labels."""

    service: str
    extra: tuple[str, ...] = ()


class Reader:
    """Reads by the tables. `user_key` is the key of users' pseudonyms; `extra_keys` are the operator's own labels.

    Only leaf calls to a model become LlmCall: an agent's or workflow's span repeats the usage of the calls beneath it.
    """

    def __init__(  # noqa: PLR0913 - its tables
        self,
        dialects: Dialects,
        providers: Mapping[str, str],
        failures: Failures,
        prices: PriceTable,
        *,
        separate_cache: frozenset[str] = frozenset(),
        signals_table: Signals | None = None,
        extra_keys: Sequence[str] = (),
        user_key: bytes = b"",
        adjusted_count: Callable[[str], float | None] = lambda _: 1.0,
    ) -> None:
        self.dialects = dialects
        self._failures = failures
        self._traits = TraitReader(providers, failures.of_answer)
        self._calls = CallReader(separate_cache, prices, user_key)
        self._signals = signals_table or signals.load()
        self._extra_keys = tuple(extra_keys)
        self._adjusted_count = adjusted_count
        read = dialects.keys | failures.keys | self._signals.keys | {_EVENT_NAME, *extra_keys}
        self._attributes = AttributeReader(read)
        self._always = failures.keys | self._signals.keys | set(extra_keys)
        self._marks = dialects.marks | self._signals.keys
        self._usage_keys = _usage_keys(dialects)
        self._senders: dict[bytes, Sender] = {}
        self._scopes: dict[bytes, tuple[str, Dialect | None]] = {}
        self._numbers = count()
        # What spans carry comes from outside: remembered, but not without bound.
        self._shapes = lru_cache(maxsize=_SHAPES)(self._shape)

    def reads(self, key: str) -> bool:
        """Whether a span with this attribute is worth reading."""
        return key in self._marks or looks_like_llm(key)

    def takes(self, key: str, dialect: Dialect | None) -> bool:
        """Whether something is read from an attribute of this key on a span of a dialect."""
        return key in self._always or (dialect is not None and key in dialect.attributes)

    def reads_event(self, name: str) -> bool:
        """Whether a span with an event of this name, or a log record of this name, is worth reading."""
        return name in self._signals.events

    def by_scope(self, scope: str) -> Dialect | None:
        """Return the dialect that an instrumentation scope is known to speak: ask once for a scope's spans."""
        return self.dialects.by_scope(scope[: values.MAX_TEXT])

    def scope_of(self, envelope: Envelope) -> tuple[str, Dialect | None]:
        """Return the name of an envelope's scope, and the dialect that it is known to speak."""
        scope = envelope.scope
        known = self._scopes.get(scope)
        if known is None:
            name = envelope.scope_message.name
            known = name, self.by_scope(name)
            if len(scope) <= _LONGEST_ENVELOPE:
                if len(self._scopes) >= _ENVELOPES:
                    self._scopes.clear()  # what comes again is back after one look
                self._scopes[scope] = known
        return known

    def sender(self, attributes: Iterable[KeyValue]) -> Sender:
        """Read a resource's attributes: ask once for each."""
        found = {attribute.key: _short(plain(attribute.value)) for attribute in attributes}
        return Sender(found.get("service.name", ""), tuple(found.get(key, "") for key in self._extra_keys))

    def sender_of(self, envelope: Envelope) -> Sender:
        """Read the resource of an envelope; most requests bring one that came before."""
        resource = envelope.resource
        known = self._senders.get(resource)
        if known is None:
            known = self.sender(envelope.resource_message.attributes)
            if len(resource) <= _LONGEST_ENVELOPE:
                if len(self._senders) >= _ENVELOPES:
                    self._senders.clear()
                self._senders[resource] = known
        return known

    def read(self, record: SpanRecord, dialect: Dialect | None, scope: str, sender: Sender) -> tuple[Observation, ...]:
        """Return what a span tells; nothing for most spans.

        `dialect` is what `by_scope` said of `scope`, the name of the span's scope; `sender` sent it.
        """
        span = record.head or otlp_reduced.span(record.data)
        attributes = record.attributes
        found = self._attributes.of_bytes(span.attributes if attributes is None else attributes)
        events: Sequence[EventHead] = span.events or ()
        shape = self._shapes(dialect, tuple(found), bool(events))
        if shape is None:
            return self._not_understood(record, span, scope, sender)
        told = Told(found, record.start_ns, events)
        origin = self._origin(record, span.trace_state, shape.dialect, scope, sender, told)
        traits = self._traits.read(found, shape, span.name)
        operation = _by_usage(traits, found, shape) if traits.unsaid else traits.operation
        observed: tuple[Observation, ...] = ()
        if operation is None:
            if not shape.known:
                observed = self._not_understood(record, span, scope, sender)
            elif shape.unread:
                observed = (NotUnderstood(origin),)
        elif operation.what != "ignored":
            one = self._one(operation, traits, record, span, told, shape, origin)
            observed = () if one is None else (one,)
        if shape.signals:
            observed += tuple(self._signals.of_span(told, origin, observed))
        if events:
            observed += tuple(self._signals.of_events(events, origin, observed))
        return observed

    def read_log(
        self, record: LogRecord, dialect: Dialect | None, scope: str, sender: Sender
    ) -> tuple[Observation, ...]:
        """Return what a log record tells: an event of the GenAI conventions, or a user's judgement."""
        found = self._attributes.of_messages(record.attributes)
        # Older senders give the event's name in an attribute.
        name = record.event_name or str(found.get(_EVENT_NAME, ""))
        if name not in self._signals.events:
            return ()
        time_ns = record.time_unix_nano or record.observed_time_unix_nano
        origin = Origin(
            "",
            scope,
            sender.service,
            record.trace_id,
            record.span_id,
            b"",
            time_ns,
            time_ns,
            1.0,
            sender.extra,
            log=True,
        )
        told = Told(found, time_ns)
        if name not in self._signals.calls:
            return tuple(self._signals.of_event(name, told, origin))
        shape = self._shapes(dialect, tuple(found), False)  # noqa: FBT003 - it has no events
        if shape is None:
            return ()
        traits = self._traits.read(found, shape, "")
        operation = _by_usage(traits, found, shape) if traits.unsaid else traits.operation
        if operation is None or operation.what not in LEAVES:
            return ()
        error = self._failures.classify(found, traits.finish_reasons, failed=False)
        origin = origin._replace(dialect=shape.dialect.name)
        return (self._calls.read(operation, traits, told, shape, origin, None, error),)

    def _shape(self, dialect: Dialect | None, keys: tuple[str, ...], events: bool) -> Shape | None:  # noqa: FBT001
        present = frozenset(keys)
        if dialect is None:
            dialect = self.dialects.by_keys(present)
        known = dialect is not None
        if dialect is None:
            if present.isdisjoint(self._signals.keys) and not events:
                return None
            dialect = self.dialects.ordered[-1]
        return shape(
            next(self._numbers),
            dialect,
            present,
            known=known,
            events=events,
            signals=not present.isdisjoint(self._signals.keys),
            failure=not present.isdisjoint(self._failures.shows),
            unread=not present.isdisjoint(self._usage_keys),
        )

    def _origin(
        self, record: SpanRecord, trace_state: str, dialect: Dialect | None, scope: str, sender: Sender, told: Told
    ) -> Origin:
        adjusted = 1.0
        if trace_state:
            given = self._adjusted_count(trace_state)
            if given is None:
                told.suspects.append(Suspect.TRACE_STATE)
            else:
                adjusted = given
        extra = sender.extra
        if extra:
            found = told.found
            extra = tuple(_short(found.get(key)) or sent for key, sent in zip(self._extra_keys, extra, strict=True))
        return Origin(
            "" if dialect is None else dialect.name,
            scope,
            sender.service,
            record.trace_id,
            record.span_id,
            record.parent_span_id,
            record.start_ns,
            record.end_ns,
            adjusted,
            extra,
            dialect is not None and dialect.wraps,
        )

    def _not_understood(
        self, record: SpanRecord, span: SpanHead, scope: str, sender: Sender
    ) -> tuple[Observation, ...]:
        if not any(looks_like_llm(KeyValue.FromString(each).key) for each in span.attributes):
            return ()
        return (NotUnderstood(self._origin(record, span.trace_state, None, scope, sender, Told({}))),)

    def _one(
        self,
        operation: Operation,
        traits: Traits,
        record: SpanRecord,
        span: SpanHead,
        told: Told,
        shape: Shape,
        origin: Origin,
    ) -> Observation | None:
        fields = shape.fields
        duration = _duration(record, told.suspects)
        error = traits.answered
        if (failed := record.status == _ERROR) or shape.failure:
            message = Status.FromString(span.status).message if failed else ""
            error = self._failures.classify(
                told.found, traits.finish_reasons, failed=failed, message=message, events=told.events
            )
        what = operation.what
        if what in LEAVES:
            return self._calls.read(operation, traits, told, shape, origin, duration, error)
        if what in {"agent", "workflow"} or (what == "chain" and not origin.parent_span_id):
            tokens = self._calls.tokens(told, shape, origin.scope, "")
            conversation = told.identifier(fields.conversation) if fields.conversation else ""
            suspects = tuple(told.suspects)
            if what == "agent":
                name = traits.agent_name or _name(traits, span)
                agent_id = told.identifier(fields.agent_id) if fields.agent_id else ""
                model = traits.request_model
                return AgentRun(origin, name, agent_id, model, duration, error, tokens, conversation, suspects)
            name = traits.workflow_name or _name(traits, span)
            return WorkflowRun(origin, name, duration, error, tokens, conversation, suspects)
        suspects = tuple(told.suspects)
        if what == "tool":
            name = traits.tool_name or _name(traits, span)
            return ToolRun(origin, name, traits.tool_type, traits.agent_name, duration, error, suspects)
        if what == "mcp":
            # A server's span is of kind SERVER; all others are on the asking side.
            side = McpSide.SERVER if span.kind == Span.SPAN_KIND_SERVER else McpSide.CLIENT
            return McpCall(origin, side, traits.mcp_method, traits.mcp_name, duration, error, suspects)
        if what in {"retrieval", "rerank"}:
            name = traits.data_source or traits.request_model
            return Retrieval(origin, what, traits.provider, name, duration, error, suspects)
        return None  # a step of a chain


def _by_usage(traits: Traits, found: Found, shape: Shape) -> Operation | None:
    """Return what a span is that does not say it: something if it names a model, and has a provider or a usage."""
    if traits.request_model and any(not is_empty(found[key]) for key in shape.usage):
        return shape.dialect.default_operation
    return None


def _short(value: Plain) -> str:
    """Return a text, number or truth value as a label has it."""
    return str(value)[: values.MAX_TEXT] if isinstance(value, str | int | float) else ""


def _name(traits: Traits, span: SpanHead) -> str:
    return traits.name or span.name[: values.MAX_TEXT]


def _duration(record: SpanRecord, suspects: list[Suspect]) -> float | None:
    duration = (record.end_ns - record.start_ns) / 1e9
    if 0 <= duration <= values.MAX_SECONDS:
        return duration
    suspects.append(Suspect.ENDS_BEFORE_START if duration < 0 else Suspect.TOO_LARGE)
    return None


def _usage_keys(dialects: Dialects) -> frozenset[str]:
    """Return the attributes that only something that used a model carries."""
    names = ("input_tokens", "output_tokens", "request_model", "response_model")
    return frozenset(
        option.key
        for dialect in dialects.ordered
        for name in names
        for option in getattr(dialect.fields, name)
        if option.key and not option.path
    )


_ABOUT = ("llm", "gen_ai", "genai", "completion", "prompt", "openai", "anthropic")
_OF = ("model", "token")


def looks_like_llm(key: str) -> bool:
    """Whether an attribute of this name looks as if it told of a call to a model: its name or its usage."""
    return _looks_like_llm(key[: values.MAX_TEXT])


@lru_cache(maxsize=8192)
def _looks_like_llm(key: str) -> bool:
    lowered = key.lower()
    return any(about in lowered for about in _ABOUT) and any(of in lowered for of in _OF)
