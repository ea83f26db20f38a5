"""Both servers on a free loopback port each, with limits of 1 MiB."""

from collections.abc import AsyncIterator

import httpx
import pytest

from spansieve.config import GrpcReceiver, HttpReceiver
from spansieve.receive import GrpcReceiverServer, HttpReceiverServer
from unit.receive.helpers_receive import FakeAcceptor, Observations, Running


@pytest.fixture
async def acceptor() -> FakeAcceptor:
    """Behind both servers; says OK until it is told otherwise."""
    return FakeAcceptor()


@pytest.fixture
async def observer() -> Observations:
    """What the servers report."""
    return Observations()


@pytest.fixture
async def grpc_server(acceptor: FakeAcceptor, observer: Observations) -> AsyncIterator[Running[GrpcReceiverServer]]:
    """The gRPC server."""
    settings = GrpcReceiver(endpoint="127.0.0.1:0", max_recv_msg_size_mib=1)
    server = GrpcReceiverServer(settings, acceptor, observer)
    yield Running(server, await server.start())
    acceptor.gate.set()
    await server.stop(0)


@pytest.fixture
async def http_server(acceptor: FakeAcceptor, observer: Observations) -> AsyncIterator[Running[HttpReceiverServer]]:
    """The HTTP server."""
    settings = HttpReceiver(endpoint="127.0.0.1:0", max_request_body_size=1024 * 1024)
    server = HttpReceiverServer(settings, acceptor, observer)
    yield Running(server, await server.start())
    acceptor.gate.set()
    await server.stop(0)


@pytest.fixture
async def client(http_server: Running[HttpReceiverServer]) -> AsyncIterator[httpx.AsyncClient]:
    """A client that keeps its connections."""
    async with httpx.AsyncClient(base_url=f"http://{http_server.endpoint}", timeout=30) as opened:
        yield opened
