"""Requests that real SDKs sent: nothing planted remains, and nothing else changed."""

import json
from pathlib import Path

import pytest
from google.protobuf.descriptor import FieldDescriptor

from unit.redact.helpers_redact import captures, leaves, read_capture, run, untouchable

_PLANTED = (b"alice@example.com", b"bob@example.com", b"carol@example.com", b"078-05-1120")


def _strings(message: object) -> list[str]:
    return [v for _, f, v in leaves(message) if f.type == FieldDescriptor.TYPE_STRING and isinstance(v, str)]  # type: ignore[arg-type] - any message


@pytest.mark.parametrize("path", captures(), ids=lambda path: path.stem)
def test_nothing_planted_remains(path: Path) -> None:
    """No planted value is in the bytes that leave."""
    out = run(read_capture(path)).message.SerializeToString()
    assert [value for value in _PLANTED if value in out] == []


@pytest.mark.parametrize("path", captures(), ids=lambda path: path.stem)
def test_ids_times_and_numbers_stay(path: Path) -> None:
    """All that is no text is the same, in the same order."""
    assert untouchable(run(read_capture(path)).message) == untouchable(read_capture(path))


@pytest.mark.parametrize("path", captures(), ids=lambda path: path.stem)
def test_json_that_parsed_still_parses(path: Path) -> None:
    """Strings stay in place and in number, and those that were JSON are JSON."""
    before, after = _strings(read_capture(path)), _strings(run(read_capture(path)).message)
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        if _parses(old):
            assert _parses(new)


@pytest.mark.parametrize("path", captures(), ids=lambda path: path.stem)
def test_only_what_was_planted_is_replaced(path: Path) -> None:
    """Real telemetry has no other personal data: every finding is one that was planted, or a peer's private address."""
    assert set(run(read_capture(path)).findings) <= {"email", "us_ssn", "ipv4_private"}


@pytest.mark.parametrize("path", captures(), ids=lambda path: path.stem)
def test_a_second_run_finds_nothing(path: Path) -> None:
    """What left can come in again unchanged."""
    once = run(read_capture(path)).message.SerializeToString()
    again = run(type(read_capture(path)).FromString(once))
    assert (again.findings, again.message.SerializeToString()) == ({}, once)


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
