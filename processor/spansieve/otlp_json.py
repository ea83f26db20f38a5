"""OTLP/JSON ⇄ protobuf, with tables made from the message descriptors.

The rules are those of the OTLP specification on top of proto3 JSON: trace and span ids are hexadecimal and other bytes
base64, 64-bit integers are decimal strings (read as numbers too), enums are integers, keys are lowerCamelCase, and
what is unknown is ignored. As in the Collector, who writes enums or keys as proto3 JSON also may, by the names of the
schema, is understood. google.protobuf.json_format knows none of the first, quotes values in its errors, and takes
ten times as long.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from spansieve.errors import MalformedRequest
from spansieve.model import REQUESTS, ExportRequest, Signal

# `resourceSpans` and its like: a request has one field.
_KEYS: Final = {signal: request.DESCRIPTOR.fields[0].json_name for signal, request in REQUESTS.items()}
_SIGNALS: Final = {
    name: signal
    for signal, request in REQUESTS.items()
    for name in (request.DESCRIPTOR.fields[0].json_name, request.DESCRIPTOR.fields[0].name)
}

# Protobuf decoders, ours and those downstream, refuse messages that are nested deeper: what JSON brings must fit too.
_MAX_DEPTH = 100

# Stands for an id that is not hexadecimal. No id is one byte long, so decode rejects the item and keeps the others.
_NO_ID = b"?"

_DECIMAL = re.compile(r"-?[0-9]{1,20}")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# An escape, a whole pair of surrogates as one: what is left of `d800` to `dfff` is half a character.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
_UNKNOWN = rb"\ufffd"
_SPECIAL_DOUBLES = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_URL_SAFE = str.maketrans("-_", "+/")


class _Mismatch(Exception):
    """A JSON value that does not fit its field. `path` is filled from the innermost part outwards."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.path: list[str] = []


def _text(value: object) -> str:
    if type(value) is str:
        return value
    raise _Mismatch("is not a string")


def _truth(value: object) -> bool:
    if type(value) is bool:
        return value
    raise _Mismatch("is not true or false")


def _integer(low: int, high: int) -> Callable[[object], int]:
    def convert(value: object) -> int:
        if type(value) is int:
            number = value
        elif (type(value) is str and _DECIMAL.fullmatch(value)) or (type(value) is float and value.is_integer()):
            number = int(value)  # proto3 JSON: 1.0 and 1e3 are integers
        else:
            raise _Mismatch("is not an integer")
        if not low <= number <= high:
            raise _Mismatch("is out of the range of its type")
        return number

    return convert


def _enum(numbers: Mapping[str, int]) -> Callable[[object], int]:
    def convert(value: object) -> int:
        if type(value) is int:
            return _int32(value)
        if type(value) is str and value in numbers:
            return numbers[value]
        raise _Mismatch("is not an integer, as OTLP/JSON writes enums")

    return convert


def _double(value: object) -> float:
    if type(value) is float or type(value) is int:
        return float(value)
    if type(value) is str:
        if value in _SPECIAL_DOUBLES:
            return _SPECIAL_DOUBLES[value]
        if _NUMBER.fullmatch(value):
            return float(value)
    raise _Mismatch("is not a number")


def _base64(value: object) -> bytes:
    if type(value) is not str:
        raise _Mismatch("is not a base64 string")
    try:
        return base64.b64decode(
            value.translate(_URL_SAFE).rstrip("=") + "=" * (-len(value.rstrip("=")) % 4), validate=True
        )
    except ValueError:
        raise _Mismatch("is not base64") from None


def _hex(value: object) -> bytes:
    if type(value) is not str:
        return _NO_ID
    try:
        return binascii.unhexlify(value)
    except ValueError:
        return _NO_ID


_int32 = _integer(-(2**31), 2**31 - 1)
_uint32 = _integer(0, 2**32 - 1)
_int64 = _integer(-(2**63), 2**63 - 1)
_uint64 = _integer(0, 2**64 - 1)

_READERS: Final[dict[int, Callable[[object], Any]]] = {
    FieldDescriptor.TYPE_STRING: _text,
    FieldDescriptor.TYPE_BOOL: _truth,
    FieldDescriptor.TYPE_DOUBLE: _double,
    FieldDescriptor.TYPE_BYTES: _base64,
    FieldDescriptor.TYPE_INT32: _int32,
    FieldDescriptor.TYPE_SINT32: _int32,
    FieldDescriptor.TYPE_UINT32: _uint32,
    FieldDescriptor.TYPE_FIXED32: _uint32,
    FieldDescriptor.TYPE_INT64: _int64,
    FieldDescriptor.TYPE_SFIXED64: _int64,
    FieldDescriptor.TYPE_UINT64: _uint64,
    FieldDescriptor.TYPE_FIXED64: _uint64,
}


def _as_is(value: object) -> object:
    return value


def _write_double(value: float) -> float | str:
    if value - value == 0:  # finite
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - the test for NaN


def _write_base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


_WRITERS: Final[dict[int, Callable[[Any], object]]] = {
    **dict.fromkeys((*_READERS, FieldDescriptor.TYPE_ENUM), _as_is),
    FieldDescriptor.TYPE_DOUBLE: _write_double,
    FieldDescriptor.TYPE_BYTES: _write_base64,
    FieldDescriptor.TYPE_INT64: str,
    FieldDescriptor.TYPE_SFIXED64: str,
    FieldDescriptor.TYPE_UINT64: str,
    FieldDescriptor.TYPE_FIXED64: str,
}


class _Field(NamedTuple):
    """How one field is read and written. `read` and `write` are None for messages, `shape` is None for the rest."""

    name: str
    json_name: str
    repeated: bool
    read: Callable[[object], Any] | None
    write: Callable[[Any], object] | None
    of: Descriptor | None


