"""A segment's bytes: a head, and blocks of records, each sealed and checked. Pure.

    head    magic "SPSVJNL1" | segment number u64 | key id 8 | salt 32 | CRC-32 of all this
    block   magic "SPSB" | block number u32 | length u32 | position of the first record u64 | CRC-32 of the sealed bytes
            | CRC-32 of all this | sealed bytes

Numbers are big-endian. What is sealed is AES-256-GCM (NIST SP 800-38D) under a key of the segment's own, derived by
HKDF-SHA256 (RFC 5869) from the operator's key and the salt; the nonce is the block's number, so that none is used twice
under one key. Segment, block and position are sealed with the records: a block that was moved, or taken from another
segment, does not open. The CRCs say without a key what the disk broke.

After a crash a segment may hold anything behind the last synced block: zeros, halves of blocks, and whole blocks behind
such halves, since pages reach the disk in any order. `read` takes every block that is whole, and says what lay between.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
SALT_BYTES = 32
_TAG_BYTES = 16
_NONCE_BYTES = 12
_MAGIC = b"SPSVJNL1"
_BLOCK_MAGIC = b"SPSB"
_HEAD = struct.Struct(">8sQ8s32s")
_BLOCK = struct.Struct(">4sIIQI")
_CRC = struct.Struct(">I")

HEAD_BYTES = _HEAD.size + _CRC.size
BLOCK_HEAD_BYTES = _BLOCK.size + _CRC.size
BLOCK_BYTES = BLOCK_HEAD_BYTES + _TAG_BYTES
"""What a block takes beside its records."""


def key_id(key: bytes) -> bytes:
    """Name a key without giving it away: eight bytes of a hash of its own."""
    return hashlib.sha256(b"spansieve journal key id\0" + key).digest()[:8]


@dataclass(frozen=True, slots=True)
class SegmentHead:
    """Who a segment is, and which key opens it."""

    number: int
    key_id: bytes
    salt: bytes

    def encode(self) -> bytes:
        """The first bytes of the segment."""
        head = _HEAD.pack(_MAGIC, self.number, self.key_id, self.salt)
        return head + _CRC.pack(zlib.crc32(head))

    @classmethod
    def decode(cls, data: bytes | memoryview) -> "SegmentHead | None":
        """Read the first bytes of a segment; None when they are not a head."""
        if len(data) < HEAD_BYTES:
            return None
        head = bytes(data[: _HEAD.size])
        magic, number, key, salt = _HEAD.unpack(head)
        (crc,) = _CRC.unpack_from(data, _HEAD.size)
        return cls(number, key, salt) if magic == _MAGIC and crc == zlib.crc32(head) else None


class Seal:
    """Seals and opens the blocks of one segment. Who seals numbers the blocks and never repeats a number."""

    def __init__(self, key: bytes, head: SegmentHead) -> None:
        derived = HKDF(hashes.SHA256(), KEY_BYTES, head.salt, b"spansieve journal 1" + head.encode()).derive(key)
        self._cipher = AESGCM(derived)

    def block(self, number: int, position: int, records: bytes, room: bytearray | None = None) -> memoryview:
        """Seal records, the first of which stands at `position`, into `room` of BLOCK_BYTES more than these at least.

        Without it, into room of its own: memory that is fresh each time costs more than sealing.
        """
        length = len(records) + _TAG_BYTES
        block = memoryview(room if room is not None else bytearray(BLOCK_HEAD_BYTES + length))
        block = block[: BLOCK_HEAD_BYTES + length]
        sealed = block[BLOCK_HEAD_BYTES:]
        self._cipher.encrypt_into(_nonce(number), records, _bound(number, position), sealed)
        head = _BLOCK.pack(_BLOCK_MAGIC, number, length, position, zlib.crc32(sealed))
        block[:BLOCK_HEAD_BYTES] = head + _CRC.pack(zlib.crc32(head))
        return block

    def open(self, number: int, position: int, sealed: bytes | memoryview) -> bytes | None:
        """Open what `block` sealed; None when it is not what was sealed under these numbers."""
        try:
            return self._cipher.decrypt(_nonce(number), sealed, _bound(number, position))
        except InvalidTag:
            return None


@dataclass(frozen=True, slots=True)
class Block:
    """A whole block: its records, still in one piece, and the position of the first."""

    end: int  # where the next one may begin, in the segment
    position: int
    records: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes that are no block. `is_tail`: no whole block follows, as when the machine stopped in mid-write."""

    offset: int
    length: int
    is_tail: bool


@dataclass(frozen=True, slots=True)
class BlockHead:
    """What stands before the sealed bytes of a block: its number in the segment, their length and CRC-32."""

    number: int
    length: int
    position: int
    crc: int

    @classmethod
    def decode(cls, data: bytes) -> "BlockHead | None":
        """Read the first BLOCK_HEAD_BYTES of a block; None when they are none."""
        if len(data) < BLOCK_HEAD_BYTES:
            return None
        head = data[: _BLOCK.size]
        magic, number, length, position, crc = _BLOCK.unpack(head)
        (head_crc,) = _CRC.unpack_from(data, _BLOCK.size)
        return cls(number, length, position, crc) if magic == _BLOCK_MAGIC and head_crc == zlib.crc32(head) else None

    def open(self, sealed: bytes | memoryview, seal: Seal) -> bytes | None:
        """Check and open what follows; None when it is not what was sealed."""
        if len(sealed) != self.length or zlib.crc32(sealed) != self.crc:
            return None
        return seal.open(self.number, self.position, sealed)


def read(data: bytes | memoryview, seal: Seal) -> Iterator[Block | Gap]:
    """Read a segment behind its head: every whole block in its order, and what lies between them or after the last.

    Zeros after the last block are room that was allocated and never used, not a gap.
    """
    data = bytes(data)
    at = broken_since = HEAD_BYTES
    while (at := data.find(_BLOCK_MAGIC, at)) >= 0:
        found = _block_at(data, at, seal)
        if found is None:
            at += 1
            continue
        if at > broken_since:
            yield Gap(broken_since, at - broken_since, is_tail=False)
        at = broken_since = found.end
        yield found
    rest = data[broken_since:].rstrip(b"\0")
    if rest:
        yield Gap(broken_since, len(rest), is_tail=True)


def _block_at(data: bytes, at: int, seal: Seal) -> Block | None:
    """The block at an offset; None when there is none, or it is broken."""
    start = at + BLOCK_HEAD_BYTES
    head = BlockHead.decode(data[at:start])
    if head is None:
        return None
    end = start + head.length
    records = head.open(memoryview(data)[start:end], seal)
    return None if records is None else Block(end, head.position, records)


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_BYTES, "big")


def _bound(number: int, position: int) -> bytes:
    return _CRC.pack(number) + position.to_bytes(8, "big")
