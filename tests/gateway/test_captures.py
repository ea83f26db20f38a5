"""What real instrumentations sent, through a whole gateway, over each transport."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from demo import search
from demo.gateway import Gateway
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from e2e.harness.sink import GrpcSink, grpc_sink
from gateway.helpers_gateway import ALWAYS, forwarding, sender

CAPTURES = Path(__file__).parents[1] / "captures"
NAMES = sorted(path.stem for path in CAPTURES.glob("*.pb"))
SEEDS = ("alice@example.com", "bob@example.com", "carol@example.com", "078-05-1120")
# The metrics captures hold no personal data: the instrumentations put none there.
SEEDED_SIGNALS = ("traces", "logs")
MESSAGES: dict[str, Any] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}


class Passed(NamedTuple):
    """One capture: what was sent of it, and what the sink got."""

    signal: str
    sent: Any
    left: Any  # one request that holds all that the sink got


class Route:
    """A gateway with a sink behind it, through which every capture has gone once.

    Captures are told apart at the other end: traces, which wait for their decision together, by their trace ids; logs
    and metrics, which pass at once, by being sent one after the other.
    """

    def __init__(self, gateway: Gateway, sink: GrpcSink, transport: str) -> None:
        self._sink = sink
        self.passed: dict[str, Passed] = {}
        with sender(gateway, transport) as to_gateway:
            for name in NAMES:
                signal = name.rsplit(".", 1)[-1]
                sent = MESSAGES[signal].FromString((CAPTURES / f"{name}.pb").read_bytes())
                before = len(self._requests(signal))
                file = CAPTURES / f"{name}.{'json' if transport == 'json' else 'pb'}"
                answered = to_gateway.send(signal, file.read_bytes())
                assert answered.ok, answered.code
                left = MESSAGES[signal]()
                if signal != "traces":
                    self._await(signal, before, count_items(signal, [sent]))
                    for request in self._requests(signal)[before:]:
                        left.MergeFrom(request)
                self.passed[name] = Passed(signal, sent, left)
        traces = [passed for passed in self.passed.values() if passed.signal == "traces"]
        self._await("traces", 0, sum(count_items("traces", [passed.sent]) for passed in traces))
        for passed in traces:
            trace_ids = {span.trace_id for span in items_of("traces", passed.sent)}
            for request in self._requests("traces"):
                passed.left.resource_spans.extend(parts_of(request, trace_ids))

    def _await(self, signal: str, first: int, items: int) -> None:
        """Wait until the requests from the `first` on hold so many items."""
        assert self._sink.wait_for(lambda: count_items(signal, self._requests(signal)[first:]) >= items)

    def _requests(self, signal: str) -> list[Any]:
        return [request for request in self._sink.requests(signal) if signal != "metrics" or not is_own(request)]


def parts_of(request: ExportTraceServiceRequest, trace_ids: set[bytes]) -> Iterator[ResourceSpans]:
    """What a request holds of some traces, in its envelopes."""
    for resource in request.resource_spans:
        part = ResourceSpans()
        part.CopyFrom(resource)
        for scope in part.scope_spans:
            spans = [span for span in scope.spans if span.trace_id in trace_ids]
            del scope.spans[:]
            scope.spans.extend(spans)
        if any(scope.spans for scope in part.scope_spans):
            yield part


def is_own(request: Any) -> bool:  # noqa: ANN401 - ExportMetricsServiceRequest
    """Whether a metrics request is the gateway's own."""
    return any(
        attribute.key == "service.name" and attribute.value.string_value == "spansieve"
        for resource in request.resource_metrics
        for attribute in resource.resource.attributes
    )


@pytest.fixture(scope="module", params=["grpc", "http", "json"])
def route(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Route]:
    """A gateway that keeps everything, reached over one transport."""
    with grpc_sink() as sink:
        settings = {**forwarding(sink, ALWAYS), "measure": {"application_genai_metrics": "keep"}}
        with Gateway(tmp_path_factory.mktemp("gateway"), settings) as gateway:
            yield Route(gateway, sink, request.param)


@pytest.fixture(params=NAMES)
def passed(request: pytest.FixtureRequest, route: Route) -> Passed:
    """One capture on its way through."""
    return route.passed[request.param]


def items_of(signal: str, request: Any) -> Iterator[Any]:  # noqa: ANN401 - one of three message types
    """Spans, log records or metrics of a request, in order."""
    resources, scopes, items = {
        "traces": ("resource_spans", "scope_spans", "spans"),
        "logs": ("resource_logs", "scope_logs", "log_records"),
        "metrics": ("resource_metrics", "scope_metrics", "metrics"),
    }[signal]
    for resource in getattr(request, resources):
        for scope in getattr(resource, scopes):
            yield from getattr(scope, items)


