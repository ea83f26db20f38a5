"""The gateway's own numbers: they are the books', and the telemetry endpoint tells them."""

import httpx
import pytest
from starlette.applications import Starlette

from fakes import RecordingDestination
from spansieve import catalogue
from spansieve.model import Signal
from spansieve.outcome import Ledger, Outcome, Reason
from spansieve.sample import Sampler, policies
from spansieve.series import SeriesStore
from spansieve.telemetry import Telemetry, application


class Parts:
    """A Telemetry over real parts."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.ready = False
        sampler = Sampler((policies.AlwaysSample("all"),), 1.0, 10, 10)
        self.telemetry = Telemetry(self.ledger, sampler, RecordingDestination(self.ledger), 1 << 20)
        derived = SeriesStore(catalogue.load("spansieve.measure", "metrics.yaml"))
        self.application: Starlette = application(self.telemetry, derived, lambda: self.ready)

    async def get(self, path: str) -> httpx.Response:
        """Ask the endpoint."""
        transport = httpx.ASGITransport(app=self.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.get(path)


@pytest.fixture
def parts() -> Parts:
    """Fresh parts."""
    return Parts()


async def test_the_endpoint_tells_the_books(parts: Parts) -> None:
    """Each line of the ledger is a sample, a drop with its reason."""
    parts.ledger.receive(Signal.TRACES, 10)
    parts.ledger.settle(Signal.TRACES, Outcome.EXPORTED, 6)
    parts.ledger.settle(Signal.TRACES, Outcome.DROPPED, 1, Reason.TOO_LARGE)
    lines = (await parts.get("/metrics")).text.splitlines()
    assert 'spansieve_received_items_total{signal="traces"} 10.0' in lines
    assert 'spansieve_exported_items_total{signal="traces"} 6.0' in lines
    assert 'spansieve_dropped_items_total{reason="too_large",signal="traces"} 1.0' in lines
    assert 'spansieve_in_flight_items{signal="traces"} 3.0' in lines


async def test_counters_do_not_double_from_scrape_to_scrape(parts: Parts) -> None:
    """Two scrapes without traffic say the same."""
    parts.ledger.receive(Signal.LOGS, 3)
    first = (await parts.get("/metrics")).text
    assert (await parts.get("/metrics")).text == first


async def test_readiness_follows_the_gateway(parts: Parts) -> None:
    """503 until it is ready; alive all the time."""
    assert (await parts.get("/readyz")).status_code == 503
    parts.ready = True
    assert (await parts.get("/readyz")).status_code == 200
    assert (await parts.get("/healthz")).status_code == 200


def test_one_policy_is_in_force(parts: Parts) -> None:
    """After a reload the old digest reads 0 and the new one 1."""
    parts.telemetry.set_policy("sha256:old")
    parts.telemetry.set_policy("sha256:new")
    in_force = {
        series.labels[1]: series.value
        for series in parts.telemetry.series.snapshot()
        if series.spec.name == "spansieve.build.info"
    }
    assert in_force == {"sha256:old": 0, "sha256:new": 1}
