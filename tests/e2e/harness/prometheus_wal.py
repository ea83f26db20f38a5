"""Prometheus' write-ahead log in the clear: what it holds is compressed, and a search should not be blind to it.

Formats: tsdb/docs/format/wal.md of Prometheus, and format_description.txt of snappy (blocks, without framing).
"""

_PAGE_BYTES = 32 * 1024
_HEADER_BYTES = 7  # type and compression, length (2), CRC (4)
_FULL, _LAST = 1, 4  # types that end a record; the others are continued
_SNAPPY, _ZSTD = 8, 16


def plain(segment: bytes) -> bytes:
    """All records of one segment, decompressed, one after the other. Raises ValueError for another compression."""
    records: list[bytes] = []
    parts: list[bytes] = []
    for start in range(0, len(segment), _PAGE_BYTES):
        page = segment[start : start + _PAGE_BYTES]
        at = 0
        while at + _HEADER_BYTES <= len(page) and page[at]:  # type 0: the rest of the page is empty
            kind, begin = page[at], at + _HEADER_BYTES
            at = begin + int.from_bytes(page[at + 1 : at + 3], "big")
            parts.append(page[begin:at])
            if kind & 7 in (_FULL, _LAST):
                if kind & _ZSTD:
                    raise ValueError("the log is compressed with zstd, which is not read here")
                record = b"".join(parts)
                records.append(unsnappy(record) if kind & _SNAPPY else record)
                parts.clear()
    return b"\0".join(records)


def unsnappy(block: bytes) -> bytes:
    """Decompress one block: a varint of the length, then literals and copies of what has come before."""
    at = 0
    while block[at] & 0x80:
        at += 1
    at += 1
    out = bytearray()
    while at < len(block):
        tag = block[at]
        at += 1
        if tag & 3 == 0:
            length = tag >> 2
            if length >= 60:
                more = length - 59
                length = int.from_bytes(block[at : at + more], "little")
                at += more
            out += block[at : at + length + 1]
            at += length + 1
            continue
        if tag & 3 == 1:
            length, offset = 4 + (tag >> 2 & 7), (tag >> 5 << 8) | block[at]
            at += 1
        else:
            size = 2 if tag & 3 == 2 else 4
            length, offset = 1 + (tag >> 2), int.from_bytes(block[at : at + size], "little")
            at += size
        for _ in range(length):  # byte by byte: a copy may reach into itself
            out.append(out[-offset])
    return bytes(out)
