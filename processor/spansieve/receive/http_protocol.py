"""uvicorn's HTTP/1.1 on httptools, mended where it would lose a body, gather without end, or answer with plain text."""

from email.utils import formatdate

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from spansieve.model import Encoding
from spansieve.receive.status import BAD_HTTP

# httptools gathers a request's head without a limit. Go's servers stop at 1 MiB, too.
_LONGEST_HEAD = 1024 * 1024

# Of a request whose offer of another protocol is passed over; RFC 7540, 3.2, RFC 9110, 7.8.
_OFFER = frozenset({b"connection", b"upgrade", b"http2-settings"})


class OtlpHttpProtocol(HttpToolsProtocol):
    """One connection.

    A request may offer to upgrade, as Java's HttpClient offers h2c with each request in the clear. RFC 9110 lets a
    server pass over the offer; httptools instead takes the body for the first bytes of the other protocol, and uvicorn
    serves the request without it, which would be telemetry lost under a 200. Such a request is parsed a second time
    without the offer.
    """

    _in_head = False
    _head_size = 0

    def data_received(self, data: bytes) -> None:
        """Parse what came; the application is called from here once a head is complete."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.parser.get_method() == b"CONNECT":
                self.send_400_response("")
            else:
                self._parse_without_offer(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("")
        if self._in_head:
            self._head_size += len(data)
            if self._head_size > _LONGEST_HEAD and not self.transport.is_closing():
                self.send_400_response("")

    def _parse_without_offer(self, rest: bytes) -> None:
        lines = [b"%s %s HTTP/1.1" % (self.parser.get_method(), self.url)]
        lines += [b"%s: %s" % header for header in self.headers if header[0] not in _OFFER]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([*lines, b"", rest]))

    def on_message_begin(self) -> None:
        """Begin to count the head."""
        super().on_message_begin()
        self._in_head = True
        self._head_size = 0

    def on_headers_complete(self) -> None:
        """Serve the request, unless it is to be parsed again."""
        self._in_head = False
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
