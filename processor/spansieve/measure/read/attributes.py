"""Attributes as Python has them, from serialized KeyValues: only those of keys that anybody reads.

Parsing an attribute as a message costs many times as much as looking at its bytes. So what was read of a short one is
remembered by its bytes: models, providers, names and small counts come again and again. Of a new one the key is
compared as bytes, and short texts, numbers and truth values are read by hand. What is not written in the one way in
which protobuf writes it is parsed.

What was read comes with a mark for each attribute. Of a key whose values come again and again, such as a model's name,
the mark is the whole attribute as it came; of any other one it is the key. So two spans with the same marks differ in
ids and numbers alone, and what marks say has to be worked out once.
"""

import struct
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final, TypeAlias

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

Plain: TypeAlias = str | int | float | bool | tuple[str, ...] | AnyValue | None
"""A value: None when it is empty; of an array its texts; itself when it is a list of keys and values, or bytes."""
Found: TypeAlias = Mapping[str, Plain]
Mark: TypeAlias = str | bytes
_Read: TypeAlias = tuple[Mark, Plain] | tuple[()]

# KeyValue {key = 1, value = 2}; AnyValue {string_value = 1, bool_value = 2, int_value = 3, double_value = 4}
_KEY, _VALUE = 0x0A, 0x12
_STRING, _BOOL, _INT, _DOUBLE = 0x0A, 0x10, 0x18, 0x21
_ONE_BYTE: Final = 0x80  # lengths below it take one byte
_MOST_VARINT: Final = 5  # bytes of an integer that is read by hand: none is negative
_REMEMBERED: Final = 16_384  # some 4 MB
_VALUES: Final = 256  # of one key that are remembered: as many as answers have lengths
_FEW_VALUES: Final = 512  # of one whose values come again and again
_UNREAD: Final = 1024
_LONGEST_REMEMBERED: Final = 192  # bytes
_LONGEST_ITEM: Final = 256
_MAX_ITEMS: Final = 8  # of an array; lists of finish reasons have one or two
_NOTHING: Final[dict[bytes, tuple[()]]] = dict.fromkeys([b"", *(bytes((byte,)) for byte in range(256))], ())
"""Attributes that are too short to have a key, and what is read of them."""
_double = struct.Struct("<d").unpack_from


class AttributeReader:
    """Reads the attributes of `keys`, and leaves the others alone; of those in `few`, values come again and again."""

    def __init__(self, keys: Iterable[str], few: Iterable[str] = ()) -> None:
        # Values are the keys once more, so that each key is the same object wherever it was found.
        self._keys = {key: key for key in keys}
        self._heads = {
            bytes((_KEY, len(encoded))) + encoded: key for key in self._keys if len(encoded := key.encode()) < _ONE_BYTE
        }
        self._remembered = _Memory(self._keys, self._heads, frozenset(few))

    def read(self, attributes: Iterable[bytes]) -> tuple[tuple[Mark, ...], list[Plain]]:
        """Read serialized KeyValues, which must be valid: the marks of those that are read, and their values."""
        remembered = self._remembered
        known, ever_new, anew = remembered.get, remembered.ever_new.get, remembered.anew
        unread = remembered.unread
        marks: list[Mark] = []
        found: list[Plain] = []
        for raw in attributes:
            # A long one is not looked for: hashing it would cost more than reading it.
            if len(raw) <= _LONGEST_REMEMBERED:
                if (read := known(raw)) is None:
                    at = raw[1] + 2  # there are two bytes: what is shorter is known
                    if (key := ever_new(raw[:at])) is not None:
                        if key:
                            marks.append(key)
                            found.append(_value(raw, at))
                        continue
                    read = anew(raw, raw[:at])
            elif (head := raw[: raw[1] + 2]) in unread:
                continue
            else:
                read = anew(raw, head)
            if read:
                mark, value = read
                marks.append(mark)
                found.append(value)
        return tuple(marks), found

    def of_bytes(self, attributes: Iterable[bytes]) -> dict[str, Plain]:
        """Read serialized KeyValues by their keys; of two with the same key the last one counts."""
        marks, found = self.read(attributes)
        return dict(zip(self.keys(marks), found, strict=True))

    def keys(self, marks: Iterable[Mark]) -> tuple[str, ...]:
        """Return the keys of attributes that were read."""
        return tuple([mark if isinstance(mark, str) else self._key(mark) for mark in marks])

    def _key(self, raw: bytes) -> str:
        return self._heads.get(raw[: raw[1] + 2]) or self._keys[KeyValue.FromString(raw).key]


