"""A state in pieces: what was noted of it is what is written, whatever comes meanwhile."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve import pieces

names = st.text(st.characters(codec="ascii"), max_size=20)


@given(st.lists(st.tuples(names, st.binary(max_size=40)), max_size=8))
def test_pieces_come_apart_as_they_were(made: list[tuple[str, bytes]]) -> None:
    """By name, in their order."""
    found = pieces.sections(b"".join(pieces.piece(name, body) for name, body in made))
    assert found == {name: [body for each, body in made if each == name] for name, _ in made}


@pytest.mark.parametrize("kind", [bytearray, bytes])
def test_what_grows_meanwhile_is_left_out(kind: type[bytearray]) -> None:
    """However large it was."""
    data = bytearray(range(250)) * 1000
    was = kind(data)
    some = pieces.grown("x", data)
    data += b"more"
    parts = pieces.sections(b"".join(some))["x"]
    assert b"".join(parts) == was
    assert {len(each) for each in parts[:-1]} == {pieces.SIZE}


def test_numbers_are_written_as_their_bytes() -> None:
    """In pieces of whole numbers."""
    data = array("Q", range(20_000))
    parts = pieces.sections(b"".join(pieces.grown("x", data)))["x"]
    assert b"".join(parts) == data.tobytes()
    assert len(parts) == 3


def test_lines_are_made_when_their_turn_comes() -> None:
    """Of what there is then."""
    items = [1]
    made = pieces.lines("x", iter(items))
    items.append(2)
    assert pieces.sections(b"".join(made)) == {"x": [b"1", b"2"]}


@given(st.lists(st.tuples(names, st.binary(min_size=1, max_size=40)), min_size=1, max_size=4), st.integers(1, 10))
def test_what_is_cut_off_is_no_state(made: list[tuple[str, bytes]], missing: int) -> None:
    """Unless the cut is between two pieces."""
    whole = [pieces.piece(name, body) for name, body in made]
    cut = b"".join(whole)[: -min(missing, len(whole[-1]) - 1)]
    with pytest.raises(ValueError, match="state"):
        pieces.sections(cut)


def test_what_has_no_such_names_is_no_state() -> None:
    """They are of ASCII."""
    with pytest.raises(ValueError, match="no state"):
        pieces.sections(b"\x01\0\0\0\0\xff")
