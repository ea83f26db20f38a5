"""The composition root: builds the parts from the configuration, and starts, reloads and stops them in order.

The only file that knows all others. Order of the start: destination (the store is open), receivers (ports are bound),
ready. Order of the stop: not ready, receivers (running requests end, new ones are refused), every waiting trace is
decided, the destination drains, the books are written to the log.
"""

import asyncio
import gc
import os
import random
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from spansieve import __version__, config, logs, otlp_metrics, policy_source, price_table
from spansieve.clock import Clock, SystemClock
from spansieve.config import ConfigError, GatewayConfig
from spansieve.export import Destination
from spansieve.export.otlp import OtlpDestination
from spansieve.export.store import EmbeddedStore
from spansieve.export.store_file import StoreError
from spansieve.http_server import HttpServer
from spansieve.measure import Meter
from spansieve.measure.pricing import PriceTable
from spansieve.model import Signal
from spansieve.outcome import Ledger, Outcome
from spansieve.pipeline import Pipeline
from spansieve.receive.grpc import GrpcReceiverServer
from spansieve.receive.http import HttpReceiverServer
from spansieve.redact import CompiledRules, PolicyError
from spansieve.sample import Sampler, policies
from spansieve.telemetry import Telemetry, application

_MIB = 1024 * 1024
# Running requests get so long to end when the gateway stops, out of the shutdown_timeout.
_RECEIVER_GRACE_SECONDS = 5.0
# How often the sampler is asked for traces whose wait is over.
_TICK_SECONDS = 0.1
# A scrape under way gets so long to end.
_TELEMETRY_GRACE_SECONDS = 1.0
# How soon a changed file is noticed.
_WATCH_SECONDS = 2.0
# What a reload can change; a change elsewhere needs a restart, and the log says so.
_RELOADABLE = {"redaction", "sampling"}


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What a configuration names beside its keys, read and compiled: a second's work, done once for each load."""

    rules: CompiledRules
    prices: PriceTable


def problems(settings: GatewayConfig) -> list[str]:
    """Everything that keeps the gateway from starting with a valid configuration: files that it names, the policy."""
    try:
        _prepare(settings)
    except ConfigError as error:
        return error.problems
    return []


def _prepare(settings: GatewayConfig) -> _Prepared:
    """Read and compile what a configuration names. Raises ConfigError with every problem found."""
    found: list[str] = []
    rules: CompiledRules | None = None
    prices: PriceTable | None = None
    try:
        rules = _rules(settings)
    except ConfigError as error:
        found += error.problems
    try:
        prices = price_table.load(settings.measure.prices)
    except ConfigError as error:
        found += error.problems
    tls = settings.exporters.otlp.tls if settings.exporters.otlp else config.ClientTls()
    for key in ("ca_file", "cert_file", "key_file"):
        path: Path | None = getattr(tls, key)
        if path is not None and not path.is_file():
            found.append(f"exporters.otlp.tls.{key}: there is no file {path}.")
    if rules is None or prices is None or found:
        raise ConfigError(found)
    return _Prepared(rules, prices)


async def serve(load: Callable[[], GatewayConfig], file: Path | None = None) -> int:
    """Run the gateway until SIGTERM or SIGINT and return the exit code.

    `load` reads the configuration (from `file`, when there is one), again at SIGHUP and when that file or the policy's
    changes. Raises ConfigError when the gateway cannot start.
    """
    settings = load()
    logger = logs.configure(settings.telemetry.logs.level)
    gateway = Gateway(settings, SystemClock(), logger)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: gateway.reload(load))
    stamps = _stamps(file, gateway.policy_file)
    await gateway.start()
    _spare_the_collector()
    watch = asyncio.create_task(_watch(gateway, load, file, stamps), name="watch files")
    await stop.wait()
    watch.cancel()
    await gateway.stop()
    return 0


async def _watch(gateway: "Gateway", load: Callable[[], GatewayConfig], file: Path | None, seen: "_Stamps") -> None:
    """Reload when the configuration's or the policy's file is another than it was. A ConfigMap is a changing link."""
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        if _stamps(file, gateway.policy_file) != seen:
            seen = _stamps(file, gateway.policy_file)  # before the files are read: what changes meanwhile is seen next
            gateway.reload(load)


_Stamps = list[tuple[int, int, int] | None]


def _stamps(*files: Path | None) -> _Stamps:
    """What tells one version of a file from the next; None for one that is not there."""
    stamps: _Stamps = []
    for file in files:
        try:
            found = file.stat() if file else None
        except OSError:
            found = None
        stamps.append((found.st_ino, found.st_mtime_ns, found.st_size) if found else None)
    return stamps