class _Memory(dict[bytes, _Read]):
    """Attributes, serialized, and what was read of them: most spans carry many that others carried before.

    Of each key the first values only: one that takes ever new ones, such as an id, would fill it with what is never
    asked for again. `heads` are the keys as they are serialized, as far as they are short.
    """

    def __init__(self, keys: Mapping[str, str], heads: Mapping[bytes, str], few: frozenset[str]) -> None:
        super().__init__()
        self._keys = keys
        self._heads = heads
        self._few = few
        self._values: dict[bytes, int] = {}  # by head
        self._forget()
        self.ever_new: dict[bytes, str] = {}
        """Keys of which no more values are remembered, by their heads; empty for one that nobody reads."""
        self.unread: set[bytes] = set()
        """Heads of keys with long values that nobody reads."""

    def _forget(self) -> None:
        self.clear()
        self.update(_NOTHING)

    def anew(self, raw: bytes, head: bytes) -> _Read:
        """Read a serialized KeyValue whose key is in `head`: its mark and value, nothing when nobody reads it."""
        key = self._heads.get(head)
        if key is None:
            read = self._unusual(raw, len(head))
        else:
            read = (raw if key in self._few else key), _value(raw, len(head))
        if len(raw) <= _LONGEST_REMEMBERED:
            values = self._values.get(head, 0)
            if values < (_FEW_VALUES if key in self._few else _VALUES):
                if len(self) >= _REMEMBERED:
                    self._forget()  # what comes again is back after one look
                    self._values.clear()
                    self.ever_new.clear()
                    values = 0
                self._values[head] = values + 1
                self[raw] = read
            elif key not in self._few and head and head[0] == _KEY and head[1] < _ONE_BYTE:
                self.ever_new[head] = key or ""
        elif key is None and raw[0] == _KEY and raw[1] < _ONE_BYTE and len(self.unread) < _UNREAD:
            self.unread.add(head)
        return read

    def _unusual(self, raw: bytes, at: int) -> _Read:
        if at == 0 or (raw[0] == _KEY and at < _ONE_BYTE + 2):
            return ()  # it has no key, or one that nobody reads
        attribute = KeyValue.FromString(raw)
        key = self._keys.get(attribute.key)
        return () if key is None else ((raw if key in self._few else key), plain(attribute.value))


def _value(raw: bytes, at: int) -> Plain:
    """Return the value of a KeyValue, of which the tag stands at `at`."""
    size = len(raw) - at - 2  # of the AnyValue
    if 1 < size < _ONE_BYTE and raw[at + 1] == size and raw[at] == _VALUE:
        kind = raw[at + 2]
        if kind == _STRING:
            if raw[at + 3] == size - 2:
                return raw[at + 4 :].decode()
        elif kind == _INT:
            if size == 3 and raw[-1] < _ONE_BYTE:
                return raw[-1] << 7 | raw[-2] & 0x7F  # as most counts of tokens
            if size <= _MOST_VARINT + 1 and raw[-1] < _ONE_BYTE <= min(raw[at + 3 : -1], default=_ONE_BYTE):
                return sum((byte & 0x7F) << 7 * index for index, byte in enumerate(raw[at + 3 :]))
        elif kind == _DOUBLE and size == 9:
            number_with_a_point: float = _double(raw, at + 3)[0]
            return number_with_a_point
        elif kind == _BOOL and size == 2:
            return raw[at + 3] != 0
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
