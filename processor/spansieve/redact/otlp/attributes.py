"""Attributes as the bytes they came in: which need no look, which one at their text, and which have to be parsed.

An attribute is a serialized KeyValue: tag, length and bytes of the key, then of the AnyValue. Nearly all are written in
the one way that protobuf's implementations write them, so that what stands before the value's text follows from the
length alone; whatever is written otherwise, or is neither a text nor a small number nor a truth value, is parsed and
walked as the attributes of a message are.
"""

import struct
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import KeyValue, KeyValueList

from spansieve.errors import MalformedRequest
from spansieve.otlp_reduced import NOT_A_REQUEST
from spansieve.redact.text import numbers
from spansieve.wire import varint

_KEY_TAG = 0x0A  # KeyValue.key = 1
_VALUE_TAG = b"\x12"  # KeyValue.value = 2
_STRING_TAG = b"\x0a"  # AnyValue.string_value = 1
_LONGEST_KEY = 0x7F  # bytes: its length is one byte. A longer one is parsed
_PREFIXES: Final = 4096
_NO_PREFIX = b"\xff"  # no message starts so
_DOUBLE = struct.Struct("<d")


class Key(NamedTuple):
    """What an attribute's key tells. `silent`: it says nothing of its value, and holds no value itself.

    `tells`: a rule may take the value for the key's sake alone, or it is a stamp's. `part`: what the keys of all parts
    of the message have in common of which the value is one.
    """

    name: str
    silent: bool
    wanted: bool
    stamp: bool
    tells: bool
    part: str = ""


def head(raw: bytes) -> bytes:
    """Give the bytes of an attribute's key, tag and length included; none when it is not written as usual."""
    if len(raw) < 2 or raw[0] != _KEY_TAG or not 0 < raw[1] <= _LONGEST_KEY or len(raw) < raw[1] + 2:
        return b""
    return raw[: raw[1] + 2]


def name(key_head: bytes) -> str:
    """Give the key of which `head` gave the bytes. Raises MalformedRequest when it is no text."""
    try:
        return key_head[2:].decode()
    except UnicodeDecodeError:
        raise MalformedRequest(NOT_A_REQUEST) from None


def _prefix(size: int) -> bytes:
    """What stands between a key and its text, when both tags, both lengths and the text take `size` bytes."""
    for width in range(1, 6):  # of the text's length
        for outer in (width, width + 1):  # of the value's
            text = size - 2 - outer - width
            if text >= 0 and len(varint(text)) == width and len(varint(1 + width + text)) == outer:
                return _VALUE_TAG + varint(1 + width + text) + _STRING_TAG + varint(text)
    return _NO_PREFIX


PREFIXES: Final = tuple(map(_prefix, range(_PREFIXES)))
"""What stands between a key and its text, by the bytes that follow the key."""


def prefix(size: int) -> bytes:
    """Look up, or make, what stands between a key and its text when `size` bytes follow the key."""
    return PREFIXES[size] if size < _PREFIXES else _prefix(size)


def with_text(key_head: bytes, text: str) -> bytes:
    """Write an attribute with a string value. Raises UnicodeEncodeError for what cannot be encoded."""
    return with_encoded(key_head, text.encode())


def with_encoded(key_head: bytes, encoded: bytes) -> bytes:
    """Write an attribute with a string value, which is given in UTF-8."""
    value = _STRING_TAG + varint(len(encoded)) + encoded
    return key_head + _VALUE_TAG + varint(len(value)) + value


def is_silent_number(value: bytes) -> bool:
    """Whether a serialized value, with its tag and length, is a truth value or a number that identifies nobody.

    Under a key that says nothing, that is: a count, a measure, a short number.
    """
    size = len(value)
    if size < 4 or value[0] != 0x12 or value[1] != size - 2:
        return False
    tag = value[2]
    if tag == 0x10:  # bool_value
        return size == 4 and value[3] <= 1
    if tag == 0x18:  # int_value, as a varint
        return size <= 8 and value[-1] < 0x80 and (size == 4 or min(value[3:-1]) >= 0x80)
    if tag == 0x21:  # double_value
        if size != 11:
            return False
        (number,) = _DOUBLE.unpack_from(value, 3)
        return not (numbers.is_whole(number) and numbers.may_identify(number))
    return False


def parse(raw: bytes, into: KeyValueList) -> KeyValue:
    """Parse an attribute as protobuf does, without what OTLP does not know. Raises MalformedRequest."""
    added = into.values.add()
    try:
        added.ParseFromString(raw)
    except DecodeError:
        raise MalformedRequest(NOT_A_REQUEST) from None
    added.DiscardUnknownFields()
    return added
