"""The very files of the stack, read and run by the real Collector, Tempo and Prometheus."""

import contextlib
import json
import secrets
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from e2e.parts import build, processes

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("real_parts")]

COLLECTOR_FILES = sorted(
    file for file in processes.COLLECTOR_CONFIG.glob("*.yaml") if file.name != "kustomization.yaml"
)
CERTIFICATES = Path(__file__).parents[1] / "unit" / "export" / "tls"
LONG = 6 * 1024 * 1024  # over gRPC's usual limit of 4 MiB and over Tempo's usual 5 MB for a trace


@dataclass
class Stack:
    """The parts that run, and what was pushed into them."""

    tempo: processes.Tempo
    prometheus: processes.Prometheus
    backend: processes.Collector
    agent: processes.Collector


@pytest.fixture(scope="module")
def stack(real_parts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Tempo, Prometheus, the backend Collector and an agent that sends to it, where the gateway would stand."""
    directory = tmp_path_factory.mktemp("stack")
    with contextlib.ExitStack() as parts:
        tempo = parts.enter_context(processes.start_tempo(directory))
        prometheus = parts.enter_context(processes.start_prometheus(directory))
        backend = parts.enter_context(processes.start_backend(directory, tempo, prometheus))
        agent = parts.enter_context(processes.start_agent(directory, backend.otlp_grpc))
        yield Stack(tempo, prometheus, backend, agent)


@contextlib.contextmanager
def _channel(address: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(address, options=[("grpc.max_send_message_length", -1)]) as channel:
        yield channel


def _spans(trace_id: bytes, count: int, text: str = "") -> ExportTraceServiceRequest:
    message = ExportTraceServiceRequest()
    scope = message.resource_spans.add().scope_spans.add()
    now = time.time_ns()
    for _ in range(count):
        span = scope.spans.add(trace_id=trace_id, span_id=secrets.token_bytes(8), name="chat")
        span.start_time_unix_nano, span.end_time_unix_nano = now - 1_000_000, now
        if text:
            span.attributes.add(key="gen_ai.input.messages").value.string_value = text
    return message


def _send(address: str, message: ExportTraceServiceRequest) -> None:
    with _channel(address) as channel:
        TraceServiceStub(channel).Export(message, timeout=10)


def _get(url: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
    query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
    with urllib.request.urlopen(url + query, timeout=10) as response:
        return json.load(response)


def _stored(tempo: processes.Tempo, trace_id: bytes) -> list[dict[str, Any]]:
    """The spans of a trace in Tempo; none when it does not know the trace."""
    url = f"{tempo.url}/api/traces/{trace_id.hex()}"
    if processes.http_status(url) != 200:
        return []
    return [span for b in _get(url)["batches"] for s in b["scopeSpans"] for span in s["spans"]]


@pytest.mark.parametrize("path", COLLECTOR_FILES, ids=lambda path: path.stem)
def test_the_collector_accepts_its_files(path: Path) -> None:
    """`otelcol validate` finds no fault in any Collector file, as it stands."""
    done = subprocess.run([build.locate("otelcol"), "validate", f"--config={path}"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_promtool_accepts_prometheus_files() -> None:
    """`promtool check config` finds no fault in prometheus.yml and in the targets that it names."""
    file = processes.STACK / "prometheus" / "prometheus.yml"
    done = subprocess.run(
        [build.locate("promtool"), "check", "config", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr


def test_spans_reach_tempo(stack: Stack) -> None:
    """What an application sends to the agent is in Tempo under its trace id, whole."""
    trace_id = secrets.token_bytes(16)
    _send(stack.agent.otlp_grpc, _spans(trace_id, 3))
    processes.wait_until(lambda: len(_stored(stack.tempo, trace_id)) == 3, "three spans in Tempo")


def test_long_conversations_reach_tempo(stack: Stack) -> None:
    """A span of 6 MiB passes every limit on the way, and none of it is cut off."""
    trace_id = secrets.token_bytes(16)
    _send(stack.agent.otlp_grpc, _spans(trace_id, 1, text="a" * LONG))
    processes.wait_until(lambda: bool(_stored(stack.tempo, trace_id)), "the span in Tempo")
    (span,) = _stored(stack.tempo, trace_id)
    assert len(span["attributes"][0]["value"]["stringValue"]) == LONG


def test_an_answer_of_the_backend_means_stored(stack: Stack) -> None:
    """When the backend Collector has said OK, Tempo has the trace: nothing waits in between."""
    trace_id = secrets.token_bytes(16)
    _send(stack.backend.otlp_grpc, _spans(trace_id, 2))
    assert len(_stored(stack.tempo, trace_id)) == 2


def test_logs_are_taken(stack: Stack) -> None:
    """Log records are accepted, and their text is not in the Collector's own log."""
    message = ExportLogsServiceRequest()
    record = message.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = "hear-no-evil"
    with _channel(stack.backend.otlp_grpc) as channel:
        LogsServiceStub(channel).Export(message, timeout=10)
    log = stack.backend.log
    processes.wait_until(lambda: '"log records": 1' in log.read_text(encoding="utf-8"), "the debug exporter's line")
    assert "hear-no-evil" not in log.read_text(encoding="utf-8")


def test_the_backend_says_when_a_store_is_away(tmp_path: Path, stack: Stack) -> None:
    """While Tempo is away the sender is answered UNAVAILABLE, so that it keeps what it has and retries."""
    with contextlib.ExitStack() as parts:
        away = processes.Tempo(
            name="away",
            directory=tmp_path,
            popen=stack.tempo.popen,
            otlp_grpc=processes.free_address(),
            url="",
            data=tmp_path,
        )
        backend = parts.enter_context(processes.start_backend(tmp_path, away, stack.prometheus))
        with pytest.raises(grpc.RpcError) as refused:
            _send(backend.otlp_grpc, _spans(secrets.token_bytes(16), 1))
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_tls_in_front_takes_senders_with_a_certificate_alone(tmp_path: Path, stack: Stack) -> None:
    """Who has one of the authority's is answered by what stands behind; who has none gets no connection."""
    pem = {name: (CERTIFICATES / f"{name}.pem").read_bytes() for name in ("ca", "client", "client-key")}
    known = grpc.ssl_channel_credentials(pem["ca"], pem["client-key"], pem["client"])
    trace_id = secrets.token_bytes(16)
    with processes.start_tls(tmp_path, stack.backend.otlp_grpc, CERTIFICATES) as front:
        address = front.otlp_grpc.replace("127.0.0.1", "localhost")
        with grpc.secure_channel(address, known) as channel:
            TraceServiceStub(channel).Export(_spans(trace_id, 2), timeout=10, wait_for_ready=True)
        stranger = grpc.ssl_channel_credentials(pem["ca"])
        with grpc.secure_channel(address, stranger) as channel, pytest.raises(grpc.RpcError) as refused:
            TraceServiceStub(channel).Export(_spans(secrets.token_bytes(16), 1), timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert len(_stored(stack.tempo, trace_id)) == 2


def test_the_agent_waits_for_the_gateway(tmp_path: Path, stack: Stack) -> None:
    """What the agent took while the gateway was away arrives when it is back."""
    trace_id = secrets.token_bytes(16)
    address, health = processes.free_address(), processes.free_address()
    with contextlib.ExitStack() as parts:
        agent = parts.enter_context(processes.start_agent(tmp_path, address))
        _send(agent.otlp_grpc, _spans(trace_id, 2))
        failed = "Exporting failed. Will retry the request"
        processes.wait_until(lambda: failed in agent.log.read_text(encoding="utf-8"), "an attempt that failed")
        parts.enter_context(
            processes.start_collector(
                [processes.COLLECTOR_CONFIG / "backend.yaml"],
                {
                    "BACKEND_OTLP_GRPC_ENDPOINT": address,
                    "BACKEND_HEALTH_ENDPOINT": health,
                    "TEMPO_OTLP_ENDPOINT": stack.tempo.otlp_grpc,
                    "PROMETHEUS_OTLP_ENDPOINT": stack.prometheus.otlp,
                },
                directory=tmp_path,
                health=health,
            )
        )
        processes.wait_until(lambda: len(_stored(stack.tempo, trace_id)) == 2, "two spans in Tempo")


def _trace_ids(file: Path) -> list[str]:
    """The trace id of each span that a file exporter wrote, in the lines that are whole."""
    text = file.read_text(encoding="utf-8")
    return [
        span["traceId"]
        for line in text[: text.rfind("\n") + 1].splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def test_a_trace_has_one_gateway(tmp_path: Path) -> None:
    """The tier sends all spans of a trace to one gateway, and gives each gateway a share of the traces."""
    traces, spans_each = 40, 3
    with contextlib.ExitStack() as parts:
        sinks, files = [], []
        for name in ("first", "second"):
            otlp, health, file = processes.free_address(), processes.free_address(), tmp_path / f"{name}.jsonl"
            sink = tmp_path / f"{name}.yaml"
            sink.write_text(
                json.dumps(
                    {
                        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": otlp}}}},
                        "exporters": {"file": {"path": str(file), "flush_interval": "50ms"}},
                        "extensions": {"health_check": {"endpoint": health}},
                        "service": {
                            "extensions": ["health_check"],
                            "telemetry": {"metrics": {"level": "none"}},
                            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["file"]}},
                        },
                    }
                ),
                encoding="utf-8",
            )
            parts.enter_context(processes.start_collector([sink], {}, directory=tmp_path, health=health, name=name))
            sinks.append(otlp)
            files.append(file)
        tier = parts.enter_context(processes.start_loadbalancing(tmp_path, sinks))
        ids = [secrets.token_bytes(16) for _ in range(traces)]
        for _ in range(spans_each):  # each trace comes in several requests, each request holds all traces
            message = ExportTraceServiceRequest()
            for trace_id in ids:
                message.resource_spans.extend(_spans(trace_id, 1).resource_spans)
            _send(tier.otlp_grpc, message)
        processes.wait_until(
            lambda: sum(len(_trace_ids(file)) for file in files if file.exists()) == traces * spans_each, "every span"
        )
        first, second = (set(_trace_ids(file)) for file in files)
    assert first | second == {trace_id.hex() for trace_id in ids}
    assert not first & second
    assert min(len(first), len(second)) > traces // 10
