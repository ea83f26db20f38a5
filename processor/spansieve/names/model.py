"""The weights in the package, as they are stored and as they are used.

The file is a zip of numpy arrays, without pickle: the table in bytes with a scale a row, the rest in half precision,
and the lexicon as hashes. It is made by `make names-model`; the card beside it says from what.
"""

import io
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from spansieve.names.features import Lexicon, Vectors
from spansieve.names.tagger import CACHED, Tagger

_FILE = "weights.npz"
_DENSE = (
    "meaning", "word_bias", "word", "word_out", "first", "first_bias", "further", "further_bias", "scores",
    "scores_bias",
)  # fmt: skip

Arrays = Mapping[str, npt.NDArray[Any]]


def packed(arrays: Arrays, lexicon: Lexicon, vectors: Vectors, thresholds: tuple[float, float]) -> bytes:
    """Write trained arrays down, in the form that `unpacked` reads."""
    table = arrays["table"]
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-8) / 127
    kept: dict[str, npt.NDArray[Any]] = {name: arrays[name].astype(np.float16) for name in _DENSE}
    kept["table"] = np.round(table / scale).astype(np.int8)
    kept["scale"] = scale.astype(np.float16)
    kept["lexicon_hashes"] = lexicon.hashes
    kept["lexicon_marks"] = lexicon.marks
    kept["vectors_hashes"] = vectors.hashes
    kept["vectors_codes"] = vectors.codes
    kept["vectors_step"] = np.array(vectors.step, np.float32)
    kept["thresholds"] = np.array(thresholds, np.float32)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **kept)
    return file.getvalue()


class Model:
    """The weights, ready to make taggers of. Shared by all threads: nothing in it changes."""

    def __init__(self, data: bytes) -> None:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            self._arrays = {name: arrays[name] for name in _DENSE}
            self._arrays["table"] = arrays["table"].astype(np.float32) * arrays["scale"].astype(np.float32)
            self._lexicon = Lexicon(arrays["lexicon_hashes"], arrays["lexicon_marks"])
            self._vectors = Vectors(arrays["vectors_hashes"], arrays["vectors_codes"], float(arrays["vectors_step"]))
            person, place = arrays["thresholds"].tolist()
        self.thresholds: tuple[float, float] = (person, place)
        """The probabilities from which on a token is a person's name, or a place, when a policy does not say."""

    def tagger(self, cached: int = CACHED) -> Tagger:
        """Make a tagger with a cache of its own, for one thread; `cached` as for the tagger."""
        return Tagger(self._arrays, self._lexicon, self._vectors, cached)

    @property
    def lexicon(self) -> Lexicon:
        """What is known of words."""
        return self._lexicon


@cache
def shipped() -> Model:
    """The model that the package ships, read once."""
    return Model(resources.files("spansieve.names").joinpath(_FILE).read_bytes())
