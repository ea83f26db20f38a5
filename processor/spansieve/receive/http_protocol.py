"""One OTLP/HTTP connection: mended where uvicorn would lose a body, or answer with plain text."""

from email.utils import formatdate

import httptools

from spansieve.http_connection import BoundedHttpProtocol
from spansieve.model import Encoding
from spansieve.receive.status import BAD_HTTP

# Of a request whose offer of another protocol is passed over; RFC 7540, 3.2, RFC 9110, 7.8.
_OFFER = frozenset({b"connection", b"upgrade", b"http2-settings"})


class OtlpHttpProtocol(BoundedHttpProtocol):
    """One connection.

    A request may offer to upgrade, as Java's HttpClient offers h2c with each request in the clear. RFC 9110 lets a
    server pass over the offer; httptools instead takes the body for the first bytes of the other protocol, and uvicorn
    serves the request without it, which would be telemetry lost under a 200. Such a request is parsed a second time
    without the offer.
    """

    def upgrade_offered(self, rest: bytes) -> None:
        """Parse again what was read, without the offer, and then `rest`; CONNECT, which means it, is refused."""
        if self.parser.get_method() == b"CONNECT":
            self.send_400_response("")
            return
        lines = [b"%s %s HTTP/1.1" % (self.parser.get_method(), self.url)]
        lines += [b"%s: %s" % header for header in self.headers if header[0] not in _OFFER]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([*lines, b"", rest]))

    def on_headers_complete(self) -> None:
        """Serve the request, unless it is to be parsed again."""
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the body, unless the request is to be parsed again."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature; its text is not for senders
        """Answer what is not HTTP with a Status, like everything else."""
        body = BAD_HTTP.body(Encoding.PROTO)
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            f"date: {formatdate(usegmt=True)}\r\n"
            f"content-type: {Encoding.PROTO.value}\r\n"
            f"content-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
