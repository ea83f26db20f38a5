"""What answers mean, and how long to wait."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import DebugInfo, RetryInfo
from google.rpc.status_pb2 import Status

from spansieve.config_exporters import Retry
from spansieve.export.retry import Backoff, Verdict, judge, retry_info


@pytest.mark.parametrize(
    "code", ["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"]
)
@pytest.mark.parametrize("info", [None, 3.0])
def test_what_otlp_calls_retryable_is_retried(code: str, info: float | None) -> None:
    """With and without RetryInfo."""
    assert judge(code, info, 1 << 20) is Verdict.RETRY


@pytest.mark.parametrize(
    "code",
    [
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "ALREADY_EXISTS",
        "INTERNAL",
    ],
)
@pytest.mark.parametrize("info", [None, 3.0])
def test_every_other_code_is_final(code: str, info: float | None) -> None:
    """RetryInfo does not change that."""
    assert judge(code, info, 1 << 20) is Verdict.REFUSED


@pytest.mark.parametrize(
    "code", ["UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "FAILED_PRECONDITION", "UNIMPLEMENTED"]
)
@pytest.mark.parametrize("info", [None, 3.0])
def test_what_is_not_said_of_the_data_is_held(code: str, info: float | None) -> None:
    """A token that has run out, an endpoint that is another's, a peer that is not in its right state."""
    assert judge(code, info, 1 << 20) is Verdict.HOLD


def test_a_known_peer_may_have_no_use_for_a_signal() -> None:
    """It took another one, so that the endpoint is right."""
    assert judge("UNIMPLEMENTED", None, 1 << 20, is_peer_known=True) is Verdict.UNWANTED


@pytest.mark.parametrize(
    ("code", "why", "verdict"),
    [
        ("INTERNAL", "http_400", Verdict.HOLD),
        ("UNKNOWN", "http_405", Verdict.HOLD),
        ("UNIMPLEMENTED", "http_404", Verdict.HOLD),
        ("UNKNOWN", "peer_speaks_no_grpc", Verdict.HOLD),
        ("UNAVAILABLE", "http_503", Verdict.RETRY),
        ("UNAVAILABLE", "connection_refused", Verdict.RETRY),
        ("UNKNOWN", "http_413", Verdict.SPLIT),
    ],
)
def test_what_no_grpc_server_answered_is_no_refusal_of_the_data(code: str, why: str, verdict: Verdict) -> None:
    """Somebody stands before the peer, or in its place; a size over the limit of a proxy is one that can be halved."""
    assert judge(code, None, 1 << 20, why, is_peer_known=True) is verdict


@pytest.mark.parametrize(("info", "verdict"), [(None, Verdict.SPLIT), (0.0, Verdict.RETRY), (5.0, Verdict.RETRY)])
def test_resource_exhausted_depends_on_retry_info(info: float | None, verdict: Verdict) -> None:
    """Without it the message is too large; with it the peer recovers."""
    assert judge("RESOURCE_EXHAUSTED", info, 1 << 20) is verdict


@pytest.mark.parametrize(("size", "verdict"), [(65_536, Verdict.RETRY), (65_537, Verdict.SPLIT)])
def test_a_small_message_is_not_too_large(size: int, verdict: Verdict) -> None:
    """The peer is short of something else, and does not say for how long."""
    assert judge("RESOURCE_EXHAUSTED", None, size) is verdict


def details(*messages: DebugInfo | RetryInfo) -> bytes:
    """A serialized Status with details."""
    status = Status()
    for message in messages:
        status.details.add().Pack(message)
    return status.SerializeToString()


@pytest.mark.parametrize(
    ("trailer", "seconds"),
    [
        (details(RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000))), 2.5),
        (details(DebugInfo(detail="x"), RetryInfo(retry_delay=Duration(seconds=1))), 1.0),
        (details(RetryInfo()), 0.0),
        (details(DebugInfo(detail="x")), None),
        (b"", None),
        (b"\xff\xff\xff", None),
    ],
)
def test_retry_info_is_found_among_the_details(trailer: bytes, seconds: float | None) -> None:
    """Anything that is not a Status with a RetryInfo is no advice."""
    assert retry_info(trailer) == seconds


def test_waits_grow_up_to_the_longest() -> None:
    """By the multiplier, each from the last, and no further."""
    settings = Retry(initial_interval="1s", multiplier=2, randomization_factor=0, max_interval="5s")
    backoff = Backoff(settings, lambda: 0.3)
    assert [backoff.next(None) for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_where_trying_soon_is_of_no_use_the_first_wait_is_the_longest() -> None:
    """And so are those that follow, of whatever kind: a wrong token must not look like an attack."""
    backoff = Backoff(Retry(initial_interval="1s", randomization_factor=0, max_interval="30s"), lambda: 0.3)
    assert [backoff.longest(None), backoff.longest(90.0), backoff.next(None)] == [30.0, 90.0, 30.0]


@pytest.mark.parametrize(("drawn", "wait"), [(0.0, 5.0), (0.5, 10.0), (0.9999999999, 15.0)])
def test_jitter_spreads_a_wait_around_its_interval(drawn: float, wait: float) -> None:
    """From 1 - f to 1 + f of it."""
    backoff = Backoff(Retry(initial_interval="10s", randomization_factor=0.5), lambda: drawn)
    assert backoff.next(None) == pytest.approx(wait)


def test_jitter_does_not_go_beyond_the_longest_wait() -> None:
    """The bound is one of waits, not of intervals."""
    backoff = Backoff(Retry(initial_interval="10s", max_interval="12s", randomization_factor=1), lambda: 0.99)
    assert backoff.next(None) == 12.0


@pytest.mark.parametrize(("asked", "wait"), [(7.0, 7.0), (0.2, 1.0), (200.0, 200.0), (3e11, 300.0), (-5.0, 1.0)])
def test_the_peer_may_ask_for_a_longer_wait(asked: float, wait: float) -> None:
    """Longer than ours, also than the longest of ours; never shorter, and five minutes at most."""
    backoff = Backoff(Retry(initial_interval="1s", randomization_factor=0), lambda: 0.5)
    assert backoff.next(asked) == wait
