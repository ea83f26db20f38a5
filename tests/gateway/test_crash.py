"""kill -9 between two requests: what was answered OK is taken up by the next process, and has its fate there."""

from collections import Counter
from typing import Any

import pytest
from demo.gateway import Gateway, GatewayFailed

from e2e.harness.sink import GrpcSink
from e2e.parts.processes import wait_until
from gateway.helpers_gateway import StartGateway, kept_by_half, ledger, sender, span_ids, trace, traffic

HALF = {"name": "half", "type": "probabilistic", "probabilistic": {"sampling_percentage": 50}}
LONG_WAIT = {"decision_wait": "3s", "policies": [HALF]}


def ids(requests: list[Any]) -> Counter[bytes]:
    """The span ids of several requests."""
    return Counter(span_id for request in requests for span_id in span_ids(request))


def received_ids(sink: GrpcSink) -> Counter[bytes]:
    """The span ids that a sink has."""
    return Counter(span.span_id for span in sink.spans())


def send(gateway: Gateway, requests: list[Any]) -> None:
    """Have them answered OK, in one call: before any of them is decided, however slow the machine."""
    with sender(gateway, "grpc") as to_gateway:
        assert to_gateway.send("traces", b"".join(request.SerializeToString() for request in requests)).ok


def test_waiting_traces_are_decided_after_a_crash(sink: GrpcSink, start: StartGateway) -> None:
    """Exactly the traces that the policy keeps arrive, each span once, though no process saw both ends."""
    gateway = start(sink, sampling=LONG_WAIT)
    requests = [trace() for _ in range(40)]
    send(gateway, requests)
    gateway.kill()
    assert not sink.spans()
    gateway.start()
    kept = [request for request in requests if kept_by_half(request)]
    assert sink.wait_for(lambda: len(sink.spans()) >= 3 * len(kept))
    wait_until(lambda: gateway.metrics().total("spansieve_in_flight_items") == 0, "all has its fate")
    assert received_ids(sink) == ids(kept)


def test_kept_traces_wait_for_the_collector_over_a_crash(sink: GrpcSink, start: StartGateway) -> None:
    """Decided, and not delivered when the process died: the next one delivers."""
    sink.close()
    gateway = start(sink)
    requests = [trace() for _ in range(10)]
    send(gateway, requests)
    wait_until(lambda: gateway.metrics().total("spansieve_decisions_total") == 10, "all are decided")
    gateway.kill()
    sink.open()
    gateway.start()
    assert sink.wait_for(lambda: len(sink.spans()) >= 30)
    assert received_ids(sink) == ids(requests)


def test_books_go_on_over_a_crash(sink: GrpcSink, start: StartGateway) -> None:
    """What was received before the crash and exported after it is in the final books, once."""
    gateway = start(sink, sampling=LONG_WAIT)
    requests = [trace() for _ in range(20)]
    send(gateway, requests[:10])
    gateway.kill()
    gateway.start()
    send(gateway, requests[10:])
    wait_until(lambda: gateway.metrics().total("spansieve_in_flight_items") == 0, "all has its fate")
    assert gateway.stop() == 0
    books = ledger(gateway)["traces"]
    kept = sum(map(kept_by_half, requests))
    assert books == {
        "received": 60, "exported": 3 * kept, "sampled_out": 60 - 3 * kept, "rejected": 0, "dropped": 0, "in_flight": 0,
    }  # fmt: skip


def test_a_stop_leaves_waiting_traces_to_the_next_process(sink: GrpcSink, start: StartGateway) -> None:
    """SIGTERM forces no decision: the trace waits in the journal, with the time that it had left."""
    gateway = start(sink, sampling=LONG_WAIT)
    requests = [trace() for _ in range(10)]
    send(gateway, requests)
    assert gateway.stop() == 0
    assert ledger(gateway)["traces"]["in_flight"] == 30
    assert not sink.spans()
    gateway.start()
    kept = [request for request in requests if kept_by_half(request)]
    assert sink.wait_for(lambda: len(sink.spans()) >= 3 * len(kept))
    assert received_ids(sink) == ids(kept)


def test_a_sender_that_had_no_answer_may_repeat_itself(sink: GrpcSink, start: StartGateway) -> None:
    """The same request before and after a crash is one trace: its spans arrive once, and count as duplicates once."""
    gateway = start(sink, sampling={**LONG_WAIT, "policies": [{"name": "all", "type": "always_sample"}]})
    requests = [trace() for _ in range(5)]
    send(gateway, requests)
    gateway.kill()
    gateway.start()
    send(gateway, requests)
    assert sink.wait_for(lambda: len(sink.spans()) >= 15)
    wait_until(lambda: gateway.metrics().total("spansieve_in_flight_items") == 0, "all has its fate")
    assert received_ids(sink) == ids(requests)
    assert gateway.metrics().total("spansieve_dropped_items_total", reason="duplicate") == 15


def test_nothing_of_a_span_can_be_read_on_the_disk(sink: GrpcSink, start: StartGateway) -> None:
    """The journal's files hold no text that was in a span, redacted or not."""
    gateway = start(sink, sampling=LONG_WAIT)
    send(gateway, [trace(prose_bytes=2000)])
    gateway.kill()
    files = [path for path in (gateway.directory / "data" / "journal").iterdir() if path.is_file()]
    assert max(path.stat().st_size for path in files) > 2000
    assert not any(b"umbrella" in path.read_bytes() for path in files)


def test_two_gateways_cannot_share_a_journal(sink: GrpcSink, start: StartGateway) -> None:
    """The second one does not start, and says why."""
    first = start(sink)
    second = Gateway(first.directory, {})
    second.log_file = first.directory / "second.log"
    with pytest.raises(GatewayFailed, match="in use by another gateway"), second:
        pass


def test_kills_in_mid_traffic_lose_nothing(sink: GrpcSink, start: StartGateway) -> None:
    """Senders at work, five kills: every request that was answered OK arrives, whole and unchanged."""
    gateway = start(sink)
    with traffic(gateway, "grpc", "http") as sent:
        for _ in range(5):
            sent.flows(50)
            gateway.kill()
            gateway.start()
    wait_until(lambda: gateway.metrics().total("spansieve_in_flight_items") == 0, "all has its fate")
    assert not ids(sent.accepted).keys() - received_ids(sink).keys()
