"""Which span stands above which."""

import pytest

from spansieve.measure.count.links import Links
from unit.measure.helpers_observations import origin

_TRACE = b"t" * 16


def _ids(links: Links, span: int) -> list[int]:
    chain = links.chain(_TRACE, span.to_bytes(8, "big"))
    return [int.from_bytes(each, "big") for each in chain]


def _add(links: Links, span: int, parent: int | None) -> None:
    above = b"" if parent is None else parent.to_bytes(8, "big")
    links.add([origin(trace_id=_TRACE, span_id=span.to_bytes(8, "big"), parent_span_id=above)])


def test_a_chain_ends_at_the_root() -> None:
    """The spans above one come from its parent to the root, which has none."""
    links = Links(10)
    for span, parent in ((1, None), (2, 1), (3, 2)):
        _add(links, span, parent)
    assert _ids(links, 3) == [2, 1, 0]


def test_a_chain_ends_where_nothing_is_known() -> None:
    """A parent that was not met is the last."""
    links = Links(10)
    _add(links, 3, 2)
    assert (_ids(links, 3), _ids(links, 7)) == ([2], [])


def test_a_ring_ends() -> None:
    """Spans that are each other's parents are followed for a while only."""
    links = Links(10)
    _add(links, 1, 2)
    _add(links, 2, 1)
    assert len(_ids(links, 1)) == 64


def test_the_same_id_in_another_trace_is_another_span() -> None:
    """Spans are known by trace id and span id."""
    links = Links(10)
    _add(links, 1, 2)
    assert list(links.chain(b"u" * 16, (1).to_bytes(8, "big"))) == []


def test_the_oldest_are_forgotten() -> None:
    """At most so many are remembered, and at least half as many."""
    links = Links(10)
    for span in range(1, 100):
        _add(links, span, span + 1)
        assert len(links) <= 10
    assert _ids(links, 95)[:2] == [96, 97]
    assert _ids(links, 50) == []


def test_a_memory_needs_room() -> None:
    """Less than two generations of one is no memory."""
    with pytest.raises(ValueError, match="at least two"):
        Links(1)


def test_what_was_saved_is_known_again() -> None:
    """Both generations, and that a root has no parent."""
    links, again = Links(4), Links(4)
    for span, parent in ((1, None), (2, 1), (3, 2)):
        _add(links, span, parent)
    again.restore(*map(bytes, links.state()))
    assert (again.generations, _ids(again, 3)) == (links.generations, [2, 1, 0])
    _add(again, 3, 7)
    assert _ids(again, 3) == [7]


def test_a_span_that_is_told_again_and_again_takes_no_more_room() -> None:
    """Also of what a checkpoint holds."""
    links = Links(10)
    for parent in range(1, 100):
        _add(links, 8, parent)
    assert sum(map(len, links.state())) <= 10 * 32
    assert _ids(links, 8) == [99]


def test_a_request_may_bring_more_than_there_is_room_for() -> None:
    """The last spans of it are known, at least half as many as fit."""
    links = Links(10)
    above = [n.to_bytes(8, "big") for n in range(101)]
    links.add([origin(trace_id=_TRACE, span_id=above[n], parent_span_id=above[n - 1]) for n in range(1, 101)])
    assert len(links) <= 10
    assert _ids(links, 100)[:5] == [99, 98, 97, 96, 95]
