"""uvicorn's HTTP/1.1 connection on httptools, bounded: in what it gathers, in time, and in how many there are."""

from asyncio import Transport
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# httptools gathers a head, a trailer or a chunk's extension without a limit. Heads of exporters have some 300 bytes.
_LONGEST_BARREN: Final = 64 * 1024
_BAD_HTTP: Final = "What was received is not an HTTP/1.1 request."


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection. What is not HTTP is answered 400 and nothing is logged of it: anybody can send it, at any rate.

    Whoever serves asks now and then which are busy for too long, and ends them.
    """

    def __init__(self, *, most_connections: int, **of_uvicorn: Any) -> None:  # noqa: ANN401 - handed through
        """`most_connections`: how many a server may have; further ones are closed as they come."""
        super().__init__(**of_uvicorn)
        self._most_connections = most_connections
        self._begun = 0.0  # the loop's time at which the request under way, or the wait for a first one, began
        self._is_fruitful = False
        self._barren = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # uvicorn's, narrower than asyncio's
        """Take the connection, if there is room for it."""
        super().connection_made(transport)
        self._begun = self.loop.time()
        if len(self.connections) > self._most_connections:
            transport.abort()

    def is_busy_since(self, time: float) -> bool:
        """Whether its request has not come, or has not been answered, since then, a time of the event loop.

        Not busy is who waits for a further request, for which uvicorn has a bound of its own.
        """
        return self.timeout_keep_alive_task is None and self._begun < time

    def data_received(self, data: bytes) -> None:
        """Parse what came; the application is called from here once a head is complete."""
        self._unset_keepalive_if_required()
        self._is_fruitful = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self.upgrade_offered(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response(_BAD_HTTP)
        self._barren = 0 if self._is_fruitful else self._barren + len(data)
        if self._barren > _LONGEST_BARREN and not self.transport.is_closing():
            self.send_400_response(_BAD_HTTP)

    def upgrade_offered(self, rest: bytes) -> None:
        """Hear that the request offers another protocol, before `rest`: it is served without it."""

    def on_message_begin(self) -> None:
        """Begin to measure the request."""
        super().on_message_begin()
        self._begun = self.loop.time()
        self._is_fruitful = True

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._is_fruitful = True
        super().on_body(body)
