"""A DurableJournal over a fake disk, and what it wrote."""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fakes import ManualClock
from fakes_disk import FakeDisk
from spansieve.journal.durable import DurableJournal
from spansieve.journal.keys import Keyring
from spansieve.journal.log import SegmentLog
from spansieve.journal.reading import Cursor, Findings, JournalReader
from spansieve.journal.records import Batch, Checkpoint, Piece, Record
from spansieve.model import Signal

RING = Keyring([bytes(range(32))])
_SALTS = count()


class Lines:
    """A log."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **values: object) -> None:
        """Note."""
        self.lines.append((event, values))

    warning = error = info

    @property
    def events(self) -> list[str]:
        """Their names."""
        return [event for event, _ in self.lines]


class World:
    """A disk, a clock, a log, and the state that checkpoints show."""

    def __init__(self, disk: FakeDisk | None = None, max_bytes: int = 1 << 20, *, sync: bool = True) -> None:
        self.disk = disk or FakeDisk()
        self.clock = ManualClock()
        self.log = Lines()
        self.state = b"state"
        self.books = b"books"
        self.pieces: Callable[[], dict[str, Iterable[bytes]]] = lambda: {"state": [self.state], "books": [self.books]}
        reader = JournalReader(self.disk, RING)
        self.found = records_of(reader)
        self.findings = reader.findings
        self.journal = DurableJournal(
            SegmentLog(self.disk, RING, lambda n: next(_SALTS).to_bytes(n, "big"), self.findings.next_number),
            Cursor(self.disk, RING),
            self.findings,
            self.clock,
            self.log,
            lambda: self.pieces(),  # noqa: PLW0108 - tests give another
            sync=sync,
            max_bytes=max_bytes,
        )

    async def start(self) -> None:
        """Begin, and let the thread come to rest: the next segment is ready, too."""
        await self.journal.start()
        if self.journal._room.preparing is not None:
            await asyncio.shield(self.journal._room.preparing)

    async def write(self, size: int = 1000) -> int:
        """One request of so many bytes, answered."""
        await self.journal.reserve(size + 200)
        position = self.journal.append(batch(size))
        await self.journal.synced(position)
        return position

    def segments(self) -> list[str]:
        """The files of segments."""
        return sorted(name for name in self.disk.names() if name.endswith(".segment"))


def batch(size: int = 1000) -> Batch:
    """A request of so many bytes."""
    return Batch(1.0, Signal.TRACES, 1, {}, b"x" * size)


def records_of(reader: JournalReader) -> dict[int, Record]:
    """What is read, by position."""
    return {
        placed.position + number: record for placed in reader.replay() for number, record in enumerate(placed.records)
    }


def states_of(records: Mapping[int, Record]) -> dict[int, dict[str, bytes]]:
    """The states that are complete: the position of each Checkpoint, and the parts in the pieces that are its."""
    return {
        position: {
            part: b"".join(
                each.data
                for each in records.values()
                if isinstance(each, Piece) and (each.after, each.part) == (checkpoint.after, part)
            )
            for part in checkpoint.sizes
        }
        for position, checkpoint in records.items()
        if isinstance(checkpoint, Checkpoint)
    }


def read(disk: FakeDisk) -> tuple[dict[int, Record], Findings]:
    """What another process would read now."""
    reader = JournalReader(disk.left(), RING)
    return records_of(reader), reader.findings


def synced_paths(monkeypatch: pytest.MonkeyPatch, *watched: Path) -> Callable[[], list[Path]]:
    """Those of the paths that were synced from here on, in order; they need not be there yet."""
    synced: list[tuple[int, int]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        synced.append((status.st_dev, status.st_ino))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)

    def paths() -> list[Path]:
        of = {(path.stat().st_dev, path.stat().st_ino): path for path in watched}
        return [of[each] for each in synced if each in of]

    return paths
