"""Characters that stand for others are found where they may hide something, at any size of the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact.text import fold

_CHARACTERS = st.sampled_from(
    [
        *"aZ09 @_-.:+(\n\0",
        "é",
        "\xa0",
        "\xad",
        "\u2013",
        "\u2014",
        "\u201c",
        "\u200b",
        "\uff14",
        "\u0430",
        "用",
        "\ud800",
        "😀",
        "\U0001d7d8",
        "\U000e0041",
        "\U000f0000",
    ]
)
_TEXTS = st.text(_CHARACTERS, max_size=60)


def _odd(text: str) -> list[int]:
    return [match.start() for match in fold._TELLING.finditer(text)]


@given(_TEXTS)
def test_a_short_text_is_written_in_latin_letters(text: str) -> None:
    """What Latin-1 has no character for is a question mark, and each odd character is told."""
    raw, odd = fold.latin(text)
    assert (raw, sorted(odd)) == (text.encode("latin-1", "replace"), _odd(text))


@given(_TEXTS, st.sampled_from(["plain ", "é", "x\u2014y ", "где ", "1\u200b2"]))
def test_a_large_text_is_written_in_the_same_way(text: str, filler: str) -> None:
    """However few or many odd characters there are."""
    text = filler * 4000 + text
    raw, odd = fold.latin(text)
    assert (raw, sorted(odd)) == (text.encode("latin-1", "replace"), _odd(text))


@pytest.mark.parametrize("text", ["", "plain", "x" * 100_000])
def test_ascii_hides_nothing(text: str) -> None:
    """It is as it is."""
    assert fold.latin(text) == (text.encode(), [])


def test_a_huge_text_full_of_odd_characters_is_told_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the most says that there are more; the list of all would take more memory than there is."""
    monkeypatch.setattr(fold, "MOST_ODD", 100)
    monkeypatch.setattr(fold, "_HUGE", 1000)
    assert len(fold.latin("a\u200b" * 2000)[1]) == 101
