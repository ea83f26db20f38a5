"""What serialized spans say for themselves."""

from collections.abc import Iterable
from typing import Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spansieve.facts import TraceFacts
from spansieve.model import SpanGroup

_ERROR: Final = Status.STATUS_CODE_ERROR
_OK: Final = Status.STATUS_CODE_OK


def facts_of(groups: Iterable[SpanGroup]) -> TraceFacts:
    """What the spans themselves say, without what others found out about them."""
    spans = errors = oks = end_ns = size = 0
    start_ns = 1 << 64
    has_root = False
    for group in groups:
        size += group.size
        for data in group.spans:
            span = Span.FromString(data)
            spans += 1
            errors += span.status.code == _ERROR
            oks += span.status.code == _OK
            start_ns = min(start_ns, span.start_time_unix_nano)
            end_ns = max(end_ns, span.end_time_unix_nano)
            has_root = has_root or not span.parent_span_id
    return TraceFacts(spans, errors, oks, start_ns, end_ns, has_root, size)
