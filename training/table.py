"""The table of hashed features, trained by Adam on the rows that a batch touches and on no others."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from spansieve.names.features import ROWS

_BETAS = (0.9, 0.999)
_LEAST = 1e-8


class Table(nn.Module):
    """Rows of numbers, of which each token takes the sum of some.

    Its gradient is worked out here, by rows: PyTorch's own for a sparse table takes ten times as long as all the rest.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(ROWS, width), requires_grad=False)
        nn.init.normal_(self.weight, std=0.05)
        self._mean = torch.zeros(0)
        self._square = torch.zeros(0)
        self._steps = 0
        self._last: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor] | None = None

    def forward(self, rows: torch.Tensor, begins: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        """Sum up rows: `rows[begins[i]:begins[i + 1]]` are those of token i, `kept` says how much each counts."""
        summed = functional.embedding_bag(rows, self.weight, begins, mode="sum", per_sample_weights=kept)
        if self.training:
            summed.requires_grad_()
            self._last = (rows, begins, kept, summed)
        return summed

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Learn from the last batch, of which the gradient is known."""
        if self._last is None:
            return
        rows, begins, kept, summed = self._last
        self._last = None
        touched, gradient = _by_row(rows, begins, kept, summed.grad)
        if self._steps == 0:
            self._mean = torch.zeros_like(self.weight)
            self._square = torch.zeros_like(self.weight)
        self._steps += 1
        mean = self._mean[touched].lerp_(gradient, 1 - _BETAS[0])
        square = self._square[touched].lerp_(gradient * gradient, 1 - _BETAS[1])
        self._mean[touched] = mean
        self._square[touched] = square
        rate *= (1 - _BETAS[1] ** self._steps) ** 0.5 / (1 - _BETAS[0] ** self._steps)
        self.weight[touched] -= rate * mean / (square.sqrt() + _LEAST)


def _by_row(
    rows: torch.Tensor, begins: torch.Tensor, kept: torch.Tensor, gradient: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows that tokens took, each once, and the sum of the gradients of those that took it."""
    if gradient is None:
        raise RuntimeError("a step without a gradient: call backward() first")
    narrow = rows.numpy().astype(np.uint16)  # numpy sorts these by their digits
    order = np.argsort(narrow, kind="stable")
    counts = np.bincount(narrow, minlength=ROWS)
    touched = np.flatnonzero(counts)
    sizes = np.diff(begins.numpy(), append=len(rows))
    owner = np.repeat(np.arange(len(sizes)), sizes)[order]
    starts = np.zeros(len(touched), np.int64)
    np.cumsum(counts[touched][:-1], out=starts[1:])
    summed = functional.embedding_bag(
        torch.from_numpy(owner), gradient, torch.from_numpy(starts), mode="sum", per_sample_weights=kept[order]
    )
    return torch.from_numpy(touched), summed
