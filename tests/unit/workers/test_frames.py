"""What goes between the owner and its workers, as bytes."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.model import Signal
from spansieve.outcome import Reason
from spansieve.workers import frames
from spansieve.workers.frames import (
    Counted,
    Frame,
    FrameError,
    Handed,
    Load,
    Reader,
    Ready,
    Refused,
    Stop,
    Taken,
    Terms,
    Unable,
)

HANDED = Handed(7, Signal.LOGS, 3, {Reason.INVALID_ID: 2}, {"email": 1}, 0.25, 0.5, b"payload")
EVERY: list[Frame] = [
    HANDED,
    Taken(7),
    Taken(8, Refused("Later.", "memory_limiter", 2.5)),
    Taken(9, failed=True),
    Load(123),
    Counted([("grpc", "traces", "OK", 4), ("http", "", "404", 1)], {"http": 1}, 99),
    Terms(2, {"policy": "default"}, {"grpc": {"endpoint": "127.0.0.1:1"}}, "abc", 10, 5),
    Ready(2),
    Unable(3, ["Because."]),
    Stop(5.0),
]


@pytest.mark.parametrize("frame", EVERY, ids=lambda frame: type(frame).__name__)
def test_a_frame_is_read_as_it_was_sent(frame: Frame) -> None:
    """Every kind survives the way through bytes."""
    assert list(Reader().feed(frames.encode(frame))) == [frame]


@given(st.lists(st.sampled_from(EVERY), max_size=8), st.data())
def test_frames_do_not_depend_on_how_the_stream_is_cut(sent: list[Frame], data: st.DataObject) -> None:
    """Cut anywhere, the stream gives the same frames in their order."""
    stream = b"".join(map(frames.encode, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader = Reader()
    read = [
        frame
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for frame in reader.feed(stream[begin:end])
    ]
    assert read == sent


@given(st.binary(max_size=200))
def test_other_bytes_end_in_a_frame_error_or_wait_for_more(noise: bytes) -> None:
    """Nothing else is raised, whatever comes."""
    reader = Reader(largest=1000)
    with contextlib.suppress(FrameError):
        assert all(isinstance(frame, Frame) for frame in reader.feed(noise))


def test_a_frame_beyond_the_bound_is_refused_at_its_head() -> None:
    """It is not gathered first."""
    with pytest.raises(FrameError, match="longer"):
        list(Reader(largest=10).feed(frames.encode(HANDED)[:17]))


def test_an_unknown_kind_is_refused() -> None:
    """Another version's frame is no frame."""
    with pytest.raises(FrameError, match="kind"):
        list(Reader().feed(struct.pack(">IBQI", 2, 99, 0, 2) + b"[]"))


def test_a_payload_is_not_shown() -> None:
    """Neither a frame's text nor its repr tells what is in it."""
    assert "payload" not in repr(HANDED).replace("payload=", "")
