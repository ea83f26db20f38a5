"""Attributes as bytes: what is told without parsing them."""

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList

from spansieve.errors import MalformedRequest
from spansieve.redact.otlp import attributes


def _attribute(key: str, value: AnyValue) -> bytes:
    return KeyValue(key=key, value=value).SerializeToString()


@pytest.mark.parametrize("size", [*range(300), 4080, 4090, 4095, 4096, 16_380, 16_383, 16_384, 2_097_151, 2_097_152])
def test_what_stands_before_a_text_follows_from_the_size(size: int) -> None:
    """As protobuf writes it, for texts of any length."""
    raw = _attribute("key", AnyValue(string_value="x" * size))
    head = attributes.head(raw)
    prefix = attributes.prefix(len(raw) - len(head))
    assert raw == head + prefix + b"x" * size
    assert attributes.with_text(head, "x" * size) == raw


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"\n\x05abc", b"\n\x00\x12\x00", b"\n\x80\x01" + b"k" * 128, b"\x12\x02\n\x00", b"\x10\x01"]
)
def test_an_unusual_key_has_no_head(raw: bytes) -> None:
    """It is parsed, whatever it is."""
    assert attributes.head(raw) == b""


@pytest.mark.parametrize(
    "value",
    [
        AnyValue(bool_value=True),
        AnyValue(bool_value=False),
        AnyValue(int_value=0),
        AnyValue(int_value=127),
        AnyValue(int_value=128),
        AnyValue(int_value=2**35 - 1),
        AnyValue(double_value=0.25),
        AnyValue(double_value=-4111111111111111.0),
        AnyValue(double_value=float("nan")),
    ],
)
def test_measures_are_silent(value: AnyValue) -> None:
    """Truth values, short numbers and fractions identify nobody under a key that says nothing."""
    raw = _attribute("k", value)
    assert attributes.is_silent_number(raw[len(attributes.head(raw)) :])


@pytest.mark.parametrize(
    "value",
    [
        AnyValue(),
        AnyValue(string_value="7"),
        AnyValue(int_value=2**35),
        AnyValue(int_value=4111111111111111),
        AnyValue(int_value=-1),
        AnyValue(double_value=4111111111111111.0),
        AnyValue(bytes_value=b"x"),
        AnyValue(array_value={"values": [AnyValue(int_value=1)]}),
        AnyValue(kvlist_value=KeyValueList()),
    ],
)
def test_all_else_is_looked_at(value: AnyValue) -> None:
    """A card's number is a number, too."""
    raw = _attribute("k", value)
    assert not attributes.is_silent_number(raw[len(attributes.head(raw)) :])


@pytest.mark.parametrize(
    "value",
    [
        b"\x12\x04\x18\x05\x7a\x00",  # a field that OTLP does not know, behind a number
        b"\x12\x04\x10\x01\x10\x01",
        b"\x12\x03\x10\x01",  # longer than it is
        b"\x12\x02\x18\x85",  # a number without an end
        b"\x12\x02\x10\x02",
        b"\x12\x06\x21\0\0\0\0\0",
    ],
)
def test_what_only_begins_like_a_number_is_not_silent(value: bytes) -> None:
    """Something may stand behind it."""
    assert not attributes.is_silent_number(value)


def test_a_key_that_is_no_text_makes_a_request_malformed() -> None:
    """As it does where the whole request is parsed."""
    with pytest.raises(MalformedRequest):
        attributes.name(b"\n\x02\xff\xfe")
    with pytest.raises(MalformedRequest):
        attributes.parse(b"\n\x02\xff\xfe", KeyValueList())


def test_parsing_leaves_out_what_otlp_does_not_know() -> None:
    """No rule could be applied to it."""
    raw = _attribute("k", AnyValue(int_value=1)) + b"\xfa\x3f\x03abc"
    assert attributes.parse(raw, KeyValueList()).SerializeToString() == _attribute("k", AnyValue(int_value=1))
