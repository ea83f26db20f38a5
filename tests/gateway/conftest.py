from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from demo.gateway import Gateway

from e2e.harness.sink import GrpcSink, grpc_sink
from gateway.helpers_gateway import ALWAYS, StartGateway, forwarding


@pytest.fixture
def sink() -> Iterator[GrpcSink]:
    """A receiver of OTLP/gRPC on loopback that is open."""
    with grpc_sink() as opened:
        yield opened


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartGateway]:
    """Starts a gateway that sends to a sink, with settings that let a test be quick; whatever is left is killed."""
    with ExitStack() as stack:

        def start_gateway(sink: GrpcSink, **settings: Mapping[str, Any] | str) -> Gateway:
            return stack.enter_context(Gateway(tmp_path, {**forwarding(sink, ALWAYS), **settings}))

        yield start_gateway
