"""`make demo` from outside: it explains itself, ends by itself, and leaves what it says and nothing else."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.parts.processes import wait_until

PROJECT = Path(__file__).parents[2]
PATIENCE = 150


def start_tour(temporary: Path) -> subprocess.Popen[str]:
    """The tour, with a directory of its own for temporary files."""
    return subprocess.Popen(
        [sys.executable, "-m", "demo", "--requests", "20"],
        cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def children_in(directory: Path) -> list[str]:
    """The command lines of processes that work in or with a directory."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # ended meanwhile
        if str(directory) in line:
            lines.append(line)
    return lines


class Tour:
    """A tour that ran to its end: what it printed and left."""

    def __init__(self, temporary: Path) -> None:
        with start_tour(temporary) as process:
            self.output, _ = process.communicate(timeout=PATIENCE)
        self.exit_code = process.returncode
        self.left = sorted(path.name for path in temporary.iterdir())
        self.directory = temporary / self.left[0] if self.left else temporary


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Tour:
    """One tour for all tests."""
    return Tour(tmp_path_factory.mktemp("tour"))


def test_all_checks_hold(tour: Tour) -> None:
    """Exit code 0, and every promise that is held against the run is kept."""
    assert "✗" not in tour.output
    assert tour.output.count("✓") >= 6, tour.output[-1000:]
    assert tour.exit_code == 0


def test_pipe_gets_no_colours(tour: Tour) -> None:
    """Without a terminal there are no escape sequences."""
    assert "\x1b" not in tour.output


def test_shows_what_was_taken_out(tour: Tour) -> None:
    """The side-by-side view has a planted address on one side and a token on the other."""
    assert ".example.com" in tour.output
    assert "[EMAIL]" in tour.output


def test_leaves_one_directory_and_says_so(tour: Tour) -> None:
    """The only thing left is the directory that the last line tells how to remove."""
    assert len(tour.left) == 1
    assert f"rm -r {tour.directory}" in tour.output


def test_leaves_no_process(tour: Tour) -> None:
    """Nothing that the tour started still runs."""
    assert children_in(tour.directory) == []


@pytest.mark.parametrize("command", ["traces list", "traces show", "redact", "policy show"])
def test_commands_to_look_further_work(tour: Tour, command: str) -> None:
    """What the tour tells to type succeeds and prints something."""
    (line,) = [line.strip() for line in tour.output.splitlines() if f"/spansieve {command}" in line]
    ended = subprocess.run(line, shell=True, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (ended.returncode, bool(ended.stdout)) == (0, True), ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_tour_cleans_up(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C, or SIGTERM, in the middle: everything is stopped and removed, and a sentence says so."""
    with start_tour(tmp_path) as process:
        wait_until(lambda: any(tmp_path.glob("spansieve-demo-report-*")), "the application has been started")
        process.send_signal(number)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Interrupted" in output
    assert list(tmp_path.iterdir()) == []
    assert children_in(tmp_path) == []
