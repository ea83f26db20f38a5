"""Requests with a string that is no UTF-8, mended: protobuf's decoder refuses the whole message for one.

JavaScript cuts a text within an emoji, and some of its encoders then write half of a surrogate pair as three bytes.
Others take such a request, so its other items must not be lost here. Only looked at when a request was refused.
"""

from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from spansieve.wire import varint

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_FIXED: Final = {_FIXED64: 8, _FIXED32: 4}
_DEEPEST: Final = 100  # messages within messages, where protobuf's decoder stops
_LONGEST_VARINT: Final = 10  # bytes
# Of the message and all within it: half a second. That many are 5,000 spans of chat; garbage may be of millions.
_MOST_FIELDS: Final = 500_000


class _NoMessage(Exception):
    """What was to be read as a message is none."""


def mended(body: bytes, of: Descriptor) -> bytes | None:
    """The serialized message with U+FFFD for what is no UTF-8 in its strings. None when that is not what is wrong."""
    try:
        new = _message(body, of, _DEEPEST, [_MOST_FIELDS])
    except _NoMessage:
        return None
    return None if new is body else new


def _message(data: bytes, of: Descriptor, depth: int, left: list[int]) -> bytes:
    """The message, or a new one when a string in it was mended. `left` holds how many fields may still be read."""
    if not depth:
        raise _NoMessage
    fields = of.fields_by_number
    pieces: list[bytes] = []
    at = done = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        left[0] -= 1
        if tag < 8 or left[0] < 0:  # there is no field 0
            raise _NoMessage
        if kind == _DELIMITED:
            behind_tag = at
            size, at = _varint(data, at)
            end = at + size
            field = fields.get(tag >> 3)
            if field is not None and end <= len(data):
                inner = data[at:end]
                new = _field(inner, field, depth, left)
                if new is not inner:
                    pieces += data[done:behind_tag], varint(len(new)), new
                    done = end
            at = end
        elif kind == _VARINT:
            _, at = _varint(data, at)
        elif kind in _FIXED:
            at += _FIXED[kind]
        else:
            raise _NoMessage
    if at != len(data):
        raise _NoMessage
    return b"".join((*pieces, data[done:])) if pieces else data


def _field(inner: bytes, field: FieldDescriptor, depth: int, left: list[int]) -> bytes:
    if field.message_type is not None:
        return _message(inner, field.message_type, depth - 1, left)
    if field.type == FieldDescriptor.TYPE_STRING:
        try:
            inner.decode()
        except UnicodeDecodeError:
            return inner.decode("utf-8", "replace").encode()
    return inner


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for number, byte in enumerate(data[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * number
        if byte < 0x80:
            return value, at + number + 1
    raise _NoMessage
