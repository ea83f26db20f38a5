"""The load: senders that replay a recording and count what they are answered.

    python -m bench.drive --endpoint 127.0.0.1:4317 --kind chat --senders 4 --seconds 4

Each sender has a connection of its own, as processes have. In a closed loop (without --rate) a sender sends its next
request when the last is answered. With --rate, requests leave on time whatever the answers, so many spans a second.
A refusal that says when to come back is obeyed, as an SDK does, and the request sent again. The result is a line of
JSON on standard output.
"""

import argparse
import asyncio
import itertools
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import uvloop
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from bench.traffic import CLASSES, KINDS, Recording, load, regrouped

_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
DEADLINE_SECONDS = 10.0  # an SDK's default
_BACK_OFF_SECONDS = 1.0  # after a refusal that names no time
_OK = "OK"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request ended: `code` is a gRPC or HTTP status name; `retry` the seconds that the peer asks to wait."""

    code: str
    retry: float | None = None


Send = Callable[[bytes], Awaitable[Answer]]


class GrpcSender:
    """OTLP/gRPC with bytes in place of messages, on a connection of its own."""

    def __init__(self, endpoint: str, deadline: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
        self._channel = grpc.aio.insecure_channel(endpoint, options=options)
        self._export: Any = self._channel.unary_unary(_METHOD)

    async def send(self, body: bytes) -> Answer:
        """One call."""
        try:
            await self._export(body, timeout=self._deadline)
        except grpc.aio.AioRpcError as error:
            return Answer(error.code().name, _retry(error))
        return Answer(_OK)

    async def close(self) -> None:
        """Give up the connection."""
        await self._channel.close()


class HttpSender:
    """OTLP/HTTP with protobuf, on a connection that is kept: no more of HTTP/1.1 than the benchmark needs."""

    def __init__(self, endpoint: str, deadline: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline
        self._host, _, port = endpoint.rpartition(":")
        self._port = int(port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, body: bytes) -> Answer:
        """One request."""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._post(body)
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            await self.close()
            return Answer(type(error).__name__)

    async def _post(self, body: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        head = (
            f"POST /v1/traces HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: application/x-protobuf\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        await reader.readexactly(int(headers.get("content-length", "0")))
        code = status.split()[1]
        retry = headers.get("retry-after")
        return Answer(_OK) if code == "200" else Answer(code, float(retry) if retry else None)

    async def close(self) -> None:
        """Give up the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@dataclass
class Tally:
    """What was sent and how it ended. `refused` counts answers by code, `lost` spans whose sender gave up."""

    spans: int = 0
    bytes: int = 0
    requests: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    refused_with_retry: int = 0
    unanswered_spans: int = 0
    seconds: list[float] = field(default_factory=list)

    def report(self, elapsed: float) -> dict[str, Any]:
        """As the result line has it: times in ms."""
        ordered = sorted(self.seconds) or [0.0]
        return {
            "spans": self.spans,
            "bytes": self.bytes,
            "requests": self.requests,
            "refused": dict(self.refused),
            "refused_with_retry": self.refused_with_retry,
            "unanswered_spans": self.unanswered_spans,
            "elapsed_s": elapsed,
            "p50_ms": ordered[len(ordered) // 2] * 1000,
            "p99_ms": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] * 1000,
        }