@cache
def _fields(of: Descriptor) -> tuple[Mapping[str, _Field], Mapping[str, _Field]]:
    """Return the fields of a message by what JSON may call them, and by name.

    The cache holds OTLP's some forty message types.
    """
    fields = [_field(field) for field in of.fields]
    by_name = {field.name: field for field in fields}
    return by_name | {field.json_name: field for field in fields}, by_name


def _field(field: FieldDescriptor) -> _Field:
    if field.message_type is not None:
        return _Field(field.name, field.json_name, field.is_repeated, None, None, field.message_type)
    if field.enum_type is not None:
        numbers = {value.name: value.number for value in field.enum_type.values}
        return _Field(field.name, field.json_name, field.is_repeated, _enum(numbers), _as_is, None)
    is_id = field.type == FieldDescriptor.TYPE_BYTES and field.name in ("trace_id", "span_id", "parent_span_id")
    read, write = (_hex, bytes.hex) if is_id else (_READERS[field.type], _WRITERS[field.type])
    return _Field(field.name, field.json_name, field.is_repeated, read, write, None)


def parse(body: bytes, signal: Signal) -> ExportRequest:
    """Read an export request from OTLP/JSON.

    An id that is not hexadecimal becomes one of a wrong length, so that decode rejects the item that bears it and not
    its neighbours. Where several members of a oneof are given, the last one counts, as on the wire. Half of a surrogate
    pair, which JavaScript leaves where it cuts a text within an emoji, becomes U+FFFD.

    Raises MalformedRequest, with the path of the first value that does not fit its field and never the value; also for
    a request of another signal, of which nothing would be read.
    """
    tree = _loads(body)
    if type(tree) is dict and tree:
        _check_signal(tree, signal)
    message = REQUESTS[signal]()
    try:
        _read(tree, message, _MAX_DEPTH)
    except _Mismatch as mismatch:
        path = "".join(reversed(mismatch.path)).removeprefix(".")
        raise MalformedRequest(f"{path or 'The body'} {mismatch.rule}.", path) from None
    return message


def signal_of(body: bytes) -> Signal:
    """Tell the signal of a request by its key. Raises MalformedRequest when it has not exactly one of the three."""
    tree = _loads(body)
    found = {_SIGNALS[key] for key in tree if key in _SIGNALS} if type(tree) is dict else set()
    if len(found) != 1:
        raise MalformedRequest(f"The body has not exactly one of the keys {', '.join(_KEYS.values())}.")
    return found.pop()


def _check_signal(tree: Mapping[str, object], signal: Signal) -> None:
    """Refuse what is of another signal, or of none: what is unknown is ignored, but not all that there is."""
    found = {_SIGNALS[key] for key in tree if key in _SIGNALS}
    if signal in found:
        return
    if found:
        key, path = _KEYS[min(found)], min(found).value
        raise MalformedRequest(f"{key} is of {path}, and this is where {signal.value} are taken.", key)
    raise MalformedRequest(f"The body has no {_KEYS[signal]}.", _KEYS[signal])


def _loads(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        whole = _ESCAPE.sub(_no_half, body)
        if whole != body:
            return _loads(whole)
        # orjson's own message is left out: it may quote from the body.
        if error.msg == "depth limit exceeded":
            raise MalformedRequest("The body is nested deeper than 1,024 levels.") from None
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedRequest(f"The body is not valid JSON: {where}.") from None


def _no_half(escape: re.Match[bytes]) -> bytes:
    return _UNKNOWN if escape[1] else escape[0]


def _read(tree: object, message: Any, depth: int) -> None:  # noqa: ANN401 - any generated message
    """Fill a message from a JSON object. A _Mismatch gathers its path on the way up: success pays nothing for it."""
    if type(tree) is not dict:
        raise _Mismatch("is not an object")
    if not depth:
        raise _Mismatch(f"is nested deeper than {_MAX_DEPTH} messages")
    fields = _fields(message.DESCRIPTOR)[0]
    for key, value in tree.items():
        field = fields.get(key)
        if field is None or value is None:  # proto3 JSON: null is the same as absent
            continue
        name, _, repeated, read, _, _ = field
        try:
            if repeated:
                _read_list(value, getattr(message, name), read, depth)
            elif read:
                setattr(message, name, read(value))
            else:
                child = getattr(message, name)
                child.SetInParent()
                _read(value, child, depth - 1)
        except _Mismatch as mismatch:
            mismatch.path.append(f".{key}")
            raise


def _read_list(value: object, target: Any, read: Callable[[object], Any] | None, depth: int) -> None:  # noqa: ANN401 - a repeated field
    if type(value) is not list:
        raise _Mismatch("is not a list")
    del target[:]
    index = 0
    try:
        if read:
            for index, item in enumerate(value):  # noqa: B007 - the handler says where it was
                target.append(read(item))
        else:
            for index, item in enumerate(value):  # noqa: B007 - the handler says where it was
                _read(item, target.add(), depth - 1)
    except _Mismatch as mismatch:
        mismatch.path.append(f"[{index}]")
        raise


def render(message: Message) -> bytes:
    """Write any OTLP message, request or response, as OTLP/JSON. Fields that have their default value are left out."""
    return orjson.dumps(_write(message))


def _write(message: Message) -> dict[str, object]:
    fields = _fields(message.DESCRIPTOR)[1]
    written: dict[str, object] = {}
    for descriptor, value in message.ListFields():
        _, json_name, repeated, _, write, _ = fields[descriptor.name]
        put = write or _write
        written[json_name] = [put(item) for item in value] if repeated else put(value)
    return written
