"""The tagger: for every token of a text, how likely it is a part of a person's name, or of a place.

Each distinct token's vector is worked out once and kept; over the vectors of a text go convolutions, which numpy
does as products of matrices. What is worked out is bounded: the cache in tokens, the matrices by the size of a piece.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from spansieve.names import features
from spansieve.names.features import Lexicon, Vectors

PERSON: Final = 1
LOCATION: Final = 2

Floats = npt.NDArray[np.float32]

PIECE: Final = 1024
"""Tokens that go through the matrices in one go: what is worked on stays in the processor's cache."""

CACHED: Final = 60_000
"""Distinct tokens whose vectors are kept: 15 MB. When there is no room, all go: what is frequent is soon back."""

DILATIONS: Final = (2, 4)
"""How far apart the three words are that each of the convolutions behind the first one looks at."""

_REACH: Final = 2 + sum(DILATIONS)  # tokens on either side that a score depends on
_BETWEEN: Final = max(DILATIONS)  # empty places between two texts: as many as any convolution looks ahead


class Tagger:
    """The trained network. Owned by one thread at a time: the cache of vectors is not locked."""

    def __init__(
        self, arrays: Mapping[str, npt.NDArray[np.generic]], lexicon: Lexicon, known: Vectors, cached: int = CACHED
    ) -> None:
        """`cached`: distinct tokens that are remembered, at least as many as PIECE."""

        def floats(name: str) -> Floats:
            return np.ascontiguousarray(arrays[name], np.float32)

        self._table = floats("table")
        self._meaning = floats("meaning")
        self._word_bias, self._word, self._word_out = floats("word_bias"), floats("word"), floats("word_out")
        self._first, self._first_bias = floats("first"), floats("first_bias")
        self._further = list(zip(DILATIONS, floats("further"), floats("further_bias"), strict=True))
        self._scores, self._scores_bias = floats("scores"), floats("scores_bias")
        self._lexicon = lexicon
        self._meanings = known
        self._width = self._word.shape[1]
        self._known: dict[str, int] = {}
        self._empty = cached
        self._vectors = np.zeros((cached + 1, self._width), np.float32)  # the last one is that of an empty place

    def probabilities(self, texts: Sequence[Sequence[str]]) -> list[Floats]:
        """Give each text's tokens their probabilities: a row a token, of none, PERSON, LOCATION, other names."""
        results: list[Floats] = []
        waiting: list[Sequence[str]] = []
        size = 0
        for tokens in texts:
            if size + len(tokens) > PIECE and waiting:
                results += self._together(waiting)
                waiting, size = [], 0
            if len(tokens) > PIECE:
                results.append(self._long(tokens))
            else:
                waiting.append(tokens)
                size += len(tokens) + _BETWEEN
        return results + self._together(waiting) if waiting else results

    def _long(self, tokens: Sequence[str]) -> Floats:
        """Work through a long text in pieces that overlap by what a score depends on."""
        parts = []
        for begin in range(0, len(tokens), PIECE):
            left = max(0, begin - _REACH)
            piece = self._together([tokens[left : begin + PIECE + _REACH]])[0]
            parts.append(piece[begin - left : begin - left + PIECE])
        return np.concatenate(parts)

    def _together(self, texts: Sequence[Sequence[str]]) -> list[Floats]:
        """Score texts in one line, with empty places between them."""
        known = self._places([token for tokens in texts for token in tokens])
        empty = [self._empty] * _BETWEEN
        places: list[int] = []
        bounds: list[tuple[int, int]] = []
        at = 0
        for tokens in texts:
            begin = len(places)
            places += known[at : at + len(tokens)]
            at += len(tokens)
            bounds.append((begin, len(places)))
            places += empty
        scored = self._convolve(np.array(places, np.int64))
        return [scored[begin:end] for begin, end in bounds]

    def _places(self, tokens: Sequence[str]) -> list[int]:
        """Where the vectors of tokens stand, worked out for those that are new."""
        known = self._known
        places = list(map(known.get, tokens))
        if None in places:
            new = list(dict.fromkeys([token for token, at in zip(tokens, places, strict=True) if at is None]))
            if len(known) + len(new) > self._empty:
                known.clear()
                new = list(dict.fromkeys(tokens))
            at = len(known)
            self._vectors[at : at + len(new)] = self._work_out(new)
            known.update(zip(new, range(at, at + len(new)), strict=True))
            places = [known[token] for token in tokens]
        return places  # type: ignore[return-value]

    def _work_out(self, tokens: Sequence[str]) -> Floats:
        found = features.of_tokens(tokens, self._lexicon)
        summed = np.add.reduceat(self._table[found.rows], found.begins[:-1], axis=0)
        summed += self._meanings.look_up(found.words) @ self._meaning
        summed += self._word_bias
        np.maximum(summed, 0, out=summed)
        vectors: Floats = summed @ self._word
        vectors += self._word_out
        return vectors

    def _convolve(self, places: npt.NDArray[np.int64]) -> Floats:
        size, width = len(places), self._width
        empty = places == self._empty
        line = np.zeros((size + 4, width), np.float32)
        np.take(self._vectors, places, axis=0, out=line[2:-2])
        state = np.zeros((size + 2 * _BETWEEN, width), np.float32)
        inner = state[_BETWEEN:-_BETWEEN]
        stacked = np.empty((size, 5 * width), np.float32)
        for k in range(5):
            stacked[:, k * width : (k + 1) * width] = line[k : k + size]
        np.matmul(stacked, self._first, out=inner)
        inner += self._first_bias
        np.maximum(inner, 0, out=inner)
        inner[empty] = 0
        stacked = stacked[:, : 3 * width]
        for step, weights, bias in self._further:
            for k in range(3):
                begin = _BETWEEN + (k - 1) * step
                stacked[:, k * width : (k + 1) * width] = state[begin : begin + size]
            more = stacked @ weights
            more += bias
            np.maximum(more, 0, out=more)
            inner += more
            inner[empty] = 0
        scores: Floats = inner @ self._scores[:width]
        scores += line[2:-2] @ self._scores[width:]
        scores += self._scores_bias
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores
