"""The hot path of redaction: spans stay bytes, and only what is new and may hold something is looked at.

Redacting an attribute depends on nothing but its bytes and its place. So what was clean before is passed over span by
span, and the distinct attributes that are left of all requests at hand go through the rules in one run. A span in which
nothing changed leaves as the bytes that came, with a stamp behind them; another one is put together anew. What has a
meaning beyond one attribute, such as chunks of one text over several events, takes the way of whole messages
(`redact.batch`), whose results this one's equal.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from spansieve import otlp_reduced, wire
from spansieve.errors import MalformedRequest
from spansieve.model import Bytes, DecodedSpans, EventHead, LinkHead, RedactedSpans, SpanHead, SpanRecord, SpanSet
from spansieve.otlp_reduced import NOT_A_REQUEST
from spansieve.redact.otlp import attributes, messages, stamp
from spansieve.redact.otlp.attributes import Key
from spansieve.redact.otlp.envelopes import Envelopes
from spansieve.redact.otlp.fresh import Fresh
from spansieve.redact.otlp.pieces import Attributes, Job, Outcome, Reads, Texts
from spansieve.redact.rules.compiled import CompiledRules
from spansieve.redact.rules.selectors import Place
from spansieve.redact.text import fold
from spansieve.redact.text.parts import carries_parts, flattened

_MOST_STAMPS = 1024
_MOST_KEYS = 4096  # keys made of data would otherwise fill the memory


class _Extra(NamedTuple):
    """What most spans do not have. Attributes are listed once, since each listing makes them anew."""

    events: Sequence[tuple[EventHead, Sequence[bytes]]]
    links: Sequence[tuple[LinkHead, Sequence[bytes]]]
    status: bytes  # empty when it holds no text


_Named = SpanHead | EventHead | LinkHead
_Work = tuple[SpanRecord, SpanHead, Sequence[bytes], Sequence[bytes], _Extra | None]
"""A span of which not all is known to be clean: with its attributes, and with those that were not clean before."""


class SpanRedactor:
    """Redacts spans by one policy. Owner of its memories; one thread uses it at a time.

    `reads` and `reads_event` must always say the same of a key, or of an event's name.
    """

    def __init__(self, rules: CompiledRules, reads: Reads, reads_event: Reads) -> None:
        self._rules = rules
        self._reads = reads
        self._reads_event = reads_event
        self._keys: dict[bytes, Key] = {}
        self._parted = False  # whether a key was learned of which an attribute is a part of a message
        self._fresh = None if rules.selective or rules.every_text else Fresh(rules)
        self._stamps: dict[tuple[tuple[str, int], ...], tuple[Mapping[str, int], bytes]] = {}
        self._stamp = wire.string_attribute(stamp.POLICY, rules.digest)
        self._envelopes = Envelopes(rules)
        self._of_spans = Attributes(Place.SPAN_ATTRIBUTE)
        # Where no rule asks for the place, all attributes are one set.
        self._of_events = Attributes(Place.EVENT_ATTRIBUTE) if rules.selective else self._of_spans
        self._of_links = Attributes(Place.LINK_ATTRIBUTE) if rules.selective else self._of_spans
        self._attributes = list({id(each): each for each in (self._of_spans, self._of_events, self._of_links)}.values())
        self._names = Texts("name", Place.SPAN_NAME)
        self._event_names = Texts("name", Place.EVENT_NAME) if rules.selective else self._names
        self._states = Texts("trace_state", Place.SPAN_TRACE_STATE)
        self._statuses = Texts("status.message", Place.SPAN_STATUS)
        self._texts = list({id(t): t for t in (self._names, self._event_names, self._states, self._statuses)}.values())

    def requests(self, decoded: Sequence[DecodedSpans]) -> list[RedactedSpans]:
        """Redact the spans of requests, in place; stamp them. Raises MalformedRequest for what is no OTLP within.

        Findings that are of no single span, such as in keys, are told with the first request.
        """
        findings: list[Counter[str]] = [Counter() for _ in decoded]
        try:
            sets = list(map(self._sets, decoded, findings))
            if self._rules.by_role:  # which is told by a neighbour of what is looked at
                for each, found in zip(decoded, findings, strict=True):
                    for record in (record for one in each.sets for record in one.records):
                        self._whole(record, found)
            else:
                work = list(map(self._gather, decoded))
                if any(work):
                    self._settle(findings[0])
                    for spans, found in zip(work, findings, strict=True):
                        self._finish(spans, found)
        finally:
            self._forget()
        return [
            RedactedSpans(own, each.items, dict(found))
            for own, each, found in zip(sets, decoded, findings, strict=True)
        ]

    def _sets(self, decoded: DecodedSpans, findings: Counter[str]) -> list[SpanSet]:
        sets: list[SpanSet] = []
        last: bytes | None = None
        for each in decoded.sets:
            resource = each.envelope.resource
            # The scopes of one ResourceSpans share the object.
            envelope = self._envelopes.redact(each.envelope, findings, same_resource=resource is last)
            sets.append(SpanSet(envelope, each.records))
            last = resource
        return sets

    def _gather(self, decoded: DecodedSpans) -> list[_Work]:
        """Let go of the spans in which all is known to be clean; list the others, and note what is to be looked at."""
        work: list[_Work] = []
        of_spans = self._of_spans
        clean, clean_wanted, note = of_spans.clean.latest, of_spans.clean_wanted.latest, of_spans.seen.update
        names, add_name, see_state = self._names.clean.latest, self._names.seen.add, self._states.see
        stamped, bare = self._stamp, otlp_reduced.STATUSES
        for each in decoded.sets:
            for record, head in zip(each.records, each.heads, strict=True):
                own = head.attributes[:]
                record.head, record.attributes = head, own
                fresh = [raw for raw in own if raw not in clean]
                if fresh:
                    if not clean_wanted.isdisjoint(fresh):
                        record.wanted = True
                        fresh = [raw for raw in fresh if raw not in clean_wanted]
                    note(fresh)
                extra = None
                events, links, status = head.events, head.links, head.status
                record.events = ()  # no view of nothing, which would have to be kept
                if events or links or status not in bare:
                    record.events = events
                    extra = self._extra(events, links, status)
                name, state = head.name, head.trace_state
                if state:
                    record.trace_state = state
                    see_state(state)
                if name not in names:
                    add_name(name)
                    work.append((record, head, own, fresh, extra))
                elif fresh or state or extra is not None:
                    work.append((record, head, own, fresh, extra))
                else:
                    record.data += stamped
        return work

    def _extra(self, events: Iterable[EventHead], links: Iterable[LinkHead], status: bytes) -> _Extra:
        of_events = [(event, event.attributes[:]) for event in events]
        for event, own in of_events:
            self._of_events.see(own)
            self._event_names.see(event.name)
        of_links = [(link, link.attributes[:]) for link in links]
        for link, own in of_links:
            self._of_links.see(own)
            self._states.see(link.trace_state)
        if status in otlp_reduced.STATUSES:
            return _Extra(of_events, of_links, b"")
        self._statuses.see(_status(status).message)
        return _Extra(of_events, of_links, status)

    def _settle(self, findings: Counter[str]) -> None:
        """Find out what becomes of all that was gathered."""
        job = Job(self._rules, self._reads)
        fresh: list[tuple[Attributes, set[bytes]]] = []
        for kind in self._attributes:
            if new := kind.unknown():
                fresh.append((kind, new))
                left = new if self._fresh is None else self._fresh.undecided(kind, new, self._keys, job)
                if unknown := job.attributes(kind, left, self._keys):
                    self._learn(unknown)
                    for raw in job.attributes(kind, unknown, self._keys):
                        job.parse(kind, raw)
        for texts in self._texts:
            if texts.seen:
                job.texts(texts, texts.unknown())
        job.run(findings)
        for kind, new in fresh:
            # A part of a message that is clean alone may be none with its neighbours, which are others in each span.
            kind.remember({raw for raw in new if not self._part(raw)} if self._parted else new)
        for texts in self._texts:
            if texts.seen:
                texts.remember()

    def _learn(self, raws: Iterable[bytes]) -> None:
        """Find out what keys tell; those that hold a value themselves are not learned, and so parsed each time."""
        heads = sorted({attributes.head(raw) for raw in raws} - {b""})
        names = [attributes.name(each) for each in heads]
        rules = self._rules
        changed = messages.changed_keys(names, rules, Counter())
        if len(self._keys) + len(heads) > _MOST_KEYS:
            self._keys.clear()
        for each, name in zip(heads, names, strict=True):
            if name not in changed:
                facts = rules.facts(fold.word(name))
                plain = not rules.selective and not (facts.whole or facts.off or facts.context)
                stamped = stamp.is_stamp(name)
                part = flattened(name)
                self._parted = self._parted or bool(part)
                self._keys[each] = Key(name, plain, self._reads(name), stamped, stamped or bool(facts.whole), part)

    def _part(self, raw: bytes) -> str:
        """Of which message's parts an attribute is one; nothing for others."""
        key = self._keys.get(attributes.head(raw))
        return "" if key is None else key.part

    def _in_parts(self, fresh: Iterable[bytes]) -> bool:
        """Whether two of the attributes of a span are parts of one message."""
        parts = [part for raw in fresh if (part := self._part(raw))]
        return len(set(parts)) < len(parts)

    def _finish(self, work: list[_Work], findings: Counter[str]) -> None:
        """Give the spans the bytes in which they go on."""
        wanted, changed = self._of_spans.wanted, self._of_spans.changed.keys()
        renamed, stamped = bool(self._names.new or self._states.new), self._stamp
        for one in work:
            record, _, _, fresh, extra = one
            if wanted and not wanted.isdisjoint(fresh):
                record.wanted = True
            if self._parted and self._in_parts(fresh):
                self._whole(record, findings)
            elif extra is None and not renamed and not record.trace_state and changed.isdisjoint(fresh):
                record.data += stamped
            elif extra is not None and len(extra.events) > 1 and self._continues(extra.events):
                self._whole(record, findings)
            else:
                self._change(one, findings)

    def _change(self, one: _Work, findings: Counter[str]) -> None:
        """Put what became of texts and attributes of a span in their place, and stamp it."""
        record, head, own, fresh, extra = one
        found: dict[str, int] = {}
        left = self._replace(head, own, fresh, self._of_spans.changed, found)
        changed = left is not own
        if self._names.new:
            changed |= self._rename(head, "name", self._names, found)
        if self._states.new:
            changed |= self._rename(head, "trace_state", self._states, found)
        record.trace_state = head.trace_state
        if extra is not None:
            changed |= self._extras(record, head, extra, found)
        if changed:
            record.data = head.SerializeToString()
            record.attributes = left
        if found:
            _add(findings, found)
            record.found, stamped = self._stamp_of(found)
            record.data += stamped
        else:
            record.data += self._stamp

    def _stamp_of(self, found: Mapping[str, int]) -> tuple[Mapping[str, int], bytes]:
        """What was found by entity, and the stamp that tells so: mostly the same few."""
        name = tuple(found.items())
        known = self._stamps.get(name)
        if known is None:
            by_entity = stamp.by_entity(found, self._rules.entities)
            known = by_entity, self._stamp + wire.string_attribute(stamp.FOUND, stamp.written(by_entity))
            if len(self._stamps) >= _MOST_STAMPS:
                self._stamps.clear()
            self._stamps[name] = known
        return known

    def _extras(self, record: SpanRecord, head: SpanHead, extra: _Extra, found: dict[str, int]) -> bool:
        changed = False
        for event, own in extra.events:
            changed |= self._replace(event, own, own, self._of_events.changed, found) is not own
            changed |= self._rename(event, "name", self._event_names, found)
            if not self._of_events.wanted.isdisjoint(own) or self._reads_event(event.name):
                record.wanted = True
        for link, own in extra.links:
            changed |= self._replace(link, own, own, self._of_links.changed, found) is not own
            changed |= self._rename(link, "trace_state", self._states, found)
        if extra.status:
            status = _status(extra.status)
            if (text := self._statuses.new.get(status.message)) is not None:
                _add(found, self._statuses.found[status.message])
                status.message = text
            if (new := status.SerializeToString()) != extra.status:
                head.status = new
                changed = True
        return changed

    @staticmethod
    def _replace(
        holder: SpanHead | EventHead | LinkHead,
        own: Sequence[bytes],
        fresh: Iterable[bytes],
        changed: Mapping[bytes, Outcome],
        found: dict[str, int],
    ) -> Sequence[bytes]:
        """Put what became of attributes in their place, and count what was found in them. Gives `own`, or the new.

        `fresh` are those of `own`, in their order, that may have changed.
        """
        left: list[bytes] | None = None
        attributes_of: Bytes = holder.attributes
        at = gone = 0
        for raw in fresh:
            outcome = changed.get(raw)
            if outcome is None:
                continue
            if outcome.found:
                _add(found, outcome.found)
            if left is None:
                left = list(own)
            at = own.index(raw, at)
            if outcome.new is None:
                del left[at - gone], attributes_of[at - gone]
                gone += 1
            else:
                left[at - gone] = attributes_of[at - gone] = outcome.new
            at += 1
        return own if left is None else left

    @staticmethod
    def _rename(holder: _Named, field: str, texts: Texts, found: dict[str, int]) -> bool:
        if not texts.new:
            return False
        old = getattr(holder, field)
        new = texts.new.get(old)
        if new is None:
            return False
        _add(found, texts.found[old])
        if new:
            setattr(holder, field, new)
        else:
            holder.ClearField(field)
        return True

    def _continues(self, events: Sequence[tuple[EventHead, Sequence[bytes]]]) -> bool:
        """Whether two attributes of events may carry chunks of one text."""
        carrying: set[bytes] = set()
        for _, own in events:
            for raw in own:
                head = attributes.head(raw)
                if not head:
                    return True  # a key of which nothing is known
                if head in carrying:
                    return True
                if carries_parts(attributes.name(head)):
                    carrying.add(head)
        return False

    def _whole(self, record: SpanRecord, findings: Counter[str]) -> None:
        """Redact one span as a message."""
        record.head = record.attributes = record.events = None
        request = ExportTraceServiceRequest()
        span = request.resource_spans.add().scope_spans.add().spans.add()
        try:
            span.ParseFromString(record.data)
        except DecodeError:
            raise MalformedRequest(NOT_A_REQUEST) from None
        span.DiscardUnknownFields()
        found, by_entity = messages.redact(request, self._rules)
        findings.update(found)
        record.data = span.SerializeToString()
        record.trace_state = span.trace_state
        record.found = by_entity[0] if by_entity else None
        record.wanted = any(self._reads(each.key) for each in messages.attributes_of(span)) or any(
            self._reads_event(event.name) for event in span.events
        )

    def _forget(self) -> None:
        """Let go of the request: between requests nothing raw is held."""
        for kind in self._attributes:
            if kind.seen:
                kind.seen, kind.changed, kind.wanted = set(), {}, set()
        for texts in self._texts:
            if texts.seen:
                texts.seen, texts.new, texts.found = set(), {}, {}


def _status(serialized: bytes) -> Status:
    try:
        status = Status.FromString(serialized)
    except DecodeError:
        raise MalformedRequest(NOT_A_REQUEST) from None
    status.DiscardUnknownFields()
    return status


def _add(to: dict[str, int], counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        to[name] = to.get(name, 0) + count
