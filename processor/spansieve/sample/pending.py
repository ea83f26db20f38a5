"""A trace that waits, and the account of all that do."""

import math
from collections.abc import Iterable, Iterator
from typing import Final

from spansieve.facts import LlmFacts, TraceFacts
from spansieve.model import Envelope, SpanGroup, TraceSlice
from spansieve.sample import packing
from spansieve.sample.spans import facts_of
from spansieve.wire import span_id

_MANY: Final = 64
"""Spans from which on a trace's ids are remembered between its parts, instead of being read again for each; and pieces
of content from which on it is a list."""
_TRACE_BYTES: Final = 420
"""What a trace takes beside its packed content: id, object, times, content's tuple, its place among those that wait."""
_ID_BYTES: Final = 100
"""What a remembered id takes in its set."""


class PendingTrace:
    """A trace that waits for its decision, packed. Owned by who `Held` belongs to, which alone changes it.

    `first_seen`, `last_seen` (when spans were added) and `root_seen` (infinite until the root comes) are monotonic
    seconds, `position` is that of its first part in the journal; `spans` are those of its facts, at hand. `content` is
    for each part its packed spans, followed by the envelopes of its groups: one tuple, since most traces have few
    parts, or a list, where there are so many that a tuple would be copied again and again. `ids` are its spans', when
    there are many.
    """

    __slots__ = (
        "content", "first_seen", "ids", "last_seen", "packed_facts", "position", "root_seen", "spans", "trace_id",
    )  # fmt: skip

    def __init__(self, part: TraceSlice, first_seen: float) -> None:
        """Begin with a first part."""
        self.trace_id = part.trace_id
        self.first_seen = self.last_seen = first_seen
        self.root_seen = first_seen if part.facts.has_root else math.inf
        self.position = part.position
        self.spans = part.facts.spans
        self.packed_facts = packing.facts(part.facts)
        self.content: tuple[bytes | Envelope, ...] | list[bytes | Envelope] = _content(part)
        self.ids: set[bytes] | None = None

    @property
    def has_root(self) -> bool:
        """Whether its root has come."""
        return self.root_seen < math.inf

    @property
    def facts(self) -> TraceFacts:
        """What is known of it; unpacked, some µs."""
        return packing.unpacked_facts(self.packed_facts)

    def groups(self) -> tuple[SpanGroup, ...]:
        """Its spans, in the order of their parts; unpacked."""
        groups: list[SpanGroup] = []
        unpacked: Iterator[tuple[bytes, ...]] = iter(())
        for each in self.content:
            if isinstance(each, Envelope):
                groups.append(SpanGroup(each, next(unpacked)))
            else:
                unpacked = packing.unpacked_spans(each)
        return tuple(groups)


class Held:
    """What waits in all, and what it takes. One owner.

    `bytes` is memory: of spans, of what is known of them, and of envelopes, each of which counts once, however many
    traces of a request came under it.
    """

    __slots__ = ("_uses", "bytes", "spans")

    def __init__(self) -> None:
        self.bytes = 0
        self.spans = 0
        self._uses: dict[int, int] = {}  # of envelopes, by their identity: those that are used are there

    def begin(self, part: TraceSlice, now: float) -> PendingTrace:
        """Make a trace of its first part."""
        trace = PendingTrace(part, now)
        self.spans += trace.spans
        self.bytes += _TRACE_BYTES + len(trace.packed_facts) + self._use(trace.content)
        return trace

    def add(self, trace: PendingTrace, part: TraceSlice, now: float) -> tuple[TraceFacts, TraceSlice, int]:
        """Add a part that comes `now` to a trace, but for spans that it has.

        Gives what is known of the trace then, what was added, and how many spans were not.
        """
        facts = trace.facts
        part, repeated = self._without_repeated(trace, part)
        if part.facts.spans:
            content = _content(part)
            facts = facts.plus(part.facts)
            trace.last_seen = now
            trace.spans += part.facts.spans
            if facts.has_root and not trace.has_root:
                trace.root_seen = now
            if isinstance(trace.content, list):
                trace.content.extend(content)
            else:
                trace.content += content
                if len(trace.content) > _MANY:
                    trace.content = list(trace.content)
            self.spans += part.facts.spans
            self.bytes += self._use(content)
            self._tell(trace, facts)
        return facts, part, repeated

    def note(self, trace: PendingTrace, told: LlmFacts) -> None:
        """Add to what is known of a trace."""
        facts = trace.facts
        self._tell(trace, facts._replace(llm=facts.llm.plus(told)))

    def end(self, trace: PendingTrace) -> None:
        """Count a trace no more."""
        self.spans -= trace.spans
        self.bytes -= _TRACE_BYTES + len(trace.packed_facts)
        if trace.ids is not None:
            self.bytes -= _ID_BYTES * len(trace.ids)
        uses = self._uses
        for each in trace.content:
            if isinstance(each, bytes):
                self.bytes -= len(each)
                continue
            used = uses[id(each)]
            if used > 1:
                uses[id(each)] = used - 1
            else:
                del uses[id(each)]
                self.bytes -= each.size

    def _use(self, content: Iterable[bytes | Envelope]) -> int:
        """Bytes that come with content; its envelopes are in use."""
        size = 0
        uses = self._uses
        for each in content:
            if isinstance(each, bytes):
                size += len(each)
            elif id(each) in uses:
                uses[id(each)] += 1
            else:
                uses[id(each)] = 1
                size += each.size
        return size

    def _tell(self, trace: PendingTrace, facts: TraceFacts) -> None:
        self.bytes -= len(trace.packed_facts)
        trace.packed_facts = packing.facts(facts)
        self.bytes += len(trace.packed_facts)

    def _without_repeated(self, trace: PendingTrace, part: TraceSlice) -> tuple[TraceSlice, int]:
        ids = trace.ids
        known = 0
        if ids is None:
            ids = {span_id(span) for group in trace.groups() for span in group.spans}
        else:
            known = len(ids)
        repeated = 0
        groups: list[SpanGroup] = []
        for group in part.groups:
            fresh = []
            for span in group.spans:
                if (own := span_id(span)) in ids:
                    repeated += 1
                else:
                    ids.add(own)
                    fresh.append(span)
            if fresh:
                groups.append(SpanGroup(group.envelope, tuple(fresh)))
        if len(ids) > _MANY:
            trace.ids = ids
            self.bytes += _ID_BYTES * (len(ids) - known)
        if not repeated:
            return part, 0
        return TraceSlice(part.trace_id, tuple(groups), facts_of(groups), part.position), repeated


def _content(part: TraceSlice) -> tuple[bytes | Envelope, ...]:
    return (packing.spans(part.groups), *[group.envelope for group in part.groups])
