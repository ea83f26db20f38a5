"""One string that is no UTF-8 does not cost the other items of its request."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve import utf8, wire

_OF = ExportTraceServiceRequest.DESCRIPTOR
_HALF = b"\xed\xa0\xbd"  # half of a surrogate pair, as protobufjs writes it


def _body(text: str = "MARKED") -> bytes:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(name="chat", trace_id=b"\xff" * 16, kind=2)
    span.start_time_unix_nano = 1
    span.attributes.add(key="id").value.bytes_value = b"\xff\xfe"
    within = span.attributes.add(key="m").value.kvlist_value.values.add(key="k").value
    within.array_value.values.add().string_value = text
    span.attributes.add(key="score").value.double_value = 0.5
    return request.SerializeToString()


def test_a_string_is_mended_wherever_it_stands() -> None:
    """All else stays: bytes, ids, numbers, and the lengths around a text that is longer now."""
    broken = _body().replace(b"MARKED", _HALF + b"abc")
    with pytest.raises(DecodeError):
        ExportTraceServiceRequest.FromString(broken)
    mended = utf8.mended(broken, _OF)
    assert mended is not None
    assert ExportTraceServiceRequest.FromString(mended) == ExportTraceServiceRequest.FromString(
        _body("\ufffd" * 3 + "abc")
    )


@pytest.mark.parametrize(
    "body",
    [
        _body(),
        b"",
        b"\x0a\xff",
        b"\x0a\x02\x0a",
        b"\x0b",
        b"\xff" * 11,
        b"\x0a\x05\x12\x03\x12\x01\xff",
    ],
    ids=["a sound one", "nothing", "cut", "cut within", "a group", "an endless number", "cut deeper"],
)
def test_what_has_another_fault_is_not_mended(body: bytes) -> None:
    """Whoever refused it was right."""
    assert utf8.mended(body, _OF) is None


def test_depth_has_a_bound() -> None:
    """Messages within messages without end are none that protobuf takes."""
    body = b""
    for _ in range(400):
        body = wire.varint(0x0A) + wire.varint(len(body)) + body
        body = wire.varint(0x2A) + wire.varint(len(body)) + body
    for tag in (0x12, 0x4A, 0x12, 0x12, 0x0A):  # value, attribute, span, scope, resource
        body = bytes((tag,)) + wire.varint(len(body)) + body
    assert utf8.mended(body, _OF) is None


@given(st.binary(max_size=200))
def test_nothing_raises(body: bytes) -> None:
    """Whatever comes, it is mended so that protobuf takes it, or refused."""
    mended = utf8.mended(body, _OF)
    if mended is not None:
        assert mended != body


@given(st.binary(min_size=1, max_size=40), st.integers(0, 5))
def test_any_bytes_in_a_string_can_be_read_afterwards(raw: bytes, at: int) -> None:
    """The text between stays where it is UTF-8."""
    marked = _body("MARKED" + "x" * at)
    size = len("MARKED" + "x" * at)
    broken = marked.replace(b"MARKED" + b"x" * at, (raw * size)[:size])
    try:
        ExportTraceServiceRequest.FromString(broken)
    except DecodeError:
        mended = utf8.mended(broken, _OF)
        assert mended is not None
        assert ExportTraceServiceRequest.FromString(mended)
    else:
        assert utf8.mended(broken, _OF) is None


def test_garbage_is_given_up_soon() -> None:
    """Of fields that protobuf would pass over there may be millions, in a body that is refused for another fault."""
    broken = _body().replace(b"MARKED", _HALF + b"abc")
    assert utf8.mended(b"\x78\x01" * 499_900 + broken, _OF) is not None
    assert utf8.mended(b"\x78\x01" * 500_000 + broken, _OF) is None


def test_there_is_no_field_0() -> None:
    """Zeros are no message, however many."""
    assert utf8.mended(bytes(1 << 24) + _body().replace(b"MARKED", _HALF + b"abc"), _OF) is None
