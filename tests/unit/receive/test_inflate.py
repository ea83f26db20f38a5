"""Bodies put together chunk by chunk: the same bytes however they are cut, and never more than the limit."""

import contextlib
import gzip
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.errors import MalformedRequest, TooLarge
from spansieve.receive.inflate import Body, GzipBody, IdentityBody


def fed(body: Body, wire: bytes, size: int) -> Body:
    """A body that was fed the wire in chunks of a size."""
    for begin in range(0, len(wire), size):
        body.feed(wire[begin : begin + size])
    return body


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=5), st.integers(1, 40))
def test_any_members_in_any_chunks_inflate_to_their_join(members: list[bytes], size: int) -> None:
    """RFC 1952, 2.2: members simply follow one another; where chunks end does not matter."""
    wire = b"".join(map(gzip.compress, members))
    assert fed(GzipBody(10_000), wire, size).finish() == b"".join(members)


@given(st.binary(min_size=1, max_size=50), st.integers(1, 40), st.data())
def test_any_cut_before_the_end_is_malformed(content: bytes, size: int, data: st.DataObject) -> None:
    """A stream that ends early is noticed wherever it ends."""
    wire = gzip.compress(content)
    cut = data.draw(st.integers(0, len(wire) - 1))
    body = fed(GzipBody(10_000), wire[:cut], size)
    with pytest.raises(MalformedRequest):
        body.finish()


@given(st.binary(max_size=200), st.integers(1, 40))
def test_any_bytes_inflate_or_are_refused(wire: bytes, size: int) -> None:
    """Nothing but MalformedRequest comes of what is not gzip."""
    with contextlib.suppress(MalformedRequest):
        fed(GzipBody(10_000), wire, size).finish()


@pytest.mark.parametrize("kind", [IdentityBody, GzipBody])
def test_the_limit_is_the_last_size_that_is_taken(kind: type[IdentityBody | GzipBody]) -> None:
    """A body of the limit is whole, one byte more is too large."""
    wire = {IdentityBody: bytes, GzipBody: lambda size: gzip.compress(bytes(size))}[kind]
    assert len(fed(kind(100_000), wire(100_000), 777).finish()) == 100_000
    with pytest.raises(TooLarge):
        fed(kind(100_000), wire(100_001), 777)


def test_a_bomb_is_not_inflated_beyond_the_limit() -> None:
    """100 MB of zeros in one chunk of 100 kB take no more memory than the limit of 1 MB, twice over."""
    bomb = gzip.compress(bytes(100_000_000), 9)
    tracemalloc.start()
    with pytest.raises(TooLarge):
        GzipBody(1_000_000).feed(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000


def test_a_bomb_behind_other_data_is_not_inflated_beyond_what_is_left() -> None:
    """Of a megabyte, 900 kB were there before."""
    body = GzipBody(1_000_000)
    body.feed(gzip.compress(bytes(900_000)))
    bomb = gzip.compress(bytes(100_000_000), 9)
    tracemalloc.start()
    with pytest.raises(TooLarge):
        body.feed(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500_000


def test_empty_members_without_end_are_refused() -> None:
    """Members cost time even when nothing is in them."""
    with pytest.raises(MalformedRequest, match="1000 members"):
        GzipBody(10_000_000).feed(gzip.compress(b"") * 1001)


def test_bytes_that_inflate_to_nothing_count_as_well() -> None:
    """What is read is limited, not only what comes of it."""
    body = GzipBody(1000)
    with pytest.raises(TooLarge):
        fed(body, gzip.compress(b"") * 100, 20)
