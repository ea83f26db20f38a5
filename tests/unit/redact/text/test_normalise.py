"""Other readings of a text know where the original has each of their characters."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spansieve.redact.text import fold, normalise
from unit.redact.helpers_redact import clean, found
from unit.redact.helpers_suspects import is_suspect


@pytest.mark.parametrize(
    ("text", "reading", "said", "original"),
    [
        ("to alice%40example.com now", "to alice@example.com now", "alice@example.com", "alice%40example.com"),
        ("to alice%2540example.com now", "to alice@example.com now", "alice@example.com", "alice%2540example.com"),
        ("j%C3%B6rg@x.de", "jörg@x.de", "jörg", "j%C3%B6rg"),
        ("a&#64;b &amp; c", "a@b & c", "a@b", "a&#64;b"),
        ("al\u200b\u200bice", "alice", "alice", "al\u200b\u200bice"),
        ("no \uff14\uff12.", "no 42.", "42", "\uff14\uff12"),
        ("p\u0430ssword", "password", "password", "p\u0430ssword"),
        ("x \\\\u0040 y", "x @ y", "@", "\\\\u0040"),
        ("to alice=40example.com now", "to alice@example.com now", "alice@example.com", "alice=40example.com"),
        ("to ali=\r\nce@example.com", "to alice@example.com", "alice", "ali=\r\nce"),
        ("+1 415=\n 555 2671", "+1 415 555 2671", "415 555", "415=\n 555"),
    ],
)
def test_a_span_of_a_reading_is_a_span_of_the_original(text: str, reading: str, said: str, original: str) -> None:
    """What a reading says at a place stands in the original where the reading tells."""
    (found_reading,) = normalise.readings(text)
    assert found_reading.text == reading
    at = reading.index(said)
    span = found_reading.span(at, at + len(said))
    assert span is not None
    assert text[slice(*span)] == original


def test_any_part_of_an_encoded_token_is_the_whole_token() -> None:
    """Base64 is replaced as one, padding included."""
    token = base64.b64encode(b"alice@example.com").decode()
    (reading,) = normalise.readings(f"q={token} end")
    assert reading.text == "alice@example.com"
    assert reading.span(3, 5) == (2, 2 + len(token))


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox, jumped over 12 dogs & 3 cats; 100 % sure.",
        "naïve café — “quoted” … 😀 ❤️ 👩\u200d👩\u200d👧",
        "Съешь ещё этих мягких булок.",
        "敏捷的棕色狐狸\uff0c跳过了懒狗。\uff08真的\uff01\uff09",
        "chatcmpl-9xkQ2mZr7LpTqWvYbN3sDfGh",
        "71d9b0e2-0123-4567-8901-234567890123",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "/usr/lib/python3.11/site-packages/opentelemetry/sdk/trace/export/__init__.py",
    ],
)
def test_ordinary_texts_have_no_other_reading(text: str) -> None:
    """They are not looked at a second time."""
    assert not is_suspect(text)
    assert normalise.readings(text) == [] or not text.isascii()


def test_escapes_within_escapes_beyond_reason_are_removed() -> None:
    """What is encoded seven times is not understood, so it does not pass."""
    value = "alice%40example.com"
    for _ in range(7):
        value = value.replace("%", "%25")
    assert found(value) == {"budget": 1}
    assert clean(value) == "[REMOVED]"


def test_only_the_characters_of_a_value_are_replaced() -> None:
    """Escapes around it stay as they were."""
    assert clean("a%20b alice%40example.com %2F &amp;") == "a%20b [EMAIL] %2F &amp;"


def test_a_number_over_two_lines_is_one() -> None:
    """It was wrapped; a column of numbers was not."""
    assert clean("4111 1111\n1111 1111") == "[CARD]"
    column = "4111\n1111\n1111\n1111"
    assert clean(column) == column


def test_keys_are_read_through_look_alikes() -> None:
    """A Cyrillic letter in `password` protects no one."""
    assert clean("hunter2", "db.p\u0430ssword") == "[SECRET]"


def test_a_script_of_its_own_is_not_latin() -> None:
    """Letters that look Latin are folded only beside Latin ones."""
    assert fold.run("\u0441\u0430\u0440", " ", " ") == "\u0441\u0430\u0440"
    assert fold.run("\u0441\u0430\u0440", "o", " ") == "cap"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("a4@%&#;\\u0n+\n \u200b\uff11\u0430é=/"), max_size=60))
def test_spans_lie_within_the_original(text: str) -> None:
    """Whatever the escapes, a span of a reading is one of the text, and not empty."""
    try:
        readings = normalise.readings(text)
    except normalise.TooDeep:
        return
    for reading in readings:
        for at in range(len(reading.text)):
            span = reading.span(at, at + 1)
            assert span is None or 0 <= span[0] < span[1] <= len(text)