class Load:
    """One run. `until` is the monotonic time after which no request begins."""

    def __init__(self, recording: Recording, first_lap: int, until: float, most_spans: float) -> None:
        self.tally = Tally()
        self._recording = recording
        self._numbers = itertools.count()
        self._first_lap = first_lap
        self._until = until
        self._left = most_spans

    def next(self) -> tuple[bytes, int] | None:
        """The next request and its spans; None when it is enough."""
        if time.monotonic() >= self._until or self._left <= 0:
            return None
        number = next(self._numbers)
        lap, index = divmod(number, len(self._recording.pieces))
        spans = self._recording.spans[index]
        self._left -= spans
        return self._recording.body(index, self._first_lap + lap), spans

    async def deliver(self, send: Send, body: bytes, spans: int) -> None:
        """Send one request until it is accepted or time is up."""
        tally = self.tally
        while True:
            began = time.monotonic()
            answer = await send(body)
            if answer.code == _OK:
                tally.seconds.append(time.monotonic() - began)
                tally.spans += spans
                tally.bytes += len(body)
                tally.requests += 1
                return
            tally.refused[answer.code] += 1
            tally.refused_with_retry += answer.retry is not None
            if time.monotonic() >= self._until:
                tally.unanswered_spans += spans
                return
            # Jitter, so that senders who were refused together do not come back together.
            await asyncio.sleep(
                (_BACK_OFF_SECONDS if answer.retry is None else answer.retry) * random.uniform(0.9, 1.1)  # noqa: S311 - no secret
            )

    async def closed(self, send: Send) -> None:
        """Send one after the other."""
        while (request := self.next()) is not None:
            await self.deliver(send, *request)

    async def open(self, sends: list[Send], rate: float) -> None:
        """Send on time, `rate` spans a second, in turn over the connections."""
        running: set[asyncio.Task[None]] = set()
        due = time.monotonic()
        for send in itertools.cycle(sends):
            if (request := self.next()) is None:
                break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(self.deliver(send, *request))
            running.add(task)
            task.add_done_callback(running.discard)
            due += request[1] / rate
        await asyncio.gather(*running)


async def drive(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the load that the command line asks for."""
    recording = load(arguments.kind)
    if arguments.spans_a_request:
        recording = regrouped(recording, arguments.spans_a_request)
    make = HttpSender if arguments.protocol == "http" else GrpcSender
    senders = [make(arguments.endpoint, arguments.deadline) for _ in range(arguments.senders)]
    began = time.monotonic()
    run = Load(recording, arguments.first_lap, began + arguments.seconds, arguments.spans or float("inf"))
    if arguments.rate:
        await run.open([sender.send for sender in senders], arguments.rate)
    else:
        await asyncio.gather(*(run.closed(sender.send) for sender in senders))
    report = run.tally.report(time.monotonic() - began)
    await asyncio.gather(*(sender.close() for sender in senders))
    return report


def _retry(error: grpc.aio.AioRpcError) -> float | None:
    """Seconds that a refusal's RetryInfo asks to wait."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in Status.FromString(value).details:
                info = RetryInfo()
                if detail.Unpack(info):
                    return info.retry_delay.seconds + info.retry_delay.nanos / 1e9
    return None


def main() -> None:
    """Drive, and print the result."""
    parser = argparse.ArgumentParser(prog="bench.drive", description="Replays a recording against an OTLP endpoint.")
    parser.add_argument("--endpoint", required=True, help="host:port")
    parser.add_argument("--protocol", default="grpc", choices=["grpc", "http"])
    parser.add_argument("--kind", default="chat", choices=[*KINDS, CLASSES])
    parser.add_argument("--senders", type=int, default=4, help="connections (4)")
    parser.add_argument("--seconds", type=float, default=4.0, help="no request begins later (4)")
    parser.add_argument("--spans", type=int, default=0, help="no request begins once so many were sent (no limit)")
    parser.add_argument("--rate", type=float, default=0.0, help="spans a second (as fast as they are answered)")
    parser.add_argument("--spans-a-request", type=int, default=0, help="pack so many spans in each (as recorded)")
    parser.add_argument("--deadline", type=float, default=DEADLINE_SECONDS, help="seconds that a call may take (10)")
    parser.add_argument("--first-lap", type=int, default=1, help="each lap has its own trace ids and texts (1)")
    sys.stdout.write(json.dumps(uvloop.run(drive(parser.parse_args()))) + "\n")


if __name__ == "__main__":
    main()
