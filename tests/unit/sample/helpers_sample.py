"""Batches, slices and facts for the tests of sampling."""

from collections.abc import Iterable
from itertools import count
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spansieve.facts import TraceFacts
from spansieve.model import Envelope, MeasuredSpans, SpanGroup, SpanRecord, SpanSet, TraceSlice
from spansieve.sample import Plan, Sampler
from spansieve.sample.budget import Budget
from spansieve.sample.buffer import Waits
from spansieve.sample.conversations import Conversation
from spansieve.sample.decision import Rule, Rules
from spansieve.sample.policies import Policy
from spansieve.sample.probes import Probes

MS = 1_000_000
T0 = 1_700_000_000_000_000_000

ENVELOPE = Envelope(b"", "", b"", "")


def trace_id(number: int) -> bytes:
    """An id whose randomness (its low 56 bits) is `number`."""
    return b"\x01" * 9 + number.to_bytes(7, "big")


def span(
    trace: bytes, number: int = 1, *, status: int = 0, start_ms: int = 0, end_ms: int = 10, parent: bytes = b""
) -> Span:
    """A span that starts and ends so many milliseconds after T0."""
    return Span(
        trace_id=trace,
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent,
        name=f"span {number}",
        start_time_unix_nano=T0 + start_ms * MS,
        end_time_unix_nano=T0 + end_ms * MS,
        status=Status(code=Status.StatusCode.Name(status)) if status else None,
    )


def batch(*scopes: Iterable[Span]) -> MeasuredSpans:
    """A batch of one resource with so many scopes."""
    resource = Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value="shop"))])
    sets = []
    for number, spans in enumerate(scopes):
        scope = InstrumentationScope(name=f"scope {number}")
        envelope = Envelope(
            resource.SerializeToString(),
            "https://example.test/resource",
            scope.SerializeToString(),
            "https://example.test/scope",
        )
        sets.append(SpanSet(envelope, [record(each) for each in spans]))
    return MeasuredSpans(sets, sum(len(each.records) for each in sets), calls=0)


def record(of: Span) -> SpanRecord:
    """The record of a span."""
    made = SpanRecord(
        of.trace_id,
        of.span_id,
        of.parent_span_id,
        of.start_time_unix_nano,
        of.end_time_unix_nano,
        of.status.code,
        of.SerializeToString(),
    )
    made.trace_state = of.trace_state
    return made


def facts(*, duration_ms: float = 0.0, **said: Any) -> TraceFacts:  # noqa: ANN401 - fields of TraceFacts
    """Facts of a trace of one span that starts at T0, and what else is said of it."""
    plain = {"spans": 1, "errors": 0, "oks": 0, "has_root": False, "size": 100}
    return TraceFacts(start_ns=T0, end_ns=T0 + round(duration_ms * MS), **{**plain, **said})


_ids = count(1)


def part(trace: bytes, *, spans: int = 1, **said: Any) -> TraceSlice:  # noqa: ANN401 - see facts
    """A part of a trace whose spans are met for the first time; what its facts say is given."""
    data = tuple(Span(trace_id=trace, span_id=next(_ids).to_bytes(8, "big")).SerializeToString() for _ in range(spans))
    return TraceSlice(trace, (SpanGroup(ENVELOPE, data),), facts(spans=spans, **said))


def plan(*policies: Policy | Rule, budget: Budget | None = None, **waits: float | None) -> Plan:
    """A plan by these policies that waits 30 seconds, and holds nothing that was sampled out."""
    rules = [each if isinstance(each, Rule) else Rule(each) for each in policies]
    conversations = tuple(each.policy for each in rules if isinstance(each.policy, Conversation))
    return Plan(Rules(rules), Waits(**{"decision": 30.0, **waits}), budget, conversations)  # type: ignore[arg-type]


def sampler(of: Plan, cache: int = 100) -> Sampler:
    """A sampler by a plan."""
    return Sampler(of, cache, cache, Probes())
