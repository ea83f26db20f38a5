"""Several processes that receive and redact for one gateway: one view of all, and nothing lost when one dies."""

import os
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from demo.gateway import Gateway, GatewayFailed
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status as SpanStatus

from e2e.harness.sink import GrpcSink
from e2e.parts.processes import wait_until
from gateway.helpers_gateway import (
    Answered,
    GrpcSender,
    StartGateway,
    kept_by_half,
    ledger,
    sender,
    span_ids,
    trace,
    traffic,
    workers,
)
from gateway.test_reload import NAMED, POLICY, RULE, reloads, write

HALF = {"name": "half", "type": "probabilistic", "probabilistic": {"sampling_percentage": 50}}
CONNECTIONS = 12
"""So many connections that all of them reach the same one of two workers once in 2,000 runs."""


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in {"Z", "X"}


def serving(gateway: Gateway) -> float:
    """How many workers receive."""
    return gateway.metrics().total("spansieve_workers_serving")


def send_apart(gateway: Gateway, request: ExportTraceServiceRequest) -> None:
    """Send each span of a request over a connection of its own, by turns over HTTP and gRPC."""
    (resource,) = request.resource_spans
    for number, span in enumerate(resource.scope_spans[0].spans):
        alone = ExportTraceServiceRequest()
        alone.resource_spans.add().scope_spans.add().spans.append(span)
        with sender(gateway, "grpc" if number == 0 else "http") as to_gateway:
            assert to_gateway.send("traces", alone.SerializeToString()).ok


def settled(gateway: Gateway) -> None:
    """Wait until every span has its fate."""
    wait_until(lambda: gateway.metrics().total("spansieve_in_flight_items") == 0, "all has its fate")


def test_a_trace_over_several_workers_is_decided_as_one(sink: GrpcSink, start: StartGateway) -> None:
    """Its spans come over many connections; it is kept whole or not at all, by one decision, in one set of books."""
    gateway = start(sink, workers=2, sampling={"decision_wait": "4s", "policies": [HALF]})
    requests = [trace(CONNECTIONS) for _ in range(8)]
    for request in requests:
        send_apart(gateway, request)
    settled(gateway)
    kept = [request for request in requests if kept_by_half(request)]
    assert sink.wait_for(lambda: len(sink.spans()) >= CONNECTIONS * len(kept))
    assert Counter(span.span_id for span in sink.spans()) == Counter(i for each in kept for i in span_ids(each))
    metrics = gateway.metrics()
    assert metrics.total("spansieve_decisions_total") == 8
    assert metrics.total("spansieve_received_items_total", signal="traces") == 8 * CONNECTIONS
    assert gateway.stop() == 0
    assert ledger(gateway)["traces"]["received"] == 8 * CONNECTIONS


@pytest.mark.parametrize("transport", ["grpc", "http", "json"])
def test_a_bad_request_is_answered_and_counted(sink: GrpcSink, start: StartGateway, transport: str) -> None:
    """The worker answers what is no OTLP, and the owner's metrics count it."""
    gateway = start(sink, workers=2)
    with sender(gateway, transport) as to_gateway:
        answered = to_gateway.send("traces", b"\xff\xff")
    assert answered.code in {"INVALID_ARGUMENT", "400"}
    wait_until(
        lambda: gateway.metrics().total("spansieve_requests_total", code=answered.code, signal="traces") == 1,
        "the request is counted",
    )


def test_invalid_spans_are_told_and_booked(sink: GrpcSink, start: StartGateway) -> None:
    """What a worker rejects of a request is in the owner's books."""
    gateway = start(sink, workers=2)
    request = trace(3)
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = b"short"
    with sender(gateway, "grpc") as to_gateway:
        assert to_gateway.send("traces", request.SerializeToString()).ok
    assert gateway.metrics().total("spansieve_rejected_items_total", reason="invalid_id") == 1
    settled(gateway)
    assert len(sink.spans()) == 2


def test_killed_workers_lose_nothing_and_come_back(sink: GrpcSink, start: StartGateway) -> None:
    """Senders at work, four kills of a worker: what was answered OK arrives, and two workers serve again."""
    gateway = start(sink, workers=2)
    owner = gateway.pid
    with traffic(gateway, "grpc", "http", "http") as sent:
        for kill in range(1, 5):
            sent.flows(30)
            os.kill(min(workers(gateway)), signal.SIGKILL)
            wait_until(
                lambda: gateway.metrics().total("spansieve_workers_restarts_total") == kill and serving(gateway) == 2,  # noqa: B023 - called at once
                "the worker is back",
            )
    settled(gateway)
    assert gateway.pid == owner
    owed = {span_id for request in sent.accepted for span_id in span_ids(request)}
    assert not owed - {span.span_id for span in sink.spans()}


def test_a_worker_that_hangs_is_replaced(sink: GrpcSink, start: StartGateway) -> None:
    """It is alive, holds its connections and says nothing: the owner kills it, counts that, and starts another."""
    gateway = start(sink, workers=2)
    hanging = min(workers(gateway))
    os.kill(hanging, signal.SIGSTOP)
    wait_until(
        lambda: gateway.metrics().total("spansieve_workers_restarts_total") == 1 and serving(gateway) == 2,
        "another worker serves",
    )
    assert is_gone(hanging)
    request = trace(CONNECTIONS)
    send_apart(gateway, request)
    assert sink.wait_for(lambda: {s.span_id for s in sink.spans()} == set(span_ids(request)))


