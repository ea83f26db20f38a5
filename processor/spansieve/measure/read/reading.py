"""Reads spans and log records by the tables of the dialects: each becomes the observations that it tells of, or none.

Pure and without memory: whether something was told before, or is told by another span as well, is decided by `once`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b

from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spansieve import otlp_reduced
from spansieve.facts import ErrorClass
from spansieve.measure.llm_call import (
    NO_TOKENS,
    AgentRun,
    LlmCall,
    McpCall,
    McpSide,
    NotCounted,
    NotCountedReason,
    NotUnderstood,
    Observation,
    Origin,
    Retrieval,
    Source,
    Suspect,
    ToolRun,
    WorkflowRun,
    make_origin,
)
from spansieve.measure.pricing import PriceTable
from spansieve.measure.read import signals, values
from spansieve.measure.read.attributes import AttributeReader, Plain, plain
from spansieve.measure.read.calls import CallReader
from spansieve.measure.read.failures import Failures
from spansieve.measure.read.looks import looks_like_llm
from spansieve.measure.read.plans import Plan, Plans, Shape
from spansieve.measure.read.signals import Signals
from spansieve.measure.read.table import LEAVES, Dialect, Dialects, Logged, Operation
from spansieve.measure.read.traits import TraitReader, Traits
from spansieve.measure.read.values import Told
from spansieve.model import Envelope, SpanHead, SpanRecord

_ERROR = Status.STATUS_CODE_ERROR
_EVENT_NAME = "event.name"
_TOOL = "execute_tool"
_ENVELOPES = 1024
_TRACE_ID = 16  # bytes
_SOURCES = 1024  # of one emitter
_LONGEST_ENVELOPE = 4096  # bytes of a resource or scope that is remembered


class Emitter:
    """Who emits spans or log records: an instrumentation scope, which may be known to speak a `dialect`, in a service.

    `extra` are the values of the operator's own labels that the resource gives.
    """

    __slots__ = ("_labelled", "dialect", "extra", "scope", "service", "sources")

    def __init__(self, dialect: Dialect | None, scope: str, service: str, extra: tuple[str, ...] = ()) -> None:
        self.dialect = dialect
        self.scope = scope
        self.service = service
        self.extra = extra
        self.sources: dict[Dialect | None, Source] = {}
        """Of the spans that speak a dialect, as far as they are known, where no span has a say in the own labels."""
        self._labelled: dict[tuple[Dialect | None, tuple[str, ...]], Source] = {}

    def source(self, dialect: Dialect | None, extra: tuple[str, ...] = ()) -> Source:
        """Return the source of spans that speak a dialect, with these values of the own labels.

        It is the same object again and again, which is how what comes of it is found at hand.
        """
        found = self._labelled.get((dialect, extra))
        if found is None:
            if len(self._labelled) >= _SOURCES:
                self._labelled.clear()  # what comes again is back after one look
            found = Source("", self.scope, self.service, extra or self.extra)
            if dialect is not None:
                found = found._replace(
                    dialect=dialect.name,
                    wraps=dialect.wraps,
                    echo=self.scope in dialect.echoes,
                    logged=bool(dialect.logs),
                )
            self._labelled[dialect, extra] = found
            if not self.extra:
                self.sources[dialect] = found
        return found


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
        self._calls = CallReader(separate_cache, user_key)
        self._signals = signals_table or signals.load()
        self._extra_keys = tuple(extra_keys)
        self._adjusted_count = adjusted_count
        read = dialects.keys | failures.keys | self._signals.keys | {_EVENT_NAME, *extra_keys}
        self._attributes = AttributeReader(read, dialects.few)
        self._plans = Plans(
            dialects,
            TraitReader(providers, failures.of_answer),
            prices,
            self._attributes.keys,
            signals=self._signals.keys,
            failures=failures.shows,
        )
        self._always = failures.keys | self._signals.keys | set(extra_keys)
        self._marks = dialects.marks | self._signals.keys
        self._emitters: dict[Envelope, Emitter] = {}
        self._told = Told(())  # of the span that is being read: one is read at a time

    def forget(self) -> None:
        """Forget what was worked out with prices that hold no more."""
        self._plans.clear()

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
        """Return the dialect that an instrumentation scope is known to speak."""
        return self.dialects.by_scope(scope[: values.MAX_TEXT])

    def emitter(self, scope: str, resource: Iterable[KeyValue]) -> Emitter:
        """Read a resource's attributes: ask once for all that a scope emits."""
        found = {attribute.key: _short(plain(attribute.value)) for attribute in resource}
        extra = tuple(found.get(key, "") for key in self._extra_keys)
        return Emitter(self.by_scope(scope), scope, found.get("service.name", ""), extra)

    def emitter_of(self, envelope: Envelope) -> Emitter:
        """Return the emitter of the spans of an envelope; most requests bring some that came before."""
        known = self._emitters.get(envelope)
        if known is None:
            known = self.emitter(envelope.scope_message.name, envelope.resource_message.attributes)
            if envelope.size <= _LONGEST_ENVELOPE:
                if len(self._emitters) >= _ENVELOPES:
                    self._emitters.clear()  # what comes again is back after one look
                self._emitters[envelope] = known
        return known

    def read(self, record: SpanRecord, emitter: Emitter) -> tuple[Observation, ...]:
        """Return what a span tells; nothing for most spans."""
        attributes, events = record.attributes, record.events
        if attributes is None or events is None:
            span = record.head = record.head or otlp_reduced.span(record.data)
            attributes, events = span.attributes, span.events
        marks, found = self._attributes.read(attributes)
        plan = self._plans.of(emitter.dialect, marks, found, record, events=bool(events))
        if plan is None:
            return self._not_understood(record, attributes, emitter)
        shape = plan.shape
        start_ns, end_ns = record.start_ns, record.end_ns
        found.append(None)  # at NOWHERE
        told = self._told
        told.found, told.start_ns, told.events = found, start_ns, events
        if told.suspects:
            told.suspects = []
        source = emitter.sources.get(shape.dialect) or self._source(emitter, shape, found)
        count = self._adjusted(record, told) if record.trace_state else 1.0
        origin = make_origin((source, record.trace_id, record.span_id, record.parent_span_id, start_ns, end_ns, count))
        seconds = (end_ns - start_ns) / 1e9
        duration = seconds if 0 <= seconds <= values.MAX_SECONDS else None
        observed: tuple[Observation, ...]
        if plan.leaf and duration is not None and plan.kind is not None and record.status != _ERROR:  # nearly always
            observed = (self._calls.read(plan, plan.kind, told, origin, duration, plan.traits.answered),)
        elif (operation := plan.operation_of(found) if plan.traits.unsaid else plan.operation) is not None:
            if duration is None and operation.what != "ignored":
                told.suspects.append(Suspect.ENDS_BEFORE_START if seconds < 0 else Suspect.TOO_LARGE)
            observed = self._each(operation, plan, record, told, origin, duration)
        elif shape.known:
            observed = (NotUnderstood(origin),) if shape.unread else ()
        else:
            observed = self._not_understood(record, attributes, emitter)
        if shape.signals:
            observed += tuple(self._signals.of_span(shape.by_key(found), attributes, origin, observed))
        if events:
            observed += tuple(self._signals.of_events(events, origin, observed))
        return observed

    def read_log(self, record: LogRecord, emitter: Emitter) -> tuple[Observation, ...]:
        """Return what a log record tells: an event of the GenAI conventions, a user's judgement, or a dialect's own."""
        marks, found = self._attributes.read([each.SerializeToString() for each in record.attributes])
        keys = self._attributes.keys(marks)
        by_key = dict(zip(keys, found, strict=True))
        # Older senders give the event's name in an attribute; those in Rust have the place in their source beside it.
        name = record.event_name
        if name not in self._signals.events and self.dialects.logged(emitter.dialect, name) is None:
            name = str(by_key.get(_EVENT_NAME, ""))
        time_ns = record.time_unix_nano or record.observed_time_unix_nano
        if (own := self.dialects.logged(emitter.dialect, name)) is not None:
            plan = self._plans.of(own[0], marks, found, event=name)
            told = Told([*found, None], time_ns)
            return () if plan is None else self._own_log(own[1], plan, told, record, emitter)
        if name not in self._signals.events:
            return ()
        source = _log_source("", emitter.scope, emitter.service, emitter.extra)
        origin = Origin(source, _id(record.trace_id), _id(record.span_id), b"", time_ns, time_ns, 1.0)
        if name not in self._signals.calls:
            return tuple(self._signals.of_event(name, by_key, origin))
        plan = self._plans.of(emitter.dialect, marks, found)
        if plan is None or plan.kind is None or plan.operation_of(found) is None:
            return ()
        told = Told([*found, None], time_ns)
        error = self._failures.classify(by_key, plan.kind.finish_reasons, failed=False)
        source = _log_source(plan.shape.dialect.name, emitter.scope, emitter.service, emitter.extra)
        origin = origin._replace(source=source)
        return (self._calls.read(plan, plan.kind, told, origin, None, error),)

    def _own_log(
        self, logged: Logged, plan: Plan, told: Told, record: LogRecord, emitter: Emitter
    ) -> tuple[Observation, ...]:
        """Return what a log record of a dialect's own tells: a call, or the run of a tool. Its time is the end."""
        shape, traits, what = plan.shape, plan.traits, logged.operation.what
        by_key = shape.by_key(told.found)
        if what == "ignored" or not logged.holds(by_key):
            return ()
        duration: float | None = None
        if (took := told.amount(shape.fields.duration, values.MAX_SECONDS)) is not None:
            duration = took[0]
        end_ns = told.start_ns
        told.start_ns = start_ns = max(0, end_ns - round((duration or 0.0) * 1e9))
        source = _log_source(shape.dialect.name, emitter.scope, emitter.service, emitter.extra, logged=True)
        trace_id = _id(record.trace_id)
        if what in LEAVES and not trace_id and (turn := told.identifier(shape.fields.turn)):
            # To a conversation, a turn is a trace.
            trace_id = blake2b(turn.encode(), digest_size=_TRACE_ID).digest()
        origin = Origin(source, trace_id, _id(record.span_id), b"", start_ns, end_ns, 1.0)
        error = self._failures.classify(by_key, traits.finish_reasons, failed=logged.failed)
        if plan.kind is not None:
            return (self._calls.read(plan, plan.kind, told, origin, duration, error),)
        if what == "tool":
            return (self._tool(plan, told, origin, traits.tool_name or traits.name, duration, error),)
        return ()

    @staticmethod
    def _tool(
        plan: Plan, told: Told, origin: Origin, name: str, duration: float | None, error: ErrorClass | None
    ) -> ToolRun:
        call_id = told.identifier(plan.shape.fields.tool_call)
        tool_type, agent = plan.traits.tool_type, plan.traits.agent_name
        return ToolRun(origin, name, tool_type, agent, duration, error, tuple(told.suspects), call_id)

    def _adjusted(self, record: SpanRecord, told: Told) -> float:
        """Return how many spans one stands for, by its trace state."""
        given = self._adjusted_count(record.trace_state)
        if given is None:
            told.suspects.append(Suspect.TRACE_STATE)
            return 1.0
        return given

    def _source(self, emitter: Emitter, shape: Shape, found: Sequence[Plain]) -> Source:
        """Return the source of a span, whose own attributes go before its resource's for the operator's labels."""
        if not emitter.extra:
            return emitter.source(shape.dialect)
        own = shape.by_key(found)
        extra = zip(self._extra_keys, emitter.extra, strict=True)
        return emitter.source(shape.dialect, tuple(_short(own.get(key)) or sent for key, sent in extra))

    def _not_understood(
        self, record: SpanRecord, attributes: Iterable[bytes], emitter: Emitter
    ) -> tuple[NotUnderstood, ...]:
        if not any(looks_like_llm(KeyValue.FromString(each).key) for each in attributes):
            return ()
        times, told = (record.start_ns, record.end_ns), Told(())
        ids = record.trace_id, record.span_id, record.parent_span_id
        adjusted = self._adjusted(record, told) if record.trace_state else 1.0
        return (NotUnderstood(Origin(emitter.source(None), *ids, *times, adjusted)),)

    def _each(
        self,
        operation: Operation,
        plan: Plan,
        record: SpanRecord,
        told: Told,
        origin: Origin,
        duration: float | None,
    ) -> tuple[Observation, ...]:
        """Return what a span is."""
        if operation.what == "ignored":
            return ()
        shape, traits = plan.shape, plan.traits
        error = traits.answered
        if (failed := record.status == _ERROR) or shape.failure:
            message = Status.FromString(_head(record).status).message if failed else ""
            error = self._failures.classify(
                shape.by_key(told.found), traits.finish_reasons, failed=failed, message=message, events=told.events
            )
        if plan.kind is not None:
            call = self._calls.read(plan, plan.kind, told, origin, duration, error)
            return (_of_two(call, told, shape, record) if shape.dialect.streams_apart else call,)
        other = self._other(operation.what, plan, record, told, origin, duration, error)
        if other is None:
            return ()
        if type(other) is McpCall and told.text(shape.fields.tool_too) == _TOOL:
            # Where a framework traces the tool already, the protocol's attributes stand on that span, and on no other.
            return other, self._tool(plan, told, origin, other.name, duration, error)
        return (other,)

    def _other(
        self,
        what: str,
        plan: Plan,
        record: SpanRecord,
        told: Told,
        origin: Origin,
        duration: float | None,
        error: ErrorClass | None,
    ) -> Observation | None:
        """Return what a span is that is no call."""
        shape, traits = plan.shape, plan.traits
        fields = shape.fields
        if what in {"agent", "workflow"} or (what == "chain" and not origin.parent_span_id):
            tokens = self._calls.tokens(told, shape, origin.source.scope, "")
            conversation = told.identifier(fields.conversation) if fields.conversation else ""
            suspects = tuple(told.suspects)
            if what == "agent":
                name = traits.agent_name or _name(traits, record)
                agent_id = told.identifier(fields.agent_id) if fields.agent_id else ""
                model = traits.request_model
                return AgentRun(origin, name, agent_id, model, duration, error, tokens, conversation, suspects)
            name = traits.workflow_name or _name(traits, record)
            return WorkflowRun(origin, name, duration, error, tokens, conversation, suspects)
        suspects = tuple(told.suspects)
        if what == "tool":
            return self._tool(plan, told, origin, traits.tool_name or _name(traits, record), duration, error)
        if what == "mcp":
            # A server's span is of kind SERVER; all others are on the asking side.
            side = McpSide.SERVER if _head(record).kind == Span.SPAN_KIND_SERVER else McpSide.CLIENT
            return McpCall(origin, side, traits.mcp_method, traits.mcp_name, duration, error, suspects)
        if what in {"retrieval", "rerank"}:
            name = traits.data_source or traits.request_model
            return Retrieval(origin, what, traits.provider, name, duration, error, suspects)
        return None  # a step of a chain


