"""Why a peer could not be reached, or who answered in its place, in words of ours. Pure.

gRPC gives one status code, UNAVAILABLE, to a name that does not resolve, a port where nobody listens and a certificate
that nobody trusts, and tells them apart in its text alone. That text is not passed on: the same field holds what a peer
answers, which may quote what it was sent. So what is known of gRPC's own sentences becomes one of a few of ours.
An HTTP server or proxy that knows no gRPC answers with a status of HTTP's; of it gRPC makes the code that is nearest.
"""

import re
from typing import Final

TOO_LARGE: Final = "http_413"
"""The word for what a proxy says of a message over its limit, such as nginx's client_max_body_size of 1 MiB."""

_HTTP_STATUS: Final = re.compile(r"Received http2 header with status: ([1-5][0-9]{2})")
_NO_STATUS: Final = "No status received"  # 200, and nothing of gRPC's
_BEGINNINGS: Final = ("failed to connect to all addresses", "errors resolving ", "DNS resolution failed")
_SIGNS: Final = (
    ("CERTIFICATE_VERIFY_FAILED", "certificate_not_trusted"),
    ("Hostname Verification Check failed", "certificate_of_another_host"),
    ("WRONG_VERSION_NUMBER", "peer_speaks_no_tls"),
    ("Failed to create security handshaker", "certificate_files_not_usable"),
    ("Tls handshake failed", "tls_handshake_failed"),
    ("Connection refused", "connection_refused"),
    ("Domain name not found", "host_not_found"),
    ("errors resolving ", "host_not_resolved"),
    ("DNS resolution failed", "host_not_resolved"),
    ("Failed parsing HTTP/2", "peer_speaks_no_grpc"),
    # What a peer that wants TLS, or a certificate of ours, does with a connection that has none.
    ("Socket closed", "connection_closed_by_peer"),
    ("Timeout occurred", "connection_timed_out"),
    ("Network is unreachable", "network_unreachable"),
    ("No route to host", "network_unreachable"),
)


def why(details: str | None) -> str | None:
    """What kept a call from reaching the peer, by gRPC's text of why it failed; None when it is not about that."""
    if details is None:
        return None
    if (http := _HTTP_STATUS.fullmatch(details)) is not None:
        return f"http_{http[1]}"
    if details == _NO_STATUS:
        return "peer_speaks_no_grpc"
    if not details.startswith(_BEGINNINGS):
        return None
    return next((word for sign, word in _SIGNS if sign in details), "connection_failed")
