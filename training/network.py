"""The tagger as PyTorch sees it: the same arithmetic as spansieve.names.tagger, with gradients."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from spansieve.names.features import KIND_LEXICON, KIND_PIECE, KIND_SHAPE, KIND_WORD, Rows
from spansieve.names.tagger import DILATIONS
from training.table import Table

WIDTH = 64
MEANING = 50
"""Numbers in the vector of a word that comes from much other text."""
LABELS = 4
_LEFT_OUT = {KIND_WORD: 0.5, KIND_LEXICON: 0.3, KIND_PIECE: 0.15, KIND_SHAPE: 0.05}


class Network(nn.Module):
    """Features of words → sum → ReLU → linear → convolutions over words → scores of none, person, place, other name.

    The first convolution is five words wide; those behind it are three wide, further apart each time, and add to it.
    """

    def __init__(self, width: int = WIDTH, dilations: Sequence[int] = DILATIONS) -> None:
        super().__init__()
        self.table = Table(width)
        self.meaning = nn.Linear(MEANING, width, bias=False)
        self.word_bias = nn.Parameter(torch.zeros(width))
        self.word = nn.Linear(width, width)
        self.first = nn.Conv1d(width, width, 5, padding=2)
        self.further = nn.ModuleList(nn.Conv1d(width, width, 3, padding=d, dilation=d) for d in dilations)
        self.scores = nn.Linear(2 * width, LABELS)
        self.dropout = nn.Dropout(0.15)

    def forward(
        self,
        rows: torch.Tensor,
        begins: torch.Tensor,
        kept: torch.Tensor,
        meanings: torch.Tensor,
        places: torch.Tensor,
        inside: torch.Tensor,
    ) -> torch.Tensor:
        """Score tokens. `places` says which distinct token stands where, `inside` is 0 between texts."""
        summed = self.table(rows, begins, kept)
        words = self.word(torch.relu(summed + self.meaning(meanings) + self.word_bias))
        mask = inside[None, None, :]
        line = words[places].T[None] * mask
        line = self.dropout(line)
        state = torch.relu(self.first(line)) * mask
        for layer in self.further:
            state = state + torch.relu(layer(state)) * mask
        joined = torch.cat([self.dropout(state), line], 1)[0].T
        scores: torch.Tensor = self.scores(joined)
        return scores


def thinned(features: Rows, generator: np.random.Generator, share: float = 1.0) -> np.ndarray:
    """Weights of features with some of them left out, by kind: all of a kind that a token has, or single pieces."""
    size = len(features.begins) - 1
    kept = np.ones(len(features.rows), np.float32)
    owner = np.repeat(np.arange(size), np.diff(features.begins))
    for kind, chance in _LEFT_OUT.items():
        of_kind = features.kinds == kind
        if kind == KIND_PIECE:
            out = generator.random(len(kept)) < chance * share
        else:
            out = (generator.random(size) < chance * share)[owner]
        kept[of_kind & out] = 0.0
    return kept


def known(meanings: np.ndarray, generator: np.random.Generator, chance: float = 0.15) -> np.ndarray:
    """Vectors of words with some of them left out: what is in no list has none."""
    return meanings * (generator.random((len(meanings), 1)) >= chance).astype(np.float32)


def weights(model: Network) -> dict[str, np.ndarray]:
    """The trained arrays, in the shapes that the tagger multiplies with."""

    def array(tensor: torch.Tensor) -> np.ndarray:
        return tensor.detach().numpy().astype(np.float32)

    def stacked(layer: nn.Conv1d) -> np.ndarray:
        return array(layer.weight).transpose(2, 1, 0).reshape(-1, layer.out_channels)

    return {
        "table": array(model.table.weight),
        "meaning": array(model.meaning.weight).T,
        "word_bias": array(model.word_bias),
        "word": array(model.word.weight).T,
        "word_out": array(model.word.bias),
        "first": stacked(model.first),
        "first_bias": array(model.first.bias),
        "further": np.stack([stacked(layer) for layer in model.further]),
        "further_bias": np.stack([array(layer.bias) for layer in model.further]),
        "scores": array(model.scores.weight).T,
        "scores_bias": array(model.scores.bias),
    }


__all__: Sequence[str] = ("LABELS", "WIDTH", "Network", "thinned", "weights")
