"""The tagger's arithmetic and its memory."""

from collections.abc import Sequence
from importlib.resources import files

import numpy as np
import pytest

from spansieve.names import model, tokens
from spansieve.names.tagger import PIECE, Tagger


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    """A tagger of the shipped weights."""
    return model.shipped().tagger()


def _words(begin: int, end: int) -> list[str]:
    letters = str.maketrans("0123456789", "abcdefghij")
    return [f" w{i}".translate(letters) for i in range(begin, end)]


def test_probabilities_are_probabilities(tagger: Tagger) -> None:
    """Each token has four numbers of no less than 0 that add up to 1."""
    scored = tagger.probabilities([tokens.split("\nAsk Jane Roe in Berlin.")])[0]
    assert scored.shape == (6, 4)
    assert scored.min() >= 0
    assert np.allclose(scored.sum(axis=1), 1, atol=1e-5)


def test_a_text_is_scored_the_same_in_any_company(tagger: Tagger) -> None:
    """What a token scores does not depend on other texts of the same call."""
    texts = [tokens.split(f"\n{text}") for text in ("Jane Roe called", "x", "Hello from Paris, Tom!" * 40, "")]
    together = tagger.probabilities(texts)
    for text, scored in zip(texts, together, strict=True):
        assert np.allclose(tagger.probabilities([text])[0], scored, atol=1e-5)


def test_a_long_text_is_scored_as_its_parts(tagger: Tagger) -> None:
    """Where a long text is cut for the matrices does not show in the scores."""
    text: Sequence[str] = tokens.split("\nJane Roe met Tom Miller in Berlin. " * 400)
    assert len(text) > 2 * PIECE
    scored = tagger.probabilities([text])[0]
    shifted = tagger.probabilities([text[PIECE // 2 :]])[0]
    assert len(scored) == len(text)
    assert np.allclose(scored[PIECE // 2 + 20 :], shifted[20:], atol=1e-5)


def test_the_memory_of_words_is_bounded() -> None:
    """A stream of words that are all different leaves no more behind than the bound, and changes no score."""
    small = model.shipped().tagger(cached=3000)
    fresh = model.shipped().tagger()
    for begin in range(0, 12_000, 800):
        texts = [_words(begin, begin + 400), _words(begin + 400, begin + 800)]
        for mine, other in zip(small.probabilities(texts), fresh.probabilities(texts), strict=True):
            assert np.allclose(mine, other, atol=1e-5)
        assert len(small._known) <= 3000


def test_the_shipped_weights_are_small() -> None:
    """The file in the package has at most 10 MB."""
    assert len(files("spansieve.names").joinpath("weights.npz").read_bytes()) <= 10_000_000
