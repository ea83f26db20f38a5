"""Names out of OTLP."""

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.facts import TraceFacts
from spansieve.model import Decision, Envelope, RedactedSpans, SampledTrace, SpanGroup, SpanRecord, SpanSet, Trigger
from spansieve.names import otlp
from spansieve.names.redactor import Redactor
from spansieve.redact.otlp import stamp

_TRACE_ID = b"t" * 16


def _span(name: str = "chat gpt-4o", **attributes: str) -> bytes:
    span = Span(trace_id=_TRACE_ID, span_id=b"s" * 8, name=name, start_time_unix_nano=7, end_time_unix_nano=9)
    for key, value in attributes.items():
        span.attributes.add(key=key).value.string_value = value
    return span.SerializeToString()


def _envelope(**attributes: str) -> Envelope:
    resource = Resource()
    for key, value in attributes.items():
        resource.attributes.add(key=key).value.string_value = value
    return Envelope(resource.SerializeToString(), "", InstrumentationScope(name="x").SerializeToString(), "")


def _kept(*spans: bytes, envelope: Envelope | None = None) -> SampledTrace:
    facts = TraceFacts(len(spans), 0, 0, 7, 9, True, sum(map(len, spans)))  # noqa: FBT003 - has_root
    group = SpanGroup(envelope or _envelope(), spans)
    return SampledTrace(_TRACE_ID, (group,), facts, Decision(keep=True, policy="p", trigger=Trigger.WAIT_EXPIRED), 5)


def _attributes(data: bytes) -> dict[str, str]:
    return {each.key: each.value.string_value for each in Span.FromString(data).attributes}


def test_names_leave_a_trace(plain: Redactor) -> None:
    """Texts of a kept trace lose their names; ids, times and the rest stay."""
    data = _span(prompt="My name is Jane Roe.", other="unchanged")
    new, findings = otlp.trace(_kept(data), plain)
    span = Span.FromString(new.groups[0].spans[0])
    assert _attributes(new.groups[0].spans[0])["prompt"] == "My name is [PERSON]."
    assert _attributes(new.groups[0].spans[0])["other"] == "unchanged"
    assert (span.trace_id, span.span_id, span.start_time_unix_nano) == (_TRACE_ID, b"s" * 8, 7)
    assert findings == {"person_in_text": 1}
    assert new.position == 5


def test_a_trace_without_names_is_the_same_object(plain: Redactor) -> None:
    """Where there is nothing to take out nothing is made anew."""
    kept = _kept(_span(prompt="Please reset my password."))
    assert otlp.trace(kept, plain)[0] is kept


def test_a_span_without_names_keeps_its_bytes(plain: Redactor) -> None:
    """Of a trace in which one span changes the others stay as they came."""
    same = _span(prompt="nothing here to see")
    new, _ = otlp.trace(_kept(same, _span(prompt="My name is Jane Roe.")), plain)
    assert new.groups[0].spans[0] is same


@pytest.mark.parametrize("place", ["name", "status", "event", "resource"])
def test_all_places_are_read(plain: Redactor, place: str) -> None:
    """Span names, status messages, events and resources lose names as attributes do."""
    text = "mail to Jane Roe failed"
    span = Span(trace_id=_TRACE_ID, span_id=b"s" * 8, name="x")
    envelope = _envelope()
    if place == "name":
        span.name = text
    elif place == "status":
        span.status.message = text
    elif place == "event":
        span.events.add(name="e").attributes.add(key="body").value.string_value = text
    else:
        envelope = _envelope(owner=text)
    new, _ = otlp.trace(_kept(span.SerializeToString(), envelope=envelope), plain)
    group = new.groups[0]
    assert b"Jane" not in b"".join((*group.spans, group.envelope.resource))


def test_the_stamp_adds_up(plain: Redactor) -> None:
    """What a span tells of its redaction counts names beside what the rules found before."""
    data = _span(**{"prompt": "Jane Roe met Tom Miller.", stamp.FOUND: "EMAIL:2 PERSON:1"})
    new, _ = otlp.trace(_kept(data), plain)
    assert _attributes(new.groups[0].spans[0])[stamp.FOUND] == "EMAIL:2 PERSON:3"


def test_withheld_means_metadata_only(plain: Redactor) -> None:
    """Unread, a trace leaves without the texts that would have been read."""
    data = _span(**{"prompt": "My name is Jane Roe.", "gen_ai.request.model": "gpt-4o", "n": "ok"})
    new, findings = otlp.trace(_kept(data), plain, withhold=True)
    attributes = _attributes(new.groups[0].spans[0])
    assert attributes["prompt"] == "[REMOVED]"
    assert attributes["gen_ai.request.model"] == "gpt-4o"
    assert findings["names_error"] >= 1


def test_logs_lose_names_too(plain: Redactor) -> None:
    """A log record's body is read."""
    message = ExportLogsServiceRequest()
    record = message.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = "user Jane Roe signed in from Berlin"
    assert sum(otlp.request(message, plain).values()) == 2
    assert record.body.string_value == "user [PERSON] signed in from [LOCATION]"


def test_spans_of_a_request_are_read_by_trace(plain: Redactor) -> None:
    """Before the journal the spans of a request lose names in place, and tell what was found."""
    records = [
        SpanRecord(_TRACE_ID, bytes([i]) * 8, b"", 7, 9, 0, _span(prompt=text))
        for i, text in enumerate(["My name is Jane Quillfeather.", "nothing", "Quillfeather / 12"])
    ]
    other = _envelope()._replace(scope_schema_url="s")
    redacted = RedactedSpans([SpanSet(_envelope(), records[:2]), SpanSet(other, records[2:])], 3, {"email": 1})
    new = otlp.spans(redacted, plain)
    assert b"Quillfeather" not in b"".join(record.data for each in new.sets for record in each.records)
    assert records[0].found == {"PERSON": 1}
    assert records[1].found is None
    assert new.findings["email"] == 1
    assert new.findings["person_in_text"] == 2
