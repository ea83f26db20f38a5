"""Attributes as Python has them, from serialized KeyValues or from messages: only those of keys that anybody reads.

Parsing an attribute as a message costs many times as much as looking at its bytes. So its key is compared as bytes,
short texts, counts and truth values are read by hand, and short texts are remembered by their bytes: models, providers
and the like come again and again. What is not written in the one way in which protobuf writes it is parsed.
"""

import struct
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final, TypeAlias

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

Plain: TypeAlias = str | int | float | bool | tuple[str, ...] | AnyValue | None
"""A value: None when it is empty; of an array its texts; itself when it is a list of keys and values, or bytes."""
Found: TypeAlias = Mapping[str, Plain]

# KeyValue {key = 1, value = 2}; AnyValue {string_value = 1, bool_value = 2, int_value = 3, double_value = 4}
_KEY, _VALUE = 0x0A, 0x12
_STRING, _BOOL, _INT, _DOUBLE = 0x0A, 0x10, 0x18, 0x21
_ONE_BYTE: Final = 0x80  # lengths below it take one byte
_MOST_VARINT: Final = 5  # bytes of an integer that is read by hand: none is negative
_REMEMBERED: Final = 8192
_LONGEST_ITEM: Final = 256
_MAX_ITEMS: Final = 8  # of an array; lists of finish reasons have one or two
_double = struct.Struct("<d").unpack_from


class AttributeReader:
    """Reads the attributes of `keys`, and leaves the others alone."""

    def __init__(self, keys: Iterable[str]) -> None:
        # Values are the keys once more, so that each key is the same object wherever it was found.
        self._keys = {key: key for key in keys}
        self._heads = {
            bytes((_KEY, len(encoded))) + encoded: key for key in self._keys if len(encoded := key.encode()) < _ONE_BYTE
        }
        self._remembered: dict[bytes, str | tuple[str, ...]] = {}

    def of_bytes(self, attributes: Iterable[bytes]) -> dict[str, Plain]:
        """Read serialized KeyValues, which must be valid."""
        found: dict[str, Plain] = {}
        heads, remembered = self._heads, self._remembered
        for raw in attributes:
            if len(raw) < 2:
                continue  # it has no key
            at = raw[1] + 2
            key = heads.get(raw[:at])
            if key is None:
                if raw[0] == _KEY and at < _ONE_BYTE + 2:
                    continue
                self._parse(raw, found)
            elif len(raw) - at < _ONE_BYTE:
                known = remembered.get(raw)
                found[key] = known if known is not None else self._read(raw, at)
            else:
                found[key] = plain(KeyValue.FromString(raw).value)
        return found

    def of_messages(self, attributes: Iterable[KeyValue]) -> dict[str, Plain]:
        """Read messages."""
        keys = self._keys
        return {keys[key]: plain(attribute.value) for attribute in attributes if (key := attribute.key) in keys}

    def _parse(self, raw: bytes, found: dict[str, Plain]) -> None:
        attribute = KeyValue.FromString(raw)
        if (key := self._keys.get(attribute.key)) is not None:
            found[key] = plain(attribute.value)

    def _read(self, raw: bytes, at: int) -> Plain:
        """Read a value of which the tag stands at `at`, and that takes less than 128 bytes."""
        size = len(raw) - at - 2  # of the AnyValue
        if size > 1 and raw[at] == _VALUE and raw[at + 1] == size:
            kind, first = raw[at + 2], raw[at + 3]
            if kind == _STRING and first == size - 2:
                return self._remember(raw, raw[at + 4 :].decode())
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
        value = plain(KeyValue.FromString(raw).value)
        return self._remember(raw, value) if isinstance(value, tuple) else value

    def _remember(self, raw: bytes, value: str | tuple[str, ...]) -> Plain:
        if len(self._remembered) >= _REMEMBERED:
            # Ids that come once fill it; what comes again is back after one look.
            self._remembered.clear()
        self._remembered[raw] = value
        return value


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
