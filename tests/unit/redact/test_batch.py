"""A batch goes in raw and comes out clean; what cannot be processed is removed, not passed."""

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve import redact
from spansieve.redact import CompiledRules, policy
from spansieve.redact.find.engine import Run
from unit.redact.helpers_redact import default_policy, default_rules, run


def _span(**attributes: str) -> tuple[ExportTraceServiceRequest, Span]:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(name="chat", trace_id=b"t" * 16, span_id=b"s" * 8)
    for key, value in attributes.items():
        span.attributes.add(key=key).value.string_value = value
    return request, span


def _values(span: Span) -> dict[str, str]:
    return {attribute.key: attribute.value.string_value for attribute in span.attributes}


def test_findings_count_values_by_rule() -> None:
    """Each value that was replaced is counted once under its rule, in whatever field it stood."""
    request, span = _span(a="alice@example.com", b="bob@example.com and 078-05-1120")
    span.status.message = "no such user: carol@example.com"
    assert run(request).findings == {"email": 3, "us_ssn": 1}


def test_the_same_value_in_many_spans_is_counted_each_time() -> None:
    """What is remembered of one span also counts for the next."""
    request, span = _span(a="alice@example.com")
    spans = request.resource_spans[0].scope_spans[0].spans
    spans.extend([span, span])
    assert run(request).findings == {"email": 3}
    assert [_values(each) for each in spans] == [{"a": "[EMAIL]"}] * 3


def test_the_same_text_under_another_key_is_judged_anew() -> None:
    """What is remembered belongs to a text and its key."""
    request, span = _span(version="1.2.3.4", note="1.2.3.4", password="1.2.3.4")
    run(request)
    assert _values(span) == {"version": "1.2.3.4", "note": "[IP]", "password": "[SECRET]"}


def test_a_batch_without_findings_is_the_same_bytes() -> None:
    """Nothing is written when nothing was found."""
    request, _ = _span(model="gpt-4o-mini", role="user")
    before = request.SerializeToString()
    batch = run(request)
    assert (batch.findings, batch.message.SerializeToString()) == ({}, before)


def test_attribute_keys_are_redacted_wherever_they_stand() -> None:
    """A key made of data loses the data; the order of attributes stays."""
    request, span = _span(first="1")
    span.attributes.add(key="mail.alice@example.com").value.int_value = 1
    event = span.events.add(name="e")
    nested = event.attributes.add(key="k").value.kvlist_value.values.add(key="alice@example.com")
    nested.value.bool_value = True
    assert run(request).findings == {"email": 2}
    assert [attribute.key for attribute in span.attributes] == ["first", "[EMAIL]"]
    assert event.attributes[0].value.kvlist_value.values[0].key == "[EMAIL]"


def test_bytes_that_are_no_text_become_a_note_of_their_size() -> None:
    """Nothing could be found in them, so they do not pass."""
    request, span = _span()
    span.attributes.add(key="blob").value.bytes_value = b"\xff\xfe" * 50
    assert run(request).findings == {"bytes": 1}
    assert span.attributes[0].value.bytes_value == b"[BYTES 100]"


def test_bytes_that_are_text_stay_bytes() -> None:
    """They are redacted as text, and keep their type."""
    request, span = _span()
    span.attributes.add(key="blob").value.bytes_value = "ü alice@example.com".encode()
    run(request)
    assert span.attributes[0].value.bytes_value == "ü [EMAIL]".encode()


def test_arrays_under_a_secret_key_lose_every_element() -> None:
    """HTTP headers come as arrays of strings."""
    request, span = _span()
    values = span.attributes.add(key="http.request.header.authorization").value.array_value.values
    values.add(string_value="Bearer x")
    values.add(string_value="y")
    run(request)
    assert [value.string_value for value in values] == ["[SECRET]", "[SECRET]"]


def test_summary_points_have_attributes_too() -> None:
    """Of the five kinds of metrics one has no exemplars."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    metric.summary.data_points.add().attributes.add(key="user").value.string_value = "alice@example.com"
    assert run(request).findings == {"email": 1}


def test_a_key_is_remembered_only_when_it_is_clean() -> None:
    """The memory of keys never holds what a rule would replace."""
    rules = policy.compile(default_policy())
    request, span = _span(plain="x", password="y")
    span.attributes.add(key="alice@example.com").value.string_value = "z"
    run(request, rules)
    assert "plain" in rules.plain_keys
    assert not {"password", "alice@example.com"} & rules.plain_keys


def test_the_memory_of_keys_is_bounded() -> None:
    """Keys made of data do not fill the memory."""
    rules = policy.compile(default_policy())
    for start in range(0, 10_000, 1000):
        request, span = _span()
        for number in range(start, start + 1000):
            span.attributes.add(key=f"key.number.{number}").value.string_value = "x"
        run(request, rules)
    assert len(rules.plain_keys) <= 4096
    assert len(rules._facts) <= 4096


def _breaking(monkeypatch: pytest.MonkeyPatch, poison: str) -> CompiledRules:
    """Rules whose engine raises at a text that holds `poison`."""
    plain = Run._plain

    def fail(self: Run, text: str, *rest: object, **others: object) -> str:
        if poison in text:
            raise RuntimeError(text)
        return plain(self, text, *rest, **others)  # type: ignore[arg-type] - the same arguments

    monkeypatch.setattr(Run, "_plain", fail)
    return default_rules()


def test_a_value_whose_processing_fails_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted under `error`, and its neighbours are processed as ever."""
    request, span = _span(a="poison 078-05-1120", b="bob@example.com", c="fine")
    batch = run(request, _breaking(monkeypatch, "poison"))
    assert batch.findings == {"error": 1, "email": 1}
    assert _values(span) == {"a": "[REMOVED]", "b": "[EMAIL]", "c": "fine"}


def test_in_json_only_the_leaf_that_fails_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The JSON around it stays JSON."""
    text, findings = redact.text('{"a": "poison 078-05-1120", "b": 1}', _breaking(monkeypatch, "poison"))
    assert (text, findings) == ('{"a": "[REMOVED]", "b": 1}', {"error": 1})


def test_when_the_anchors_fail_each_text_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """One text that cannot be scanned takes no other with it."""
    rules = policy.compile(default_policy())
    scan = type(rules.anchors).scan

    def fail(self: object, texts: list[str]) -> object:
        if any("poison" in text for text in texts):
            raise RuntimeError("poison")
        return scan(self, texts)  # type: ignore[arg-type] - the same arguments

    monkeypatch.setattr(type(rules.anchors), "scan", fail)
    request, span = _span(a="poison", b="bob@example.com", c="fine")
    batch = run(request, rules)
    assert batch.findings == {"error": 1, "email": 1}
    assert _values(span) == {"a": "[REMOVED]", "b": "[EMAIL]", "c": "fine"}


def test_nothing_raw_is_in_a_repr() -> None:
    """Rules and results may be logged."""
    request, _ = _span(a="alice@example.com", sessionkey="x")
    batch = run(request)
    assert "alice" not in repr(batch)
    assert "sessionkey" not in repr(default_rules())
