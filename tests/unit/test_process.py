"""What a process does at its start: how many it is to be, and what it may have open."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spansieve import process


@pytest.mark.parametrize(
    ("cores", "quota", "workers"),
    [
        (1, None, 1),
        (2, None, 2),
        (16, None, 4),
        (16, "max 100000", 4),
        (16, "300000 100000", 3),
        (16, "50000 100000", 1),
        (2, "300000 100000", 2),
        (2, "no quota", 2),
    ],
)
def test_auto_is_a_worker_for_each_core(
    cores: int, quota: str | None, workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that this process and its container may use, as far as one owner has time for them."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    file = tmp_path / "cpu.max"
    if quota is not None:
        file.write_text(quota + "\n", encoding="ascii")
    assert process.workers("auto", file) == workers


def test_a_number_is_that_number() -> None:
    """Whatever the machine has."""
    assert [process.workers(wanted) for wanted in (1, 7)] == [1, 7]


def _in_a_process(code: str) -> str:
    """What Python prints."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_as_many_files_may_be_open_as_the_system_allows() -> None:
    """The soft limit becomes the hard one."""
    code = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))\n"
        "from spansieve import process\n"
        "process.allow_open_files()\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    assert _in_a_process(code) == "(128, 128)"
