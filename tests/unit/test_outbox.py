"""What waits for a peer that is away: little of it in memory, the rest in the journal, and all of it in the end."""

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from fakes import ManualClock
from fakes_disk import FakeDisk
from helpers_process import Process
from spansieve.errors import Unavailable
from spansieve.journal.reading import name_of
from spansieve.model import Signal
from spansieve.outcome import Outcome, Reason

KEEP_ALL = {"decision_wait": "1s", "policies": [{"name": "all", "type": "always_sample"}]}
MOST_HELD = 20_000
TEXT = "The umbrella was repaired. " * 40


def request(number: int) -> ExportTraceServiceRequest:
    """One trace of about a kilobyte."""
    message = ExportTraceServiceRequest()
    span = (
        message.resource_spans.add()
        .scope_spans.add()
        .spans.add(
            trace_id=number.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            name="work",
            start_time_unix_nano=1_790_000_000_000_000_000,
            end_time_unix_nano=1_790_000_000_000_000_001,
        )
    )
    span.attributes.add(key="note").value.string_value = TEXT
    return message


class World:
    """A process whose peer is away, and the next ones on its disk."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.disk = FakeDisk()
        self.process = self.new()

    def new(self, max_bytes: int = 1 << 22) -> Process:
        """A process that is not started."""
        self.max_bytes = max_bytes
        return Process(self.clock, KEEP_ALL, limit_bytes=1 << 22, most_held=MOST_HELD)

    async def start(self) -> "World":
        """Start it."""
        await self.process.start(self.disk, self.max_bytes)
        return self

    async def crash(self) -> None:
        """Kill it, and start another."""
        left = self.disk.left()
        await self.process.end()
        self.disk = left
        self.process = self.new(self.max_bytes)
        await self.start()
        self.clock.advance(1)
        self.process.decide()  # the last verdicts may have been on their way

    async def keep(self, *numbers: int) -> None:
        """Have traces sent and decided."""
        for number in numbers:
            await self.process.send(request(number))
        self.clock.advance(1)
        self.process.decide()

    async def fill(self) -> tuple[int, str]:
        """Keep traces 1, 2, … until the journal refuses; how many were accepted, and why no more."""
        for accepted in range(2000):
            try:
                await self.keep(accepted + 1)
            except Unavailable as refused:
                return accepted, refused.description
        pytest.fail("nothing was refused")

    async def peer_is_back(self) -> list[int]:
        """Export all; the numbers of the spans in the order in which they left."""
        left: list[bytes] = self.process.export()
        while self.process.outbox.parked_items:
            self.process.outbox.prod()
            await self.process.outbox.drain(0.01)
            left += self.process.export()
        return [int.from_bytes(Span.FromString(each).span_id, "big") for each in left]


@pytest.fixture
async def world() -> World:
    """One that runs."""
    return await World().start()


async def test_memory_holds_little_of_what_waits(world: World) -> None:
    """A hundred times as much traffic, and no more in memory than the bound and one round of decisions."""
    for first in range(1, 300, 10):
        await world.keep(*range(first, first + 10))
    assert world.process.destination.held_bytes < MOST_HELD + 20_000
    assert world.process.outbox.parked_items > 250
    assert world.process.books()["in_flight"] == 300
    await world.process.end()


async def test_everything_leaves_in_the_order_in_which_it_was_kept(world: World) -> None:
    """Each trace once, unchanged, and the books are closed."""
    for first in range(1, 100, 10):
        await world.keep(*range(first, first + 10))
    assert await world.peer_is_back() == list(range(1, 101))
    assert world.process.books() == {"received": 100, "exported": 100}
    await world.process.end()


async def test_a_restart_finds_what_is_parked(world: World) -> None:
    """And leaves it on disk."""
    for first in range(1, 100, 10):
        await world.keep(*range(first, first + 10))
    parked = world.process.outbox.parked_items
    await world.crash()
    assert world.process.outbox.parked_items >= parked
    assert world.process.destination.held_bytes <= MOST_HELD + 20_000
    assert sorted(await world.peer_is_back()) == list(range(1, 101))
    assert world.process.books() == {"received": 100, "exported": 100}
    await world.process.end()


async def test_what_has_left_is_not_fetched_again_after_a_restart(world: World) -> None:
    """A settlement strikes one parked trace out of a record with several."""
    for first in range(1, 100, 10):
        await world.keep(*range(first, first + 10))
    left = await world.peer_is_back()
    await world.keep(200)
    await world.crash()
    assert await world.peer_is_back() == [200]
    assert len(left) == 100
    await world.process.end()


def log_request(number: int) -> bytes:
    """Two log records, of about two kilobytes."""
    message = ExportLogsServiceRequest()
    scope = message.resource_logs.add().scope_logs.add()
    for part in range(2):
        scope.log_records.add(time_unix_nano=10 * number + part).body.string_value = TEXT
    return message.SerializeToString()


def numbers_of(world: World) -> list[int]:
    """The requests of logs that the destination holds, in their order."""
    return [
        ExportLogsServiceRequest.FromString(payload).resource_logs[0].scope_logs[0].log_records[0].time_unix_nano // 10
        for _, payload, _ in world.process.destination.requests
    ]


async def logs_leave(world: World) -> list[int]:
    """Export all; the requests in the order in which they left."""
    left = numbers_of(world)
    world.process.export()
    while world.process.outbox.parked_items:
        world.process.outbox.prod()
        await world.process.outbox.drain(0.01)
        left += numbers_of(world)
        world.process.export()
    return left


async def test_logs_wait_on_disk_as_traces_do(world: World) -> None:
    """Little of them in memory, and all leave in the order in which they came, once."""
    for number in range(1, 101):
        await world.process.accept(Signal.LOGS, log_request(number))
    assert world.process.destination.held_bytes < MOST_HELD + 5_000
    assert world.process.outbox.parked_items > 160
    assert await logs_leave(world) == list(range(1, 101))
    assert world.process.ledger.settled(Signal.LOGS, Outcome.EXPORTED) == 200
    assert world.process.ledger.in_flight(Signal.LOGS) == 0
    await world.process.end()


async def test_a_restart_finds_the_logs_that_wait(world: World) -> None:
    """Those on disk stay there, those in memory come again; the books are closed in the end."""
    for number in range(1, 101):
        await world.process.accept(Signal.LOGS, log_request(number))
    parked = world.process.outbox.parked_items
    await world.crash()
    assert world.process.outbox.parked_items >= parked
    assert world.process.destination.held_bytes < MOST_HELD + 5_000
    assert sorted(await logs_leave(world)) == list(range(1, 101))
    await world.process.accept(Signal.LOGS, log_request(200))  # is synced, and what has left before it
    await world.crash()
    assert await logs_leave(world) == [200]
    assert world.process.ledger.settled(Signal.LOGS, Outcome.EXPORTED) == 202
    await world.process.end()


async def test_segments_go_though_logs_of_theirs_wait(world: World) -> None:
    """What waits is written down once more, so that an outage is not paid for with all that came before it."""
    for number in range(1, 101):
        await world.process.accept(Signal.LOGS, log_request(number))
    for number in range(1000, 1400):
        await world.keep(number)
        if number % 20 == 0:
            await world.peer_is_back()
    await logs_leave(world)
    for _ in range(3):
        world.clock.advance(1)
        world.process.decide()
    journal = world.process.pipeline.journal
    assert journal is not None
    assert journal.size < world.max_bytes // 2
    await world.process.end()


async def test_logs_that_the_disk_lost_are_counted(world: World) -> None:
    """By their own signal."""
    for number in range(1, 101):
        await world.process.accept(Signal.LOGS, log_request(number))
    parked = world.process.outbox.parked_items
    for name in world.disk.names():
        for offset in range(60, len(world.disk.read(name)), 50):
            world.disk.corrupt(name, offset)
    await logs_leave(world)
    assert (Signal.LOGS, Outcome.DROPPED, Reason.JOURNAL_DAMAGED, parked) in list(world.process.ledger.outcomes())
    assert ("export_dropped", "logs") in {(event, told.get("signal")) for event, told in world.process.heard.lines}
    await world.process.end()


async def test_the_journal_grows_to_its_bound_and_then_refuses() -> None:
    """Senders are told to come again; once the peer is back all leaves, once, and there is room again."""
    world = World()
    world.process = world.new(1 << 20)
    await world.start()
    accepted, refusal = await world.fill()
    assert "journal_max_mib" in refusal
    assert accepted > 200
    assert world.disk.used <= (1 << 20) + 4096
    assert sorted(await world.peer_is_back()) == list(range(1, accepted + 1))
    world.clock.advance(1)
    world.process.decide()
    await world.keep(5000)
    assert await world.peer_is_back() == [5000]
    await world.process.end()


async def test_what_the_disk_lost_is_counted(world: World) -> None:
    """As dropped, with the reason, and everything else goes on."""
    for first in range(1, 100, 10):
        await world.keep(*range(first, first + 10))
    parked = world.process.outbox.parked_items
    assert world.process.pipeline.journal is not None
    await world.process.pipeline.journal.synced(world.process.pipeline.journal._next - 1)
    for name in world.disk.names():
        for offset in range(60, len(world.disk.read(name)), 50):
            world.disk.corrupt(name, offset)
    assert name_of(1) in world.disk.names()
    left = await world.peer_is_back()
    assert len(left) == 100 - parked
    assert world.process.books() == {"received": 100, "exported": 100 - parked, "dropped": parked}
    outcomes = list(world.process.ledger.outcomes())
    assert Reason.JOURNAL_DAMAGED in {reason for _, _, reason, _ in outcomes}
    await world.process.end()
