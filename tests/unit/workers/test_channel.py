"""One end of a connection, with a plain socket at the other."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from spansieve.workers import frames
from spansieve.workers.channel import Channel
from spansieve.workers.frames import Frame, FrameError, Load, Reader, Ready, Unable


async def opened(received: Callable[[Frame], None]) -> tuple[socket.socket, "asyncio.Future[BaseException | None]"]:
    """A channel's other end, and what the channel ends with."""
    ended: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
    ours, theirs = socket.socketpair()
    await Channel(received, ended.set_result).open(ours)
    return theirs, ended


async def test_frames_come_in_their_order() -> None:
    """As they were sent; then the end, without an error."""
    read: list[Frame] = []
    theirs, ended = await opened(read.append)
    theirs.sendall(frames.encode(Ready(1)) + frames.encode(Load(2)))
    theirs.close()
    assert await ended is None
    assert read == [Ready(1), Load(2)]


async def test_what_is_no_frame_ends_the_connection() -> None:
    """Loudly, and nothing behind it is read."""
    read: list[Frame] = []
    theirs, ended = await opened(read.append)
    with theirs:
        theirs.sendall(b"\xff" * 100 + frames.encode(Ready(1)))
        assert isinstance(await ended, FrameError)
        assert theirs.recv(1) == b""
    assert read == []


@pytest.mark.parametrize("error", [ValueError, KeyError])
async def test_a_defect_of_the_receiver_ends_the_connection(error: type[Exception]) -> None:
    """What it did not understand is not passed over."""

    def received(_frame: Frame) -> None:
        raise error

    theirs, ended = await opened(received)
    with theirs:
        theirs.sendall(frames.encode(Ready(1)))
        assert isinstance(await ended, error)


async def test_what_is_sent_arrives_also_when_it_is_closed_then() -> None:
    """In order; and nothing after that, which is no error either."""
    ended: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
    ours, theirs = socket.socketpair()
    channel = Channel(lambda _: None, ended.set_result)
    channel.send(Ready(0))  # before it is open: there is nobody
    channel.close()
    await channel.open(ours)
    channel.send(Ready(1))
    channel.send(Load(2))
    channel.close()
    channel.send(Ready(3))
    assert await ended is None
    channel.send(Ready(4))
    with theirs:
        assert list(Reader().feed(theirs.recv(1000))) == [Ready(1), Load(2)]


async def test_a_reader_that_does_not_read_is_behind() -> None:
    """Once more than 64 KiB wait for it beyond what the socket holds; a channel that is not open is not."""
    ours, theirs = socket.socketpair()
    channel = Channel(lambda _: None, lambda _: None)
    assert not channel.is_behind
    await channel.open(ours)
    with theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        channel.send(Load(1))
        assert not channel.is_behind
        channel.send(Unable(1, ["x" * 65_000] * 2))
        assert channel.is_behind
        channel.close()
