"""Records on an abstract disk: segments that are written at their end and deleted as a whole.

A segment is made ready before it is needed: its room taken from the disk, its head and its name synced. So a full disk
is met before anything depends on it. It is written block by block, each synced when the caller says so, and never again
once a newer one has begun, or after a restart.
"""

from collections.abc import Callable, Sequence

from spansieve.journal.blocks import BLOCK_BYTES, HEAD_BYTES, SALT_BYTES, Seal, SegmentHead
from spansieve.journal.disk import Disk, DiskFile
from spansieve.journal.keys import Keyring
from spansieve.journal.reading import DAMAGED, name_of

_ROOM_KEPT = 16 * 1024 * 1024
"""Of memory for a block, at most: a checkpoint takes less, requests that gathered behind a slow disk may take more."""


class SegmentLog:
    """The segments of one directory, written by one thread. Another one may `prepare` and `forget` meanwhile.

    But `roll` and `prepare` take turns: a segment is made ready, begun, and only then is the next one made.

    `entropy` returns so many random bytes that were never returned before. Every method may raise OSError; after one
    from `write` or `roll` nothing more may be written.
    """

    def __init__(self, disk: Disk, keys: Keyring, entropy: Callable[[int], bytes], next_number: int) -> None:
        self._disk = disk
        self._keys = keys
        self._entropy = entropy
        self._next_number = next_number
        self._ready: _Growing | None = None
        self._current: _Growing | None = None
        self._room = bytearray()  # where blocks are sealed

    def prepare(self, size: int) -> int:
        """Make the next segment ready, with room for `size` bytes of blocks, and return its number.

        It replaces one that is ready already and too small.
        """
        self._discard()
        head = SegmentHead(self._next_number, self._keys.current_id, self._entropy(SALT_BYTES))
        self._next_number += 1
        name = name_of(head.number)
        file = self._disk.create(name)
        try:
            file.allocate(HEAD_BYTES + size)
            file.write(0, head.encode())
            file.sync()
            self._disk.sync()
        except OSError:
            file.close()
            self._disk.remove(name)
            raise
        self._ready = _Growing(head.number, file, Seal(self._keys.current, head))
        return head.number

    def roll(self, *, sync: bool) -> None:
        """Begin the segment that is ready; what the last one did not use is given back."""
        if self._ready is None:
            raise RuntimeError("no segment is ready")
        self._finish(sync=sync, give_back=True)
        self._current, self._ready = self._ready, None

    def write(self, records: Sequence[bytes], position: int, *, sync: bool) -> None:
        """Write framed records as one block, the first of them at `position`."""
        current = self._current
        if current is None:
            raise RuntimeError("no segment was begun")
        content = b"".join(records)
        if len(content) + BLOCK_BYTES > len(self._room):
            self._room = bytearray(len(content) + BLOCK_BYTES)
        block = current.seal.block(current.blocks, position, content, self._room)
        current.blocks += 1
        current.file.write(current.end, block)
        current.end += len(block)
        if len(self._room) > _ROOM_KEPT:
            self._room = bytearray()
        if sync:
            current.file.sync()

    def sync(self) -> None:
        """Wait until everything that was written is on the disk."""
        if self._current is not None:
            self._current.file.sync()

    def forget(self, number: int, *, damaged: bool) -> None:
        """Delete a segment that is neither current nor ready; one that was found broken is put aside instead."""
        name = name_of(number)
        if damaged:
            self._disk.rename(name, name + DAMAGED)
        else:
            self._disk.remove(name)

    def close(self, *, sync: bool) -> None:
        """Let go of the files; a segment that was made ready and not begun is deleted.

        What the current one did not use is not given back: it is room that nobody else can take before the next start,
        which frees it, and needs some for the segment that it begins.
        """
        self._finish(sync=sync, give_back=False)
        self._discard()

    def _discard(self) -> None:
        ready, self._ready = self._ready, None
        if ready is not None:
            ready.file.close()
            self._disk.remove(name_of(ready.number))

    def _finish(self, *, sync: bool, give_back: bool) -> None:
        current, self._current = self._current, None
        if current is None:
            return
        try:
            if sync:
                current.file.sync()
            if give_back:
                current.file.truncate(current.end)
        finally:
            current.file.close()


class _Growing:
    """A segment that is being written."""

    __slots__ = ("blocks", "end", "file", "number", "seal")

    def __init__(self, number: int, file: DiskFile, seal: Seal) -> None:
        self.number = number
        self.file = file
        self.seal = seal
        self.blocks = 0
        self.end = HEAD_BYTES
