import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo import search
from demo.gateway import environment
from demo.provider import Provider

from e2e.harness.sink import Received, grpc_sink, http_sink

REQUESTS = 20


def run_app(provider_url: str, endpoint: str, protocol: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The application as its users start it: nothing but the standard variables says where telemetry goes."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "demo.app", "--provider", provider_url, "--slow", "0.3", *arguments],
        env=environment() | {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


class Run:
    """One run of the application: how it ended, its report, what the sink received, and the provider's ledger."""

    def __init__(self, directory: Path, endpoint: str, protocol: str, received: Received) -> None:
        provider = Provider()
        report_file = directory / "report.json"
        with provider.serving() as url:
            self.ended = run_app(url, endpoint, protocol, "--requests", str(REQUESTS), "--report", str(report_file))
        assert self.ended.returncode == 0, self.ended.stderr
        self.report = json.loads(report_file.read_text())
        self.received = received
        self.ledger = list(provider.ledger)


@pytest.fixture(scope="module", params=["grpc", "http/protobuf"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One run over each protocol."""
    directory = tmp_path_factory.mktemp("app")
    if request.param == "grpc":
        with grpc_sink() as sink:
            yield Run(directory, f"http://{sink.endpoint}", request.param, sink)
    else:
        with http_sink() as (received, endpoint):
            yield Run(directory, endpoint, request.param, received)


def test_says_nothing(run: Run) -> None:
    """A run without trouble writes nothing, not even a warning."""
    assert (run.ended.stdout, run.ended.stderr) == ("", "")


def test_report_lists_every_trace(run: Run) -> None:
    """The trace ids of the report are those of the spans that arrived."""
    assert {request["trace_id"] for request in run.report["requests"]} == {
        span.trace_id.hex() for span in run.received.spans()
    }


def test_copies_are_what_arrived(run: Run) -> None:
    """The copy of what was sent has the spans that arrived, by their ids."""
    kept = [
        span["spanId"]
        for resource in run.report["sent"]["traces"]["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    assert sorted(kept) == sorted(span.span_id.hex() for span in run.received.spans())


def test_calls_are_those_of_the_ledger(run: Run) -> None:
    """The provider was asked as often as the report says, by model."""
    assert run.report["calls"] == Counter(asked.model for asked in run.ledger)


def test_failures_are_error_traces(run: Run) -> None:
    """A request that failed has a root span with an error status, and no other request has."""
    failed = {span.trace_id.hex() for span in run.received.spans() if not span.parent_span_id and span.status.code == 2}
    assert failed == {request["trace_id"] for request in run.report["requests"] if request["kind"] == "failed"}
    assert len(failed) == 4


def test_every_trace_has_one_server_root(run: Run) -> None:
    """Each request is one trace under `POST /chat`."""
    roots = Counter(span.trace_id.hex() for span in run.received.spans() if not span.parent_span_id)
    assert set(roots.values()) == {1}
    assert {span.name for span in run.received.spans() if not span.parent_span_id} == {"POST /chat"}


def test_planted_values_leave_the_application(run: Run) -> None:
    """Without a gateway, every planted value arrives: the search finds them all."""
    needles = [n for request in run.report["requests"] for planted in request["planted"] for n in planted["needles"]]
    assert set(search.found(needles, run.received.data())) == set(needles)


def test_markers_leave_the_application(run: Run) -> None:
    """The harmless word of each prompt arrives."""
    markers = [request["marker"] for request in run.report["requests"]]
    assert search.found(markers, run.received.data()) == markers


def test_all_three_signals_arrive(run: Run) -> None:
    """Traces, logs with message content, and metrics are exported."""
    names = {
        metric.name
        for request in run.received.requests("metrics")
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert {"gen_ai.client.token.usage", "gen_ai.client.operation.duration", "shop.chat.requests"} <= names
    assert any(b"gen_ai.input.messages" in request.SerializeToString() for request in run.received.requests("logs"))


def test_streamed_calls_say_when_they_began(run: Run) -> None:
    """Every successful streamed call has its time to first chunk, and no other span has."""
    timed = [
        span
        for span in run.received.spans()
        if any(a.key == "gen_ai.response.time_to_first_chunk" for a in span.attributes)
    ]
    assert len(timed) == sum(asked.stream and not asked.outcome.failed for asked in run.ledger)


def test_tokens_of_spans_are_those_of_the_ledger(run: Run) -> None:
    """Input and output tokens on the spans add up to what the provider reported, by model."""
    on_spans: Counter[tuple[str, str]] = Counter()
    for span in run.received.spans():
        attributes = {a.key: a.value for a in span.attributes}
        if "gen_ai.usage.input_tokens" in attributes:
            model = attributes["gen_ai.request.model"].string_value
            on_spans[model, "input"] += attributes["gen_ai.usage.input_tokens"].int_value
            on_spans[model, "output"] += (
                attributes["gen_ai.usage.output_tokens"].int_value
                if ("gen_ai.usage.output_tokens" in attributes)
                else 0
            )
    in_ledger: Counter[tuple[str, str]] = Counter()
    for asked in run.ledger:
        in_ledger[asked.model, "input"] += asked.input_tokens
        in_ledger[asked.model, "output"] += asked.output_tokens
    assert +on_spans == +in_ledger


def test_calls_say_what_they_are_for(run: Run) -> None:
    """The span of every call to the provider, and no other, has a prompt template, a conversation and a task type."""
    keys = {"gen_ai.prompt.name", "gen_ai.prompt.version", "gen_ai.conversation.id", "llm.task_type"}
    told = [{a.key for a in span.attributes} & keys for span in run.received.spans()]
    assert [each for each in told if each] == [keys] * len(run.ledger)


def test_answers_are_judged(run: Run) -> None:
    """Every answer has an evaluation, and as many have a user's judgement as the report says."""
    events = Counter(event.name for span in run.received.spans() for event in span.events)
    requests = run.report["requests"]
    assert events["gen_ai.evaluation.result"] == sum(request["kind"] != "failed" for request in requests)
    assert events["gen_ai.user.feedback"] == sum(bool(request["feedback"]) for request in requests)


def test_unknown_protocol_is_refused() -> None:
    """A protocol without an exporter ends the application with a sentence that names the variable."""
    ended = run_app("http://127.0.0.1:9/v1", "http://127.0.0.1:9", "http/json", "--requests", "1")
    assert ended.returncode != 0
    assert "OTEL_EXPORTER_OTLP_PROTOCOL is 'http/json'" in ended.stderr


def test_endless_run_ends_in_order() -> None:
    """Without a number of requests it goes on, with a stand-in of its own, until SIGTERM; then it sends the rest."""
    with grpc_sink() as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo.app", "--slow", "0.1", "--pause", "0.1"],
            env=environment() | {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{sink.endpoint}"},
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert sink.wait_for(lambda: len(sink.spans()) > 0)
            process.terminate()
            _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    traces = {span.trace_id for span in sink.spans()}
    assert traces == {span.trace_id for span in sink.spans() if not span.parent_span_id}


def test_report_needs_an_end() -> None:
    """A report of a run without end is refused, with the reason."""
    ended = run_app("http://127.0.0.1:9/v1", "http://127.0.0.1:9", "grpc", "--report", "report.json")
    assert ended.returncode == 2
    assert "--report needs --requests" in ended.stderr
