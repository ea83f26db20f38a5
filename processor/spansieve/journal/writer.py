"""The threads that write: one takes what the event loop hands over, in order, and says what became of it.

While one write is synced the next ones gather, and go to the disk together: so many requests share a sync. Nobody who
waits for a sync waits for a file to be made or deleted, which takes a disk tens of milliseconds: for that there is the
other thread.
"""

import errno
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final, TypeAlias

from spansieve.journal.log import SegmentLog


@dataclass(frozen=True, slots=True)
class Write:
    """Records, the first of them at `position`. `waited_for`: somebody is answered once they are safe."""

    position: int
    records: list[bytes] = field(repr=False)
    waited_for: bool


@dataclass(frozen=True, slots=True)
class Prepare:
    """Make a segment ready that has room for `size` bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class Roll:
    """Begin the segment that is ready."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Delete an old segment, or put it aside if it is damaged."""

    number: int
    damaged: bool


Command: TypeAlias = Write | Prepare | Roll | Forget


@dataclass(frozen=True, slots=True)
class Written:
    """Everything up to this position is as safe as `durability` says."""

    position: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A segment of so many bytes is ready; `refused` names the error when there is none instead."""

    number: int = 0
    size: int = 0
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing more is written: it is not known what the disk has. `error` names what happened to which call."""

    error: str


@dataclass(frozen=True, slots=True)
class Stays:
    """An old segment cannot be deleted: it, and those after it, are tried again. `error` names why; empty: all went."""

    error: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """The thread is done."""


Report: TypeAlias = Written | Prepared | Failed | Stays | Closed

_AGAIN_SECONDS: Final = 1.0


class Writer:
    """Owner of the SegmentLog from `start` on. `report` is called in either thread, and must not block.

    With `sync`, a write that is waited for is synced before it is reported; the others go with the next such, or when
    their segment ends.
    """

    def __init__(self, log: SegmentLog, report: Callable[[Report], None], *, sync: bool) -> None:
        self._log = log
        self._report = report
        self._sync = sync
        self._commands: SimpleQueue[Command | None] = SimpleQueue()
        self._files: SimpleQueue[Prepare | Forget | None] = SimpleQueue()
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._files_thread = threading.Thread(target=self._run_files, name="journal files", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        self._files_thread.start()

    def put(self, command: Command) -> None:
        """Hand over, in order; never blocks. What bounds the line is that senders wait for what they handed in."""
        self._commands.put(command)

    def close(self) -> None:
        """Finish what was handed over, and end; Closed is reported then."""
        self._commands.put(None)

    def _run(self) -> None:
        command = self._commands.get()
        while command is not None:
            commands = [command]
            try:
                while (command := self._commands.get_nowait()) is not None:
                    commands.append(command)
            except Empty:
                self._carry_out(commands)
                command = self._commands.get()
            else:
                self._carry_out(commands)
        self._files.put(None)
        self._files_thread.join()
        if not self._failed:
            self._guarded("close", lambda: self._log.close(sync=self._sync))
        self._report(Closed())

    def _carry_out(self, commands: list[Command]) -> None:
        group: list[Write] = []
        for command in commands:
            if isinstance(command, Write):
                group.append(command)
                continue
            self._write(group)
            group = []
            match command:
                case Roll():
                    self._guarded("roll", lambda: self._log.roll(sync=self._sync))
                case Forget():
                    # What says that it may go has to be on the disk: else a power cut could undo that alone.
                    if not self._sync or self._guarded("sync", self._log.sync):
                        self._files.put(command)
                case Prepare():  # in its turn, since a roll before it takes the segment that is ready
                    self._files.put(command)
        self._write(group)

    def _run_files(self) -> None:
        leaving: deque[Forget] = deque()  # in their order: what a segment says settles what those before it say
        stays = ""
        ending = False
        while not ending:
            command: Prepare | Forget | None = None
            with suppress(Empty):
                command = self._files.get(timeout=_AGAIN_SECONDS if leaving else None)
                ending = command is None
            match command:
                case Prepare(size):
                    self._guarded("prepare", partial(self._prepare, size))
                case Forget():
                    leaving.append(command)
            error = self._forget(leaving)
            if error != stays:
                stays = error
                self._report(Stays(error))

    def _write(self, group: list[Write]) -> None:
        """Write neighbours as one block."""
        if not group:
            return
        records = [record for each in group for record in each.records]
        sync = self._sync and any(each.waited_for for each in group)
        first, last = group[0].position, group[-1]
        if self._guarded("write", lambda: self._log.write(records, first, sync=sync)):
            self._report(Written(last.position + len(last.records) - 1))

    def _prepare(self, size: int) -> None:
        """Make a segment ready, or say that there is no room for one. Whatever else goes wrong is a defect of ours."""
        try:
            number = self._log.prepare(size)
        except OSError as error:
            self._report(Prepared(refused=_name(error)))
        else:
            self._report(Prepared(number, size))

    def _forget(self, leaving: deque[Forget]) -> str:
        """Delete what may go, until something does not; why that did not, else nothing.

        A segment that stays harms nobody: at worst the next start delivers again what is in it.
        """
        while leaving and not self._failed:
            try:
                self._log.forget(leaving[0].number, damaged=leaving[0].damaged)
            except Exception as error:  # noqa: BLE001 - reported, and tried again
                return _name(error)
            leaving.popleft()
        return ""

    def _guarded(self, call: str, work: Callable[[], None]) -> bool:
        """Do it, unless something failed before; whether it was done.

        Whatever goes wrong ends the writing for good: after a failed fsync(2) the kernel may take lost pages for
        written ones, so that trying again would succeed and mean nothing.
        """
        if self._failed:
            return False
        try:
            work()
        except Exception as error:  # noqa: BLE001 - reported, and refuses all that follows
            self._failed = True
            self._report(Failed(f"{call}: {_name(error)}"))
            return False
        return True


def _name(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return errno.errorcode.get(error.errno, str(error.errno))
    return type(error).__name__
