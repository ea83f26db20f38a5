"""The journal on a disk that forgets: what was synced is there after any crash, whole and in order; nothing else is."""

import errno
import random
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fakes_disk import FakeDisk
from spansieve.journal.keys import Keyring
from spansieve.journal.log import SegmentLog
from spansieve.journal.reading import JournalReader, Segment
from spansieve.journal.records import Batch, Checkpoint, Record, Settled, Settlement, encode
from spansieve.model import Signal

KEY = bytes(range(32))
ROOM = 64 * 1024
"""Of one segment, so that a run has many."""

sizes = st.one_of(st.integers(0, 300), st.integers(300, 6000))


class JournalMachine(RuleBasedStateMachine):
    """Writes, syncs, crashes; the model is a dictionary of what was written under which position."""

    def __init__(self) -> None:
        super().__init__()
        self.chance = random.Random(0)
        self.salts = count()
        self.disk = FakeDisk()
        self.written: dict[int, Record] = {}  # handed to the operating system, and not forgotten
        self.promised: set[int] = set()  # synced: must be there whatever happens
        self.segment_of: dict[int, int] = {}
        self.next_position = 1
        self.room = 0
        self.current = 0
        self.ready = 0
        self.old: list[Segment] = []
        self.reopen()

    def reopen(self) -> dict[int, Record]:
        """Start anew on what the disk holds; returns the records that were found."""
        reader = JournalReader(self.disk, Keyring([KEY]))
        found: dict[int, Record] = {}
        for placed in reader.replay():
            for number, record in enumerate(placed.records):
                position = placed.position + number
                assert position > max(found, default=0), "out of order, or twice"
                found[position] = record
        self.findings = reader.findings
        self.old = list(reader.findings.segments)
        self.log = SegmentLog(
            self.disk, Keyring([KEY]), lambda n: next(self.salts).to_bytes(n, "big"), reader.findings.next_number
        )
        self.next_position = reader.findings.next_position
        self.ready = 0
        return found

    def begin(self) -> None:
        """Begin a segment, as the gateway does at the start and whenever one is full."""
        number = self.ready or self.log.prepare(ROOM)
        self.log.roll(sync=True)
        self.ready = self.log.prepare(ROOM)
        self.promised |= self.written.keys()  # the last segment was synced
        if self.current:
            self.old.append(Segment(self.current, ROOM, 0))
        self.current = number
        self.room = ROOM
        self.append([Checkpoint(0.0, 0, {})], sync=True)

    def append(self, records: list[Record], *, sync: bool) -> None:
        """Write one block."""
        encoded = [encode(record) for record in records]
        self.log.write(encoded, self.next_position, sync=sync)
        self.room -= sum(map(len, encoded)) + 100
        for record in records:
            self.written[self.next_position] = record
            self.segment_of[self.next_position] = self.current
            self.next_position += 1
        if sync:
            self.promised |= {p for p, segment in self.segment_of.items() if segment == self.current}

    @rule(payloads=st.lists(sizes, min_size=1, max_size=4), sync=st.booleans())
    def write(self, payloads: list[int], *, sync: bool) -> None:
        """A group of requests, and what became of an older one."""
        records: list[Record] = [
            Batch(float(size), Signal.TRACES, 1, {}, self.chance.randbytes(size)) for size in payloads
        ]
        records.append(Settled([Settlement(self.next_position, Signal.TRACES, b"t" * 16, 1)]))
        if not self.current or self.room < sum(payloads) + 1000:
            self.begin()
        self.append(records, sync=sync)

    @rule()
    def roll(self) -> None:
        """The segment is full."""
        self.begin()

    @precondition(lambda self: len(self.old) > 1)
    @rule()
    def forget(self) -> None:
        """Nothing in the oldest segment is owed any more."""
        oldest = self.old.pop(0)
        self.log.forget(oldest.number, damaged=oldest.damaged)
        for position in [p for p, segment in self.segment_of.items() if segment == oldest.number]:
            del self.segment_of[position]
            self.written.pop(position, None)
            self.promised.discard(position)

    @rule()
    def write_back(self) -> None:
        """The operating system writes something of its own accord."""
        self.disk.write_back(self.chance)

    @rule()
    def full_disk(self) -> None:
        """A segment that cannot be had is refused, and nothing else changes."""
        self.disk.fail["allocate"] = errno.ENOSPC
        self.ready = 0  # it was to be replaced
        with pytest.raises(OSError, match="No space"):
            self.log.prepare(ROOM)

    @rule()
    def kill(self) -> None:
        """The process dies: everything that was written is there, and nothing is broken that was not before."""
        damaged = {segment.number for segment in self.old if segment.damaged}
        found = self.reopen()
        self.compare(found, self.written.keys())
        assert (self.findings.torn_bytes, self.findings.put_aside) == (0, [])
        assert {segment.number for segment in self.old if segment.damaged} == damaged
        assert bool(self.findings.gaps) == bool(damaged)

    @rule(seed=st.integers(0, 1 << 32))
    def cut_power(self, seed: int) -> None:
        """The machine dies: everything that was promised is there, and nothing that was not written."""
        self.disk.cut_power(random.Random(seed))
        self.compare(self.reopen(), self.promised)

    def compare(self, found: dict[int, Record], wanted: object) -> None:
        """Every wanted record is as it was written; the others, if they are there, too."""
        kept = set(wanted)  # type: ignore[call-overload]  # keys or a set
        lost = kept - found.keys()
        assert not lost
        for position, record in found.items():
            if position in self.written:
                assert record == self.written[position]
            else:  # of a segment that was deleted, and whose deletion the machine forgot
                assert position not in self.segment_of
        self.written = {p: r for p, r in self.written.items() if p in found}
        self.segment_of = {p: s for p, s in self.segment_of.items() if p in found}
        self.promised = set(self.written)  # what was found on the disk after a crash is on the disk
        self.current = 0

    @invariant()
    def nonces_are_new(self) -> None:
        """Segments of one directory have different salts."""
        salts = [self.disk.read(name)[24:56] for name in self.disk.names() if name.endswith(".segment")]
        assert len(set(salts)) == len(salts)


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
