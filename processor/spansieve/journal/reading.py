"""Reading the journal back after a start: every whole block, in order, and what was found broken."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from spansieve.journal.blocks import BLOCK_HEAD_BYTES, HEAD_BYTES, Block, BlockHead, Gap, Seal, SegmentHead, read
from spansieve.journal.disk import Disk
from spansieve.journal.errors import JournalError
from spansieve.journal.keys import Keyring
from spansieve.journal.records import KINDS, KINDS_OF_STATE, Checkpoint, Piece, Record, RecordError, decode

SUFFIX = ".segment"
DAMAGED = ".damaged"
"""What the name of a segment ends with that was put aside: nobody reads it any more, but for whoever repairs it."""


def name_of(number: int) -> str:
    """The file of a segment; names sort as numbers do."""
    return f"{number:020d}{SUFFIX}"


def segments_of(disk: Disk) -> list[str]:
    """The files of all segments, in order, with those that were put aside. Raises OSError."""
    return sorted(name for name in disk.names() if name.endswith((SUFFIX, DAMAGED)))


@dataclass(frozen=True, slots=True)
class Placed:
    """Records read back: neighbours in one segment, the first at `position`."""

    segment: int
    position: int
    records: list[Record] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Saved:
    """The state of each part, by its name, as it was before the first record of `segment`."""

    segment: int
    time: float  # seconds of the journal's own clock
    parts: Mapping[str, bytes] = field(repr=False)


@dataclass(slots=True)
class Segment:
    """One that was there at the start."""

    number: int
    size: int  # bytes
    first_position: int
    damaged: bool = False


@dataclass(slots=True)
class Findings:
    """What the disk held. Complete once everything was read."""

    segments: list[Segment] = field(default_factory=list)
    next_number: int = 1
    next_position: int = 1
    torn_bytes: int = 0  # behind the last block of the last segment: a stop in mid-write leaves them
    gaps: int = 0  # elsewhere: the disk lost or changed what was written
    put_aside: list[str] = field(default_factory=list)  # files of which nothing could be read
    empty: list[str] = field(default_factory=list)  # files that held nothing, and are gone

    @property
    def is_empty(self) -> bool:
        """Whether there were files and nothing was in any of them.

        Every start begins with a checkpoint, so that either the first one was cut short, or all is lost.
        """
        return bool(self.empty) and not self.segments and not self.put_aside


class JournalReader:
    """Reads the segments of one directory once. Raises JournalError and OSError."""

    def __init__(self, disk: Disk, keys: Keyring) -> None:
        self._disk = disk
        self._keys = keys
        self.findings = Findings()
        names = segments_of(disk)
        self._numbers = [_number(name) for name in names if name.endswith(SUFFIX)]
        self._aside = {_number(name) for name in names if name.endswith(DAMAGED)}
        self.findings.next_number = max(map(_number, names), default=0) + 1

    def saved(self) -> Saved | None:
        """The newest state that is whole. Where a segment's is not, the one before is with all since then."""
        for number in reversed(self._numbers):
            if (found := self._saved(number)) is not None:
                return found
        return None

    def _saved(self, number: int) -> Saved | None:
        pieces: dict[tuple[int, str], list[bytes]] = {}
        for block in self._blocks(number, self._disk.read(name_of(number))) or ():
            if isinstance(block, Gap):
                continue
            for record in self._decoded(block, number, KINDS_OF_STATE):
                match record:
                    case Piece(after, part, data):
                        pieces.setdefault((after, part), []).append(data)
                    case Checkpoint(time, after, sizes):
                        parts = {part: b"".join(pieces.get((after, part), ())) for part in sizes}
                        if all(len(parts[part]) == size for part, size in sizes.items()):
                            return Saved(number, time, parts)
        return None

    def replay(self) -> Iterator[Placed]:
        """Read everything in the order of writing. What is broken is cut off, or put aside, and in the findings."""
        last = self._last_written()
        for number in self._numbers:
            data = self._disk.read(name_of(number))
            blocks = self._blocks(number, data)
            if blocks is None:
                self._put_aside(number, data)
            else:
                yield from self._replay(number, blocks, is_last=number == last, size=len(data))

    def _last_written(self) -> int:
        """The last segment in which anything was written: behind it there may be one that was only made ready."""
        written = (each for each in reversed(self._numbers) if self._disk.read(name_of(each))[HEAD_BYTES:].strip(b"\0"))
        return next(written, 0)

    def _replay(self, number: int, blocks: Iterator[Block | Gap], *, is_last: bool, size: int) -> Iterator[Placed]:
        found = self.findings
        segment: Segment | None = None
        damaged = False
        end = HEAD_BYTES
        for each in blocks:
            match each:
                case Block(end, position):
                    records = self._decoded(each, number)
                    if segment is None:
                        segment = Segment(number, size, position)
                        found.gaps += self._is_one_missing_before(segment)
                    found.next_position = position + len(records)
                    yield Placed(number, position, records)
                case Gap(_, length, is_tail) if is_tail and is_last:
                    found.torn_bytes += length
                case Gap():
                    found.gaps += 1
                    damaged = True
        if segment is not None:
            if is_last:  # what a process that died had written, and not synced, is relied upon from here on
                self._disk.truncate(name_of(number), end)
                segment.size = end
            segment.damaged = damaged
            found.segments.append(segment)
        elif damaged:
            self._rename(number)
        else:  # it was ready, and nothing was written to it
            self._remove(number)

    def _is_one_missing_before(self, segment: Segment) -> bool:
        """Whether positions are missing between a segment and the one before, and no other finding tells why.

        Segments are deleted from the oldest on, so that before the first of them nothing is missing.
        """
        found = self.findings
        if not found.segments or found.next_position == segment.first_position:
            return False
        before = found.segments[-1]
        return not before.damaged and not any(before.number < number < segment.number for number in self._aside)

    def _rename(self, number: int) -> None:
        self._disk.rename(name_of(number), name_of(number) + DAMAGED)
        self._aside.add(number)
        self.findings.put_aside.append(name_of(number))

    def _remove(self, number: int) -> None:
        self._disk.remove(name_of(number))
        self.findings.empty.append(name_of(number))

    def _put_aside(self, number: int, data: bytes) -> None:
        """Deal with a file that has no head: either the machine stopped while it was being made, or it is broken."""
        if data.strip(b"\0"):
            self._rename(number)
            self.findings.gaps += 1
        else:
            self._remove(number)

    def _blocks(self, number: int, data: bytes) -> Iterator[Block | Gap] | None:
        """The blocks of a segment; None when it has no head."""
        head = SegmentHead.decode(data)
        if head is None or head.number != number:
            return None
        key = self._keys.find(head.key_id)
        if key is None:
            raise JournalError(
                f"The journal's {name_of(number)} was sealed with a key that is not there (id {head.key_id.hex()}): "
                "put it back, behind the new one, until the journal has moved on."
            )
        return read(data, Seal(key, head))

    def _decoded(self, block: Block, number: int, kinds: AbstractSet[int] = KINDS) -> list[Record]:
        try:
            return decode(block.records, kinds)
        except RecordError as error:
            raise JournalError(
                f"The journal's {name_of(number)} was written by another version: {error}. Have that version hand on "
                "what is owed (drain_on_shutdown: true) and delete the journal, or name another storage.directory."
            ) from None


