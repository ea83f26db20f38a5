"""What a process does at its start: how many it is to be."""

import os
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
