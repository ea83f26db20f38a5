"""Attributes as Python has them, from serialized KeyValues or from messages: only those of keys that anybody reads.

Parsing an attribute as a message costs many times as much as looking at its bytes. So what was read of a short one is
remembered by its bytes: models, providers, names and small counts come again and again. Of a new one the key is
compared as bytes, and short texts, numbers and truth values are read by hand. What is not written in the one way in
which protobuf writes it is parsed.
"""

import struct
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final, TypeAlias

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

Plain: TypeAlias = str | int | float | bool | tuple[str, ...] | AnyValue | None
"""A value: None when it is empty; of an array its texts; itself when it is a list of keys and values, or bytes."""
Found: TypeAlias = Mapping[str, Plain]
_Pair: TypeAlias = tuple[str, Plain]

# KeyValue {key = 1, value = 2}; AnyValue {string_value = 1, bool_value = 2, int_value = 3, double_value = 4}
_KEY, _VALUE = 0x0A, 0x12
_STRING, _BOOL, _INT, _DOUBLE = 0x0A, 0x10, 0x18, 0x21
_ONE_BYTE: Final = 0x80  # lengths below it take one byte
_MOST_VARINT: Final = 5  # bytes of an integer that is read by hand: none is negative
_REMEMBERED: Final = 8192
_VALUES: Final = 64  # of one key that are remembered
_LONGEST_REMEMBERED: Final = 192  # bytes
_LONGEST_ITEM: Final = 256
_MAX_ITEMS: Final = 8  # of an array; lists of finish reasons have one or two
_double = struct.Struct("<d").unpack_from


class AttributeReader:
    """Reads the attributes of `keys`, and leaves the others alone."""

    def __init__(self, keys: Iterable[str]) -> None:
        # Values are the keys once more, so that each key is the same object wherever it was found.
        self._keys = {key: key for key in keys}
        heads = {
            bytes((_KEY, len(encoded))) + encoded: key for key in self._keys if len(encoded := key.encode()) < _ONE_BYTE
        }
        self._remembered = _Memory(self._keys, heads)

    def of_bytes(self, attributes: Iterable[bytes]) -> dict[str, Plain]:
        """Read serialized KeyValues, which must be valid."""
        remembered = self._remembered
        read = remembered.__missing__
        # A long one is not looked for: hashing it would cost more than reading it.
        pairs = [remembered[raw] if len(raw) <= _LONGEST_REMEMBERED else read(raw) for raw in attributes]
        return dict(filter(None, pairs))

    def of_messages(self, attributes: Iterable[KeyValue]) -> dict[str, Plain]:
        """Read messages."""
        keys = self._keys
        return {keys[key]: plain(attribute.value) for attribute in attributes if (key := attribute.key) in keys}


class _Memory(dict[bytes, _Pair | None]):
    """Attributes, serialized, and what was read of them: most spans carry many that others carried before.

    Of each key the first values only: one that takes ever new ones, such as an id, would fill it with what is never
    asked for again. `heads` are the keys as they are serialized, as far as they are short.
    """

    def __init__(self, keys: Mapping[str, str], heads: Mapping[bytes, str]) -> None:
        super().__init__()
        self._keys = keys
        self._heads = heads
        self._values: dict[bytes, int] = {}  # by head

    def __missing__(self, raw: bytes) -> _Pair | None:
        """Return the key and the value of a serialized KeyValue, None when nobody reads it."""
        at = raw[1] + 2 if len(raw) > 1 else 0
        head = raw[:at]
        key = self._heads.get(head)
        pair = self._unusual(raw, at) if key is None else (key, _value(raw, at))
        values = self._values.get(head, 0)
        if values < _VALUES and len(raw) <= _LONGEST_REMEMBERED:
            if len(self) >= _REMEMBERED:
                self.clear()  # what comes again is back after one look
                self._values.clear()
                values = 0
            self._values[head] = values + 1
            self[raw] = pair
        return pair

    def _unusual(self, raw: bytes, at: int) -> _Pair | None:
        if at == 0 or (raw[0] == _KEY and at < _ONE_BYTE + 2):
            return None  # it has no key, or one that nobody reads
        attribute = KeyValue.FromString(raw)
        key = self._keys.get(attribute.key)
        return None if key is None else (key, plain(attribute.value))


def _value(raw: bytes, at: int) -> Plain:
    """Return the value of a KeyValue, of which the tag stands at `at`."""
    size = len(raw) - at - 2  # of the AnyValue
    if 1 < size < _ONE_BYTE and raw[at] == _VALUE and raw[at + 1] == size:
        kind, first = raw[at + 2], raw[at + 3]
        if kind == _STRING and first == size - 2:
            return raw[at + 4 :].decode()
        if kind == _INT and size <= _MOST_VARINT + 1 and raw[-1] < _ONE_BYTE:
            number = 0
            for index in range(len(raw) - 1, at + 2, -1):
                number = number << 7 | raw[index] & 0x7F
            return number
        if kind == _DOUBLE and size == 9:
            number_with_a_point: float = _double(raw, at + 3)[0]
            return number_with_a_point
        if kind == _BOOL and size == 2:
            return first != 0
    return plain(KeyValue.FromString(raw).value)


def plain(value: AnyValue) -> Plain:
    """Return a value as Python has it."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "bool_value":
            return value.bool_value
        case None:
            return None
        case "array_value":
            items = (item.string_value for item in islice(value.array_value.values, _MAX_ITEMS))
            return tuple([item[:_LONGEST_ITEM] for item in items if item])
        case _:
            return value


def is_empty(value: Plain) -> bool:
    """Whether a value says nothing: it is absent, an empty text or an empty array."""
    return value is None or value in ("", ())
