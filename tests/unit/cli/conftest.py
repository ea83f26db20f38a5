"""How the tests call the command line."""

import io
import sys

import pytest

from spansieve import cli


class Standard:
    """Standard input, output and error of one call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[bytes]) -> None:
        self._monkeypatch = monkeypatch
        self._captured = captured

    def call_bytes(self, *arguments: str, given: bytes = b"") -> tuple[int, bytes, str]:
        """Exit code, standard output, standard error."""
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        code = cli.main(arguments)
        out, err = self._captured.readouterr()
        return code, out, err.decode()

    def call(self, *arguments: str, given: str = "") -> tuple[int, str, str]:
        """Exit code, standard output as text, standard error."""
        code, out, err = self.call_bytes(*arguments, given=given.encode())
        return code, out.decode(), err


@pytest.fixture
def standard(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Standard:
    """One call's standard input, output and error."""
    return Standard(monkeypatch, capfdbinary)
