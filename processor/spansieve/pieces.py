"""The state of a part as bytes, made piece by piece, so that whoever writes it down lets others run in between. Pure.

    piece   length of the name u8 | length of what follows u32 | name | what follows

A part's `state` notes what it is at that moment, which takes no time, and returns pieces that are made as they are
asked for, while the part goes on: what a piece is made of must not change any more, or be copied before it does. Pieces
of one name belong together, in their order. Joined they are what the part's `restore` takes.
"""

import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import orjson

Pieces: TypeAlias = Iterable[bytes]
Sections: TypeAlias = Mapping[str, list[bytes]]
"""The bodies of pieces, by name, in their order."""

SIZE: Final = 64 * 1024
"""Bytes of a piece of what is large."""

_HEAD: Final = struct.Struct(">BI")


def piece(name: str, body: bytes) -> bytes:
    """Make one; the name is short and of ASCII."""
    return b"".join((_HEAD.pack(len(name), len(body)), name.encode("ascii"), body))


def grown(name: str, data: "bytes | bytearray | array[int]") -> Iterator[bytes]:
    """Pieces of what stands there now, and stays: `data` may only grow meanwhile."""
    return _cut(name, data, len(data))


def lines(name: str, items: Iterable[Any]) -> Iterator[bytes]:
    """A piece of JSON for each item, which is made when its turn comes."""
    return (piece(name, orjson.dumps(each)) for each in items)


def lots(count: int, size: int) -> Iterator[slice]:
    """Cut so many items into lots of a size, the last of which may be smaller."""
    return (slice(at, at + size) for at in range(0, count, size))


def sections(state: bytes) -> Sections:
    """Take pieces apart. Raises ValueError for what is no sequence of pieces."""
    found: dict[str, list[bytes]] = {}
    at = 0
    while at < len(state):
        try:
            width, length = _HEAD.unpack_from(state, at)
            name = state[at + _HEAD.size : at + _HEAD.size + width].decode("ascii")
        except (struct.error, UnicodeDecodeError):
            raise ValueError("this is no state") from None
        begin = at + _HEAD.size + width
        at = begin + length
        if at > len(state):
            raise ValueError("a state that is cut off")
        found.setdefault(name, []).append(state[begin:at])
    return found


def _cut(name: str, data: "bytes | bytearray | array[int]", length: int) -> Iterator[bytes]:
    width = data.itemsize if isinstance(data, array) else 1
    for at in range(0, length, SIZE // width):
        part = data[at : min(at + SIZE // width, length)]
        yield piece(name, part.tobytes() if isinstance(part, array) else bytes(part))
