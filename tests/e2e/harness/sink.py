"""A receiver of OTLP that keeps what it gets, over gRPC or HTTP, and that can refuse or go away."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_SERVICES: dict[str, tuple[str, Any]] = {
    "traces": ("opentelemetry.proto.collector.trace.v1.TraceService", ExportTraceServiceRequest),
    "logs": ("opentelemetry.proto.collector.logs.v1.LogsService", ExportLogsServiceRequest),
    "metrics": ("opentelemetry.proto.collector.metrics.v1.MetricsService", ExportMetricsServiceRequest),
}
_RESPONSES: dict[str, Any] = {
    "traces": ExportTraceServiceResponse,
    "logs": ExportLogsServiceResponse,
    "metrics": ExportMetricsServiceResponse,
}


class Received:
    """All requests by signal, in the order of their arrival. Written by server threads, read by the test."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: dict[str, list[Any]] = {signal: [] for signal in _SERVICES}

    def add(self, signal: str, body: bytes) -> None:
        """Keep a serialized request. Raises DecodeError when it is none."""
        request = _SERVICES[signal][1].FromString(body)
        with self._changed:
            self._requests[signal].append(request)
            self._changed.notify_all()

    def requests(self, signal: str) -> list[Any]:
        """What came so far."""
        with self._changed:
            return list(self._requests[signal])

    def spans(self) -> list[Span]:
        """All spans that came so far, in their order."""
        return [
            span
            for request in self.requests("traces")
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def data(self) -> bytes:
        """Everything, serialized, to be searched."""
        return b"".join(r.SerializeToString() for signal in _SERVICES for r in self.requests(signal))

    def wait_for(self, condition: Callable[[], bool], seconds: float = 60) -> bool:
        """Whether `condition` came true within `seconds`; asked again whenever a request arrives."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)


class GrpcSink(Received):
    """OTLP/gRPC on loopback. `refuse_with` is the status answered to every call instead of keeping it.

    With a `token`, callers that do not bear it are UNAUTHENTICATED.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refuse_with: grpc.StatusCode | None = None
        self.token = ""
        self.refused = 0
        self.port = 0
        self._server: grpc.Server | None = None

    @property
    def endpoint(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    def open(self) -> None:
        """Listen: on a free port the first time, on the same one after `close`."""
        server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers([self._handler(signal) for signal in _SERVICES])
        self.port = server.add_insecure_port(self.endpoint)
        server.start()
        self._server = server

    def close(self) -> None:
        """Be gone: the port is free, open calls are cut."""
        if self._server is not None:
            self._server.stop(grace=None).wait()
            self._server = None

    def _handler(self, signal: str) -> grpc.GenericRpcHandler:
        def export(body: bytes, context: grpc.ServicerContext) -> bytes:
            refuse_with = self.refuse_with
            if self.token and ("authorization", f"Bearer {self.token}") not in context.invocation_metadata():
                refuse_with = grpc.StatusCode.UNAUTHENTICATED
            if refuse_with is not None:
                self.refused += 1
                context.abort(refuse_with, "not now")
            self.add(signal, body)
            answer: bytes = _RESPONSES[signal]().SerializeToString()
            return answer

        return grpc.method_handlers_generic_handler(
            _SERVICES[signal][0], {"Export": grpc.unary_unary_rpc_method_handler(export)}
        )


@contextmanager
def grpc_sink() -> Iterator[GrpcSink]:
    """A GrpcSink that is open inside the block."""
    sink = GrpcSink()
    sink.open()
    try:
        yield sink
    finally:
        sink.close()


@contextmanager
def http_sink() -> Iterator[tuple[Received, str]]:
    """What is received over OTLP/HTTP (protobuf, not compressed), and the endpoint to send to."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            signal = self.path.rsplit("/", 1)[-1]
            received.add(signal, self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield received, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
