"""What the gateway says of itself in numbers: the catalogue of telemetry.yaml, kept up to date and served.

/metrics shows it together with the derived LLM metrics, with exemplars for those who accept OpenMetrics; /overflow
shows which label values are too many; /healthz says that the process runs, /readyz that every receiver is bound and the
destination is open.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from spansieve import __version__, catalogue
from spansieve.export import Destination
from spansieve.exposition import SeriesCollector, Taken
from spansieve.journal import DurableJournal
from spansieve.measure import Meter
from spansieve.model import Decision, Signal
from spansieve.names_stage import NamesStage
from spansieve.outcome import Ledger, Outcome, Reason
from spansieve.sample import Sampler
from spansieve.series import SeriesStore
from spansieve.verdict_log import VerdictLog

_COUNTER_OF = {
    Outcome.EXPORTED: "spansieve.exported.items",
    Outcome.SAMPLED_OUT: "spansieve.sampled_out.items",
    Outcome.REJECTED: "spansieve.rejected.items",
    Outcome.DROPPED: "spansieve.dropped.items",
}


class Workers(Protocol):
    """What is told of the processes that receive. `restarts` counts those that died and were started anew."""

    restarts: int

    @property
    def serving(self) -> int:
        """How many do."""
        ...

    @property
    def waiting_bytes(self) -> int:
        """What they hold."""
        ...


class Telemetry:
    """The gateway's own series. Stages report durations and counts here; the rest is read off their owners."""

    def __init__(self, ledger: Ledger, sampler: Sampler, destination: Destination, limit_bytes: int) -> None:
        self.series = SeriesStore(catalogue.load("spansieve", "telemetry.yaml"))
        self._ledger = ledger
        self._sampler = sampler
        self._destination = destination
        self._policy = ""
        self._refused: set[tuple[Signal, str]] = set()  # that were shown
        self.journal: DurableJournal | None = None
        self.verdict_log: VerdictLog | None = None
        self.names: NamesStage | None = None
        self.workers: Workers | None = None
        self.series.set("spansieve.memory_limit.bytes", (), limit_bytes)
        # From the first scrape on every line of the books is there, at zero: rate() misses what springs up at one.
        for signal in Signal:
            self.series.add("spansieve.received.items", (signal,), 0)
            self.series.add("spansieve.exported.items", (signal,), 0)
        self.series.add("spansieve.sampled_out.items", (Signal.TRACES,), 0)

    def observe_stage(self, stage: str, seconds: float) -> None:
        """Enter the time that one request spent in a stage."""
        self.series.observe("spansieve.stage.duration", (stage,), seconds)

    def observe_lag(self, seconds: float) -> None:
        """Enter how late the event loop was for its turn."""
        self.series.observe("spansieve.event_loop.lag", (), seconds)

    def count_findings(self, rule: str, values: int) -> None:
        """Count values that a redaction rule took out."""
        self.series.add("spansieve.redactions", (rule,), values)

    def note_verdicts(self, verdicts: Sequence[tuple[bytes, Decision]]) -> None:
        """Enter verdicts in their log, if there is one."""
        if self.verdict_log is not None:
            self.verdict_log.note(verdicts)

    def count_request(self, transport: str, signal: Signal | None, code: str, requests: int = 1) -> None:
        """Count export requests by their answer."""
        self.series.add("spansieve.requests", (transport, signal or "", code), requests)

    def count_defect(self, transport: str, requests: int = 1) -> None:
        """Count requests that met a defect of ours."""
        self.series.add("spansieve.defects", (transport,), requests)

    def count_reload(self, result: str) -> None:
        """Count a reload of the configuration, `ok` or `failed`."""
        self.series.add("spansieve.reloads", (result,))

    def set_policy(self, digest: str) -> None:
        """Show which redaction policy is in force."""
        if self._policy:
            self.series.set("spansieve.build.info", (__version__, self._policy), 0)
        self._policy = digest
        self.series.set("spansieve.build.info", (__version__, digest), 1)

    def refresh(self) -> None:
        """Read the books and the queues; call before each scrape and each push."""
        for signal in Signal:
            self._raise_to("spansieve.received.items", (signal,), self._ledger.received(signal))
            self.series.set("spansieve.in_flight.items", (signal,), self._ledger.in_flight(signal))
        for signal, outcome, reason, items in self._ledger.outcomes():
            labels = (signal,) if reason is Reason.NONE else (signal, reason)
            self._raise_to(_COUNTER_OF[outcome], labels, items)
        for tally, traces in self._sampler.decided_traces.items():
            verdict = "kept" if tally.keep else "sampled_out"
            self._raise_to("spansieve.decisions", (verdict, tally.policy, tally.trigger, tally.because), traces)
        for policy, traces in self._sampler.shadow_kept.items():
            self._raise_to("spansieve.shadow.kept.traces", (policy,), traces)
        if self.verdict_log is not None:
            self._raise_to("spansieve.verdict_log.missing", (), self.verdict_log.missing)
        self.series.set("spansieve.held.bytes", ("buffer",), self._sampler.held_bytes)
        unread = self.names.waiting_bytes if self.names is not None else 0
        self.series.set("spansieve.held.bytes", ("export",), self._destination.held_bytes - unread)
        if self.names is not None:
            self.series.set("spansieve.held.bytes", ("names",), unread)
            self._raise_to("spansieve.names.withheld.bytes", (), self.names.withheld_bytes)
        if self.workers is not None:
            self.series.set("spansieve.held.bytes", ("workers",), self.workers.waiting_bytes)
            self.series.set("spansieve.workers.serving", (), self.workers.serving)
            self._raise_to("spansieve.workers.restarts", (), self.workers.restarts)
        self.series.set("spansieve.held.traces", (), self._sampler.held_traces)
        self.series.set("spansieve.export.consecutive_failures", (), self._destination.consecutive_failures)
        self._raise_to("spansieve.defects", ("export",), self._destination.defects)
        self._show_refusals()
        if self.journal is not None:
            self.series.set("spansieve.journal.bytes", (), self.journal.size)
            self.series.set("spansieve.journal.failed", (), int(self.journal.failed))
            self._raise_to("spansieve.journal.unrecorded", (), self.journal.unrecorded)

    def _show_refusals(self) -> None:
        """Show with which code the other side takes nothing, by signal; one that is over stays at zero."""
        for labels in self._refused:
            self.series.set("spansieve.export.refused", labels, 0)
        now = {(of, each.refused_with) for of, each in self._destination.status().items() if each.refused_with}
        for labels in now:
            self.series.set("spansieve.export.refused", labels, 1)
        self._refused |= now

    def count_damage(self, gaps: int) -> None:
        """Count places in the journal that could not be read back."""
        self.series.add("spansieve.journal.damage", (), gaps)

    def _raise_to(self, name: str, labels: tuple[str, ...], total: int) -> None:
        self.series.add(name, labels, total - self.series.value(name, labels))


def _text(taken: Sequence[Taken], encode: Callable[[CollectorRegistry], bytes]) -> bytes:
    registry = CollectorRegistry()
    registry.register(SeriesCollector(taken))
    return encode(registry)


def application(telemetry: Telemetry, meter: Meter, is_ready: Callable[[], bool]) -> Starlette:
    """The HTTP application of the telemetry endpoint."""

    async def metrics(request: Request) -> Response:
        telemetry.refresh()
        taken = [Taken.of(store) for store in (telemetry.series, meter.series)]
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        # In a thread: 10 µs a line, of which there may be tens of thousands.
        text = await asyncio.to_thread(_text, taken, encode)
        return Response(text, headers={"content-type": content_type})

    async def overflow(_request: Request) -> Response:
        # Values are redacted: what is measured has been through the rules.
        return JSONResponse([each._asdict() for each in meter.overflow()])

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        return PlainTextResponse("ready\n") if is_ready() else PlainTextResponse("not ready\n", status_code=503)

    return Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/overflow", overflow),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ]
    )
