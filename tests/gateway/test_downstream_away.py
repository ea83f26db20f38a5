"""The Collector behind the gateway goes away and comes back: senders feel it before anything is lost."""

from collections import Counter
from typing import Any

import grpc
import pytest
import yaml
from demo.gateway import Gateway

from e2e.harness.sink import GrpcSink
from e2e.parts.processes import wait_until
from gateway.helpers_gateway import Answered, StartGateway, ledger, sender, span_ids, trace

SMALLEST_LIMIT = {"limit_mib": 1}
MEMORY = {"durability": "memory"}
PROSE_BYTES = 20_000
MORE_THAN_FITS = 200  # requests of 20 KB: four times the limit
REFUSALS = {"grpc": "UNAVAILABLE", "http": "503"}


def fill(gateway: Gateway, transport: str) -> tuple[list[Any], Answered]:
    """Send until the gateway refuses: what it accepted, and its refusal."""
    accepted: list[Any] = []
    with sender(gateway, transport) as to_gateway:
        for _ in range(MORE_THAN_FITS):
            request = trace(spans=1, prose_bytes=PROSE_BYTES)
            answered = to_gateway.send("traces", request.SerializeToString())
            if not answered.ok:
                return accepted, answered
            accepted.append(request)
    pytest.fail(f"{MORE_THAN_FITS} requests were accepted: there is no back-pressure")


def send_all(gateway: Gateway, requests: list[Any]) -> None:
    """Have each accepted, sooner or later."""
    with sender(gateway, "grpc") as to_gateway:
        for request in requests:
            wait_until(
                lambda: to_gateway.send("traces", request.SerializeToString()).ok,  # noqa: B023 - called at once
                "it is accepted",
            )


def ids(requests: list[Any]) -> Counter[bytes]:
    """The span ids of several requests."""
    return Counter(span_id for request in requests for span_id in span_ids(request))


def received_ids(sink: GrpcSink) -> Counter[bytes]:
    """The span ids that a sink has."""
    return Counter(span.span_id for span in sink.spans())


@pytest.mark.parametrize("transport", REFUSALS)
def test_senders_are_refused_at_the_memory_limit(transport: str, sink: GrpcSink, start: StartGateway) -> None:
    """While nothing can be exported, senders are refused in a way that makes them try again later."""
    sink.close()
    accepted, refusal = fill(start(sink, memory_limiter=SMALLEST_LIMIT, storage=MEMORY), transport)
    assert 1 <= len(accepted) < 1024 * 1024 / PROSE_BYTES
    assert refusal.code == REFUSALS[transport]
    # Without this a sender may take the refusal for final: RetryInfo in gRPC, Retry-After in HTTP.
    assert b"google.rpc.RetryInfo" in refusal.details or int(refusal.retry_after) >= 1


@pytest.mark.parametrize("transport", REFUSALS)
def test_nothing_answered_ok_is_lost(transport: str, sink: GrpcSink, start: StartGateway) -> None:
    """What was accepted while the Collector was away arrives when it is back, each span once."""
    sink.close()
    accepted, _ = fill(start(sink, memory_limiter=SMALLEST_LIMIT, storage=MEMORY), transport)
    sink.open()
    assert sink.wait_for(lambda: len(sink.spans()) >= len(accepted))
    assert received_ids(sink) == ids(accepted)


def test_senders_are_accepted_again(sink: GrpcSink, start: StartGateway) -> None:
    """Once the queue has drained, the gateway takes new requests."""
    sink.close()
    gateway = start(sink, memory_limiter=SMALLEST_LIMIT, storage=MEMORY)
    accepted, _ = fill(gateway, "grpc")
    sink.open()
    assert sink.wait_for(lambda: len(sink.spans()) >= len(accepted))
    with sender(gateway, "grpc") as to_gateway:
        wait_until(lambda: to_gateway.send("traces", trace().SerializeToString()).ok, "a request is accepted")


def test_collector_that_refuses_for_now_is_tried_again(sink: GrpcSink, start: StartGateway) -> None:
    """UNAVAILABLE from the Collector is no loss: the spans arrive when it accepts again."""
    sink.refuse_with = grpc.StatusCode.UNAVAILABLE
    gateway = start(sink)
    request = trace()
    with sender(gateway, "grpc") as to_gateway:
        assert to_gateway.send("traces", request.SerializeToString()).ok
    wait_until(lambda: sink.refused >= 3, "three refused attempts")
    sink.refuse_with = None
    assert sink.wait_for(lambda: len(sink.spans()) >= 3)
    assert received_ids(sink) == ids([request])


