"""What a gateway tells on spans stands there once, also where another gateway, or a sender, told it before."""

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve import decode
from spansieve.export import stamp as of_sampling
from spansieve.measure import added
from spansieve.model import DecodedSpans, Encoding, ExportRequest, ReceivedRequest, Signal
from spansieve.redact import Redactor
from spansieve.redact.otlp import stamp
from unit.redact import helpers_redact
from unit.redact.helpers_redact import REQUESTS, default_rules
from unit.sample.helpers_sample import span, trace_id

OURS = [
    stamp.POLICY,
    stamp.FOUND,
    of_sampling.POLICY_ATTRIBUTE,
    of_sampling.REASON_ATTRIBUTE,
    of_sampling.RATE_ATTRIBUTE,
    added.DISAGREES,
    added.COUNTED_INPUT,
    added.COUNTED_OUTPUT,
]


@pytest.mark.parametrize("key", OURS)
def test_what_came_under_a_key_of_ours_is_gone(key: str) -> None:
    """A value of our own may follow; theirs has left the span, the rest is there."""
    sent = span(trace_id(1))
    sent.attributes.add(key=key).value.string_value = "theirs"
    sent.attributes.add(key="note").value.string_value = "mine"
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.append(sent)
    batch = decode.request(ReceivedRequest(Signal.TRACES, Encoding.PROTO, request.SerializeToString())).batch
    assert isinstance(batch, DecodedSpans)
    (record,) = Redactor(default_rules()).request(batch).sets[0].records
    left = {each.key: each.value.string_value for each in record.message().attributes}
    assert left.pop(stamp.POLICY) != "theirs"
    assert left == {"note": "mine"}


@pytest.mark.parametrize("key", ["spansieve.usages", "tailsampling", "gen_ai.usage.input_tokens"])
def test_other_keys_are_nobodys(key: str) -> None:
    """Also those that begin alike."""
    assert not stamp.is_stamp(key)


def _holders(request: ExportRequest) -> Iterator[Any]:
    """Whatever of a request has attributes, made where it is missing."""
    if isinstance(request, ExportTraceServiceRequest):
        around = request.resource_spans.add()
        scope = around.scope_spans.add()
        item = scope.spans.add()
        beside = [item.attributes, item.events.add().attributes, item.links.add().attributes]
    elif isinstance(request, ExportLogsServiceRequest):
        around = request.resource_logs.add()
        scope = around.scope_logs.add()
        beside = [scope.log_records.add().attributes]
    else:
        around = request.resource_metrics.add()
        scope = around.scope_metrics.add()
        metric = scope.metrics.add()
        point = metric.sum.data_points.add()
        beside = [metric.metadata, point.attributes, point.exemplars.add().filtered_attributes]
    yield from (around.resource.attributes, scope.scope.attributes, *beside)


@pytest.mark.parametrize("kind", REQUESTS.values())
@pytest.mark.parametrize("key", OURS)
def test_nothing_else_bears_a_stamp_that_came(kind: type[ExportRequest], key: str) -> None:
    """Neither resource and scope nor event, link, log record, metric, point or exemplar: whoever sends made it up."""
    request = kind()
    for attributes in _holders(request):
        attributes.add(key=key).value.string_value = "theirs"
        attributes.add(key="note").value.string_value = "mine"
    helpers_redact.run(request)
    assert b"theirs" not in request.SerializeToString()
    assert request.SerializeToString().count(b"mine") == len(list(_holders(kind())))


def test_resource_and_scope_of_spans_bear_none() -> None:
    """On the way that spans take as bytes, too, at the first sight of a resource and at the next."""
    request = ExportTraceServiceRequest()
    around = request.resource_spans.add()
    scope = around.scope_spans.add()
    scope.spans.append(span(trace_id(1)))
    for attributes in (around.resource.attributes, scope.scope.attributes):
        attributes.add(key=stamp.POLICY).value.string_value = "theirs"
    redactor = Redactor(default_rules())
    for _ in range(2):
        batch = decode.request(ReceivedRequest(Signal.TRACES, Encoding.PROTO, request.SerializeToString())).batch
        assert isinstance(batch, DecodedSpans)
        envelope = redactor.request(batch).sets[0].envelope
        assert b"theirs" not in envelope.resource + envelope.scope
