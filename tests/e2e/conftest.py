import os
from collections.abc import Iterator

import pytest

from e2e.harness import topology
from e2e.harness.answers import Answers, of_the_demo
from e2e.parts import build

PARTS = ("otelcol", "tempo", "prometheus", "alertmanager")
SEEDS = {"grpc": 11, "http/protobuf": 12}


@pytest.fixture(scope="session")
def real_parts() -> None:
    """The binaries are there or get built. Without a Go toolchain: a skip for people, a failure where CI=true."""
    for name in PARTS:
        try:
            build.locate(name)
        except build.MissingToolchain as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(error))


@pytest.fixture(scope="session", params=SEEDS)
def run(
    request: pytest.FixtureRequest, real_parts: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[topology.Run]:
    """One run of the application through the whole stack, for each protocol that it may be told to speak."""
    directory = tmp_path_factory.mktemp("stack")
    with topology.run(directory, request.param, SEEDS[request.param]) as made:
        yield made


@pytest.fixture(scope="module")
def answers(real_parts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """A Prometheus with the shipped rules, fed by the demo application through the gateway.

    Anew for each module: five minutes after the gateway's end the Collector forgets its series.
    """
    with of_the_demo(tmp_path_factory.mktemp("answers")) as made:
        yield made
