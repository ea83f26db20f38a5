"""The hot path of spans obeys operators' rules, and finds what the walk over messages finds."""

import json

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from helpers_spans import decoded_spans, message_of
from spansieve import redact
from spansieve.model import DecodedBatch, Signal
from spansieve.redact import policy

_RULE = "name: badge, entity: BADGE, reason: Numbers of our staff., "
_POLICIES = {
    "without anchors": f"rules: [{{{_RULE}patterns: ['Q[0-9]']}}]",
    "with anchors": f"rules: [{{{_RULE}patterns: ['Q[0-9]'], anchors: [badge]}}]",
    "of users": f"rules: [{{{_RULE}patterns: ['Q[0-9]'], where: [{{roles: [user]}}]}}]",
    "not of the system": f"rules: [{{{_RULE}patterns: ['Q[0-9]'], unless: [{{roles: [system]}}]}}]",
    "a recogniser": f"rules: [{{{_RULE}detector: {{presidio: CreditCardRecognizer}}}}]",
    "of one place": f"rules: [{{{_RULE}patterns: ['Q[0-9]'], where: [{{places: [event.attribute]}}]}}]",
    "beside ours": f"include: [identity, finance]\nrules: [{{{_RULE}patterns: ['Q[0-9]']}}]",
}


def _request() -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add()
    spans.resource.attributes.add(key="owner").value.string_value = "Q1"
    span = spans.scope_spans.add().spans.add(
        trace_id=b"t" * 16, span_id=b"s" * 8, name="chat Q1", start_time_unix_nano=1, end_time_unix_nano=2
    )
    messages = [{"role": role, "content": f"badge Q1, 4111111111111111 of {role}"} for role in ("user", "system", "x")]
    for key, text in (
        ("gen_ai.input.messages", json.dumps(messages)),
        ("gen_ai.prompt.0.role", "system"),
        ("gen_ai.prompt.0.content", "badge Q1"),
        ("gen_ai.system_instructions", "Q1 4111111111111111"),
        ("plain", "Q1"),
        ("q", "a badge Q2 and alice@example.com"),
    ):
        span.attributes.add(key=key).value.string_value = text
    span.attributes.add(key="list").value.array_value.values.add().string_value = "Q3"
    for name in ("gen_ai.user.message", "gen_ai.system.message"):
        span.events.add(name=name).attributes.add(key="content").value.string_value = "badge Q1"
    span.status.message = "Q1 failed"
    return request


@pytest.mark.parametrize("name", _POLICIES)
def test_both_ways_give_the_same(name: str) -> None:
    """Whatever a rule asks: of the text, of its place, of who speaks."""
    rules = policy.compile(policy.parse(_POLICIES[name]))
    hot = message_of(redact.Redactor(rules).request(decoded_spans(_request())))
    walked = redact.batch(DecodedBatch(Signal.TRACES, _request(), 1), rules).message
    assert hot == walked
    assert "[BADGE]" in str(hot)


def test_a_second_request_is_as_the_first() -> None:
    """What is remembered of the first does not let the second pass."""
    for text in _POLICIES.values():
        redactor = redact.Redactor(policy.compile(policy.parse(text)))
        first, second = (message_of(redactor.request(decoded_spans(_request()))) for _ in range(2))
        assert first == second
