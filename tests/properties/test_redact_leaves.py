"""No field of any request holds a raw value of any class. The fields come from the descriptors: none is missed."""

import base64
import json
from collections.abc import Callable
from random import Random

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from spansieve.model import Signal
from unit.redact.helpers_evasion import MAKERS
from unit.redact.helpers_redact import REQUESTS, run, text_fields, untouchable

Plant = Callable[[AnyValue, str], None]

_PATHS = [(signal, path) for signal, kind in REQUESTS.items() for path in text_fields(kind.DESCRIPTOR)]


def _secret(prefix: str, size: int, alphabet: str = "abcdefghijklmnopqrstuvwxyz0123456789") -> Callable[[Random], str]:
    return lambda random: prefix + "7" + "".join(random.choices(alphabet, k=size))


_CLASSES: dict[str, Callable[[Random], str]] = {
    **MAKERS,
    "ipv6": lambda random: ":".join(f"{random.randint(0x2001, 0xFDFF):x}" for _ in range(8)),
    "mac": lambda random: ":".join(["3c", *(f"{random.randint(16, 255):02x}" for _ in range(5))]),
    "anthropic key": _secret("sk-ant-" + "api03-", 40),
    "github token": _secret("ghp_", 35),
    "slack token": _secret("xoxb-" + "123456789012-123456789012-", 23),
    "pem": lambda random: "-----BEGIN RSA PRI" + "VATE KEY-----\n" + _secret("MII", 60)(random),
    "connection string": lambda random: f"postgres://app:{_secret('pw', 12)(random)}@db.internal/app",
    "bearer": lambda random: "Bearer " + _secret("t", 30)(random),
    "assignment": lambda random: "password=" + _secret("pw", 12)(random),
}
"""The classes of tier 1 that are found without a key, each with what makes a value."""


def _string(value: AnyValue, planted: str) -> None:
    value.string_value = f"to {planted}"


def _bytes(value: AnyValue, planted: str) -> None:
    value.bytes_value = planted.encode()


def _binary(value: AnyValue, planted: str) -> None:
    value.bytes_value = b"\xff\x00" + planted.encode()


def _array(value: AnyValue, planted: str) -> None:
    value.array_value.values.add(string_value="first")
    value.array_value.values.add(string_value=planted)


def _split(value: AnyValue, planted: str) -> None:
    middle = len(planted) // 2
    value.array_value.values.add(string_value="to " + planted[:middle])
    value.array_value.values.add(string_value=planted[middle:] + " now")


def _kvlist(value: AnyValue, planted: str) -> None:
    value.kvlist_value.values.add(key="k").value.string_value = planted


def _kvlist_key(value: AnyValue, planted: str) -> None:
    value.kvlist_value.values.add(key=planted).value.int_value = 1


def _deep(value: AnyValue, planted: str) -> None:
    for level in range(40):
        value = value.kvlist_value.values.add(key="k").value if level % 2 else value.array_value.values.add()
    value.string_value = planted


def _as(write: Callable[[str], str]) -> Plant:
    def plant(value: AnyValue, planted: str) -> None:
        value.string_value = write(planted)

    return plant


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in text)


_SHAPES: dict[str, Plant] = {
    "string": _string,
    "bytes": _bytes,
    "binary": _binary,
    "array": _array,
    "kvlist": _kvlist,
    "kvlist key": _kvlist_key,
    "deep": _deep,
    "json": _as(lambda planted: json.dumps({"a": [1, {"b": planted}]})),
    "json key": _as(lambda planted: json.dumps({planted: 1})),
    "json in json": _as(lambda planted: json.dumps({"a": json.dumps([json.dumps({"b": planted})])})),
    "escaped json": _as(lambda planted: f'["{_escaped(planted)}"]'),
    "cut json": _as(lambda planted: json.dumps([planted, "x"])[:-3]),
    "json lines": _as(lambda planted: json.dumps({"a": 1}) + "\n" + json.dumps({"a": planted})),
    "python repr": _as(lambda planted: repr({"a": [planted], "b": None})),
    "base64": _as(lambda planted: base64.b64encode(f"to {planted}".encode()).decode()),
}


def _fill(message: Message, path: tuple[FieldDescriptor, ...], plant: Plant, planted: str) -> None:
    for field in path[:-1]:
        child = getattr(message, field.name)
        message = child.add() if hasattr(child, "add") else child
        if not hasattr(child, "add"):
            child.SetInParent()
    last = path[-1]
    if last.type == FieldDescriptor.TYPE_MESSAGE:
        value = getattr(message, last.name)
        plant(value.add() if hasattr(value, "add") else value, planted)
    elif hasattr(getattr(message, last.name), "append"):
        getattr(message, last.name).append(planted)
    else:
        setattr(message, last.name, planted if last.type == FieldDescriptor.TYPE_STRING else planted.encode())


def _name(path: tuple[FieldDescriptor, ...]) -> str:
    return ".".join(field.name for field in path)


def _is_value(path: tuple[FieldDescriptor, ...]) -> bool:
    return path[-1].type == FieldDescriptor.TYPE_MESSAGE


@pytest.mark.parametrize(("signal", "path"), [pytest.param(signal, path, id=_name(path)) for signal, path in _PATHS])
def test_a_planted_value_is_gone_from_the_serialized_request(signal: Signal, path: tuple[FieldDescriptor, ...]) -> None:
    """Whatever class it was of, and in whatever shape, what a field held is not in the bytes that leave."""
    random = Random(_name(path))
    for shape in _SHAPES if _is_value(path) else ("string",):
        for kind, make in _CLASSES.items():
            if (kind, path[-1].name) == ("ip", "version"):
                continue  # four numbers with dots are a version there
            planted = make(random)
            message = REQUESTS[signal]()
            _fill(message, path, _SHAPES[shape], planted)
            raw = _raw(message, planted)
            before = untouchable(message)
            batch = run(message)
            out = batch.message.SerializeToString()
            assert raw not in out, (shape, kind)
            assert _tail(planted) not in out, (shape, kind)
            assert batch.findings, (shape, kind)
            assert {"error", "budget"}.isdisjoint(batch.findings), (shape, kind)
            assert untouchable(batch.message) == before, (shape, kind)


def _raw(message: Message, planted: str) -> bytes:
    """The planted value as it stands in the bytes that come in: written out, or within what is encoded."""
    written = planted.encode()
    came = message.SerializeToString()
    return written if written in came else came[-24:]


def _tail(planted: str) -> bytes:
    """The half of a value that gives it away."""
    return planted[-(len(planted) // 2) :].encode()


@pytest.mark.parametrize("kind", _CLASSES)
def test_a_value_split_over_a_list_is_gone(kind: str) -> None:
    """Of a value that two neighbouring strings hold in halves, neither half is left whole."""
    signal, path = next((signal, path) for signal, path in _PATHS if _is_value(path))
    random = Random(kind)
    for _ in range(20):
        planted = _CLASSES[kind](random)
        message = REQUESTS[signal]()
        _fill(message, path, _split, planted)
        out = run(message).message.SerializeToString()
        half = len(planted) // 2
        assert planted[:half].encode() not in out or planted[half:].encode() not in out


def test_the_descriptors_have_the_fields_we_know() -> None:
    """The walk over descriptors finds fields at all: their number only grows with the protocol."""
    assert len(_PATHS) >= 60
