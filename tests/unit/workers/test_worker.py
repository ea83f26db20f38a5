"""A worker's side of the connection, with the test in the owner's place."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import pytest
import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from fakes import ManualClock
from spansieve import policy_source
from spansieve.config import Redaction
from spansieve.errors import MalformedRequest, TooLarge, Unavailable
from spansieve.model import Encoding, ReceivedRequest, Signal
from spansieve.workers.agreement import fingerprint
from spansieve.workers.channel import Channel
from spansieve.workers.frames import Counted, Frame, Handed, Load, Ready, Refused, Stop, Taken, Terms, Unable
from spansieve.workers.worker import OwnerFailed, Worker

MIB = 1024 * 1024


def request(text: str = "hello", size: int = 0) -> ReceivedRequest:
    """A request with one span that has a text."""
    message = ExportTraceServiceRequest()
    span = message.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = b"t" * 16, b"s" * 8, text
    span.start_time_unix_nano = span.end_time_unix_nano = 1
    span.attributes.add(key="note").value.string_value = "x" * size
    return ReceivedRequest(Signal.TRACES, Encoding.PROTO, message.SerializeToString())


class Owner:
    """The other end: keeps what it is told, and says what the test wants."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Frame] = asyncio.Queue()
        self.channel = Channel(self.told.put_nowait, lambda _: None)

    async def handed(self) -> Handed:
        """The next request that is handed over."""
        while not isinstance(frame := await self.told.get(), Handed):
            pass
        return frame


@cache  # compiling takes long
def agreed() -> str:
    """The mark of the default policy."""
    return fingerprint(policy_source.load("default", {}))


@asynccontextmanager
async def serving(clock: ManualClock | None = None, mark: str | None = None) -> AsyncIterator[tuple[Worker, Owner]]:
    """A worker without receivers that redacts by a policy, or has another `mark` to agree with."""
    ours, theirs = socket.socketpair()
    worker, owner = Worker(clock or ManualClock(), structlog.get_logger()), Owner()
    await owner.channel.open(ours)
    run = asyncio.create_task(worker.run(theirs))
    redaction = Redaction(names="off").model_dump(mode="json", exclude_none=True)
    protocols = {"http": {"endpoint": "127.0.0.1:0"}}
    owner.channel.send(Terms(1, redaction, protocols, mark or agreed(), 100 * MIB, 10 * MIB))
    while isinstance(frame := await owner.told.get(), Counted):
        pass  # it is heard of before it is ready
    assert frame == Ready(1) if mark is None else isinstance(frame, Unable)
    try:
        yield worker, owner
    finally:
        owner.channel.send(Stop(0))
        await run


async def test_it_answers_when_the_owner_has_the_request() -> None:
    """Not before; and what is handed over is redacted."""
    async with serving() as (worker, owner):
        accepted = asyncio.create_task(worker.accept(request("write to bob@example.com")))
        handed = await owner.handed()
        assert not accepted.done()
        assert b"bob" not in handed.payload
        assert handed.findings == {"email": 1}
        owner.channel.send(Taken(handed.number))
        assert (await accepted).rejected == 0


async def test_the_owners_refusal_reaches_the_sender() -> None:
    """With its reason and its time."""
    async with serving() as (worker, owner):
        accepted = asyncio.create_task(worker.accept(request()))
        owner.channel.send(Taken((await owner.handed()).number, Refused("Later.", "memory_limiter", 7.5)))
        with pytest.raises(Unavailable, match="Later") as refused:
            await accepted
        assert refused.value.retry_after == 7.5


async def test_the_owners_defect_is_a_defect() -> None:
    """It is neither OK nor the sender's fault."""
    async with serving() as (worker, owner):
        accepted = asyncio.create_task(worker.accept(request()))
        owner.channel.send(Taken((await owner.handed()).number, failed=True))
        with pytest.raises(OwnerFailed):
            await accepted


async def test_what_is_no_request_is_not_handed_over() -> None:
    """The worker refuses it by itself."""
    async with serving() as (worker, owner):
        with pytest.raises(MalformedRequest):
            await worker.accept(ReceivedRequest(Signal.TRACES, Encoding.PROTO, b"\xff"))
        accepted = asyncio.create_task(worker.accept(request()))
        handed = await owner.handed()
        assert handed.number == 0
        owner.channel.send(Taken(0))
        await accepted


async def test_another_policy_is_not_redacted_by() -> None:
    """A worker whose policy came out different refuses every request."""
    async with serving(mark="another") as (worker, _):
        with pytest.raises(Unavailable, match="policy"):
            await worker.accept(request())


