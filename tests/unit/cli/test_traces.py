"""`spansieve traces`, over a store in a temporary directory."""

import json
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spansieve import otlp_json
from spansieve.cli import main
from spansieve.cli.traces import tree
from spansieve.export.store_file import StoreFile
from spansieve.model import Signal
from unit.export.helpers_export import trace

MS = 1_000_000
FIRST, SECOND = f"{1:032x}", f"{2:032x}"


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store with two traces."""
    file = StoreFile(tmp_path, 1 << 20)
    file.open()
    file.append([trace("chat", "tool", number=1), trace("agent", number=2, policy="slow")], now_ns=1)
    file.close()
    return str(tmp_path)


def span(number: int, name: str, parent: int = 0, *, start_ms: int = 0, length_ms: float = 1.0) -> Span:
    """A span of trace 1."""
    return Span(
        trace_id=(1).to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=name,
        start_time_unix_nano=start_ms * MS,
        end_time_unix_nano=start_ms * MS + int(length_ms * MS),
    )


def request(*spans: Span, service: str = "") -> ExportTraceServiceRequest:
    """A trace as the store gives it."""
    made = ExportTraceServiceRequest()
    resource_spans = made.resource_spans.add()
    if service:
        resource_spans.resource.attributes.add(key="service.name").value.string_value = service
    resource_spans.scope_spans.add().spans.extend(spans)
    return made


def test_list_shows_the_newest_first(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each trace, below a header."""
    assert main(["traces", "list", "--directory", store]) == 0
    header, second, first = capsys.readouterr().out.splitlines()
    assert header.split()[:2] == ["TRACE", "ID"]
    assert (second.split()[0], first.split()[0]) == (SECOND, FIRST)
    assert second.split()[-2:] == ["slow", "agent"]


def test_list_stops_at_the_limit(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest ones."""
    main(["traces", "list", "--directory", store, "--limit", "1"])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_list_as_json_is_an_object_a_line(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the fields of a summary."""
    main(["traces", "list", "--directory", store, "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["trace_id"], line["root_name"], line["spans"]) for line in lines] == [
        (SECOND, "agent", 1),
        (FIRST, "chat", 2),
    ]


def test_show_takes_the_beginning_of_an_id(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And several of them."""
    assert main(["traces", "show", FIRST[:31] + "1", SECOND, "--directory", store]) == 0
    out = capsys.readouterr().out
    assert out.index(f"trace {FIRST}") < out.index("chat") < out.index(f"trace {SECOND}") < out.index("agent")


def test_show_as_json_is_otlp(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It parses as a request, with hex ids."""
    main(["traces", "show", FIRST, "--directory", store, "--json"])
    out = capsys.readouterr().out
    assert f'"{FIRST}"' in out
    parsed = otlp_json.parse(out.encode(), Signal.TRACES)
    assert isinstance(parsed, ExportTraceServiceRequest)
    assert [s.name for s in parsed.resource_spans[0].scope_spans[0].spans] == ["chat", "tool"]


def test_the_directory_can_come_from_the_configuration(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same file that the gateway runs with."""
    (tmp_path / "gateway.yaml").write_text(f"storage: {{directory: {store}}}\n")
    assert main(["traces", "list", "--config", str(tmp_path / "gateway.yaml")]) == 0
    assert FIRST in capsys.readouterr().out


def test_the_default_directory_is_the_gateways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """./data, and when it has no store that is a sentence."""
    monkeypatch.chdir(tmp_path)
    assert main(["traces", "list"]) == 1
    assert "There is no store at data/traces.db yet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("trace_id", "sentence"), [("ff", "No trace in"), ("00", "give more digits"), ("zz", "is not a trace id")]
)
def test_a_trace_that_is_not_found_is_a_sentence(
    store: str, trace_id: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, with exit code 1 and nothing on standard output."""
    assert main(["traces", "show", FIRST, trace_id, "--directory", store]) == 1
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_is_a_number_of_1_or_more(store: str, limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is a wrong command line."""
    with pytest.raises(SystemExit) as ended:
        main(["traces", "list", "--directory", store, f"--limit={limit}"])
    assert ended.value.code == 2
    assert "a number of 1 or more is needed" in capsys.readouterr().err


def test_children_stand_below_their_parents() -> None:
    """In the order of their starts, not of their arrival."""
    spans = [
        span(3, "second child", 1, start_ms=20),
        span(4, "grandchild", 2, start_ms=11),
        span(2, "first child", 1, start_ms=10),
        span(1, "root"),
    ]
    names = [(len(line) - len(line.lstrip()), line.split("  ")[-2].strip()) for line in list(tree(request(*spans)))[1:]]
    assert names == [(2, "root"), (4, "first child"), (6, "grandchild"), (4, "second child")]


def test_a_line_says_what_a_call_was() -> None:
    """Duration, service, status and the main GenAI attributes."""
    call = span(1, "chat gpt-4o", length_ms=2340.0)
    call.status.code, call.status.message = Status.STATUS_CODE_ERROR, "timed out"
    call.attributes.add(key="gen_ai.request.model").value.string_value = "gpt-4o"
    call.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 12
    call.attributes.add(key="gen_ai.input.messages").value.string_value = "not shown"
    assert list(tree(request(call, service="shop")))[1] == (
        "  chat gpt-4o  2.34 s  [shop]  ERROR  (timed out)  model: gpt-4o  tokens in: 12"
    )


def test_a_span_without_its_parent_is_marked() -> None:
    """The parent is late, or was never sent."""
    assert list(tree(request(span(2, "child", 9))))[1] == "  child  1.0 ms  (parent not here)"


def test_spans_that_are_each_others_parents_are_shown_once() -> None:
    """Only a broken sender makes them, and they must not make us run for ever."""
    lines = list(tree(request(span(1, "a", 2), span(2, "b", 1), span(3, "self", 3))))
    assert sorted(line.split()[0] for line in lines[1:]) == ["a", "b", "self"]


def test_names_cannot_steer_the_terminal() -> None:
    """Escape sequences and line ends are shown as what they are: not printable."""
    line = list(tree(request(span(1, "a\x1b[2J\nb"))))[1]
    assert line.startswith("  a\ufffd[2J\ufffdb  ")


def test_a_deep_trace_is_shown() -> None:
    """Deeper than Python's recursion goes."""
    lines = list(tree(request(*(span(n, f"s{n}", n - 1, start_ms=n) for n in range(1, 3001)))))
    assert len(lines) == 3001
