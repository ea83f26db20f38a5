"""Changed files are noticed."""

import asyncio
from pathlib import Path

import pytest

from spansieve import watch


@pytest.mark.parametrize("before", ["", "something else"], ids=["none", "other"])
def test_change_is_told_of(before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file that was there, and of one that was not."""
    monkeypatch.setattr(watch, "_SECONDS", 0.0)
    file = tmp_path / "gateway.yaml"
    if before:
        file.write_text(before)

    async def follow() -> None:
        told = asyncio.Event()

        async def changed() -> None:
            told.set()

        task = asyncio.create_task(watch.Files(lambda: (file, None)).follow(changed))
        await asyncio.sleep(0)
        assert not told.is_set()
        file.write_text("what is new")
        await asyncio.wait_for(told.wait(), 10)
        task.cancel()

    asyncio.run(follow())
