"""The journal at the start and the end of a process: locked, read back, played, begun anew, and closed."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spansieve.clock import ResumedClock
from spansieve.config import ConfigError, Storage
from spansieve.errors import Unavailable
from spansieve.journal import DurableJournal, JournalError, keys
from spansieve.journal.disk import DirectoryTaken, Disk, RealDisk, make_directory
from spansieve.journal.durable import State
from spansieve.journal.keys import Keyring
from spansieve.journal.log import SegmentLog
from spansieve.journal.reading import SUFFIX, Cursor, Findings, JournalReader, segments_of
from spansieve.logs import Logger
from spansieve.outbox import Outbox
from spansieve.pipeline import Pipeline
from spansieve.replay import Replay, Request

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stages:
    """What stands behind the journal, and how its state is had."""

    clock: ResumedClock
    pipeline: Pipeline
    outbox: Outbox
    replay: Replay
    state: State


@dataclass(frozen=True, slots=True)
class JournalInUse:
    """The journal that is being written, what was found in it at the start, and its disk."""

    writing: DurableJournal
    findings: Findings
    disk: RealDisk

    async def close(self, oldest: Callable[[], int | None], grace: float) -> None:
        """Close it within `grace` seconds; a disk that hangs for longer has what the last sync left there."""
        try:
            async with asyncio.timeout(grace):
                await self.writing.stop(oldest)
        except TimeoutError:
            return  # the thread may still be writing: the directory stays taken until the process ends
        self.disk.close()


def is_left(storage: Storage) -> bool:
    """Whether there are segments that `durability: memory` would leave unread."""
    directory = storage.directory / "journal"
    return directory.is_dir() and any(directory.glob(f"*{SUFFIX}"))


def claimed(storage: Storage) -> RealDisk | None:
    """Take the directory for a gateway that keeps no journal; None where nothing can be kept there anyhow.

    Two of them would share an id, and so push each other's series, and a log of verdicts. Raises ConfigError when
    another gateway has it.
    """
    try:
        return _locked(storage)
    except OSError:
        return None


def _locked(storage: Storage) -> RealDisk:
    """The journal's directory, which is ours until it is closed. Raises ConfigError when it is another's, OSError."""
    directory = storage.directory / "journal"
    make_directory(storage.directory)
    try:
        return RealDisk(directory)
    except DirectoryTaken:
        raise ConfigError(
            [f"storage.directory: the journal {directory} is in use by another gateway: give each a directory."]
        ) from None


async def opened(
    storage: Storage,
    environment: Mapping[str, str],
    stages: Stages,
    logger: Logger,
) -> JournalInUse:
    """Read the journal back into the stages, begin a new segment, and hand over again what is still owed.

    Raises ConfigError when it cannot be had, is sealed with a key that is not there, or was written by another version.
    """
    directory = storage.directory / "journal"
    try:
        disk = _locked(storage)
    except OSError as error:
        raise ConfigError([f"storage.directory: {directory} cannot be used: {error.strerror}."]) from None
    try:
        key_file = storage.key_file or storage.directory / "journal.key"
        ring, made = keys.load(key_file, environment, is_new=not segments_of(disk))
        if made:
            logger.info("journal_key_made", file=str(key_file))
        terms = Terms(sync=storage.durability == "fsync", max_bytes=storage.journal_max_mib * _MIB)
        journal, findings = await take_up(disk, ring, stages, terms, logger)
    except BaseException as error:
        disk.close()
        match error:
            case JournalError():
                raise ConfigError([str(error)]) from None
            case OSError():
                raise ConfigError([f"The journal {directory} cannot be read: {error.strerror}."]) from None
            case Unavailable(reason="journal_full"):
                problem = f"The disk under {directory} has no room for the journal: free some. What is owed stays."
                raise ConfigError([problem]) from None
            case Unavailable():
                raise ConfigError([f"The journal {directory} cannot be begun: {error.description}"]) from None
        raise
    return JournalInUse(journal, findings, disk)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator wants of the journal."""

    sync: bool
    max_bytes: int


async def take_up(
    disk: Disk,
    ring: Keyring,
    stages: Stages,
    terms: Terms,
    logger: Logger,
) -> tuple[DurableJournal, Findings]:
    """Do what `opened` says on a disk that is locked. Raises JournalError, OSError and Unavailable."""
    replay, outbox, pipeline = stages.replay, stages.outbox, stages.pipeline
    begin = time.monotonic()
    reader = JournalReader(disk, ring)
    counted_from = 0
    if (saved := reader.saved()) is not None:
        counted_from = saved.segment
        replay.restore(saved)
    for placed in reader.replay():
        replay.play(placed, count=placed.segment >= counted_from)
        await asyncio.sleep(0)  # probes are answered meanwhile
    lost = replay.reconcile()
    stages.clock.resume(replay.time)
    released = list(replay.finish())
    findings = reader.findings
    if replay.records:
        logger.info(
            "journal_taken_up",
            records=replay.records,
            segments=len(findings.segments),
            to_hand_over=len(released),
            parked_items=sum(each.items for waiting in replay.parked().values() for each in waiting),
            torn_bytes=findings.torn_bytes,
            seconds=round(time.monotonic() - begin, 3),
        )
    if findings.torn_bytes:
        # A write under way that nobody was answered for; or, where the disk changed it, the last that somebody was.
        logger.warning("journal_torn", bytes=findings.torn_bytes)
    if findings.is_empty:
        logger.error("journal_empty", files=findings.empty)
    if findings.gaps or lost:
        lost_items = {signal.value: items for signal, items in lost.items()}
        logger.error("journal_damaged", places=findings.gaps, put_aside=findings.put_aside, lost=lost_items)
    log = SegmentLog(disk, ring, secrets.token_bytes, findings.next_number)
    journal = DurableJournal(
        log,
        Cursor(disk, ring),
        findings,
        stages.clock,
        logger,
        stages.state,
        sync=terms.sync,
        max_bytes=terms.max_bytes,
    )
    await journal.start()
    outbox.journal = pipeline.journal = journal
    pipeline.outbox = outbox
    outbox.resume(replay.parked())
    for each in released:
        if isinstance(each.what, Request):
            pipeline.submit(each.what.signal, each.what.payload, each.what.items, each.position)
        else:
            outbox.submit([each.what], each.position)
    return journal, findings
