"""Attributes as Python has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from spansieve.measure.read.attributes import AttributeReader, is_empty, plain
from unit.measure.helpers_measure import Value, any_value

_LONG_KEY = "k" * 200
_keys = st.sampled_from(["a", "b.c", "é", _LONG_KEY, "not.read", "n" * 128, ""])
_values = st.one_of(
    st.builds(AnyValue),
    st.text(max_size=300).map(lambda text: AnyValue(string_value=text)),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: AnyValue(int_value=number)),
    st.sampled_from([0, 1, 127, 128, 2**31, 2**35 - 1, 2**35]).map(lambda number: AnyValue(int_value=number)),
    st.floats(allow_nan=False).map(lambda number: AnyValue(double_value=number)),
    st.booleans().map(lambda truth: AnyValue(bool_value=truth)),
    st.binary(max_size=9).map(lambda data: AnyValue(bytes_value=data)),
    st.lists(st.text(max_size=3)).map(
        lambda texts: AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=text) for text in texts]))
    ),
)


@given(st.lists(st.tuples(_keys, _values), max_size=6))
def test_bytes_are_read_as_protobuf_reads_them(pairs: list[tuple[str, AnyValue]]) -> None:
    """Reading attributes by hand gives what protobuf gives, for every kind of value, twice over."""
    attributes = [KeyValue(key=key, value=value) for key, value in pairs]
    reader = AttributeReader(["a", "b.c", "é", _LONG_KEY], few=["b.c", _LONG_KEY])
    serialized = [each.SerializeToString() for each in attributes]
    expected = {each.key: plain(each.value) for each in attributes if each.key in {"a", "b.c", "é", _LONG_KEY}}
    assert reader.of_bytes(serialized) == expected
    assert reader.of_bytes(serialized) == expected
    assert "not.read" not in expected


@pytest.mark.parametrize("key_and_value", [b"", b"\x12\x00", b"\x12\x02\x18\x07", b"\x12\x02\x18\x07\x0a\x01a"])
def test_odd_encodings(key_and_value: bytes) -> None:
    """An attribute without a key is none; one whose value stands before its key is read all the same."""
    expected = {"a": 7} if KeyValue.FromString(key_and_value).key == "a" else {}
    assert AttributeReader(["a"]).of_bytes([key_and_value]) == expected


def test_what_is_remembered_is_bounded() -> None:
    """Any number of keys takes no more memory."""
    reader = AttributeReader(["a"])
    for number in range(20_000):
        assert reader.of_bytes([KeyValue(key=f"k-{number}").SerializeToString()]) == {}
        raw = KeyValue(key="a", value=AnyValue(string_value=str(number))).SerializeToString()
        assert reader.of_bytes([raw]) == {"a": str(number)}
        long = KeyValue(key=f"k-{number}", value=AnyValue(string_value="x" * 200)).SerializeToString()
        assert reader.of_bytes([long]) == {}
    assert len(reader._remembered) <= 16_384
    assert len(reader._remembered.unread) <= 1024


@pytest.mark.parametrize("raw", [b"", b"\x0a", b"\x12", b"\xff"])
def test_what_is_too_short_to_have_a_key_tells_nothing(raw: bytes) -> None:
    """An attribute of a byte or none is passed over, also when much was read before."""
    reader = AttributeReader(["a"])
    for number in range(20_000):
        reader.read([KeyValue(key=f"k-{number}").SerializeToString()])
    assert reader.read([raw]) == ((), [])


@pytest.mark.parametrize("read", [True, False])
def test_ids_take_no_room(*, read: bool) -> None:
    """Of a key that takes ever new values only the first are remembered, and the others' are not forgotten for it."""
    reader = AttributeReader(["model", "id"] if read else ["model"])
    model = KeyValue(key="model", value=AnyValue(string_value="m")).SerializeToString()
    for number in range(1000):
        ids = KeyValue(key="id", value=AnyValue(string_value=str(number))).SerializeToString()
        assert reader.of_bytes([ids, model]) == ({"id": str(number)} if read else {}) | {"model": "m"}
    assert model in reader._remembered
    assert len(reader._remembered) < 600


def test_a_mark_is_the_attribute_where_values_come_again() -> None:
    """Of a key of few values the mark is the whole attribute, of any other one the key; what nobody reads has none."""
    reader = AttributeReader(["id", "model", _LONG_KEY], few=["model", _LONG_KEY])
    given = [
        KeyValue(key=key, value=AnyValue(string_value=text)).SerializeToString()
        for key, text in (("id", "1"), ("model", "m"), ("other", "x"), (_LONG_KEY, "y" * 300), ("other", "z" * 300))
    ]
    marks, found = reader.read(given)
    assert marks == ("id", given[1], given[3])
    assert found == ["1", "m", "y" * 300]
    assert reader.keys(marks) == ("id", "model", _LONG_KEY)


@pytest.mark.parametrize("value", [b"\x12\x04\x18\x05\x10\x01", b"\x12\x04\x10\x01\x18\x05"])
def test_a_value_that_is_given_twice(value: bytes) -> None:
    """Of two values in one attribute the last counts, as in protobuf."""
    raw = b"\x0a\x01a" + value
    assert AttributeReader(["a"]).of_bytes([raw]) == {"a": plain(KeyValue.FromString(raw).value)}


@pytest.mark.parametrize(
    ("value", "empty"),
    [
        (AnyValue(), True),
        ("", True),
        ([], True),
        ("x", False),
        (0, False),
        (False, False),
        (0.0, False),
        (["x"], False),
    ],
)
def test_what_says_nothing(value: Value, *, empty: bool) -> None:
    """Absent values, empty texts and empty arrays say nothing; 0 and false say something."""
    assert is_empty(plain(any_value(value))) is empty


def test_lists_of_keys_and_values_say_something() -> None:
    """An object stays as it is."""
    value = AnyValue(kvlist_value=KeyValueList())
    assert plain(value) is value
    assert not is_empty(value)
