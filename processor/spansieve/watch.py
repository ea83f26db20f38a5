"""Files that are looked at now and then, so that a change of one is noticed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final, TypeAlias

_SECONDS: Final = 2.0
"""How soon a change is noticed."""

_Stamps: TypeAlias = list[tuple[int, int, int] | None]


class Files:
    """Some files, which `named` gives: others, once it gives others. A ConfigMap's is a link that changes."""

    def __init__(self, named: Callable[[], Iterable[Path | None]]) -> None:
        """Note what they are now."""
        self._named = named
        self._seen = self._stamps()

    async def follow(self, changed: Callable[[], Awaitable[None]]) -> None:
        """Tell of each change. Runs until it is cancelled."""
        while True:
            await asyncio.sleep(_SECONDS)
            stamps = self._stamps()
            if stamps != self._seen:
                self._seen = stamps  # before the files are read: what changes meanwhile is seen next
                await changed()

    def _stamps(self) -> _Stamps:
        """What tells one version of a file from the next; None for one that is not there."""
        stamps: _Stamps = []
        for file in self._named():
            try:
                found = file.stat() if file else None
            except OSError:
                found = None
            stamps.append((found.st_ino, found.st_mtime_ns, found.st_size) if found else None)
        return stamps
