"""How the owner starts a worker."""

import asyncio
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
import structlog

from fakes import ManualClock
from spansieve.workers.owner import Workers, _Worker


class Behind:
    """Stages that are never reached."""

    held_bytes = 0

    async def take_over(self, handed: object) -> None:
        raise NotImplementedError

    def count_request(self, transport: str, signal: object, code: str, requests: int = 1) -> None:
        raise NotImplementedError

    def count_defect(self, transport: str, requests: int = 1) -> None:
        raise NotImplementedError


def test_a_worker_does_not_get_the_journals_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads what strangers send and writes no journal; all else of the environment it needs, as a policy may."""
    given: list[Mapping[str, str]] = []

    def start(_words: list[str], *, env: Mapping[str, str], **_: Any) -> None:  # noqa: ANN401 - Popen's
        given.append(env)

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setenv("SPANSIEVE_JOURNAL_KEY", "secret")
    monkeypatch.setenv("PSEUDONYM_KEY", "of the policy")
    behind = Behind()
    Workers(1, behind, behind, ManualClock(), structlog.get_logger(), limit_bytes=1, level="info")._spawn(1, 3)
    (environment,) = given
    assert "SPANSIEVE_JOURNAL_KEY" not in environment
    assert environment["PSEUDONYM_KEY"] == "of the policy"


async def test_a_worker_answers_those_who_asked_before() -> None:
    """Who asked about a later round of terms goes on waiting, and is told once."""
    worker = _Worker(1)
    first, second = (asyncio.get_running_loop().create_future() for _ in range(2))
    worker.asked = [(1, first), (2, second)]
    worker.answer(1, ["no"])
    assert (first.result(), second.done()) == (["no"], False)
    worker.answer(2, [])
    worker.answer(2, ["again"])
    assert (second.result(), worker.asked) == ([], [])