def _of_two(call: LlmCall, told: Told, shape: Shape, record: SpanRecord) -> LlmCall | NotCounted:
    """Return what a span tells where a streamed call has two: the second one, which took no time itself, is the call.

    The first tells nothing of an answer; one that failed has no second.
    """
    if _head(record).name in shape.dialect.streams_apart:
        took = told.amount(shape.fields.duration, values.MAX_SECONDS)
        return call if took is None else call._replace(duration_s=took[0])
    if call.error_class is None and call.tokens == NO_TOKENS and not (call.response_id or call.kind.response_model):
        return NotCounted(call.origin, NotCountedReason.CONTINUED)
    return call


@lru_cache(maxsize=_SOURCES)
def _log_source(dialect: str, scope: str, service: str, extra: tuple[str, ...], *, logged: bool = False) -> Source:
    """Return the source of log records: the same object again and again, as `Emitter.source` does for spans."""
    return Source(dialect, scope, service, extra, log=True, logged=logged)


def _id(given: bytes) -> bytes:
    """Return the id of a log record's trace or span, empty where it is none: some senders write zeros then."""
    return given if any(given) else b""


def _short(value: Plain) -> str:
    """Return a text, number or truth value as a label has it."""
    return str(value)[: values.MAX_TEXT] if isinstance(value, str | int | float) else ""


def _name(traits: Traits, record: SpanRecord) -> str:
    return traits.name or _head(record).name[: values.MAX_TEXT]


def _head(record: SpanRecord) -> SpanHead:
    return record.head or otlp_reduced.span(record.data)
