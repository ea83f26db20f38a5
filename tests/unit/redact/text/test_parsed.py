"""The strings between the quotes of JSON are those of its tokens, and new ones are put where they stand."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact.text import jsontext, parsed

_KEYS = st.sampled_from(["role", "content", "text", "a", 'q"', "back\\", ""])
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text('a"\\\n{}[]:, é', max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=12,
)


def _frame(shape: parsed.Shape | None, text: str) -> parsed.Frame | None:
    return None if shape is None else parsed.frame(shape, parsed.segments(text.encode()))


def _splice(text: str, changed: dict[int, str]) -> str:
    segments = parsed.segments(text.encode())
    new = {number: parsed.written(each, segments[2 * number + 1]) for number, each in changed.items()}
    return parsed.splice(segments, new).decode()


def _shape(text: str, above: str) -> parsed.Shape | None:
    return parsed.shape(text.encode(), above, wrapped=False)


@given(_VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_strings_and_their_keys_are_those_of_the_tokens(value: Any, ascii_only: bool, indent: int | None) -> None:  # noqa: ANN401 - drawn
    """The same strings as by reading token by token, each under the same key."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    shape = _shape(text, "above")
    if shape is None:
        return
    tokens = [token for token in jsontext.tokens(text, "above", whole=True) if token.kind != jsontext.NUMBER]
    assert shape.texts == [token.text for token in tokens]
    assert [key or "" for key in shape.keys] == [token.key for token in tokens]


_LONG = "a value that is longer than the others of a frame"


@given(_VALUES, st.booleans(), st.text('a"\\\n, é', max_size=8))
def test_a_text_in_a_known_frame_is_read_as_any(value: Any, ascii_only: bool, more: str) -> None:  # noqa: ANN401 - drawn
    """What is kept of one tells the strings of another that looks the same, and where they stand."""
    text = json.dumps([value, _LONG, {"a": _LONG}], ensure_ascii=ascii_only)
    shape = _shape(text, "")
    frame = _frame(shape, text)
    if frame is None:
        return
    assert _LONG not in b"".join(frame.around).decode() + "".join(frame.shape.texts)
    other = text.replace("longer", json.dumps(f"longer {more}.", ensure_ascii=ascii_only)[1:-1])
    inner = frame.inner(other.encode())
    told = _shape(other, "")
    assert inner is not None
    assert told is not None
    assert frame.texts(inner) == told.texts
    changed = {number: f"{number} {more}" for number in frame.shape.long[::2]}
    written = {
        n: parsed.written(changed[n], old) for n, old in zip(frame.shape.long, inner, strict=True) if n in changed
    }
    assert frame.splice(inner, written).decode() == _splice(other, changed)


_FRAMED = '[{"a": "%s"}, {"a": "%s"}]'


@pytest.mark.parametrize(
    "text",
    [
        _FRAMED % (_LONG, _LONG) + " ",
        " " + _FRAMED % (_LONG, _LONG),
        _FRAMED % (_LONG, _LONG + "\\"),
        _FRAMED % (_LONG + "\\", _LONG),
        _FRAMED % (_LONG + '\\"}, {"a": "', _LONG),
        _FRAMED % (_LONG + '", "b": "', _LONG),
        _FRAMED % (_LONG, _LONG + '"}, {"a": "'),
        _FRAMED % (_LONG, '"'),
        _FRAMED % (_LONG + "\n", _LONG),
        f'[{{"a": "{_LONG}"}}]',
        '[{"a": "}]',
    ],
)
def test_a_text_in_no_known_frame_is_told(text: str) -> None:
    """Where there is another string, or anything that is no string's end, or no JSON at all."""
    known = _FRAMED % (_LONG, _LONG)
    shape = _shape(known, "")
    assert shape is not None
    frame = _frame(shape, known)
    assert frame is not None
    inner = frame.inner(text.encode())
    assert inner is None or frame.texts(inner) is None


@given(_VALUES, st.booleans(), st.data())
def test_what_is_spliced_in_stands_in_the_place_of_the_old(value: Any, ascii_only: bool, data: st.DataObject) -> None:  # noqa: ANN401 - drawn
    """The same text as by splicing tokens: all else stays as it is."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    shape = _shape(text, "")
    if shape is None or not shape.texts:
        return
    changed = data.draw(st.dictionaries(st.integers(0, len(shape.texts) - 1), st.text(max_size=8), min_size=1))
    tokens = [token for token in jsontext.tokens(text, "", whole=True) if token.kind != jsontext.NUMBER]
    assert _splice(text, changed) == jsontext.splice(text, tokens, changed)


def test_numbers_are_told_with_their_keys() -> None:
    """The long ones, as the rules know them; the keys of all."""
    shape = _shape('[17, {"a": [41111111, 5.5, 4.111111111111111e15], "b": -4155552671}, "1.5", 4155552672]', "above")
    assert shape is not None
    assert shape.numbers == [
        ("41111111", "a"), ("4111111111111111", "a"), ("-4155552671", "b"), ("4155552672", "above"),
    ]  # fmt: skip
    assert shape.numbered == {"above", "a", "b"}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "alice@example.com", "a": "x"}',
        '{"a": "say \\"x\\"", "a": "y"}',
        '{"a": "\\u0022x", "b": "\\""}',
        '[["x-api-key", "value"]]',
        "[" * 100 + "]" * 100,
        "17",
    ],
)
def test_what_a_parser_hides_is_for_the_tokens(text: str) -> None:
    """A value that it drops, headers in pairs, and what is nested beyond all use."""
    assert _shape(text, "") is None


@pytest.mark.parametrize(
    "value", [[_LONG, *["a"] * 1000], {_LONG: "a"}, ["a"]], ids=["too wide", "a long key", "nothing long"]
)
def test_what_is_not_seen_again_has_no_frame(value: object) -> None:
    """It would only take room."""
    text = json.dumps(value)
    shape = _shape(text, "")
    assert shape is not None
    assert _frame(shape, text) is None


@pytest.mark.parametrize("text", ["{", "[1,]", '{"a": "\\ud800"}', "word", "[" * 100_000, '[]"a', '["a\\"', '["\n"]'])
def test_what_the_parser_does_not_take_is_an_error(text: str) -> None:
    """The text may still be JSON to other parsers."""
    with pytest.raises(ValueError, match=r".*"):
        _shape(text, "")
