"""The composition root: builds the parts from the configuration, and starts, reloads and stops them in order.

The only file that knows all others. Order of the start: destination (the store is open), receivers (ports are bound),
ready. Order of the stop: not ready, receivers (running requests end, new ones are refused), every waiting trace is
decided, the destination drains, the books are written to the log.
"""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeAlias

from structlog.typing import FilteringBoundLogger

from spansieve import (
    __version__,
    instance,
    journal_start,
    logs,
    loop_lag,
    otlp_metrics,
    process,
    reload,
    sampling_plan,
)
from spansieve.clock import Clock, ResumedClock
from spansieve.config import ConfigError, GatewayConfig
from spansieve.export import Destination
from spansieve.export.otlp import OtlpDestination
from spansieve.export.store import EmbeddedStore
from spansieve.export.store_file import StoreError
from spansieve.exposition import Taken
from spansieve.http_server import HttpServer
from spansieve.journal.disk import RealDisk
from spansieve.journal_start import JournalInUse
from spansieve.measure import Meter
from spansieve.model import Signal
from spansieve.names.redactor import Redactor
from spansieve.names_stage import NamesStage, names_redactor
from spansieve.outbox import Outbox
from spansieve.outcome import Ledger, Outcome
from spansieve.pipeline import Pipeline
from spansieve.prepared import Prepared, doubts, meter_settings, prepare
from spansieve.receive.grpc import GrpcReceiverServer
from spansieve.receive.http import HttpReceiverServer
from spansieve.redact import CompiledRules
from spansieve.redaction_thread import RedactionThread
from spansieve.replay import Replay, revive
from spansieve.sample import Sampler
from spansieve.sample.plan import Plan
from spansieve.sample.probes import Probes
from spansieve.telemetry import Telemetry, application
from spansieve.verdict_log import VerdictLog
from spansieve.workers.owner import Workers

_MIB = 1024 * 1024
# Running requests get so long to end when the gateway stops, out of the shutdown_timeout.
_RECEIVER_GRACE_SECONDS = 5.0
# How often the sampler is asked for traces whose wait is over; and how long everyone else has the loop when there are
# more of them than are decided in one go: a request takes it several turns.
_TICK_SECONDS = 0.1
_BREATH_SECONDS = 0.001
# A scrape under way gets so long to end.
_TELEMETRY_GRACE_SECONDS = 1.0
# Of the memory limit one part in so many may wait for export in memory; with a journal, more is parked there.
_PARKED_BEYOND = 4
# The journal's last records and checkpoint get so long to be written, unless the disk hangs.
_JOURNAL_GRACE_SECONDS = 2.0

ReadSettings: TypeAlias = Callable[[], Awaitable[GatewayConfig]]
"""Reads the configuration as it is now. Raises ConfigError."""


@dataclass(frozen=True, slots=True)
class _Server:
    """A bound port: what it is called in the log, where it is, and how it is given up."""

    name: str
    address: str
    stop: Callable[[float], Any]


