"""Single spans on the hot path: what changes is put in place, and all else stays as it came."""

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve import decode
from spansieve.model import DecodedSpans, Encoding, ReceivedRequest, Signal, SpanRecord
from spansieve.redact import Redactor
from spansieve.redact.otlp import stamp
from unit.redact.helpers_redact import default_rules

_MAIL = "jane.roe@example.com"


def _decoded(*spans: Span) -> DecodedSpans:
    message = ExportTraceServiceRequest()
    message.resource_spans.add().scope_spans.add().spans.extend(spans)
    batch = decode.request(ReceivedRequest(Signal.TRACES, Encoding.PROTO, message.SerializeToString())).batch
    assert isinstance(batch, DecodedSpans)
    return batch


def _span(*attributes: tuple[str, str], name: str = "work", trace_state: str = "") -> Span:
    span = Span(trace_id=b"t" * 16, span_id=b"s" * 8, name=name, start_time_unix_nano=1, end_time_unix_nano=2)
    span.trace_state = trace_state
    for key, text in attributes:
        span.attributes.add(key=key).value.string_value = text
    return span


def _redact(redactor: Redactor, span: Span) -> SpanRecord:
    (record,) = redactor.request(_decoded(span)).sets[0].records
    return record


def _texts(record: SpanRecord) -> list[tuple[str, str]]:
    """Attributes without the gateway's stamps."""
    told = ((each.key, each.value.string_value) for each in record.message().attributes)
    return [pair for pair in told if not stamp.is_stamp(pair[0])]


_FORGED = (stamp.FOUND, "EMAIL:9")


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ([("a", "x"), ("b", "y")], [("a", "x"), ("b", "y")]),
        ([("a", _MAIL), ("b", "y"), ("a", _MAIL)], [("a", "[EMAIL]"), ("b", "y"), ("a", "[EMAIL]")]),
        ([_FORGED, ("a", "x"), _FORGED, _FORGED, ("b", "y")], [("a", "x"), ("b", "y")]),
        ([("a", "x"), _FORGED, ("b", _MAIL), _FORGED, ("c", _MAIL)], [("a", "x"), ("b", "[EMAIL]"), ("c", "[EMAIL]")]),
        ([("a", "x"), ("a", "x"), ("b", _MAIL), ("a", "x")], [("a", "x"), ("a", "x"), ("b", "[EMAIL]"), ("a", "x")]),
    ],
    ids=["clean", "twice", "gone", "gone and changed", "between equal ones"],
)
def test_attributes_stay_in_their_order(sent: list[tuple[str, str]], left: list[tuple[str, str]]) -> None:
    """Whatever becomes of their neighbours; the second time, when some of them are known, as the first."""
    redactor = Redactor(default_rules())
    for _ in range(2):
        record = _redact(redactor, _span(*sent))
        assert _texts(record) == left
        assert record.head is not None
        assert list(record.attributes or ()) == list(record.head.attributes)


def test_a_clean_span_keeps_its_bytes() -> None:
    """Only the stamp is put behind them, also when all of it is known."""
    redactor = Redactor(default_rules())
    span = _span(("a", "x"), ("b", "y"))
    for _ in range(2):
        assert _redact(redactor, span).data.startswith(span.SerializeToString())


def test_a_trace_state_is_told_as_it_leaves() -> None:
    """Sampling reads it from the record."""
    redactor = Redactor(default_rules())
    for _ in range(2):
        assert _redact(redactor, _span(trace_state="ot=th:8")).trace_state == "ot=th:8"
        record = _redact(redactor, _span(trace_state=f"vendor={_MAIL}"))
        assert _MAIL not in record.trace_state
        assert record.trace_state == record.message().trace_state


def test_a_known_attribute_does_not_hide_a_new_name() -> None:
    """A span of which only the name is new is looked at."""
    redactor = Redactor(default_rules())
    _redact(redactor, _span(("a", "x")))
    assert _redact(redactor, _span(("a", "x"), name=f"mail {_MAIL}")).message().name == "mail [EMAIL]"


def test_requests_together_tell_each_what_was_found_in_it() -> None:
    """Findings within spans are of the request that the spans came in."""
    redactor = Redactor(default_rules())
    clean, dirty = redactor.requests([_decoded(_span(("a", "x"))), _decoded(_span(("a", _MAIL)))])
    assert not clean.findings
    assert sum(dirty.findings.values()) == 1


_PART = "llm.input_messages.0.message.contents.{}.message_content.text"


def test_a_value_split_over_the_parts_of_a_message_is_found() -> None:
    """Each part is an attribute, clean by itself: also when all of them are known, and with others between them."""
    redactor = Redactor(default_rules())
    sent = [("a", "x"), (_PART.format(0), "to jane.roe@exam"), ("b", "y"), (_PART.format(1), "ple.com, please")]
    for _ in range(3):
        left = _texts(_redact(redactor, _span(*sent)))
        assert left == [("a", "x"), (_PART.format(0), "to [EMAIL]"), ("b", "y"), (_PART.format(1), ", please")]


def test_parts_that_were_clean_with_others_are_looked_at_again() -> None:
    """What a part says depends on its neighbours, which are others in each span."""
    redactor = Redactor(default_rules())
    for first, second in (("to jane.roe@exam", "nobody"), ("somebody", "ple.com, please")):
        assert _texts(_redact(redactor, _span((_PART.format(0), first), (_PART.format(1), second))))[1][1] == second
    together = _span((_PART.format(0), "to jane.roe@exam"), (_PART.format(1), "ple.com, please"))
    assert _texts(_redact(redactor, together))[1][1] == ", please"


def test_parts_of_two_messages_are_not_one_text() -> None:
    """Neighbours belong together within a message only."""
    other = _PART.replace("messages.0", "messages.1")
    record = _redact(
        Redactor(default_rules()), _span((_PART.format(0), "x jane.roe@exam"), (other.format(0), "ple.com"))
    )
    assert [text for _, text in _texts(record)] == ["x jane.roe@exam", "ple.com"]
