"""OTLP/gRPC to one peer, mostly a stock Collector: a channel, and a queue for each signal.

gRPC's serialization is left out: bytes go in and come out, since what is exported has been serialized long before.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from spansieve import __version__, logs
from spansieve.clock import Clock
from spansieve.config_exporters import OtlpExporter
from spansieve.export import QueueStatus, access, unreachable
from spansieve.export.access import Access
from spansieve.export.batch import RequestBatch, cut, fitting, take_traces
from spansieve.export.delivery import Delivery, NotAcceptedError, Send, Surroundings
from spansieve.export.own_metrics import OwnMetrics
from spansieve.export.pause import Pause, Sleep
from spansieve.export.queue import Company, ExportQueue
from spansieve.export.retry import retry_info
from spansieve.logs import Logger
from spansieve.model import Receipt, SampledTrace, Signal
from spansieve.outcome import Ledger

# Traces are decided a few at a time, and of those one in ten may be kept: each call for them takes some 0.4 ms of CPU
# time here, as much there, and a record of the journal when it is answered. They have waited for longer already.
_COMPANY_SECONDS = 0.1

# At the end, when all else was sent or given up, the gateway's own metrics wait so long for a peer that is away.
_LAST_METRICS_SECONDS = 2.0

# Of a channel that another one has replaced: its last calls have ended by their deadlines then.
_FAREWELL_SECONDS = 1.0

METHODS = {signal: f"/{signal.service}/Export" for signal in Signal}


class OtlpDestination:
    """A Destination that speaks OTLP/gRPC. Owner: the event loop's thread."""

    def __init__(
        self,
        config: OtlpExporter,
        ledger: Ledger,
        clock: Clock,
        random: Callable[[], float],
        logger: Logger,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._config = config
        self._logger = logger
        self._pause = Pause(sleep)
        around = Surroundings(config.retry_on_failure, ledger, clock, random, self._pause, logger)
        self._channel: grpc.aio.Channel | None = None
        self._exports: Mapping[Signal, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}  # of the channel
        self._access = Access()
        self._closing: set[asyncio.Task[None]] = set()
        limit = config.max_batch_bytes
        self._traces = ExportQueue(partial(take_traces, max_bytes=limit), Company(limit, _COMPANY_SECONDS))
        self._requests: dict[Signal, ExportQueue[RequestBatch, RequestBatch]] = {
            signal: ExportQueue(deque.popleft) for signal in (Signal.LOGS, Signal.METRICS)
        }
        self._queues: dict[Signal, ExportQueue[Any, Any]] = {Signal.TRACES: self._traces, **self._requests}
        self._deliveries = {
            signal: Delivery(signal, queue, self._sender(signal), around) for signal, queue in self._queues.items()
        }
        self._own_metrics = OwnMetrics(self._sender(Signal.METRICS), around)
        self._tasks: list[asyncio.Task[None]] = []
        self._own_task: asyncio.Task[None] | None = None
        self.defects = 0

    @property
    def held_bytes(self) -> int:
        """Bytes of what waits and what is in flight."""
        return sum(queue.size for queue in self._queues.values())

    @property
    def consecutive_failures(self) -> int:
        """Attempts that failed one after the other, of the signal that fares worst."""
        return max(delivery.failures for delivery in self._deliveries.values())

    def submit_traces(self, traces: Sequence[SampledTrace]) -> None:
        """Queue traces, or late spans of some; every span leaves with the name of the policy that kept it."""
        limit = self._config.max_batch_bytes
        self._traces.put(piece for trace in traces for piece in cut(trace, limit))

    def submit(self, signal: Signal, payload: bytes, items: int, receipt: Receipt | None = None) -> None:
        """Queue a serialized request of logs or metrics, in parts when it is over max_batch_bytes."""
        self._requests[signal].put(fitting(RequestBatch(signal, payload, items, receipt), self._config.max_batch_bytes))

    def submit_own_metrics(self, payload: bytes) -> None:
        """Send the gateway's own metrics, instead of older ones that were not accepted yet."""
        self._own_metrics.put(payload)

    async def start(self) -> None:
        """Open the channel, which connects when there is something to send. Raises ConfigError."""
        self._access = access.read(self._config)
        self._connect()
        for signal, delivery in self._deliveries.items():
            for number in range(self._config.num_consumers):
                self._tasks.append(self._spawn(delivery.run(), f"export {signal.value} {number}"))
        self._own_task = self._spawn(self._own_metrics.run(), "export own metrics")

    def take_over(self, config: OtlpExporter, found: Access) -> None:
        """Speak to the peer that `config` names, as it says, with what `found` holds of its files, from now on.

        Calls under way end on the channel that they began on; whoever waits to try again does so at once. Sizes,
        consumers and back-off stay as they are.
        """
        if (config, found) == (self._config, self._access):
            return
        begins_anew = _of_channel(config, found) != _of_channel(self._config, self._access)
        self._config, self._access = config, found
        if begins_anew and self._channel is not None:
            closing = asyncio.create_task(self._channel.close(config.timeout + _FAREWELL_SECONDS), name="close channel")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            self._connect()
        self._pause.wake()

    async def stop(self, deadline: float, *, owed: bool = False) -> None:
        """Export what is left within `deadline` seconds, starting with one attempt at once, then drop the rest.

        A call that is cut off at the end counts as dropped, though the peer may have taken it. What is `owed` is not
        dropped: it stays in the journal.
        """
        for queue in self._queues.values():
            queue.close()
        self._own_metrics.close()
        self._pause.cut_short()
        if self._own_task is not None:
            loop = asyncio.get_running_loop()
            ends = loop.time() + deadline
            await asyncio.wait(self._tasks, timeout=deadline)
            left = max(0.0, ends - loop.time())
            await asyncio.wait([self._own_task], timeout=min(left, _LAST_METRICS_SECONDS))
            tasks = [*self._tasks, self._own_task]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for delivery in self._deliveries.values():
            delivery.abandon(owed=owed)
        for closing in self._closing:
            closing.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        if self._channel is not None:
            await self._channel.close()

    def status(self) -> Mapping[Signal, QueueStatus]:
        """The queues as they are now."""
        return {signal: delivery.status() for signal, delivery in self._deliveries.items()}

    def _spawn(self, work: Any, name: str) -> asyncio.Task[None]:  # noqa: ANN401 - a coroutine
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Say it when a task ended by a defect of ours: what it had in flight is settled, as dropped, by `stop`."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.defects += 1
            self._logger.error("export_task_failed", task=task.get_name(), **logs.frames(error))

    def _connect(self) -> None:
        self._channel = self._open()
        self._exports = {signal: self._channel.unary_unary(method) for signal, method in METHODS.items()}

    def _open(self) -> grpc.aio.Channel:
        config, retry = self._config, self._config.retry_on_failure
        options: list[tuple[str, int | str]] = [
            ("grpc.primary_user_agent", f"spansieve/{__version__}"),
            # gRPC backs off from connecting up to two minutes, beside our own back-off: without these a peer that is
            # back would be found late.
            ("grpc.initial_reconnect_backoff_ms", _milliseconds(retry.initial_interval)),
            ("grpc.min_reconnect_backoff_ms", _milliseconds(config.timeout)),
            ("grpc.max_reconnect_backoff_ms", _milliseconds(retry.max_interval)),
            # A peer that vanished without a word is noticed within 20 s of data that it does not acknowledge, not
            # after TCP's quarter of an hour. A ping in 6 minutes is within what Go servers allow (one in 5).
            ("grpc.keepalive_time_ms", 360_000),
            ("grpc.keepalive_timeout_ms", 20_000),
        ]
        compression = grpc.Compression.Gzip if config.compression == "gzip" else grpc.Compression.NoCompression
        if config.tls.insecure:
            return grpc.aio.insecure_channel(config.endpoint, options=options, compression=compression)
        credentials = self._access.credentials()
        return grpc.aio.secure_channel(config.endpoint, credentials, options=options, compression=compression)

    def _sender(self, signal: Signal) -> Send:
        async def send(payload: bytes) -> int:
            export = self._exports.get(signal)
            if export is None:
                raise RuntimeError("the destination was not started")
            try:
                response = await export(payload, timeout=self._config.timeout, metadata=self._access.metadata)
            except grpc.aio.AioRpcError as error:
                raise NotAcceptedError(
                    error.code().name, _retry_info(error), unreachable.why(error.details())
                ) from None
            return rejected_items(signal, response)

        return send


def rejected_items(signal: Signal, response: bytes) -> int:
    """Read how many items an Export*ServiceResponse rejects by partial_success; garbage rejects none."""
    if not response:
        return 0
    try:
        match signal:
            case Signal.TRACES:
                return ExportTraceServiceResponse.FromString(response).partial_success.rejected_spans
            case Signal.LOGS:
                return ExportLogsServiceResponse.FromString(response).partial_success.rejected_log_records
            case Signal.METRICS:
                return ExportMetricsServiceResponse.FromString(response).partial_success.rejected_data_points
    except DecodeError:
        return 0


def _retry_info(error: grpc.aio.AioRpcError) -> float | None:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            return retry_info(value)
    return None


def _of_channel(config: OtlpExporter, found: Access) -> tuple[object, ...]:
    """What a channel is made of: with any of it changed, another one is needed."""
    files = found.ca, found.cert, found.key
    return config.endpoint, config.tls.insecure, config.compression, config.timeout, files


def _milliseconds(seconds: float) -> int:
    return max(round(seconds * 1000), 1)