def _spare_the_collector() -> None:
    """Let Python's garbage collector pass over what lives as long as the process, and look less often at the rest.

    A request makes thousands of short-lived objects without cycles; looking at them took a twentieth of the CPU time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@dataclass(frozen=True, slots=True)
class _Server:
    """A bound port: what it is called in the log, where it is, and how it is given up."""

    name: str
    address: str
    stop: Callable[[float], Any]


class Gateway:
    """All parts of one process, and the two tasks that belong to none of them: deciding and pushing metrics.

    Raises ConfigError when something that the settings name cannot be used.
    """

    def __init__(self, settings: GatewayConfig, clock: Clock, logger: FilteringBoundLogger) -> None:
        prepared = _prepare(settings)
        self._settings = settings
        self._policy_name = settings.redaction.policy
        self._clock = clock
        self._logger = logger
        limit = settings.memory_limiter.limit_mib * _MIB
        self._ledger = Ledger()
        self._destination = self._make_destination()
        self._sampler = Sampler(
            _policies(settings),
            settings.sampling.decision_wait,
            settings.sampling.decision_cache.sampled_cache_size,
            settings.sampling.decision_cache.non_sampled_cache_size,
        )
        self._meter = Meter(
            prepared.prices,
            label_limit=settings.measure.label_limit,
            drop_application_metrics=settings.measure.application_genai_metrics == "drop",
        )
        self._telemetry = Telemetry(self._ledger, self._sampler, self._destination, limit)
        rules = prepared.rules
        self._telemetry.set_policy(rules.digest)
        self._pipeline = Pipeline(
            rules=rules,
            meter=self._meter,
            sampler=self._sampler,
            destination=self._destination,
            ledger=self._ledger,
            clock=clock,
            limit_bytes=limit,
            observer=self._telemetry,
        )
        self._started_ns = clock.wall_ns()
        self._servers: list[_Server] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._ready = False

    @property
    def policy_file(self) -> Path | None:
        """The file of the redaction policy in force; None for a shipped one."""
        return policy_source.file_of(self._policy_name)

    async def start(self) -> None:
        """Open the destination, bind every port, say so. Raises ConfigError when one of them cannot be had."""
        self._warn_of_what_is_not_there_yet()
        async with AsyncExitStack() as undo:
            try:
                await self._destination.start()
            except StoreError as error:
                raise ConfigError([str(error)]) from None
            undo.push_async_callback(self._destination.stop, 0)
            try:
                await self._bind(undo)
            except OSError as error:
                raise ConfigError([str(error)]) from None
            undo.pop_all()
        self._tasks = [asyncio.create_task(self._decide(), name="decide")]
        if self._settings.exporters.otlp:
            self._tasks.append(asyncio.create_task(self._push_metrics(), name="push metrics"))
        for task in self._tasks:
            task.add_done_callback(self._task_ended)
        self._ready = True
        addresses = {server.name: server.address for server in self._servers}
        self._logger.info("ready", version=__version__, policy=self._pipeline.rules.digest, **addresses)

    async def stop(self) -> None:
        """Give every item that was answered OK its outcome, as far as shutdown_timeout allows, and close the books."""
        self._ready = False
        self._logger.info("stopping", held_bytes=self._pipeline.held_bytes)
        deadline = self._clock.monotonic() + self._settings.shutdown_timeout
        *receivers, telemetry = self._servers[1:] + self._servers[:1]
        await asyncio.gather(*(receiver.stop(_RECEIVER_GRACE_SECONDS) for receiver in receivers))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._pipeline.decide_all()
        if self._settings.exporters.otlp:
            self._submit_own_metrics()
        await self._destination.stop(max(0.0, deadline - self._clock.monotonic()))
        await telemetry.stop(_TELEMETRY_GRACE_SECONDS)
        books = {signal.value: self._books(signal) for signal in Signal}
        self._logger.info("stopped", balanced=self._ledger.balances(), ledger=books)

    def reload(self, load: Callable[[], GatewayConfig]) -> None:
        """Take over redaction and sampling from the configuration as it reads now; a bad one changes nothing."""
        try:
            settings = load()
            rules = _prepare(settings).rules
        except ConfigError as error:
            self._telemetry.count_reload("failed")
            self._logger.error("reload_failed", problems=error.problems, kept_policy=self._pipeline.rules.digest)
            return
        self._pipeline.rules = rules
        self._policy_name = settings.redaction.policy
        self._sampler.reconfigure(_policies(settings), settings.sampling.decision_wait)
        self._telemetry.set_policy(rules.digest)
        self._telemetry.count_reload("ok")
        self._logger.info("reloaded", policy=rules.digest, needs_restart=_needs_restart(self._settings, settings))

    def _make_destination(self) -> Destination:
        otlp = self._settings.exporters.otlp
        if otlp:
            return OtlpDestination(otlp, self._ledger, self._clock, random.random, self._logger)
        storage = self._settings.storage
        return EmbeddedStore(storage.directory, storage.max_mib * _MIB, self._ledger, self._clock, self._logger)

    async def _bind(self, undo: AsyncExitStack) -> None:
        """Bind the telemetry endpoint first, so that probes see «not ready» rather than nothing."""

        async def bind(name: str, server: Any) -> None:  # noqa: ANN401 - three servers of one shape
            self._servers.append(_Server(name, await server.start(), server.stop))
            undo.push_async_callback(server.stop, 0)

        app = application(self._telemetry, self._meter.series, lambda: self._ready)
        await bind(
            "telemetry", HttpServer(app, self._settings.telemetry.metrics.endpoint, "telemetry.metrics.endpoint")
        )
        protocols = self._settings.receivers.otlp.protocols
        if protocols.grpc:
            await bind("grpc", GrpcReceiverServer(protocols.grpc, self._pipeline, self))
        if protocols.http:
            await bind("http", HttpReceiverServer(protocols.http, self._pipeline, self))

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
            await asyncio.sleep(0 if more else _TICK_SECONDS)

    async def _push_metrics(self) -> None:
        while True:
            await asyncio.sleep(self._settings.telemetry.metrics.push_interval)
            self._submit_own_metrics()

    def _submit_own_metrics(self) -> None:
        self._telemetry.refresh()
        request = otlp_metrics.request(
            [self._telemetry.series, self._meter.series],
            {"service.name": "spansieve", "service.version": __version__},
            self._started_ns,
            self._clock.wall_ns(),
        )
        self._destination.submit_own_metrics(request.SerializeToString())

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            # Without this task traces would wait for ever: better to end, and be started anew.
            self._logger.error("task_failed", task=task.get_name(), **logs.frames(error))
            signal.raise_signal(signal.SIGTERM)

    def _books(self, of: Signal) -> dict[str, int]:
        return {
            "received": self._ledger.received(of),
            **{outcome.value: self._ledger.settled(of, outcome) for outcome in Outcome},
            "in_flight": self._ledger.in_flight(of),
        }

    def _warn_of_what_is_not_there_yet(self) -> None:
        if self._settings.redaction.names != "off":
            self._logger.warning("names_in_free_text_are_not_detected", key="redaction.names", remedy="set it to off")
        if self._settings.storage.durability != "memory":
            self._logger.warning(
                "no_journal_in_this_version", key="storage.durability", meaning="OK means redacted and in memory"
            )


def _needs_restart(running: GatewayConfig, wanted: GatewayConfig) -> list[str]:
    """The keys whose change a reload could not take over."""
    changed = [
        key
        for key in GatewayConfig.model_fields
        if key not in _RELOADABLE and getattr(wanted, key) != getattr(running, key)
    ]
    if wanted.sampling.decision_cache != running.sampling.decision_cache:
        changed.append("sampling.decision_cache")
    return sorted(changed)


def _rules(settings: GatewayConfig) -> CompiledRules:
    """Compile the policy that the configuration names. Raises ConfigError with every problem found."""
    name = settings.redaction.policy
    try:
        return policy_source.load(name, os.environ, settings.redaction.key_file)
    except PolicyError as error:
        raise ConfigError([f"redaction.policy {name}: {problem}" for problem in error.problems]) from None


def _policies(settings: GatewayConfig) -> tuple[policies.Policy, ...]:
    made: list[policies.Policy] = []
    for each in settings.sampling.policies:
        match each:
            case config.AlwaysSample():
                made.append(policies.AlwaysSample(each.name))
            case config.StatusCode():
                made.append(policies.StatusCode(each.name, frozenset(each.status_code.status_codes)))
            case config.Latency():
                limits = each.latency
                made.append(policies.Latency(each.name, limits.threshold_ms, limits.upper_threshold_ms))
            case config.Probabilistic():
                made.append(policies.Probabilistic(each.name, each.probabilistic.sampling_percentage))
    return tuple(made)
