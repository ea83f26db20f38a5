"""Features of words."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spansieve.names import features
from spansieve.names.features import Lexicon

_EMPTY = Lexicon(np.zeros(0, np.uint32), np.zeros(0, np.uint8))


def _lexicon(words: dict[str, int]) -> Lexicon:
    hashes = features.lexicon_keys(features.word_hashes(list(words)))
    order = np.argsort(hashes)
    return Lexicon(hashes[order], np.array(list(words.values()), np.uint8)[order])


@given(st.lists(st.text(max_size=20), max_size=8))
def test_a_token_has_the_same_features_in_any_company(words: list[str]) -> None:
    """What a token's features are does not depend on the tokens that are worked out with it."""
    together = features.of_tokens(words, _EMPTY)
    for index, word in enumerate(words):
        alone = features.of_tokens([word], _EMPTY)
        here = together.rows[together.begins[index] : together.begins[index + 1]]
        assert sorted(here.tolist()) == sorted(alone.rows.tolist())


def test_rows_are_of_the_table() -> None:
    """Every feature is a row of the table."""
    rows = features.of_tokens([" Jane", "\nroe", "_", " 12"], _EMPTY).rows
    assert rows.min() >= 0
    assert rows.max() < features.ROWS


def test_what_stands_before_a_word_is_a_feature() -> None:
    """A word in a sentence, one at the start of a line and a piece of an identifier differ."""
    sets = [frozenset(features.of_tokens([token], _EMPTY).rows.tolist()) for token in ("Jane", " Jane", "\nJane")]
    assert len(set(sets)) == 3


def test_a_lexicon_finds_its_words() -> None:
    """A word that is listed has its marks, and one that is not has none."""
    lexicon = _lexicon({"jane": 0b11, "paris": 0b110000})
    assert lexicon.look_up(features.word_hashes(["paris", "jane", "other"])).tolist() == [0b110000, 0b11, 0]


def test_lone_surrogates_are_features_too() -> None:
    """A text that no encoding takes is worked out like any other."""
    assert len(features.of_tokens(["\ud800x"], _EMPTY).rows) > 0
