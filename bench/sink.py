"""Where everything ends: an OTLP/gRPC server that counts spans and searches them for what was planted.

    python -m bench.sink

Says `{"address": "host:port"}` when it listens. Each line on standard input is a question, answered by a line:
`{"reset": true}` forgets, `{"search": "chat"}` also looks for that recording's values from then on, `{"delay": 0.5}`
makes each answer so late, `{}` only asks. The answer has all counts. It ends with its standard input.
"""

import asyncio
import contextlib
import json
import sys
from collections import Counter
from functools import partial
from typing import Any

import grpc
import grpc.aio
import uvloop
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bench.prose import Value
from bench.traffic import load

_SERVICES = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
}
_LIMIT = 256 * 1024 * 1024


class Sink:
    """What came so far."""

    def __init__(self) -> None:
        self.delay = 0.0
        self._values: dict[bytes, list[Value]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget."""
        self._requests: Counter[str] = Counter()
        self._bytes = 0
        self._spans = 0
        self._ids: set[int] = set()
        self._there: Counter[str] = Counter()
        self._of: Counter[str] = Counter()

    def search(self, kind: str) -> None:
        """Look for the values of a recording in the spans that come."""
        self._values = load(kind).values if kind else {}

    async def export(self, signal: str, body: bytes, _: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        """Take one request; an empty response is success for all signals."""
        if self.delay:
            await asyncio.sleep(self.delay)
        self._requests[signal] += 1
        self._bytes += len(body)
        if signal == "traces":
            self._traces(body)
        return b""

    def _traces(self, body: bytes) -> None:
        ids, values = self._ids, self._values
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope_spans in resource_spans.scope_spans:
                self._spans += len(scope_spans.spans)
                for span in scope_spans.spans:
                    identity = hash((span.trace_id, span.span_id))
                    if identity not in ids:
                        ids.add(identity)
                        if found := values.get(span.span_id):
                            self._look(span, found)

    def _look(self, span: Span, values: list[Value]) -> None:
        data = span.SerializeToString()
        for value in values:
            name = f"{'personal' if value.personal else 'benign'} {value.kind}"
            self._of[name] += 1
            self._there[name] += any(needle.encode() in data for needle in value.needles)

    def report(self) -> dict[str, Any]:
        """All counts. `there` of `of` values searched for were found, by kind."""
        return {
            "requests": dict(self._requests),
            "bytes": self._bytes,
            "spans": self._spans,
            "distinct": len(self._ids),
            "there": {name: self._there[name] for name in sorted(self._of)},
            "of": {name: self._of[name] for name in sorted(self._of)},
        }


async def _serve() -> None:
    sink = Sink()
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", _LIMIT), ("grpc.so_reuseport", 0)])
    for signal, service in _SERVICES.items():
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(partial(sink.export, signal))
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    _say({"address": f"127.0.0.1:{port}"})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        question = json.loads(line)
        if question.get("reset"):
            sink.reset()
        if "search" in question:
            sink.search(question["search"])
        if "delay" in question:
            sink.delay = question["delay"]
        _say(sink.report())
    await server.stop(None)


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve())
