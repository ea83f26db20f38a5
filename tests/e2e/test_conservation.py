"""kill -9 at any moment, of the gateway, a worker, or the Collector behind: nothing that was answered OK is lost.

Senders repeat what they got no OK for, as OpenTelemetry's do. Everything that was answered OK must end either in the
sink behind the Collector, or under a verdict against it, whole and redacted; and every LLM call must count once.
SPANSIEVE_E2E_KILLS says how many kills there are (200, and an eighth of them with two workers), SPANSIEVE_E2E_SEED
which ones.
"""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from demo.gateway import Gateway, GatewayFailed, Samples
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from e2e.harness.sink import GrpcSink, grpc_sink
from e2e.parts.processes import Collector, free_address, start_collector, wait_until
from gateway.helpers_gateway import HALF_OF_56_BITS, sender, workers

pytestmark = pytest.mark.e2e

KILLS = int(os.environ.get("SPANSIEVE_E2E_KILLS", "200"))
SEED = int(os.environ.get("SPANSIEVE_E2E_SEED", "20"))
SENDERS = ("grpc", "grpc", "http")
POLICIES = [
    {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
    {"name": "half", "type": "probabilistic", "probabilistic": {"sampling_percentage": 50}},
]
_PROSE = "The umbrella was repaired with a new handle and dried in the attic for three days. " * 20
_START_NS = 1_790_000_000_000_000_000
_PAUSE_SECONDS = 0.6
_DRAINED_WITHIN = 120.0


@dataclass
class Sent:
    """Everything that was sent, by span id: the span, and whether its request was answered OK."""

    spans: dict[bytes, Span] = field(default_factory=dict)
    accepted: set[bytes] = field(default_factory=set)
    planted: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def request(self, chance: random.Random) -> ExportTraceServiceRequest:
        """Make a request of two traces of four spans, one of which is an LLM call; one trace in eight has failed."""
        message = ExportTraceServiceRequest()
        scope = message.resource_spans.add().scope_spans.add()
        for _ in range(2):
            trace_id, failed = chance.randbytes(16), chance.random() < 1 / 8
            for number in range(4):
                address = f"jane.{chance.randbytes(6).hex()}@example.com"
                span = scope.spans.add(
                    trace_id=trace_id,
                    span_id=chance.randbytes(8),
                    name=f"step {number}",
                    start_time_unix_nano=_START_NS + number,
                    end_time_unix_nano=_START_NS + number + 1_000_000,
                )
                span.attributes.add(key="note").value.string_value = f"{_PROSE}write to {address} now"
                span.attributes.add(key="step").value.int_value = number
                if number:
                    span.parent_span_id = scope.spans[-1 - number].span_id
                else:
                    span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
                    span.attributes.add(key="gen_ai.request.model").value.string_value = "model-1"
                if failed and number == 3:
                    span.status.code = Status.STATUS_CODE_ERROR
                with self.lock:
                    self.spans[span.span_id] = span
                    self.planted.append(address.encode())
        return message

    def note_accepted(self, message: ExportTraceServiceRequest) -> None:
        """The request was answered OK."""
        with self.lock:
            self.accepted |= {span.span_id for span in message.resource_spans[0].scope_spans[0].spans}


@dataclass
class Outcome:
    """What is there when all has come to rest."""

    sent: Sent
    received: list[Span]
    received_bytes: bytes
    samples: Samples
    directory: Path
    kills: Counter[str]
    answers: Counter[str]

    @property
    def kept(self) -> set[bytes]:
        """The accepted spans whose trace the policies keep."""
        failed = {span.trace_id for span in self.sent.spans.values() if span.status.code == Status.STATUS_CODE_ERROR}
        return {
            span_id
            for span_id in self.sent.accepted
            if (trace_id := self.sent.spans[span_id].trace_id) in failed
            or int.from_bytes(trace_id[9:], "big") >= HALF_OF_56_BITS
        }


def senders(gateway: Gateway, sent: Sent, ended: threading.Event, answers: Counter[str]) -> list[threading.Thread]:
    """Threads that send until told to end, each request again and again until it is answered OK."""

    def work(transport: str, seed: int) -> None:
        chance = random.Random(seed)
        pause = threading.Event()
        while not ended.is_set():
            request = sent.request(chance)
            body = request.SerializeToString()
            accepted = False
            while not accepted:
                with sender(gateway, transport) as to_gateway:
                    answered = to_gateway.send("traces", body)
                    answers[answered.code] += 1
                    accepted = answered.ok
                    while accepted and not ended.is_set():
                        sent.note_accepted(request)
                        request = sent.request(chance)
                        body = request.SerializeToString()
                        answered = to_gateway.send("traces", body)
                        answers[answered.code] += 1
                        accepted = answered.ok
                if not accepted:
                    pause.wait(0.02)
            sent.note_accepted(request)

    return [threading.Thread(target=work, args=(each, SEED + n)) for n, each in enumerate(SENDERS)]


class Behind:
    """The Collector, which hands on each request before it answers, so that its own death loses nothing."""

    def __init__(self, directory: Path, sink: GrpcSink) -> None:
        self.endpoint, self._health = free_address(), free_address()
        self._directory = directory
        self._config = directory / "behind.yaml"
        self._config.write_text(
            yaml.safe_dump(
                {
                    "extensions": {"health_check": {"endpoint": self._health}},
                    "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": self.endpoint}}}},
                    "exporters": {
                        "otlp": {
                            "endpoint": sink.endpoint,
                            "tls": {"insecure": True},
                            "sending_queue": {"enabled": False},
                            "retry_on_failure": {"enabled": False},
                        }
                    },
                    "service": {
                        "extensions": ["health_check"],
                        "telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {
                            name: {"receivers": ["otlp"], "exporters": ["otlp"]} for name in ("traces", "metrics")
                        },
                    },
                }
            )
        )
        self._process: Collector = self._start()

    def restart(self) -> None:
        """Kill it, and start it again on the same port."""
        self._process.kill()
        self._process = self._start()

    def stop(self) -> None:
        """End it."""
        self._process.stop()

    def _start(self) -> Collector:
        return start_collector(
            [self._config], {}, directory=self._directory, health=self._health, otlp_grpc=self.endpoint
        )