async def test_what_the_owner_holds_counts() -> None:
    """A request is refused before it is redacted when the owner is full."""
    async with serving() as (worker, owner):
        accepted = asyncio.create_task(worker.accept(request()))
        handed = await owner.handed()
        owner.channel.send(Load(100 * MIB))
        owner.channel.send(Taken(handed.number))
        await accepted
        with pytest.raises(Unavailable, match="holds as much"):
            worker.admit(1)


async def test_a_policy_that_is_gone_is_not_followed() -> None:
    """The worker says why, and refuses every request rather than go on by the old one."""
    async with serving() as (worker, owner):
        owner.channel.send(Terms(2, {"policy": "nowhere.yaml"}, {}, "", 1, 1))
        while not isinstance(frame := await owner.told.get(), Unable):
            pass
        assert "nowhere.yaml" in frame.problems[0]
        with pytest.raises(Unavailable, match="policy"):
            worker.admit(1)


async def test_a_worker_takes_no_more_than_its_share() -> None:
    """One request of any size, and then what fits beside it."""
    async with serving() as (worker, owner):
        accepted = asyncio.create_task(worker.accept(request(size=11 * MIB)))
        handed = await owner.handed()
        with pytest.raises(Unavailable, match="holds as much"):
            worker.admit(1)
        owner.channel.send(Taken(handed.number))
        await accepted
        worker.admit(1)


async def test_a_body_that_is_being_read_takes_of_the_share() -> None:
    """One grows beyond it, as one request may be larger; a second beside it may not, and what it had is let go of."""
    async with serving() as (worker, _):
        for already in range(0, 12 * MIB, MIB):
            worker.hold(MIB, already)
        with pytest.raises(Unavailable):
            worker.hold(1, 0)
        worker.hold(-12 * MIB, 12 * MIB)
        worker.hold(1, 0)
        assert worker.under_way_bytes == 1
        worker.hold(-1, 1)


async def test_a_request_that_will_never_fit_is_too_large() -> None:
    """Its sender is not told to try again."""
    async with serving() as (worker, _):
        with pytest.raises(TooLarge):
            worker.admit(1 << 40)


async def test_an_owner_that_does_not_answer_is_overload() -> None:
    """After two seconds of waiting new requests are refused."""
    clock = ManualClock()
    async with serving(clock) as (worker, owner):
        accepted = asyncio.create_task(worker.accept(request()))
        handed = await owner.handed()
        worker.admit(1)
        clock.advance(2.5)
        with pytest.raises(Unavailable, match="more to do"):
            worker.admit(1)
        owner.channel.send(Taken(handed.number))
        await accepted
        worker.admit(1)


async def test_a_sender_that_gave_up_frees_its_share() -> None:
    """When the owner answers, not before: until then it works on the request."""
    async with serving() as (worker, owner):
        accepted = asyncio.create_task(worker.accept(request(size=11 * MIB)))
        handed = await owner.handed()
        accepted.cancel()
        await asyncio.wait([accepted])
        with pytest.raises(Unavailable):
            worker.admit(1)
        owner.channel.send(Taken(handed.number))
        owner.channel.send(Terms(2, {"policy": "nowhere.yaml"}, {}, "", 100 * MIB, 10 * MIB))
        while not isinstance(await owner.told.get(), Unable):
            pass
        assert worker.under_way_bytes == 0


async def test_a_worker_with_nothing_to_tell_is_heard_of() -> None:
    """So that the owner can tell it from one that hangs."""
    async with serving() as (_, owner):
        for _ in range(2):
            assert await owner.told.get() == Counted([], {}, 0)


async def test_a_worker_whose_work_stands_still_is_silent() -> None:
    """Its loop is well, and nobody is served: it lets the owner end it."""
    clock = ManualClock()
    async with serving(clock) as (worker, _):
        worker.finished("grpc", Signal.TRACES, "OK")
        worker._thread._busy_since = clock.monotonic()
        clock.advance(61)
        worker._tell_owner(5)
        assert worker._requests
        worker._thread._busy_since = clock.monotonic() - 59
        worker._tell_owner(5)
        assert not worker._requests


async def test_counts_are_told() -> None:
    """Answers and defects reach the owner with the last report before the end."""
    async with serving() as (worker, owner):
        worker.finished("grpc", Signal.TRACES, "OK")
        worker.finished("grpc", Signal.TRACES, "OK")
        worker.finished("http", None, "404")
        while not (isinstance(frame := await owner.told.get(), Counted) and frame.requests):
            pass  # on a busy machine a report of nothing may be on its way
        assert sorted(frame.requests) == [("grpc", "traces", "OK", 2), ("http", "", "404", 1)]
