"""One end of the connection between the owner and a worker: frames in, frames out."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final, cast

from spansieve.workers import frames
from spansieve.workers.frames import Frame, Reader

# What the other end has not read yet. Beyond it, what can be told later is.
_BACKLOG_BYTES: Final = 64 * 1024


class Channel(asyncio.Protocol):
    """Sends and receives frames. Its methods belong to one event loop's thread.

    `received` is called with each frame. `ended` is called once, when the other end is gone or sent what is no frame;
    it is handed that FrameError, or None. An error that `received` raises ends the connection in the same way.
    """

    def __init__(self, received: Callable[[Frame], None], ended: Callable[[BaseException | None], None]) -> None:
        self._received = received
        self._ended = ended
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None
        self._error: BaseException | None = None

    async def open(self, end: socket.socket) -> None:
        """Begin, on one end of a socket pair."""
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=end)

    def send(self, frame: Frame) -> None:
        """Send a frame; nothing when the connection is gone, which `ended` tells."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frames.encode(frame))

    @property
    def is_behind(self) -> bool:
        """Whether the other end does not read as fast as we send."""
        return self._transport is not None and self._transport.get_write_buffer_size() > _BACKLOG_BYTES

    def close(self) -> None:
        """Send what waits to be sent, then end."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)  # of a stream; uvloop's own are of no base class

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        try:
            for frame in self._reader.feed(data):
                self._received(frame)
        except Exception as error:  # noqa: BLE001 - FrameError, or a defect: either way nothing more can be understood
            self._error = error
            if self._transport is not None:
                self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - told by `ended`, if it is ours
        """Called by the event loop."""
        self._ended(self._error)
