"""No field of any request can hold a raw value. The fields come from the descriptors, so no new one is missed."""

import json
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from spansieve.model import Signal
from unit.redact.helpers_redact import REQUESTS, run, text_fields, untouchable

PLANTED = "alice@example.com"
_PATHS = [(signal, path) for signal, kind in REQUESTS.items() for path in text_fields(kind.DESCRIPTOR)]


def _nested(value: AnyValue, depth: int) -> None:
    for level in range(depth):
        value = value.kvlist_value.values.add(key="k").value if level % 2 else value.array_value.values.add()
    value.string_value = PLANTED


_SHAPES: dict[str, Any] = {
    "string": lambda value: setattr(value, "string_value", f"to {PLANTED} now"),
    "bytes": lambda value: setattr(value, "bytes_value", PLANTED.encode()),
    "binary": lambda value: setattr(value, "bytes_value", b"\xff\x00" + PLANTED.encode()),
    "array": lambda value: value.array_value.values.add(string_value=PLANTED),
    "kvlist": lambda value: value.kvlist_value.values.add(key="k").value.CopyFrom(AnyValue(string_value=PLANTED)),
    "kvlist key": lambda value: value.kvlist_value.values.add(key=PLANTED).value.CopyFrom(AnyValue(int_value=1)),
    "deep": lambda value: _nested(value, 40),
    "json": lambda value: setattr(value, "string_value", json.dumps({"a": [1, {"b": PLANTED}]})),
    "json key": lambda value: setattr(value, "string_value", json.dumps({PLANTED: 1})),
    "json in json": lambda value: setattr(value, "string_value", json.dumps({"a": json.dumps([json.dumps(PLANTED)])})),
    "escaped json": lambda value: setattr(value, "string_value", json.dumps([PLANTED]).replace("@", "\\u0040")),
    "json bytes": lambda value: setattr(value, "bytes_value", json.dumps([PLANTED]).encode()),
    "cut json": lambda value: setattr(value, "string_value", json.dumps([PLANTED, "x"])[:-3]),
}


def _fill(message: Message, path: tuple[FieldDescriptor, ...], shape: str) -> None:
    for field in path[:-1]:
        child = getattr(message, field.name)
        message = child.add() if hasattr(child, "add") else child
        if not hasattr(child, "add"):
            child.SetInParent()
    last = path[-1]
    if last.type == FieldDescriptor.TYPE_MESSAGE:
        value = getattr(message, last.name)
        _SHAPES[shape](value.add() if hasattr(value, "add") else value)
    elif hasattr(getattr(message, last.name), "append"):
        getattr(message, last.name).append(PLANTED)
    else:
        setattr(message, last.name, PLANTED if last.type == FieldDescriptor.TYPE_STRING else PLANTED.encode())


def _name(path: tuple[FieldDescriptor, ...]) -> str:
    return ".".join(field.name for field in path)


_CASES = [
    pytest.param(signal, path, shape, id=f"{_name(path)}-{shape}")
    for signal, path in _PATHS
    for shape in (_SHAPES if path[-1].type == FieldDescriptor.TYPE_MESSAGE else ["string"])
]


@pytest.mark.parametrize(("signal", "path", "shape"), _CASES)
def test_a_planted_value_is_gone_from_the_serialized_request(
    signal: Signal, path: tuple[FieldDescriptor, ...], shape: str
) -> None:
    """Whatever field held it, and in whatever shape, the value is not in the bytes that leave."""
    message = REQUESTS[signal]()
    _fill(message, path, shape)
    assert b"alice" in message.SerializeToString()
    before = untouchable(message)
    batch = run(message)
    out = batch.message.SerializeToString()
    assert b"alice" not in out
    assert b"example.com" not in out
    assert sum(batch.findings.values()) == 1
    assert untouchable(batch.message) == before


def test_the_descriptors_have_the_fields_we_know() -> None:
    """The walk over descriptors finds fields at all: their number only grows with the protocol."""
    assert len(_PATHS) >= 60
