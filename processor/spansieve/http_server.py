"""An ASGI application served inside our own event loop: uvicorn without its signal handlers, on sockets of ours."""

import asyncio
import errno
import os
import resource
import socket
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from spansieve.http_connection import BoundedHttpProtocol

_BACKLOG = 2048

# Exporters send every 5 s (OTEL_BSP_SCHEDULE_DELAY); a connection that we closed between two batches would cost one.
_KEEP_ALIVE_SECONDS = 120

# Without any grace uvicorn would complain of tasks that it has to cancel, where there is none.
_LEAST_GRACE_SECONDS = 0.01

# What outlasts the grace of a stop is cancelled, and gets so long to tell its client.
_FAREWELL_SECONDS = 1.0

# Exporters give up after ten seconds (OTEL_EXPORTER_OTLP_TIMEOUT). A request that is under way for longer than this,
# because its bytes come slowly or its answer is not read, costs its connection; that is looked for so often.
_LONGEST_REQUEST_SECONDS = 60.0
_LOOK_SECONDS = 5.0

# Of the files that the process may have open, connections to one server may take one in four, and so many at most: the
# rest is the journal's, the store's and the exporter's.
_CONNECTIONS_SHARE = 4
_MOST_CONNECTIONS = 10_000


_NOT_OURS = "Name an address that this machine has, or 0.0.0.0 for all."
# By what the system said, and 0 for a host that has no address.
_REMEDIES = {
    errno.EADDRINUSE: "Free it or name another.",
    errno.EADDRNOTAVAIL: _NOT_OURS,
    0: _NOT_OURS,
    errno.EACCES: "Ports below 1024 are the superuser's: name another.",
}


def most_connections() -> int:
    """How many connections one server of this process may have."""
    return min(_MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // _CONNECTIONS_SHARE)


def bind(endpoint: str, key: str, *, shared: bool = False) -> list[socket.socket]:
    """Bind and listen on `host:port`: on each address of the host, all with one port; port 0 takes a free one.

    A `shared` port may be listened on by several processes of one user, if each says so: new connections are spread.
    Raises OSError, whose text names the configuration's `key` and the remedy.
    """
    host, _, port = endpoint.rpartition(":")
    bound: list[socket.socket] = []
    try:
        flags = socket.AI_PASSIVE
        found = socket.getaddrinfo(host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=flags)
        for family, address in dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found):
            number = bound[0].getsockname()[1] if bound else int(port)
            bound.append(socket.create_server((address, number), family=family, backlog=_BACKLOG, reuse_port=shared))
    except OSError as error:
        for each in bound:
            each.close()
        # create_server puts the address into its text, which stands here already; getaddrinfo has numbers of its own.
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        remedy = _REMEDIES.get(0 if isinstance(error, socket.gaierror) else error.errno or 0, "Name another.")
        raise OSError(f"{key}: cannot listen on {endpoint}: {why}. {remedy}") from None
    for each in bound:
        _notice_vanished_clients(each)
    return bound


def reserve(endpoint: str, key: str) -> tuple[list[socket.socket], str]:
    """Take a port for processes that share it, without listening; return what holds it, and `host:port`.

    Raises OSError, as `bind` does, also when somebody else shares the port already.
    """
    trial = bind(endpoint, key)
    number = trial[0].getsockname()[1]
    addresses = [(each.family, each.getsockname()[:2]) for each in trial]
    for each in trial:
        each.close()
    held: list[socket.socket] = []
    for family, address in addresses:
        holder = socket.socket(family)
        held.append(holder)
        if family == socket.AF_INET6:
            holder.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(address)
        # Only for the connections that an earlier process left: from now on nobody takes it who does not share.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return held, f"{endpoint.rpartition(':')[0]}:{number}"


def address_of(bound: socket.socket) -> str:
    """`host:port` as bound: where port 0 was asked for, the one that was given."""
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class HttpServer:
    """One application on one endpoint. `key` is the configuration key that an error names.

    Connections are bounded: in number, in what a head may hold, and in how long a request may be under way.
    """

    def __init__(
        self,
        application: ASGIApp,
        endpoint: str,
        key: str,
        protocol: type[BoundedHttpProtocol] = BoundedHttpProtocol,
        *,
        shared: bool = False,
    ) -> None:
        self._application = application
        self._endpoint = endpoint
        self._key = key
        self._protocol = protocol
        self._shared = shared
        self._server: uvicorn.Server | None = None
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Bind, begin to serve, and return `host:port`. Raises OSError when the endpoint cannot be had."""
        bound = bind(self._endpoint, self._key, shared=self._shared)
        config = uvicorn.Config(
            self._application,
            http=cast("type[BoundedHttpProtocol]", partial(self._protocol, most_connections=most_connections())),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,  # uvicorn would renew it by a timer
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        config.load()
        # Not serve(): it would install signal handlers, and the process is not uvicorn's.
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(bound)
        self._looking = asyncio.create_task(self._look_for_the_slow(), name=f"look at connections of {self._key}")
        return address_of(bound[0])

    async def _look_for_the_slow(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.end_the_slow(asyncio.get_running_loop().time())

    def end_the_slow(self, now: float) -> None:
        """Close connections whose request was begun too long before `now`, a time of the event loop."""
        if self._server is None:
            return
        begun_last = now - _LONGEST_REQUEST_SECONDS
        for connection in list(self._server.server_state.connections):
            if isinstance(connection, BoundedHttpProtocol) and connection.is_busy_since(begun_last):
                connection.transport.abort()

    async def stop(self, grace: float) -> None:
        """Take no more connections, answer the requests under way for up to `grace` seconds, then close."""
        if self._server is None:
            return
        server, self._server = self._server, None
        if self._looking is not None:
            self._looking.cancel()
        grace = max(grace, _LEAST_GRACE_SECONDS)
        server.config.timeout_graceful_shutdown = grace  # type: ignore[assignment]  # it is only handed to wait_for
        await server.shutdown()
        # What is left now has been cancelled, and is telling its client so.
        if server.server_state.tasks:
            await asyncio.wait(server.server_state.tasks, timeout=_FAREWELL_SECONDS)
        for connection in list(server.server_state.connections):
            connection.transport.abort()


def _notice_vanished_clients(listening: socket.socket) -> None:
    """Let the kernel close, after two minutes, connections whose peer is gone with its machine.

    Accepted sockets inherit these options.
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):  # not on macOS
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)