class Gateway:
    """All parts of one process, and the tasks that belong to none of them: deciding, pushing metrics.

    Raises ConfigError when something that the settings name cannot be used.
    """

    def __init__(self, settings: GatewayConfig, clock: Clock, logger: FilteringBoundLogger) -> None:
        prepared = prepare(settings)
        self._settings = settings
        self._clock = clock
        self._logger = logger
        limit = settings.memory_limiter.limit_mib * _MIB
        self._ledger = Ledger()
        self._otlp: OtlpDestination | None = None
        self._names = self._make_names_stage(self._make_destination(), prepared.rules)
        self._destination: Destination = self._names
        probes = Probes()
        self._sampler = Sampler(
            sampling_plan.plan(settings.sampling, probes),
            settings.sampling.decision_cache.sampled_cache_size,
            settings.sampling.decision_cache.non_sampled_cache_size,
            probes,
        )
        self._labels = _kept_names(settings, prepared.rules)
        self._meter = Meter(prepared.prices, meter_settings(settings), clean_label=self._clean_label)
        self._telemetry = Telemetry(self._ledger, self._sampler, self._destination, limit)
        self._telemetry.names = self._names
        storage = settings.storage
        self._verdict_log = VerdictLog(storage.directory, storage.verdicts_max_mib * _MIB, clock.wall_ns)
        if storage.verdicts_max_mib:
            self._telemetry.verdict_log = self._verdict_log
        rules = prepared.rules
        self._thread = RedactionThread(clock)
        self._resumed = ResumedClock(clock)
        self._journal: JournalInUse | None = None
        self._directory: RealDisk | None = None  # without a journal
        self._outbox = Outbox(self._destination, self._ledger, logger, revive, limit // _PARKED_BEYOND)
        self._telemetry.set_policy(rules.digest)
        self._pipeline = Pipeline(
            rules=rules,
            meter=self._meter,
            sampler=self._sampler,
            destination=self._destination,
            thread=self._thread,
            ledger=self._ledger,
            clock=self._resumed,
            limit_bytes=limit,
            observer=self._telemetry,
            names=settings.redaction.names == "all",
        )
        self._workers: Workers | None = None
        if (workers := process.workers(settings.workers)) > 1:
            level = settings.telemetry.logs.level
            self._workers = self._telemetry.workers = Workers(
                workers, self._pipeline, self._telemetry, clock, logger, limit_bytes=limit, level=level
            )
        self._following: set[asyncio.Task[None]] = set()
        self._reloading = asyncio.Lock()
        self._reload_waits = False  # for that lock: what it will read is what further ones would
        self._stopping = False
        self.ended_by_defect = False  # rather than told to stop
        self._started_ns = clock.wall_ns()
        self._resource: Mapping[str, str] = {}  # known once the directory is ours
        self._servers: list[_Server] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._ready = False

    async def start(self) -> None:
        """Open the destination, bind every port, say so. Raises ConfigError when one of them cannot be had."""
        for each in doubts(self._settings, self._pipeline.rules):
            self._logger.warning(each.event, key=each.key, remedy=each.remedy)
        async with AsyncExitStack() as undo:
            try:
                await self._destination.start()
            except StoreError as error:
                raise ConfigError([str(error)]) from None
            undo.push_async_callback(self._destination.stop, 0, owed=True)
            await self._open_journal()
            undo.push_async_callback(self._close_journal, _JOURNAL_GRACE_SECONDS)
            self._resource = instance.resource(self._settings.storage.directory)
            try:
                await self._bind(undo)
            except OSError as error:
                raise ConfigError([str(error)]) from None
            undo.pop_all()
        self._tasks = [
            asyncio.create_task(self._decide(), name="decide"),
            asyncio.create_task(loop_lag.watch(self._telemetry.observe_lag, self._clock), name="watch the loop"),
        ]
        if self._pushes:
            self._tasks.append(asyncio.create_task(self._push_metrics(), name="push metrics"))
        for task in self._tasks:
            task.add_done_callback(self._task_ended)
        self._ready = True
        addresses = {server.name: server.address for server in self._servers}
        if self._workers is not None:
            addresses |= self._workers.addresses
        self._logger.info("ready", version=__version__, policy=self._pipeline.rules.digest, **addresses)

    async def stop(self) -> None:
        """Give every item that was answered OK its outcome, as far as shutdown_timeout allows, and close the books."""
        self._ready = False
        self._stopping = True
        self._logger.info("stopping", held_bytes=self._pipeline.held_bytes)
        deadline = self._clock.monotonic() + self._settings.shutdown_timeout
        telemetry, *receivers = self._servers
        await asyncio.gather(*(receiver.stop(_RECEIVER_GRACE_SECONDS) for receiver in receivers))
        while self._following:
            await asyncio.gather(*self._following)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._thread.stop()
        owed = self._journal is not None  # what waits is in the journal, and waits there for the next start
        if not owed or self._settings.drain_on_shutdown:
            self._pipeline.decide_all()
            await self._outbox.drain(max(0.0, deadline - self._clock.monotonic()))
        await self._outbox.stop()
        self._verdict_log.flush()
        if self._pushes:
            await self._submit_own_metrics()
        await self._destination.stop(max(0.0, deadline - self._clock.monotonic()), owed=owed)
        await self._close_journal(_JOURNAL_GRACE_SECONDS)
        await telemetry.stop(_TELEMETRY_GRACE_SECONDS)
        books = {signal.value: self._books(signal) for signal in Signal}
        self._logger.info("stopped", balanced=self._ledger.balances(), ledger=books)

    def reload_soon(self, read: ReadSettings) -> None:
        """Begin a reload, unless one waits that has not read yet. `stop` waits for the one that is under way."""
        if not self._reload_waits:
            self._reload_waits = True
            self._follow(self.reload(read), "reload")

    async def reload(self, read: ReadSettings) -> None:
        """Take over redaction, sampling and prices from the configuration that is read; a bad one changes nothing.

        What takes long, reading and compiling, is done in a thread. Of two reloads the second begins after the first.
        """
        async with self._reloading:
            self._reload_waits = False
            if self._stopping:
                return
            try:
                settings = await read()
                prepared = await asyncio.to_thread(prepare, settings)
                self._take_over(settings, prepared, sampling_plan.plan(settings.sampling, self._sampler.probes))
            except ConfigError as error:
                self._reload_failed(problems=error.problems)
            except Exception as error:  # noqa: BLE001 - a defect of ours, which is not to end the following of files
                self._reload_failed(**logs.frames(error))

    def _reload_failed(self, **why: object) -> None:
        self._telemetry.count_reload("failed")
        self._logger.error("reload_failed", **why, kept_policy=self._pipeline.rules.digest)

    def _take_over(self, settings: GatewayConfig, prepared: Prepared, plan: Plan) -> None:
        rules = prepared.rules
        self._meter.take_over_prices(prepared.prices)
        self._sampler.reconfigure(plan)
        self._labels = _kept_names(settings, rules)
        self._names.redactor = _kept_names(settings, rules)
        if self._otlp is not None and settings.exporters.otlp is not None and prepared.access is not None:
            self._otlp.take_over(settings.exporters.otlp, prepared.access)
        self._pipeline.names = settings.redaction.names == "all"
        self._pipeline.rules = rules  # after the sampler, which says what attributes it reads
        self._telemetry.set_policy(rules.digest)
        if self._workers is None:
            self._reloaded(settings, rules)
        else:
            self._follow(self._have_workers_follow(self._workers, settings, rules), "have workers follow")

    def _follow(self, what: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(what, name=name)
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _have_workers_follow(self, workers: Workers, settings: GatewayConfig, rules: CompiledRules) -> None:
        """End a reload once every worker redacts by the new rules. One that cannot refuses what comes."""
        if problems := await workers.follow(settings.redaction, rules):
            self._telemetry.count_reload("failed")
            self._logger.error("reload_failed", problems=problems, serving_workers=workers.serving)
        else:
            self._reloaded(settings, rules)

    def _reloaded(self, settings: GatewayConfig, rules: CompiledRules) -> None:
        self._telemetry.count_reload("ok")
        self._logger.info("reloaded", policy=rules.digest, needs_restart=reload.needs_restart(self._settings, settings))

    async def _open_journal(self) -> None:
        """Take up what the journal holds, and let the pipeline write to it. Raises ConfigError when that cannot be."""
        storage = self._settings.storage
        if storage.durability == "memory":
            self._directory = journal_start.claimed(storage)
            return
        replay = Replay(self._meter, self._sampler, self._ledger)
        stages = journal_start.Stages(self._resumed, self._pipeline, self._outbox, replay, self._state)
        self._journal = await journal_start.opened(storage, os.environ, stages, self._logger)
        if replay.started_ns is not None:
            self._started_ns = replay.started_ns
        if places := self._journal.findings.gaps + self._journal.findings.is_empty:
            self._telemetry.count_damage(places)
        self._telemetry.journal = self._journal.writing

    def _state(self) -> Mapping[str, Iterable[bytes]]:
        """What a checkpoint holds."""
        return {**self._pipeline.state(), "started_ns": [str(self._started_ns).encode()]}

    def _clean_label(self, value: str, label: str) -> str:
        return value if self._labels is None else self._labels.text(value, label)[0]

    def _make_names_stage(self, destination: Destination, rules: CompiledRules) -> NamesStage:
        redaction, limit = self._settings.redaction, self._settings.memory_limiter.limit_mib * _MIB
        return NamesStage(
            destination,
            _kept_names(self._settings, rules),
            self._ledger,
            lambda rule, count: self._telemetry.count_findings(rule, count),  # noqa: PLW0108 - the telemetry comes later
            self._logger,
            most_waiting=limit // 2 if redaction.names_behind == "metadata" else None,
        )

    def _make_destination(self) -> Destination:
        otlp = self._settings.exporters.otlp
        if otlp:
            self._otlp = OtlpDestination(otlp, self._ledger, self._clock, random.random, self._logger)
            return self._otlp
        storage = self._settings.storage
        return EmbeddedStore(storage.directory, storage.max_mib * _MIB, self._ledger, self._clock, self._logger)

    async def _bind(self, undo: AsyncExitStack) -> None:
        """Bind the telemetry endpoint first, so that probes see «not ready» rather than nothing."""

        async def bind(name: str, server: Any) -> None:  # noqa: ANN401 - three servers of one shape
            self._servers.append(_Server(name, await server.start(), server.stop))
            undo.push_async_callback(server.stop, 0)

        app = application(self._telemetry, self._meter, self._is_ready)
        await bind(
            "telemetry", HttpServer(app, self._settings.telemetry.metrics.endpoint, "telemetry.metrics.endpoint")
        )
        protocols = self._settings.receivers.otlp.protocols
        if self._workers is not None:
            await self._workers.start(protocols, self._settings.redaction, self._pipeline.rules)
            self._servers.append(_Server("workers", str(self._workers.count), self._workers.stop))
            undo.push_async_callback(self._workers.stop, 0)
            return
        if protocols.grpc:
            await bind("grpc", GrpcReceiverServer(protocols.grpc, self._pipeline, self))
        if protocols.http:
            await bind("http", HttpReceiverServer(protocols.http, self._pipeline, self))

    def _is_ready(self) -> bool:
        if self._workers is not None and not self._workers.serving:
            return False
        return self._ready and not (self._journal is not None and self._journal.writing.failed)

    async def _close_journal(self, grace: float) -> None:
        if self._journal is not None:
            await self._journal.close(self._sampler.oldest_position, grace)
        if self._directory is not None:
            self._directory.close()

    def finished(self, transport: str, signal: Signal | None, code: str) -> None:
        """Count a request; the receivers call this."""
        self._telemetry.count_request(transport, signal, code)

    def failed(self, transport: str, signal: Signal | None, error: BaseException) -> None:
        """Count and log a defect of ours that a request met; the receivers call this."""
        self._telemetry.count_defect(transport)
        self._logger.error("request_failed", transport=transport, signal=signal, **logs.frames(error))

    async def _decide(self) -> None:
        """Decide traces when their wait is over, a tick late at most."""
        while True:
            more = self._pipeline.decide_due()
            if not more:  # at the end of a round of them, since it opens a file; what has gathered by then is bounded
                self._verdict_log.flush()
            await asyncio.sleep(_BREATH_SECONDS if more else _TICK_SECONDS)

    @property
    def _pushes(self) -> bool:
        return self._settings.exporters.otlp is not None and self._settings.telemetry.metrics.push_interval > 0

    async def _push_metrics(self) -> None:
        while True:
            await asyncio.sleep(self._settings.telemetry.metrics.push_interval)
            await self._submit_own_metrics()

    async def _submit_own_metrics(self) -> None:
        self._telemetry.refresh()
        taken = [Taken.of(store) for store in (self._telemetry.series, self._meter.series)]
        now_ns = self._clock.wall_ns()

        def payload() -> bytes:
            return otlp_metrics.request(taken, self._resource, self._started_ns, now_ns).SerializeToString()

        # In a thread: 14 µs a series, of which there may be thousands.
        self._destination.submit_own_metrics(await asyncio.to_thread(payload))

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            # Without this task traces would wait for ever: better to end, and be started anew.
            self._logger.error("task_failed", task=task.get_name(), **logs.frames(error))
            self.ended_by_defect = True
            signal.raise_signal(signal.SIGTERM)

    def _books(self, of: Signal) -> dict[str, int]:
        return {
            "received": self._ledger.received(of),
            **{outcome.value: self._ledger.settled(of, outcome) for outcome in Outcome},
            "in_flight": self._ledger.in_flight(of),
        }


def _kept_names(settings: GatewayConfig, rules: CompiledRules) -> Redactor | None:
    """What takes names out of what is kept, and out of labels, which are made before; None where nothing does.

    Each user needs one of its own: the names stage's belongs to another thread.
    """
    return names_redactor(rules) if settings.redaction.names == "kept" else None
