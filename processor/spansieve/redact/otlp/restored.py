"""Spans that were redacted before they were written to the journal, and are read again."""

from collections.abc import Iterable
from itertools import chain

from opentelemetry.proto.common.v1.common_pb2 import KeyValueList

from spansieve.model import DecodedSpans, RedactedSpans, SpanHead, SpanSet
from spansieve.redact.otlp import attributes, stamp
from spansieve.redact.otlp.pieces import Reads


def restored(decoded: DecodedSpans, reads: Reads, reads_event: Reads) -> RedactedSpans:
    """Take spans for redacted that some policy redacted and stamped: what was found in them is read from the stamp.

    `reads` and `reads_event` say which spans are `wanted`, as for a Redactor. Raises MalformedRequest for what is no
    OTLP within.
    """
    known: dict[bytes, bool] = {}
    for each in decoded.sets:
        for record, head in zip(each.records, each.heads, strict=True):
            own = head.attributes[:]
            record.trace_state = head.trace_state
            record.found = stamp.read(own)
            record.wanted = _wants(head, own, reads, reads_event, known)
            record.head, record.attributes, record.events = head, own, head.events
    return RedactedSpans([SpanSet(each.envelope, each.records) for each in decoded.sets], decoded.items, {})


def _wants(head: SpanHead, own: Iterable[bytes], reads: Reads, reads_event: Reads, known: dict[bytes, bool]) -> bool:
    events = list(head.events)
    for raw in chain(own, *(event.attributes for event in events)):
        key = attributes.head(raw)
        wanted = known.get(key) if key else None
        if wanted is None:
            wanted = reads(attributes.name(key) if key else attributes.parse(raw, KeyValueList()).key)
            known[key] = wanted
        if wanted:
            return True
    return any(reads_event(event.name) for event in events)
