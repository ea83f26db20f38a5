"""OTLP/HTTP: three paths, protobuf and JSON, on uvicorn's protocol.

A plain ASGI application: three paths need no router, and every answer is an OTLP message, those to nonsense included.
"""

import asyncio
from collections.abc import Callable
from email.utils import formatdate

from starlette.types import Receive, Scope, Send

from spansieve.config import HttpReceiver
from spansieve.errors import TooLarge
from spansieve.http_server import HttpServer
from spansieve.model import Encoding, ReceivedRequest, Signal
from spansieve.receive.http_protocol import OtlpHttpProtocol
from spansieve.receive.inflate import Body, GzipBody, IdentityBody
from spansieve.receive.ports import Acceptor, RequestObserver
from spansieve.receive.status import (
    CANCELLED,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    UNSUPPORTED_CODING,
    UNSUPPORTED_TYPE,
    Refusal,
    refusal,
    stopping,
    success,
)

_HTTP = "http"
HTTP_KEY = "receivers.otlp.protocols.http.endpoint"
_SIGNALS = {f"/v1/{signal.value}": signal for signal in Signal}
_ENCODINGS = {encoding.value.encode("ascii"): encoding for encoding in Encoding}
_CODINGS: dict[bytes, Callable[[int], Body]] = {
    b"": IdentityBody,
    b"identity": IdentityBody,
    b"gzip": GzipBody,
    b"x-gzip": GzipBody,  # RFC 9110, 8.4.1.3: the same
}

# How long a sender whose body is refused half-read may go on sending. To close at once would reset the connection, and
# the reset may overtake the answer (RFC 9112, 9.6).
_LINGER_SECONDS = 1.0


class HttpReceiverServer(HttpServer):
    """An OTLP/HTTP server in the running event loop."""

    def __init__(
        self, config: HttpReceiver, acceptor: Acceptor, observer: RequestObserver, *, shared: bool = False
    ) -> None:
        """A `shared` port is listened on by other processes, too."""
        application = _Application(config.max_request_body_size, acceptor, observer)
        super().__init__(application, config.endpoint, HTTP_KEY, OtlpHttpProtocol, shared=shared)


class _Disconnected(Exception):
    """The sender went away in the middle of the body."""


class _Application:
    """What is done with each request: an ASGI application."""

    def __init__(self, limit: int, acceptor: Acceptor, observer: RequestObserver) -> None:
        self._limit = limit
        self._acceptor = acceptor
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        signal = _SIGNALS.get(scope["path"])
        content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        encoding = _ENCODINGS.get(content_type)
        coding = _CODINGS.get(headers.get(b"content-encoding", b"").strip().lower())
        refused: Refusal
        if signal is None:
            refused = NOT_FOUND
        elif scope["method"] != "POST":
            refused = METHOD_NOT_ALLOWED
        elif encoding is None:
            refused = UNSUPPORTED_TYPE
        elif coding is None:
            refused = UNSUPPORTED_CODING
        else:
            announced = int(headers.get(b"content-length", b"0"))
            try:
                body = await self._read(receive, coding(self._limit), announced)
                answer = await self._acceptor.accept(ReceivedRequest(signal, encoding, body))
            except _Disconnected:
                self._observer.finished(_HTTP, signal, str(CANCELLED.http_code))
                return
            except asyncio.CancelledError:  # the grace period of stop() is over; this task ends with its answer
                refused = refusal(stopping())
            except Exception as error:  # noqa: BLE001 - becomes a code, and a defect is reported
                refused = refusal(error)
                if refused.http_code == 500:
                    self._observer.failed(_HTTP, signal, error)
            else:
                self._observer.finished(_HTTP, signal, "200")
                await _send(send, 200, success(answer, signal, encoding), encoding)
                return
        self._observer.finished(_HTTP, signal, str(refused.http_code))
        await _refuse(receive, send, refused, encoding or Encoding.PROTO)

    async def _read(self, receive: Receive, body: Body, announced: int) -> bytes:
        if announced > self._limit:
            raise TooLarge(self._limit)
        self._acceptor.admit(announced)
        held = 0
        try:
            while True:
                event = await receive()
                if event["type"] == "http.disconnect":
                    raise _Disconnected
                size = body.feed(event["body"])
                if not event["more_body"]:
                    return body.finish()
                self._acceptor.hold(size, held)
                held += size
        finally:
            if held:  # from here on `accept` counts it
                self._acceptor.hold(-held, held)


async def _refuse(receive: Receive, send: Send, refused: Refusal, encoding: Encoding) -> None:
    body = refused.body(encoding)
    if refused.http_code != 413:
        # What is left of the body is skipped by uvicorn, and the connection can be used again.
        await _send(send, refused.http_code, body, encoding, refused.headers)
        return
    headers = (*refused.headers, (b"connection", b"close"))
    await _send(send, refused.http_code, body, encoding, headers, more_body=True)
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while (await receive()).get("more_body"):
                pass
    except TimeoutError:
        pass  # the sender had its time to read the answer
    await send({"type": "http.response.body", "body": b""})


async def _send(
    send: Send,
    code: int,
    body: bytes,
    encoding: Encoding,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    *,
    more_body: bool = False,
) -> None:
    every = (
        (b"date", formatdate(usegmt=True).encode("ascii")),
        (b"content-type", encoding.value.encode("ascii")),
        (b"content-length", b"%d" % len(body)),
    )
    await send({"type": "http.response.start", "status": code, "headers": (*every, *headers)})
    await send({"type": "http.response.body", "body": body, "more_body": more_body})
