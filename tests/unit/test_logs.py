"""The gateway's own log: JSON lines that name and count, and quote nothing."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from spansieve import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the log goes; the process's logging is put back afterwards."""
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield io.StringIO()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """What was written."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_a_json_object(stream: io.StringIO) -> None:
    """With the event, its severity, its time and what was given."""
    logs.configure("info", stream).info("ready", version="1")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["version"]) == ("ready", "info", "1")
    assert line["time"].endswith("Z")


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    """`warning` leaves out `info`."""
    logger = logs.configure("warning", stream)
    logger.info("quiet")
    logger.warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def _fail_with(value: str) -> None:
    raise ValueError(f"cannot parse {value}")


def test_an_exception_is_told_by_type_and_place_without_its_text(stream: io.StringIO) -> None:
    """Its message may quote what it choked on."""
    logger = logs.configure("info", stream)
    try:
        _fail_with("jane@example.com")
    except ValueError:
        logger.exception("failed")
    (line,) = lines(stream)
    assert line["exception"] == "ValueError"
    assert line["frames"][-1].endswith("_fail_with")
    assert "jane" not in stream.getvalue()


def test_a_library_warning_is_told_by_place_without_its_text(stream: io.StringIO) -> None:
    """What uvicorn or asyncio say may quote a request."""
    logs.configure("info", stream)
    logging.getLogger("some.library").warning("bad line: %s", "jane@example.com")
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["severity"]) == ("library_warning", "some.library", "warning")
    assert "jane" not in stream.getvalue()


_UNCAUGHT = """
import sys, threading
from spansieve import logs
logs.tell_what_nobody_caught(logs.configure("info"))

class Kept:
    def __del__(self):
        raise ValueError("jane@example.com")

def fail():
    raise ValueError("jane@example.com")

thread = threading.Thread(target=fail)
thread.start()
thread.join()
kept = Kept()
del kept
fail()
"""


def test_what_nobody_caught_is_told_without_its_text() -> None:
    """The last words of a process, of a thread, and of what Python has to ignore would quote a value."""
    ended = subprocess.run([sys.executable, "-c", _UNCAUGHT], capture_output=True, text=True, check=False, timeout=60)
    told = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [(line["event"], line["exception"]) for line in told] == [
        ("thread_failed", "ValueError"),
        ("exception_ignored", "ValueError"),
        ("process_failed", "ValueError"),
    ]
    assert ended.returncode == 1
    assert "jane" not in ended.stdout + ended.stderr
