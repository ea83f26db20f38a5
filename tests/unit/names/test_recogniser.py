"""The recogniser: long texts, and texts that come again."""

import pytest

from spansieve.names import model, recogniser
from spansieve.names.recogniser import Recogniser
from spansieve.names.spans import Span

_SAID = (
    "plain words, and more of them. ",
    "Yesterday Jane Roe met Tom Miller in Berlin.\n",
    "The courier left it with my neighbour, Giulia Ferrante, at 14 Maple Street. ",
)


def _find(text: str) -> tuple[Span, ...]:
    shipped = model.shipped()
    return Recogniser(shipped, shipped.thresholds).find([text])[0]


@pytest.mark.parametrize("text", [_SAID[0] * 300, "".join(_SAID) * 80, "JaneRoe" * 1500, "Jane Roe " * 1200])
def test_a_long_text_is_read_as_a_whole(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the windows of a long text end does not show in what is found: the same is covered."""
    whole = _find(text)
    for size in (2303, 3001):
        monkeypatch.setattr(recogniser, "_LONGEST", size)
        assert _covered(_find(text), len(text)) == _covered(whole, len(text))


def test_what_is_known_is_found_again() -> None:
    """A text that comes again, in the same call or a later one, has the same names."""
    shipped = model.shipped()
    reader = Recogniser(shipped, shipped.thresholds)
    first, second = reader.find([_SAID[1], _SAID[1]])
    assert first == second == reader.find([_SAID[1]])[0] != ()


def _covered(spans: tuple[Span, ...], size: int) -> bytes:
    covered = bytearray(size)
    for start, end, kind in spans:
        covered[start:end] = bytes([kind]) * (end - start)
    return bytes(covered)
