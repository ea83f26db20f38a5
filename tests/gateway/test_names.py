"""Names through a whole gateway."""

from collections.abc import Iterator

import pytest
from demo.gateway import Gateway
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from e2e.harness.sink import grpc_sink
from gateway.helpers_gateway import ALWAYS, forwarding, sender

_TEXT = "I spoke with Jane Quillfeather in Springfield about the invoice."


def _request() -> bytes:
    request = ExportTraceServiceRequest()
    scope_spans = request.resource_spans.add().scope_spans.add()
    for at, key in enumerate(("gen_ai.input.messages", "note")):
        span = scope_spans.spans.add(
            trace_id=b"n" * 16, span_id=bytes([at + 1]) * 8, name="chat gpt-4o", kind=Span.SPAN_KIND_CLIENT,
            start_time_unix_nano=1_700_000_000_000_000_000, end_time_unix_nano=1_700_000_001_000_000_000,
        )  # fmt: skip
        span.attributes.add(key=key).value.string_value = _TEXT
        span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
        span.attributes.add(key="gen_ai.request.model").value.string_value = "gpt-4o"
        span.attributes.add(key="gen_ai.provider.name").value.string_value = "openai"
        span.attributes.add(key="gen_ai.prompt.name").value.string_value = "assistant of Jane Quillfeather"
    return request.SerializeToString()


@pytest.fixture(scope="module", params=["kept", "all", "off"])
def passed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, bytes, str]]:
    """Where names are taken out, what the sink got, and what /metrics shows."""
    with grpc_sink() as sink:
        settings = {**forwarding(sink, ALWAYS), "redaction": {"names": request.param}}
        with Gateway(tmp_path_factory.mktemp("gateway"), settings) as gateway, sender(gateway, "grpc") as to_gateway:
            assert to_gateway.send("traces", _request()).ok
            assert sink.wait_for(lambda: len(sink.spans()) == 2)
            yield request.param, sink.data(), gateway.metrics_text()


def test_names_leave_or_stay_as_the_configuration_says(passed: tuple[str, bytes, str]) -> None:
    """With `kept` and `all` no name reaches the exporter's peer; with `off` they do."""
    names, left, _ = passed
    assert (b"Quillfeather" in left) == (names == "off")
    assert (b"[PERSON]" in left) == (names != "off")


def test_labels_have_no_names(passed: tuple[str, bytes, str]) -> None:
    """A label of a metric that an application writes freely has no name either."""
    names, _, metrics = passed
    assert ("Quillfeather" in metrics) == (names == "off")
    assert "assistant of" in metrics


def test_findings_are_counted(passed: tuple[str, bytes, str]) -> None:
    """What was taken out is counted by rule."""
    names, _, metrics = passed
    assert ('rule="person_in_text"' in metrics) == (names != "off")
