"""A disk that forgets: what was written and not synced may be gone after a power cut, in any mixture of sectors."""

import errno
import os
import random
import threading
from collections import Counter

SECTOR = 512
"""What a disk writes wholly or not at all."""


class _Inode:
    """A file's bytes: as the process sees them, and as the disk has them."""

    def __init__(self) -> None:
        self.seen = bytearray()
        self.durable = bytearray()

    def copy(self) -> "_Inode":
        other = _Inode()
        other.seen[:], other.durable[:] = self.seen, self.durable
        return other

    def resize(self, size: int) -> None:
        del self.seen[size:]
        self.seen.extend(bytes(size - len(self.seen)))

    def dirty(self) -> list[int]:
        """The sectors that the disk has not, or has otherwise."""
        sectors = range((max(len(self.seen), len(self.durable)) + SECTOR - 1) // SECTOR)
        return [n for n in sectors if _sector(self.seen, n) != _sector(self.durable, n)]

    def write_back(self, sector: int) -> None:
        """Let one sector reach the disk."""
        data = _sector(self.seen, sector)
        end = sector * SECTOR + len(data)
        self.durable.extend(bytes(max(0, end - len(self.durable))))
        self.durable[sector * SECTOR : end] = data


def _sector(data: bytearray, number: int) -> bytes:
    return bytes(data[number * SECTOR : (number + 1) * SECTOR])


class FakeFile:
    """A DiskFile of a FakeDisk."""

    def __init__(self, disk: "FakeDisk", inode: _Inode) -> None:
        self._disk = disk
        self._inode = inode
        disk.files_open += 1

    def allocate(self, size: int) -> None:
        """Take room."""
        self._disk.may_fail("allocate")
        if self._disk.used + size > self._disk.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._inode.resize(max(size, len(self._inode.seen)))

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Within what was allocated, as the journal promises."""
        self._disk.may_fail("write")
        end = offset + len(data)
        assert end <= len(self._inode.seen), "written where no room was taken"
        with self._disk.lock:
            self._inode.seen[offset:end] = data

    def sync(self) -> None:
        """Make it durable; a failed sync loses what was not."""
        try:
            self._disk.may_fail("sync")
        except OSError:
            self._inode.seen[:] = self._inode.durable + bytes(len(self._inode.seen) - len(self._inode.durable))
            raise
        with self._disk.lock:
            self._inode.durable[:] = self._inode.seen
            self._disk.syncs += 1

    def truncate(self, size: int) -> None:
        """Give back."""
        self._disk.may_fail("truncate")
        self._inode.resize(size)

    def close(self) -> None:
        """Let go."""
        self._disk.files_open -= 1


class FakeDisk:
    """A Disk in memory. `fail` maps an operation to the errno of its next call; `room` is its size in bytes.

    `gates` maps an operation to what its calls wait for, as on a disk that hangs.
    """

    def __init__(self, room: int = 1 << 30) -> None:
        self.room = room
        self.fail: dict[str, int] = {}
        self.gates: dict[str, threading.Event] = {}
        self.calls: Counter[str] = Counter()
        self.syncs = 0
        self.files_open = 0
        self.lock = threading.Lock()
        self._seen: dict[str, _Inode] = {}
        self._durable: dict[str, _Inode] = {}

    @property
    def used(self) -> int:
        """Bytes of all files."""
        return sum(len(inode.seen) for inode in list(self._seen.values()))

    def may_fail(self, operation: str) -> None:
        """Count a call, and fail it when that was asked for."""
        self.calls[operation] += 1
        if operation in self.gates:
            assert self.gates[operation].wait(30), "nobody opened the gate"
        if operation in self.fail:
            number = self.fail.pop(operation)
            raise OSError(number, os.strerror(number))

    def names(self) -> list[str]:
        """In no order."""
        return list(self._seen)

    def create(self, name: str) -> FakeFile:
        """Make a file."""
        self.may_fail("create")
        assert name not in self._seen
        inode = _Inode()
        with self.lock:
            self._seen[name] = inode
        return FakeFile(self, inode)

    def read(self, name: str) -> bytes:
        """What the process sees."""
        self.may_fail("read")
        return bytes(self._seen[name].seen)

    def read_at(self, name: str, offset: int, size: int) -> bytes:
        """What the process sees."""
        self.may_fail("read")
        with self.lock:
            return bytes(self._seen[name].seen[offset : offset + size])

    def truncate(self, name: str, size: int) -> None:
        """Cut off, for good."""
        inode = self._seen[name]
        inode.resize(size)
        inode.durable[:] = inode.seen

    def rename(self, name: str, to: str) -> None:
        """Call otherwise."""
        self.may_fail("rename")
        with self.lock:
            self._seen[to] = self._seen.pop(name)

    def remove(self, name: str) -> None:
        """Delete."""
        self.may_fail("remove")
        with self.lock:
            self._seen.pop(name, None)

    def sync(self) -> None:
        """Make names durable."""
        self.may_fail("sync_directory")
        with self.lock:
            self._durable = dict(self._seen)

    def write_back(self, chance: random.Random) -> None:
        """Let some of what was not synced reach the disk, as the operating system does when it likes."""
        for inode in self._seen.values():
            for sector in inode.dirty():
                if chance.random() < 0.3:
                    inode.write_back(sector)

    def cut_power(self, chance: random.Random) -> None:
        """Lose what was not synced, but for sectors and names that happened to be written already."""
        self.write_back(chance)
        names = self._seen if chance.random() < 0.5 else self._durable
        for inode in {*self._seen.values(), *self._durable.values()}:
            if chance.random() < 0.5 and len(inode.durable) < len(inode.seen):
                inode.durable.extend(bytes(len(inode.seen) - len(inode.durable)))  # the length got there, not the data
            inode.seen[:] = inode.durable
        self._seen = dict(names)
        self._durable = dict(names)

    def left(self, chance: random.Random | None = None) -> "FakeDisk":
        """What the next process finds when this one dies now; with `chance`, when the power is cut."""
        other = FakeDisk(self.room)
        with self.lock:
            copies = {id(inode): inode.copy() for inode in {*self._seen.values(), *self._durable.values()}}
            other._seen = {name: copies[id(inode)] for name, inode in self._seen.items()}
            other._durable = {name: copies[id(inode)] for name, inode in self._durable.items()}
        if chance is not None:
            other.cut_power(chance)
        return other

    def corrupt(self, name: str, offset: int, bits: int = 0xFF) -> None:
        """Change a byte behind everyone's back."""
        inode = self._seen[name]
        inode.seen[offset] ^= bits
        inode.durable[:] = inode.seen
