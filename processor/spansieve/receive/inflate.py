"""Bodies put together chunk by chunk, inflated on the way, never beyond the limit."""

import zlib
from typing import Protocol

from spansieve.errors import MalformedRequest, TooLarge

_GZIP = 16 + zlib.MAX_WBITS  # zlib's code for gzip framing, and only that

# Members cost time even when they are empty. Senders write one; a body glued together from files may have some more.
_MOST_MEMBERS = 1000


class Body(Protocol):
    """A request body while it comes in."""

    def feed(self, chunk: bytes) -> int:
        """Take the next bytes of the wire; how many bytes of body they were.

        Raises TooLarge or MalformedRequest; the body is then of no more use.
        """
        ...

    def finish(self) -> bytes:
        """Return the whole body. Raises MalformedRequest when its end is missing."""
        ...


class IdentityBody:
    """A body as it is."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes) -> int:
        """Keep the chunk."""
        self._size += len(chunk)
        if self._size > self._limit:
            raise TooLarge(self._limit)
        self._chunks.append(chunk)
        return len(chunk)

    def finish(self) -> bytes:
        """Join the chunks."""
        return b"".join(self._chunks)


class GzipBody:
    """A gzip stream (RFC 1952) of one or more members. No more than limit + 1 bytes are ever inflated, or read."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._chunks: list[bytes] = []
        self._member = zlib.decompressobj(_GZIP)
        self._members = 0
        self._wire_size = 0

    def feed(self, chunk: bytes) -> int:
        """Inflate the chunk."""
        before = self._size
        self._wire_size += len(chunk)
        if self._wire_size > self._limit:
            raise TooLarge(self._limit)
        while chunk:
            if self._member.eof:
                self._begin_member()
            try:
                inflated = self._member.decompress(chunk, self._limit + 1 - self._size)
            except zlib.error:
                raise MalformedRequest("The body is not valid gzip data.") from None
            self._size += len(inflated)
            if self._size > self._limit:
                raise TooLarge(self._limit)
            self._chunks.append(inflated)
            # Below the limit all input has been used up, or what is left belongs to the next member.
            chunk = self._member.unused_data
        return self._size - before

    def _begin_member(self) -> None:
        self._members += 1
        if self._members == _MOST_MEMBERS:
            raise MalformedRequest(f"The body's gzip data has more than {_MOST_MEMBERS} members.")
        self._member = zlib.decompressobj(_GZIP)

    def finish(self) -> bytes:
        """Join what was inflated."""
        if not self._member.eof:
            raise MalformedRequest("The body's gzip data ends too early.")
        return b"".join(self._chunks)


def inflated(body: bytes, limit: int) -> bytes:
    """Inflate a gzip stream that is there as a whole. Raises TooLarge beyond `limit` bytes, or MalformedRequest."""
    whole = GzipBody(limit)
    whole.feed(body)
    return whole.finish()