def test_no_worker_outlives_its_owner(sink: GrpcSink, start: StartGateway) -> None:
    """After kill -9 of the owner its workers end by themselves."""
    gateway = start(sink, workers=2)
    orphans = workers(gateway)
    assert len(orphans) == 2
    gateway.kill()
    wait_until(lambda: all(map(is_gone, orphans)), "the workers end")


def test_a_crash_of_all_loses_nothing(sink: GrpcSink, start: StartGateway) -> None:
    """What workers were told OK for is taken up by the next owner."""
    gateway = start(sink, workers=2, sampling={"decision_wait": "3s", "policies": [HALF]})
    requests = [trace() for _ in range(20)]
    for request in requests:
        send_apart(gateway, request)
    gateway.kill()
    gateway.start()
    kept = [request for request in requests if kept_by_half(request)]
    assert sink.wait_for(lambda: len(sink.spans()) >= 3 * len(kept))
    settled(gateway)
    assert {s.span_id for s in sink.spans()} == {span_id for each in kept for span_id in span_ids(each)}


def test_one_process_takes_up_what_three_workers_left(sink: GrpcSink, start: StartGateway) -> None:
    """The journal is the owner's: after a crash a gateway without workers owes the same, and its totals go on."""
    sink.close()
    gateway = start(sink, workers=3)
    requests = [trace(6) for _ in range(10)]
    for request in requests:
        send_apart(gateway, request)
    gateway.kill()
    config = yaml.safe_load(gateway.config_file.read_text(encoding="utf-8"))
    gateway.config_file.write_text(yaml.safe_dump({**config, "workers": 1}), encoding="utf-8")
    sink.open()
    gateway.start()
    settled(gateway)
    assert {s.span_id for s in sink.spans()} == {span_id for each in requests for span_id in span_ids(each)}
    assert gateway.metrics().total("spansieve_received_items_total") == 60


def test_a_stop_ends_all_processes(sink: GrpcSink, start: StartGateway) -> None:
    """SIGTERM under traffic: exit code 0, balanced books that hold all that was answered OK, no process left."""
    gateway = start(sink, workers=2)
    ours = workers(gateway)
    with traffic(gateway, "http") as sent:
        sent.flows(20)
        assert gateway.stop() == 0
    assert all(map(is_gone, ours))
    books = ledger(gateway)["traces"]
    assert books["received"] == 3 * len(sent.accepted)
    assert books["exported"] + books["in_flight"] == books["received"]


def test_a_changed_policy_reaches_every_worker(sink: GrpcSink, start: StartGateway, tmp_path: Path) -> None:
    """Once the reload is counted, the next span meets the new rule on whichever connection it comes."""
    file = tmp_path / "policy.yaml"
    write(file, POLICY)
    gateway = start(sink, workers=2, redaction={"policy": str(file), "names": "off"})
    write(file, {**POLICY, "rules": [RULE]})
    wait_until(lambda: reloads(gateway, "ok") == 1, "the reload")
    request = trace(CONNECTIONS)
    for span in request.resource_spans[0].scope_spans[0].spans:
        span.name = NAMED
    send_apart(gateway, request)
    assert sink.wait_for(lambda: len(sink.spans()) == CONNECTIONS)
    assert {span.name for span in sink.spans()} == {"[FURNITURE]"}


def test_workers_take_out_names(sink: GrpcSink, start: StartGateway) -> None:
    """With `names: all` each worker has the model: no name crosses to the owner, which counts what was found."""
    gateway = start(sink, workers=2, redaction={"names": "all"}, sampling={"decision_wait": "1s"})
    request = trace(CONNECTIONS)
    for span in request.resource_spans[0].scope_spans[0].spans:
        span.attributes.add(key="note").value.string_value = "I spoke with Jane Quillfeather about the invoice."
        span.status.code = SpanStatus.STATUS_CODE_ERROR
    send_apart(gateway, request)
    assert sink.wait_for(lambda: len(sink.spans()) == CONNECTIONS)
    assert b"Quillfeather" not in sink.data()
    assert b"[PERSON]" in sink.data()
    assert gateway.metrics().total("spansieve_redactions_total", rule="person_in_text") == CONNECTIONS


def refused(gateway: Gateway) -> Answered:
    """Send until the gateway has no more room."""
    sending = GrpcSender(gateway.grpc)
    try:
        for _ in range(200):
            if not (answered := sending.send("traces", trace(3, prose_bytes=8000).SerializeToString())).ok:
                return answered
    finally:
        sending.close()
    raise AssertionError("everything was taken")


def test_senders_are_refused_with_a_time_when_the_memory_is_full(sink: GrpcSink, start: StartGateway) -> None:
    """The owner's limit reaches the sender through the worker: UNAVAILABLE with RetryInfo, as without workers."""
    sink.close()
    settings: Mapping[str, Any] = {"limit_mib": 1}
    gateway = start(sink, workers=2, memory_limiter=settings, storage={"durability": "memory"})
    answered = refused(gateway)
    assert answered.code == "UNAVAILABLE"
    (detail,) = Status.FromString(answered.details).details
    delay = RetryInfo()
    assert detail.Unpack(delay)
    assert delay.retry_delay.seconds > 0


def test_a_taken_port_keeps_the_gateway_from_starting(sink: GrpcSink, start: StartGateway, tmp_path: Path) -> None:
    """A second gateway does not share the ports of the first one's workers by mistake."""
    first = start(sink, workers=2)
    apart = tmp_path / "second"
    apart.mkdir()
    endpoint = first.grpc.removeprefix("http://")
    second = Gateway(apart, {"workers": 2, "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": endpoint}}}}})
    with pytest.raises(GatewayFailed, match="Address already in use"), second:
        pass
