"""A list of JSON objects is cut into its elements, and nothing else is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact.text.cuts import cut

_LONG = "a sentence of some length, " * 12


def _messages(count: int, content: str = _LONG) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"{number} {content}"} for number in range(count)]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_each_long_message_is_a_piece(separators: tuple[str, str], indent: int | None) -> None:
    """However its writer spaces them."""
    pieces = cut(json.dumps(_messages(3), separators=separators, indent=indent).encode())
    assert pieces is not None
    assert [json.loads(piece) for piece in pieces.pieces] == _messages(3)


def test_short_messages_are_taken_together() -> None:
    """A look-up of each would cost more than it saves; a conversation that goes on keeps its first pieces."""
    short = cut(json.dumps(_messages(40, _LONG[:80])).encode())
    longer = cut(json.dumps(_messages(60, _LONG[:80])).encode())
    assert short is not None
    assert longer is not None
    assert 1 < len(short.pieces) < 40
    assert short.pieces[:-1] == longer.pieces[: len(short.pieces) - 1]


@given(
    st.lists(
        st.fixed_dictionaries({"role": st.text(max_size=4), "content": st.text('},{"role":\\ \n[]a', max_size=300)})
    ),
    st.sampled_from(["", " ", "\n"]),
)
def test_put_together_the_pieces_are_the_text(value: list[dict[str, str]], around: str) -> None:
    """Whatever stands in its strings: each piece is JSON in brackets, and no character is lost."""
    text = f"{around}{json.dumps(value)}{around}".lstrip().encode()
    pieces = cut(text)
    if pieces is not None:
        assert pieces.before + pieces.gap.join(pieces.pieces) + pieces.after == text
        assert [each for piece in pieces.pieces for each in json.loads(b"[%b]" % piece)] == value


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[{}]",
        "[1, 2]",
        json.dumps(_messages(1)),
        json.dumps({"messages": _messages(3)}),
        json.dumps(_messages(3))[:-1],
        json.dumps(_messages(3)) + "x",
        json.dumps([{"delta": "a"}] * 100),
        json.dumps([{"type": "message", "content": [{"type": "text", "text": _LONG}]}]),
    ],
)
def test_other_texts_are_not_cut(text: str) -> None:
    """What is no list of several objects, or was cut off, is one text."""
    assert cut(text.encode()) is None
