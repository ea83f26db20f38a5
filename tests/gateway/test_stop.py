"""SIGTERM in mid-traffic: what was answered OK is in the sink or was sampled out, and the books say so."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from demo.gateway import Gateway

from e2e.harness.sink import Received, grpc_sink
from gateway.helpers_gateway import forwarding, kept_by_half, ledger, span_ids, traffic

HALF = {"name": "half", "type": "probabilistic", "probabilistic": {"sampling_percentage": 50}}
BEFORE_SIGTERM = 300  # requests answered OK


class Stopped(NamedTuple):
    """How it ended: exit code, the requests that were answered OK, the final books, the sink."""

    exit_code: int
    accepted: list[Any]
    books: dict[str, int]
    received: Received
    refusals: set[str]
    log: str


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stopped]:
    """Traffic over both transports that goes on until the gateway, told to stop, refuses it."""
    with grpc_sink() as sink:
        with Gateway(
            tmp_path_factory.mktemp("gateway"), {**forwarding(sink, HALF), "drain_on_shutdown": True}
        ) as gateway:
            with traffic(gateway, *("grpc", "http") * 2) as sent:
                sent.flows(BEFORE_SIGTERM)
                exit_code = gateway.stop()
            books, log = ledger(gateway)["traces"], gateway.log_file.read_text()
        yield Stopped(exit_code, sent.accepted, books, sink, sent.refusals, log)


def test_exit_code_is_zero(stopped: Stopped) -> None:
    """An orderly stop, within the thirty seconds that Gateway.stop() waits."""
    assert stopped.exit_code == 0


def test_senders_are_told_to_try_elsewhere(stopped: Stopped) -> None:
    """Who sends while the gateway stops finds nobody, or is refused with a code that OTLP calls retryable.

    CANCELLED is what gRPC itself answers to a call that reaches a connection which is being closed.
    """
    assert stopped.refusals <= {"UNAVAILABLE", "CANCELLED", "503", "unreachable"}


def test_every_kept_span_arrives_once(stopped: Stopped) -> None:
    """Of what was answered OK, exactly the spans that the policy keeps are in the sink, each once."""
    got = Counter(span.span_id for span in stopped.received.spans())
    kept = [span_id for request in stopped.accepted if kept_by_half(request) for span_id in span_ids(request)]
    assert len(kept) > BEFORE_SIGTERM / 2
    assert Counter({span_id: got[span_id] for span_id in kept}) == Counter(kept)


def test_no_span_that_was_sampled_out_arrives(stopped: Stopped) -> None:
    """Of what was answered OK, nothing that the policy does not keep is in the sink."""
    let_go = {span_id for request in stopped.accepted if not kept_by_half(request) for span_id in span_ids(request)}
    assert let_go
    assert let_go.isdisjoint(span.span_id for span in stopped.received.spans())


def test_books_balance(stopped: Stopped) -> None:
    """Received is exported, sampled out, rejected and dropped together, with nothing left in flight."""
    books = stopped.books
    assert books["in_flight"] == books["dropped"] == books["rejected"] == 0
    assert books["received"] == books["exported"] + books["sampled_out"]


def test_books_agree_with_both_ends(stopped: Stopped) -> None:
    """At least what was answered OK was received, and exported is what the sink has."""
    assert stopped.books["received"] >= sum(len(span_ids(request)) for request in stopped.accepted)
    assert stopped.books["exported"] == len(stopped.received.spans())


def test_log_quotes_nothing_of_a_span(stopped: Stopped) -> None:
    """Names of spans do not come up in the log."""
    assert "stopped" in stopped.log
    assert "step " not in stopped.log