class Unreadable(Exception):
    """A record that was written is not there any more: the disk lost or changed it."""


class Cursor:
    """Finds single records of a journal that is being written, fastest in the order of their positions.

    Not thread-safe: one thread at a time.
    """

    def __init__(self, disk: Disk, keys: Keyring) -> None:
        self._disk = disk
        self._keys = keys
        self._segment = 0
        self._offset = HEAD_BYTES
        self._seal: Seal | None = None
        self._block: tuple[int, list[Record]] = (0, [])  # the one read last, and the position of its first record

    def find(self, segment: int, position: int) -> Record:
        """Read the record at a position, which is in this segment. Raises Unreadable and OSError."""
        first, records = self._block
        if self._seal is None or segment != self._segment or position < first:
            self._enter(segment)
            first, records = self._block
        while not first <= position < first + len(records):
            first, records = self._block = self._next()
            if first > position:
                raise Unreadable(f"position {position} in {name_of(segment)}")
        return records[position - first]

    def _enter(self, segment: int) -> None:
        name = name_of(segment)
        head = SegmentHead.decode(self._disk.read_at(name, 0, HEAD_BYTES))
        key = self._keys.find(head.key_id) if head is not None else None
        if head is None or key is None:
            raise Unreadable(name)
        self._segment, self._offset, self._seal, self._block = segment, HEAD_BYTES, Seal(key, head), (0, [])

    def _next(self) -> tuple[int, list[Record]]:
        name = name_of(self._segment)
        start = self._offset + BLOCK_HEAD_BYTES
        head = BlockHead.decode(self._disk.read_at(name, self._offset, BLOCK_HEAD_BYTES))
        if head is None or self._seal is None:
            raise Unreadable(name)
        records = head.open(self._disk.read_at(name, start, head.length), self._seal)
        if records is None:
            raise Unreadable(name)
        self._offset = start + head.length
        return head.position, decode(records)


def _number(name: str) -> int:
    digits = name.partition(".")[0]
    if not digits.isdecimal():
        raise JournalError(f"There is a file in the journal's directory that it did not make: {name}. Move it away.")
    return int(digits)
