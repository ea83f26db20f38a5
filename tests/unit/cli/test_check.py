"""`spansieve check`: all that `run` would refuse, told at once."""

from pathlib import Path

import pytest

from spansieve import cli


def test_mistakes_in_keys_hide_none_in_what_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A policy that is not there is told beside a wrong number in another section."""
    file = tmp_path / "gateway.yaml"
    file.write_text("workers: many\nredaction: {policy: nowhere}\n", encoding="utf-8")
    assert cli.main(["check", "--config", str(file)]) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in told] == ["workers", "redaction.policy nowhere"]


def test_a_valid_file_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 0, on standard output."""
    file = tmp_path / "gateway.yaml"
    file.write_text("redaction: {policy: metadata-only}\n", encoding="utf-8")
    assert cli.main(["check", "--config", str(file)]) == 0
    assert capsys.readouterr().out == f"{file} is valid.\n"


def test_what_looks_wrong_is_said_of_a_valid_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, and the file is valid all the same."""
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    file = tmp_path / "gateway.yaml"
    file.write_text(f"storage: {{directory: {data}}}\n", encoding="utf-8")
    assert cli.main(["check", "--config", str(file)]) == 0
    out, err = capsys.readouterr()
    assert out == f"{file} is valid.\n"
    assert err.startswith("Perhaps not meant: storage.directory: everybody may write to it. Remedy: chmod o-w")