def count_items(signal: str, requests: Iterable[Any]) -> int:
    """Spans, log records or metrics in all."""
    return sum(1 for request in requests for _ in items_of(signal, request))


def key_values(message: Message) -> Iterator[KeyValue]:
    """Every KeyValue anywhere in a message, in order."""
    if isinstance(message, KeyValue):
        yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else (value,):
                yield from key_values(inner)


OURS = ("tailsampling.policy", "spansieve.sampling.", "spansieve.redaction.")
"""What the gateway adds to a span: the policy that kept it and why, and the stamp of its redaction."""


def skeleton(signal: str, item: Any) -> Any:  # noqa: ANN401 - one of three message types
    """All of an item that is not text: ids, times, kinds, numbers, flags, the keys of attributes and their order."""
    if signal == "traces":
        events = [(event.time_unix_nano, [a.key for a in event.attributes]) for event in item.events]
        links = [(link.trace_id, link.span_id, link.flags) for link in item.links]
        keys = [a.key for a in item.attributes if not a.key.startswith(OURS)]
        times = (item.start_time_unix_nano, item.end_time_unix_nano)
        return item.trace_id, item.span_id, item.parent_span_id, item.kind, times, item.status.code, item.flags, (
            keys, events, links,
        )  # fmt: skip
    if signal == "logs":
        keys = [a.key for a in item.attributes]
        return (
            item.time_unix_nano,
            item.observed_time_unix_nano,
            item.severity_number,
            item.trace_id,
            item.span_id,
            keys,
        )
    kind = item.WhichOneof("data")
    points = getattr(item, kind).data_points
    return item.name, item.unit, kind, [
        (p.start_time_unix_nano, p.time_unix_nano, [a.key for a in p.attributes], getattr(p, "count", None))
        for p in points
    ]  # fmt: skip


def by_trace(signal: str, request: Any) -> dict[bytes, list[Any]]:  # noqa: ANN401 - one of three message types
    """The skeletons of a request's items in their order, which holds within a trace; other signals are one sequence."""
    found: dict[bytes, list[Any]] = defaultdict(list)
    for item in items_of(signal, request):
        found[item.trace_id if signal == "traces" else b""].append(skeleton(signal, item))
    return found


def test_there_are_captures() -> None:
    """The tests below are about something: traces, logs and metrics of several instrumentations."""
    assert {name.rsplit(".", 1)[-1] for name in NAMES} == set(MESSAGES)
    assert len(NAMES) >= 10


@pytest.mark.parametrize("name", [name for name in NAMES if name.rsplit(".", 1)[-1] in SEEDED_SIGNALS])
def test_capture_holds_personal_data(name: str) -> None:
    """Before the gateway the search finds the planted values: what it does not find after was taken out."""
    assert search.found(SEEDS, (CAPTURES / f"{name}.pb").read_bytes())


def test_no_personal_data_leaves(passed: Passed) -> None:
    """None of the planted values is in what the sink got, in any disguise."""
    assert search.found(SEEDS, passed.left.SerializeToString()) == []


def test_skeleton_is_unchanged(passed: Passed) -> None:
    """Ids, times, kinds, counts, attribute keys and order are as they were."""
    assert by_trace(passed.signal, passed.left) == by_trace(passed.signal, passed.sent)


def test_json_attributes_still_parse(passed: Passed) -> None:
    """A text that was a JSON object or array is one after, of the same type; and no attribute is missing."""
    sent = list(key_values(passed.sent))
    left = [pair for pair in key_values(passed.left) if not pair.key.startswith(OURS)]
    if passed.signal == "traces":
        # Spans of several traces may leave in another order, and share their envelope no longer.
        sent = [pair for item in ordered(passed.sent) for pair in key_values(item)]
        left = [p for item in ordered(passed.left) for p in key_values(item) if not p.key.startswith(OURS)]
    assert [pair.key for pair in left] == [pair.key for pair in sent]
    for before, after in zip(sent, left, strict=True):
        if (kind := json_type(before.value.string_value)) is not None:
            assert json_type(after.value.string_value) is kind, before.key


def ordered(request: Any) -> list[Any]:  # noqa: ANN401 - ExportTraceServiceRequest
    """The spans of a request by their ids."""
    return sorted(items_of("traces", request), key=lambda span: span.span_id)


def json_type(text: str) -> type | None:
    """Whether a text is a JSON object (dict) or array (list), or neither (None)."""
    if not text.startswith(("{", "[")):
        return None
    try:
        return type(json.loads(text))
    except ValueError:
        return None