def kill_and_start(gateway: Gateway, chance: random.Random) -> None:
    """Kill the gateway and start it; one time in four it is killed again before it is ready."""
    os.kill(gateway.pid, signal.SIGKILL)
    gateway.wait()
    if chance.random() < 0.25:
        early = threading.Timer(chance.random() * 2.5, lambda: os.kill(gateway.pid, signal.SIGKILL))
        early.start()
        with contextlib.suppress(GatewayFailed):
            gateway.start()
        early.join()
        gateway.wait()
    gateway.start()


def kill_a_worker(gateway: Gateway, chance: random.Random) -> None:
    """Kill one of its workers, if there is one; the gateway starts another."""
    if found := sorted(workers(gateway)):
        with contextlib.suppress(ProcessLookupError):  # it died of something before
            os.kill(chance.choice(found), signal.SIGKILL)


@pytest.fixture(scope="module", params=[1, 2], ids=["one process", "two workers"])
def outcome(
    request: pytest.FixtureRequest, real_parts: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Outcome]:
    """Load, kills, and a quiet drain; with workers fewer kills, since three processes have to start after each."""
    count: int = request.param
    wanted = KILLS if count == 1 else max(KILLS // 8, 4)
    directory = tmp_path_factory.mktemp("conservation")
    chance, sent, ended = random.Random(SEED), Sent(), threading.Event()
    kills: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    with grpc_sink() as sink, contextlib.ExitStack() as stack:
        behind = Behind(directory, sink)
        stack.callback(behind.stop)
        retry = {"initial_interval": "50ms", "max_interval": "200ms"}
        exporter = {
            "endpoint": behind.endpoint, "tls": {"insecure": True}, "timeout": "2s", "retry_on_failure": retry,
        }  # fmt: skip
        settings = {
            "workers": count,
            "redaction": {"names": "off"},
            "sampling": {"decision_wait": "500ms", "late_error_wait": "0s", "policies": POLICIES},
            "storage": {"directory": str(directory / "data"), "journal_max_mib": 64},
            "exporters": {"otlp": exporter},
        }
        gateway = stack.enter_context(Gateway(directory, settings))
        threads = senders(gateway, sent, ended, answers)
        for thread in threads:
            thread.start()
        pause = threading.Event()
        begin = time.monotonic()
        try:
            while kills.total() < wanted:
                pause.wait(chance.random() * _PAUSE_SECONDS)
                if chance.random() < 0.25:
                    behind.restart()
                    kills["collector"] += 1
                elif count > 1 and chance.random() < 0.5:
                    kill_a_worker(gateway, chance)
                    kills["worker"] += 1
                else:
                    kill_and_start(gateway, chance)
                    kills["gateway"] += 1
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        print(f"{dict(kills)} kills in {time.monotonic() - begin:.0f} s, answers {dict(answers)}")
        wait_until(lambda: gateway.metrics().total("spansieve_in_flight_items") == 0, "a drain", _DRAINED_WITHIN)
        yield Outcome(sent, sink.spans(), sink.data(), gateway.metrics(), directory, kills, answers)


def test_nothing_is_missing(outcome: Outcome) -> None:
    """Every span that was answered OK and that the policies keep is in the sink."""
    received = Counter(span.span_id for span in outcome.received)
    print(f"{len(outcome.sent.accepted)} spans accepted, {len(outcome.kept)} to be kept, {len(received)} received,")
    print(f"{received.total() - len(received)} of them more than once")
    assert len(outcome.sent.accepted) > 10 * outcome.kills.total()
    assert not outcome.kept - received.keys()


def test_what_is_not_in_the_sink_is_under_a_verdict(outcome: Outcome) -> None:
    """The others are in the books as sampled out, and none of them is in the sink."""
    let_go = outcome.sent.accepted - outcome.kept
    assert not let_go & {span.span_id for span in outcome.received}
    assert outcome.samples.total("spansieve_sampled_out_items_total") >= len(let_go) > 0


def test_nothing_is_received_that_was_not_sent(outcome: Outcome) -> None:
    """Nothing is made up."""
    assert not {span.span_id for span in outcome.received} - outcome.sent.spans.keys()


def test_nothing_is_corrupted(outcome: Outcome) -> None:
    """Ids, times, names, numbers and all text around what was taken out are as they were sent."""
    for span in outcome.received:
        was = outcome.sent.spans[span.span_id]
        assert (span.trace_id, span.parent_span_id, span.name) == (was.trace_id, was.parent_span_id, was.name)
        assert (span.start_time_unix_nano, span.end_time_unix_nano) == (
            was.start_time_unix_nano, was.end_time_unix_nano,
        )  # fmt: skip
        attributes: dict[str, Any] = {each.key: each.value for each in span.attributes}
        assert attributes["step"].int_value == was.attributes[1].value.int_value
        note: str = attributes["note"].string_value
        assert note.startswith(f"{_PROSE}write to [")
        assert note.endswith("] now")


def test_no_raw_value_is_anywhere(outcome: Outcome) -> None:
    """Not in the sink, the journal, the logs."""
    places = {"sink": outcome.received_bytes}
    places |= {str(path): path.read_bytes() for path in outcome.directory.rglob("*") if path.is_file()}
    assert len(places) > 3
    for place, data in places.items():
        assert b"@example.com" not in data, place


def test_books_balance(outcome: Outcome) -> None:
    """Received is exported, sampled out and duplicates together; nothing was dropped for any other reason."""
    total = outcome.samples.total
    duplicates = total("spansieve_dropped_items_total", reason="duplicate")
    print(f"{duplicates:.0f} spans were sent again while their trace waited")
    assert total("spansieve_dropped_items_total", signal="traces") == duplicates
    assert total("spansieve_received_items_total", signal="traces") == (
        total("spansieve_exported_items_total", signal="traces")
        + total("spansieve_sampled_out_items_total", signal="traces")
        + duplicates
    )


def test_every_call_counts_once(outcome: Outcome) -> None:
    """One LLM call in each trace: the counter, over all lives of the gateway, is exact."""
    calls = {
        span.span_id for span_id in outcome.sent.accepted if not (span := outcome.sent.spans[span_id]).parent_span_id
    }
    assert outcome.samples.total("spansieve_llm_requests_total") == len(calls)


def test_the_way_of_repetition_was_taken(outcome: Outcome) -> None:
    """Senders were cut off, and some spans came twice, or left twice: else this run has not tried what it is for."""
    assert outcome.answers.total() > outcome.answers["OK"] + outcome.answers["200"]
    again = len(outcome.received) - len({span.span_id for span in outcome.received})
    assert again + outcome.samples.total("spansieve_dropped_items_total", reason="duplicate") > 0
