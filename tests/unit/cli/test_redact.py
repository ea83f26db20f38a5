"""`spansieve redact`, as a user calls it."""

import json
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve import policy_source
from spansieve.cli import redact
from unit.cli.conftest import Standard
from unit.redact.helpers_redact import CAPTURES, default_rules


@pytest.fixture
def _compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test with many cases: the default policy is not compiled for each."""
    monkeypatch.setattr(policy_source, "load", lambda *_: default_rules())


def test_text_goes_through(standard: Standard) -> None:
    """Text comes out redacted; the counts are on standard error, the values nowhere."""
    code, out, err = standard.call_bytes("redact", given="a é alice@example.com\nSSN 078-05-1120\n".encode())
    assert (code, out.decode()) == (0, "a é [EMAIL]\nSSN [US_SSN]\n")
    assert "email: 1\n" in err
    assert "2 values replaced by policy default (sha256:" in err
    assert "alice" not in err


def test_bytes_that_are_no_text_do_not_pass(standard: Standard) -> None:
    """What is not UTF-8 becomes U+FFFD."""
    assert standard.call_bytes("redact", given=b"a\xffb")[1].decode() == "a\ufffdb"


def test_many_megabytes_go_through(standard: Standard) -> None:
    """The whole input is one text."""
    given = b"plain words, and more of them.\n" * 100_000 + b"alice@example.com\n"
    assert standard.call_bytes("redact", given=given)[1] == given.replace(b"alice@example.com", b"[EMAIL]")


def test_a_text_beyond_the_budget_is_said_to_be_removed(standard: Standard) -> None:
    """Nothing of it comes out, and standard error says what to do."""
    code, out, err = standard.call_bytes("redact", given=b"bob@corp.example\n" * 1_200_000)
    assert (code, out) == (0, b"[REMOVED]")
    assert "A text that took too long was removed whole: give a file with many lines in parts.\n" in err


def test_an_input_without_an_end_is_refused(standard: Standard, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take the machine's memory: no more is read than the bound."""
    monkeypatch.setattr(redact, "_LARGEST", 1024 * 1024)
    code, out, err = standard.call_bytes("redact", given=b"x" * (1024 * 1024 + 1))
    assert (code, out, err) == (1, b"", "The input is larger than 1 MiB: redact it in parts.\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_a_full_disk_is_a_sentence(standard: Standard, monkeypatch: pytest.MonkeyPatch) -> None:
    """And exit code 1, for who believes that the file is there."""
    with Path("/dev/full").open("w", buffering=1) as full:
        monkeypatch.setattr(sys, "stdout", full)
        code, _, err = standard.call_bytes("policy", "show", "metadata-only")
        assert (code, err) == (1, "Standard input or output: No space left on device.\n")
        monkeypatch.undo()


@pytest.mark.usefixtures("_compiled")
@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.json")), ids=lambda path: path.stem)
def test_otlp_json_goes_through(standard: Standard, path: Path) -> None:
    """The signal is told by the top-level key; ids stay hexadecimal."""
    code, out, _ = standard.call_bytes("redact", "--input", "otlp-json", given=path.read_bytes())
    assert code == 0
    assert b"example.com" not in out
    assert _ids(json.loads(out)) == _ids(json.loads(path.read_bytes()))


@pytest.mark.usefixtures("_compiled")
@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.pb")), ids=lambda path: path.stem)
def test_otlp_proto_goes_through(standard: Standard, path: Path) -> None:
    """The bytes do not tell the signal, so the caller does."""
    arguments = ("redact", "--input", "otlp-proto", "--signal", path.name.split(".")[-2])
    code, out, _ = standard.call_bytes(*arguments, given=path.read_bytes())
    assert code == 0
    assert b"example.com" not in out
    assert len(out) > len(path.read_bytes()) // 2


def test_proto_is_traces_when_nothing_else_is_said(standard: Standard) -> None:
    """Traces are what the gateway is for."""
    out = standard.call_bytes("redact", "--input", "otlp-proto", given=(CAPTURES / "genai.traces.pb").read_bytes())[1]
    assert len(ExportTraceServiceRequest.FromString(out).resource_spans[0].scope_spans[0].spans) == 8


@pytest.mark.usefixtures("_compiled")
@pytest.mark.parametrize(
    ("form", "given"),
    [
        ("otlp-json", b"hunter2"),
        ("otlp-json", b'{"hunter2": 1}'),
        ("otlp-json", b"[]"),
        ("otlp-json", b'{"resourceSpans": "hunter2"}'),
        ("otlp-proto", b"hunter2"),
    ],
)
def test_what_is_no_request_is_refused(standard: Standard, form: str, given: bytes) -> None:
    """Nothing is written, and the error shows no value."""
    code, out, err = standard.call_bytes("redact", "--input", form, given=given)
    assert (code, out) == (1, b"")
    assert "not an OTLP request" in err
    assert "hunter2" not in err


def test_a_policy_of_ones_own_is_read_from_its_file(standard: Standard, tmp_path: Path) -> None:
    """A path in place of a name."""
    own = tmp_path / "own.yaml"
    own.write_text("include: [identity]\ndisable: [email]\nregions: [US]\n")
    assert (
        standard.call_bytes("redact", "--policy", str(own), given=b"a@b.example 078-05-1120")[1]
        == b"a@b.example [US_SSN]"
    )


@pytest.mark.parametrize("name", ["nope", "/nope/nope.yaml"])
@pytest.mark.parametrize("command", [("redact", "--policy"), ("policy", "show"), ("policy", "test")])
def test_a_policy_that_is_not_there_is_an_error(standard: Standard, command: tuple[str, ...], name: str) -> None:
    """Exit code 1, with the name."""
    code, out, err = standard.call_bytes(*command, name)
    assert (code, out) == (1, b"")
    assert name in err


def _ids(tree: object) -> list[object]:
    if isinstance(tree, dict):
        own = [tree[key] for key in ("traceId", "spanId", "parentSpanId") if tree.get(key)]
        return own + [found for value in tree.values() for found in _ids(value)]
    return [found for value in tree for found in _ids(value)] if isinstance(tree, list) else []
