"""A journal that ends anywhere, after any kind of record: what stands in it is owed and known, and no more is."""

import asyncio
import math
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from fakes import ManualClock
from fakes_disk import FakeDisk
from helpers_process import KEY, RING, Process
from properties.test_journal_restart import SAMPLING, span
from spansieve.journal.blocks import HEAD_BYTES, Block
from spansieve.journal.durable import DurableJournal
from spansieve.journal.keys import Keyring
from spansieve.journal.reading import JournalReader, Segment, name_of
from spansieve.journal.records import (
    Batch,
    Checkpoint,
    Parked,
    ParkedRequest,
    Piece,
    Record,
    Settled,
    Verdicts,
)
from spansieve.model import Signal
from unit.test_replay import logs

CALLS = "spansieve.llm.requests"


class Written:
    """A journal on a disk: its last segment is to be cut. `exported` are spans that left before."""

    def __init__(self, disk: FakeDisk, exported: set[bytes]) -> None:
        self.disk = disk
        self.exported = exported
        reader = JournalReader(disk.left(), RING)
        self.records: dict[int, Record] = {}
        for placed in reader.replay():
            self.records |= dict(enumerate(placed.records, placed.position))
        self.segment: Segment = reader.findings.segments[-1]
        data = disk.read(name_of(self.segment.number))
        blocks = JournalReader(disk, RING)._blocks(self.segment.number, data) or iter(())
        self.ends = {each.end: each.position for each in blocks if isinstance(each, Block)}
        """Where blocks of the last segment end, and the position of the first record of each."""


async def ready(journal: DurableJournal) -> None:
    """Return when the next segment is."""
    await journal.checkpointed()
    while journal._room.preparing is not None:
        await journal._room.preparing


async def wrote(most_held: int) -> Written:
    """A life with all that a journal knows, of which nothing is deleted; its end has each kind of record once more."""
    clock, disk = ManualClock(), FakeDisk()
    process = await Process(clock, SAMPLING, most_held=most_held).start(disk)
    journal = process.pipeline.journal
    assert journal is not None
    journal.tidy = lambda _: None  # type: ignore[method-assign]
    exported: set[bytes] = set()
    for first in (1, 4):
        await ready(journal)
        assert journal._roll(0)
        for trace in range(first, first + 3):
            message = ExportTraceServiceRequest()
            scope = message.resource_spans.add().scope_spans.add()
            scope.spans.extend(span(trace, number) for number in (trace, trace + 1))
            await process.send(message)
            await process.accept(Signal.LOGS, logs(trace))
        for _ in range(40):
            clock.advance(0.5)
            process.decide()
        await journal.synced(journal._next - 1)
        if first == 4 or most_held:
            exported |= {Span.FromString(each).span_id for each in process.export()}
            await asyncio.sleep(0)
            await journal.synced(journal._next - 1)
    await ready(journal)
    left = disk.left()
    await process.end()
    return Written(left, exported)


@cache
def written(most_held: int) -> Written:
    """Made once."""
    return asyncio.run(wrote(most_held))


def cut(of: Written, at: int) -> FakeDisk:
    """The disk whose last segment ends there."""
    disk = of.disk.left()
    disk.truncate(name_of(of.segment.number), at)
    return disk


def test_the_journals_have_every_kind_of_record() -> None:
    """Together, and in what is cut."""
    kinds = {
        type(record)
        for each in map(written, (0, 1 << 22))
        for at, record in each.records.items()
        if at >= each.segment.first_position
    }
    assert kinds == {Batch, Checkpoint, Piece, Verdicts, Parked, ParkedRequest, Settled}


@settings(max_examples=300)
@given(st.sampled_from([0, 1 << 22]), st.floats(0, 1, allow_nan=False))
def test_what_is_read_is_what_was_written_up_to_the_cut(most_held: int, share: float) -> None:
    """Whole blocks, none of which is changed; the rest is said to be torn, and nothing to be damaged."""
    life = written(most_held)
    at = HEAD_BYTES + int(share * (max(life.ends) - HEAD_BYTES))
    reader = JournalReader(cut(life, at), RING)
    found: dict[int, Record] = {}
    for placed in reader.replay():
        found |= dict(enumerate(placed.records, placed.position))
    end = max((end for end in life.ends if end <= at), default=HEAD_BYTES)
    following = next((first for whole, first in life.ends.items() if whole > end), math.inf)
    assert found == {position: record for position, record in life.records.items() if position < following}
    assert (reader.findings.gaps, reader.findings.put_aside) == (0, [])
    assert reader.findings.torn_bytes <= at - end


async def lived_on(life: Written, disk: FakeDisk, ring: Keyring) -> tuple[Process, set[bytes]]:
    """A process that takes a journal up and goes on until nothing waits; the spans that left it."""
    clock = ManualClock()
    process = await Process(clock, SAMPLING, ring=ring).start(disk)
    exported = set(life.exported)
    for _ in range(60):
        clock.advance(0.5)
        process.decide()
    while process.outbox.parked_items:
        process.outbox.prod()
        await process.outbox.drain(0.01)
        exported |= {Span.FromString(each).span_id for each in process.export()}
    exported |= {Span.FromString(each).span_id for each in process.export()}
    return process, exported


@pytest.mark.parametrize("rotated", [False, True], ids=["same key", "key rotated"])
@pytest.mark.parametrize("most_held", [0, 1 << 22], ids=["parked", "in memory"])
def test_what_is_left_has_its_fate(most_held: int, *, rotated: bool) -> None:
    """Each span that stands in the journal leaves or is under a verdict, each call counts once, and the books balance.

    So it is wherever the cut is, where the journal goes on under another key, and in the life after that one.
    """
    life = written(most_held)
    ring = Keyring([b"n" * 32, KEY]) if rotated else RING

    async def live(disk: FakeDisk) -> None:
        before = disk.left()
        process, exported = await lived_on(life, disk, ring)
        spans = [each for each in received(before) if each.span_id]
        failed = {each.trace_id for each in spans if each.status.code == Span().status.STATUS_CODE_ERROR}
        books = process.books()
        assert books["received"] == len(spans)
        assert "in_flight" not in books
        assert "dropped" not in books
        assert {each.span_id for each in spans if each.trace_id in failed} <= exported
        assert books["exported"] + books["sampled_out"] == len(spans)
        calls = sum(each.value for each in process.meter.series.snapshot() if each.spec.name == CALLS)
        assert calls == sum(any(key.key == "gen_ai.request.model" for key in each.attributes) for each in spans)
        series = process.meter.series.snapshot()
        left = disk.left()
        await process.end()
        again, _ = await lived_on(life, left, ring)
        assert again.books() == books
        assert again.meter.series.snapshot() == series
        await again.end()

    for at in (HEAD_BYTES, *life.ends):
        asyncio.run(live(cut(life, at)))


def received(disk: FakeDisk) -> list[Span]:
    """The spans that a journal has."""
    found: list[Span] = []
    for placed in JournalReader(disk, RING).replay():
        for record in placed.records:
            if isinstance(record, Batch) and record.signal is Signal.TRACES:
                message = ExportTraceServiceRequest.FromString(record.payload)
                found += [each for one in message.resource_spans for scope in one.scope_spans for each in scope.spans]
    return found
