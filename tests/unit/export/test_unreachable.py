"""Why a peer could not be reached."""

import pytest

from spansieve.export import unreachable

_FAILED = "failed to connect to all addresses; last error: UNKNOWN: ipv4:192.0.2.7:4317: "


@pytest.mark.parametrize(
    ("details", "word"),
    [
        (_FAILED + "Failed to connect to remote host: Connection refused", "connection_refused"),
        (_FAILED + "Custom verification check failed with error: UNAUTHENTICATED: Hostname Verification Check failed.",
         "certificate_of_another_host"),
        (_FAILED + "Tls handshake failed (TSI_PROTOCOL_FAILURE): SSL_ERROR_SSL: error:100000f7:SSL routines:"
         "OPENSSL_internal:WRONG_VERSION_NUMBER", "peer_speaks_no_tls"),
        (_FAILED + "Failed parsing HTTP/2 (Expected SETTINGS frame as the first frame, got frame type 79)",
         "peer_speaks_no_grpc"),
        ("errors resolving collector:4317: [field:hostname lookup error:address lookup failed for collector:4317: "
         "Domain name not found]", "host_not_found"),
        (_FAILED + "something new", "connection_failed"),
        ("Received http2 header with status: 404", "http_404"),
        ("No status received", "peer_speaks_no_grpc"),
    ],
)  # fmt: skip
def test_what_grpc_says_of_a_connection_becomes_a_word_of_ours(details: str, word: str) -> None:
    """An operator sees what to mend; the sentences are those of grpcio 1.85, collected from failed connections."""
    assert unreachable.why(details) == word


@pytest.mark.parametrize("details", [None, "", "mail jane@example.com: Connection refused", "Connection refused",
                                     "Received http2 header with status: 404 jane@example.com"])  # fmt: skip
def test_what_a_peer_says_is_not_passed_on(details: str | None) -> None:
    """Text that does not begin as gRPC's own may quote what the peer was sent."""
    assert unreachable.why(details) is None
