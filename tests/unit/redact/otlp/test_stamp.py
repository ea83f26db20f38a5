"""What a gateway tells on spans stands there once, also where another gateway, or a sender, told it before."""

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve import decode
from spansieve.export import stamp as of_sampling
from spansieve.measure import added
from spansieve.model import DecodedSpans, Encoding, ReceivedRequest, Signal
from spansieve.redact import Redactor
from spansieve.redact.otlp import stamp
from unit.redact.helpers_redact import default_rules
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
