"""The gateway's own numbers: they are the books', and the telemetry endpoint tells them."""

import httpx
import pytest
from starlette.applications import Starlette

from fakes import RecordingDestination
from spansieve.measure import Meter, MeterSettings, PriceTable
from spansieve.model import Signal
from spansieve.outcome import Ledger, Outcome, Reason
from spansieve.sample import policies
from spansieve.telemetry import Telemetry, application
from unit.measure.helpers_observations import priced
from unit.sample.helpers_sample import plan, sampler


class Parts:
    """A Telemetry over real parts."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.ready = False
        keep_all = sampler(plan(policies.AlwaysSample("all")))
        self.destination = RecordingDestination(self.ledger)
        self.telemetry = Telemetry(self.ledger, keep_all, self.destination, 1 << 20)
        self.meter = Meter(PriceTable(()), MeterSettings(label_limit=1))
        self.application: Starlette = application(self.telemetry, self.meter, lambda: self.ready)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask the endpoint."""
        transport = httpx.ASGITransport(app=self.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.get(path, headers=headers)


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


async def test_defects_are_told_by_where_they_were_met(parts: Parts) -> None:
    """A request's by its transport; those that ended a task of the export, too, each once."""
    parts.telemetry.count_defect("grpc")
    parts.destination.defects = 2
    await parts.get("/metrics")
    lines = (await parts.get("/metrics")).text.splitlines()
    assert 'spansieve_defects_total{transport="grpc"} 1.0' in lines
    assert 'spansieve_defects_total{transport="export"} 2.0' in lines


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


async def test_the_format_is_negotiated(parts: Parts) -> None:
    """Who accepts OpenMetrics gets it, with exemplars of kept traces; everyone else the text format."""
    one = priced(1, 1, 0.5)
    parts.meter.take([(one,)], (), 0)
    parts.meter.kept(one.origin.trace_id)
    plain = await parts.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
    assert "trace_id=" not in plain.text
    open_metrics = await parts.get("/metrics", accept="application/openmetrics-text; version=1.0.0")
    assert open_metrics.headers["content-type"].startswith("application/openmetrics-text")
    assert f'trace_id="{one.origin.trace_id.hex()}"' in open_metrics.text
    assert open_metrics.text.endswith("# EOF\n")


async def test_the_overflow_page_tells_the_values(parts: Parts) -> None:
    """Which values count under `other` is told, with label and number."""
    parts.meter.take([(priced(1, 1, 0.5, request_model=model),) for model in ("a", "b", "b")], (), 0)
    assert (await parts.get("/overflow")).json() == [{"label": "gen_ai.request.model", "value": "b", "times": 2}]
