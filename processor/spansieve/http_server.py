"""An ASGI application served inside our own event loop: uvicorn without its signal handlers, on a socket of ours."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

_BACKLOG = 2048
# How long a connection may be idle before it is closed; longer than exporters' usual five seconds between batches.
_KEEP_ALIVE_SECONDS = 75


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the composition root."""
        yield


def bind(endpoint: str, key: str) -> socket.socket:
    """Bind and listen on `host:port`. An OSError names the configuration's `key` and the remedy."""
    host, _, port = endpoint.rpartition(":")
    host = host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(_BACKLOG)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        raise OSError(f"{key}: cannot listen on {endpoint}: {error.strerror}. Free it or name another.") from None
    bound.setblocking(False)  # noqa: FBT003 - the socket module's signature
    return bound


def address_of(bound: socket.socket) -> str:
    """`host:port` as bound: where port 0 was asked for, the one that was given."""
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class HttpServer:
    """One application on one endpoint. `key` is the configuration key that an error names."""

    def __init__(self, application: ASGIApp, endpoint: str, key: str) -> None:
        self._application = application
        self._endpoint = endpoint
        self._key = key
        self._server: _Uvicorn | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Bind, begin to serve, and return `host:port`. Raises OSError when the endpoint cannot be had."""
        bound = bind(self._endpoint, self._key)
        settings = uvicorn.Config(
            self._application,
            log_config=None,
            access_log=False,
            lifespan="off",
            http="httptools",
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        self._server = _Uvicorn(settings)
        # The kernel queues connections from listen() on, so there is nothing to wait for.
        self._task = asyncio.create_task(self._server.serve(sockets=[bound]), name=f"serve {self._key}")
        return address_of(bound)

    async def stop(self, grace: float) -> None:
        """Take no new connections, let running requests end for `grace` seconds, then close what is left."""
        if self._server is None or self._task is None:
            return
        self._server.config.timeout_graceful_shutdown = max(1, round(grace))
        self._server.should_exit = True
        await self._task
