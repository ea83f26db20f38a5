"""`spansieve dialects`."""

from pathlib import Path

import pytest

from spansieve.cli import main
from unit.measure.helpers_measure import CAPTURES, request, span


def test_the_dialects_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Every dialect stands on a line, with what it is."""
    assert main(["dialects", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "openinference    OpenInference (Arize)" in lines
    assert lines[-1].startswith("otel ")


def test_a_capture_is_covered(capsys: pytest.CaptureFixture[str]) -> None:
    """What a file's spans were read as, and the attributes that nobody reads, each with its number."""
    assert main(["dialects", "coverage", str(CAPTURES / "oi.traces.pb")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[1] == "  scope openinference.instrumentation.openai, 8 spans, openinference"
    assert shown[2] == "    read: 8 calls"
    assert "input.value (8)" in shown[3]
    assert "llm.token_count.prompt (" not in shown[3]


def test_other_signals_hold_no_spans(capsys: pytest.CaptureFixture[str]) -> None:
    """A file of logs or metrics holds nothing to cover."""
    assert main(["dialects", "coverage", str(CAPTURES / "genai.logs.pb")]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["  no spans"]


def test_what_is_not_understood_stands_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A scope whose spans look like calls and are none is named, with what they carry, and no value."""
    file = tmp_path / "own.pb"
    own = request([span({"acme.llm.model": "secret-model", "acme.llm.tokens.in": 7})], scope="acme")
    file.write_bytes(own.SerializeToString())
    assert main(["dialects", "coverage", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "  scope acme, 1 spans, no dialect\n    read: 1 NOT UNDERSTOOD\n" in shown
    assert "not read: acme.llm.model (1), acme.llm.tokens.in (1)" in shown
    assert "secret-model" not in shown


def test_a_file_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is missing, or holds something else, is an error; the others are read all the same."""
    broken = tmp_path / "broken.json"
    broken.write_text("{}", encoding="utf-8")
    given = [str(tmp_path / "missing.pb"), str(broken), str(CAPTURES / "oi.traces.pb")]
    assert main(["dialects", "coverage", *given]) == 1
    output = capsys.readouterr()
    assert len(output.err.splitlines()) == 2
    assert "8 calls" in output.out