@pytest.mark.parametrize("code", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED])
def test_collector_that_takes_nothing_from_us_is_waited_for(
    code: grpc.StatusCode, sink: GrpcSink, start: StartGateway
) -> None:
    """A refusal that is not about the data drops nothing, is an error in the log and a metric, until it is over."""
    sink.refuse_with = code
    gateway = start(sink)
    request = trace()
    refused = {"signal": "traces", "code": code.name}
    with sender(gateway, "grpc") as to_gateway:
        assert to_gateway.send("traces", request.SerializeToString()).ok
    wait_until(lambda: gateway.metrics().total("spansieve_export_refused", **refused) == 1, "it is told")
    assert [line["level"] for line in gateway.log() if line["event"] == "export_refused"] == ["error"]
    sink.refuse_with = None
    assert sink.wait_for(lambda: len(sink.spans()) >= 3)
    assert received_ids(sink) == ids([request])
    wait_until(lambda: gateway.metrics().total("spansieve_export_refused") == 0, "it is over")
    assert gateway.metrics().total("spansieve_dropped_items_total") == 0


def test_a_token_that_ran_out_loses_nothing(sink: GrpcSink, start: StartGateway) -> None:
    """Four times the memory limit is accepted meanwhile, and arrives, over a kill, once the token is the right one."""
    sink.token = "second"
    gateway = start(sink, memory_limiter=SMALLEST_LIMIT)
    config = yaml.safe_load(gateway.config_file.read_text(encoding="utf-8"))
    gateway.kill()
    for token in ("first", "second"):
        config["exporters"]["otlp"]["headers"] = {"authorization": f"Bearer {token}"}
        gateway.config_file.write_text(yaml.safe_dump(config), encoding="utf-8")
        gateway.start()
        if token == "first":
            requests = [trace(spans=1, prose_bytes=PROSE_BYTES) for _ in range(MORE_THAN_FITS)]
            send_all(gateway, requests)
            wait_until(lambda: sink.refused >= 3, "it is tried again")
            gateway.kill()
    assert sink.wait_for(lambda: len(sink.spans()) >= len(requests))
    assert received_ids(sink) == ids(requests)


def test_books_balance_after_an_outage(sink: GrpcSink, start: StartGateway) -> None:
    """After an outage and a stop everything that was received was exported."""
    sink.close()
    gateway = start(sink)
    with sender(gateway, "http") as to_gateway:
        assert all(to_gateway.send("traces", trace().SerializeToString()).ok for _ in range(20))
    sink.open()
    assert sink.wait_for(lambda: len(sink.spans()) >= 60)
    assert gateway.stop() == 0
    books = ledger(gateway)["traces"]
    assert (books["received"], books["exported"], books["dropped"], books["in_flight"]) == (60, 60, 0, 0)


def test_a_journal_takes_what_memory_may_not(sink: GrpcSink, start: StartGateway) -> None:
    """Four times the memory limit is accepted while the Collector is away, and arrives, each span once."""
    sink.close()
    gateway = start(sink, memory_limiter=SMALLEST_LIMIT)
    requests = [trace(spans=1, prose_bytes=PROSE_BYTES) for _ in range(MORE_THAN_FITS)]
    send_all(gateway, requests)
    assert gateway.metrics().total("spansieve_held_bytes") < 1024 * 1024
    sink.open()
    assert sink.wait_for(lambda: len(sink.spans()) >= len(requests))
    assert received_ids(sink) == ids(requests)


def test_stop_while_the_collector_is_away_says_what_was_dropped(sink: GrpcSink, start: StartGateway) -> None:
    """A stop that finds nobody to send to ends in time, drops with a reason, and says so as an error."""
    sink.close()
    gateway = start(sink, shutdown_timeout="1s", storage=MEMORY)
    with sender(gateway, "grpc") as to_gateway:
        assert to_gateway.send("traces", trace().SerializeToString()).ok
    assert gateway.stop() == 0
    books = ledger(gateway)["traces"]
    assert (books["received"], books["dropped"], books["in_flight"]) == (3, 3, 0)
    assert any(line["level"] == "error" and line.get("items") == 3 for line in gateway.log())
