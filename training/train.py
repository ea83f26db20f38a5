"""Training: batches of texts through the network, with a moving average of its weights."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from random import Random

import numpy as np
import torch
from torch import nn

from spansieve.names import features, tokens
from spansieve.names.features import Lexicon, Vectors
from spansieve.names.tagger import DILATIONS
from training.model_text import Text
from training.network import Network, known, thinned

BETWEEN = max(DILATIONS)
"""Empty places between two texts: as many as the widest convolution looks ahead."""

_CLASS_WEIGHTS = ((1.0, 2.0, 1.8, 1.0), (1.0, 1.6, 1.8, 1.5))
"""What a token of no name, a person's, a place's, another name counts: in messages, and in edited text."""

_AVERAGED_EVERY = 10
_RATE, _TABLE_RATE = 3e-3, 4e-3


def labelled(text: Text) -> tuple[list[str], list[int]]:
    """Tokens of a text and their labels; the text is read as the tagger reads it, after a line's end."""
    found = tokens.split("\n" + text.text)
    labels = [0] * len(found)
    spans = iter(text.spans)
    span = next(spans, None)
    at = -1
    for index, token in enumerate(found):
        end = at + len(token)
        start = end - len(token.lstrip()) if token.strip() else end
        while span is not None and span[1] <= start:
            span = next(spans, None)
        if span is not None and start < span[1] and end > span[0] and token.strip():
            labels[index] = span[2]
        at = end
    return found, labels


class Batch:
    """Texts in one line, with what the network needs of them."""

    def __init__(self, texts: Sequence[Text], lexicon: Lexicon, vectors: Vectors) -> None:
        distinct: dict[str, int] = {}
        places: list[int] = []
        labels: list[int] = []
        inside: list[float] = []
        edited: list[bool] = []
        for text in texts:
            found, told = labelled(text)
            places += [distinct.setdefault(token, len(distinct)) for token in found] + [0] * BETWEEN
            labels += told + [-100] * BETWEEN
            edited += [text.edited] * (len(found) + BETWEEN)
            inside += [1.0] * len(found) + [0.0] * BETWEEN
        self.features = features.of_tokens(list(distinct), lexicon)
        self.meanings = vectors.look_up(self.features.words)
        self.places = torch.tensor(places)
        self.labels = torch.tensor(labels)
        counts = torch.tensor(_CLASS_WEIGHTS)[torch.tensor(edited).long(), self.labels.clamp(min=0)]
        self.counts = counts * torch.tensor(inside)
        self.inside = torch.tensor(inside)

    def scores(self, network: Network, generator: np.random.Generator) -> torch.Tensor:
        """Score all tokens, with some of what is known of each left out."""
        kept = torch.from_numpy(thinned(self.features, generator))
        meanings = torch.from_numpy(known(self.meanings, generator))
        rows = torch.from_numpy(self.features.rows)
        begins = torch.from_numpy(self.features.begins[:-1])
        result: torch.Tensor = network(rows, begins, kept, meanings, self.places, self.inside)
        return result


def batches(texts: list[Text], random: Random, size: int) -> Iterator[list[Text]]:
    """Shuffle texts and cut them into batches of about so many characters."""
    random.shuffle(texts)
    batch: list[Text] = []
    held = 0
    for text in texts:
        batch.append(text)
        held += len(text.text)
        if held >= size:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


class Average:
    """A moving average of a network's weights."""

    def __init__(self, network: Network) -> None:
        self.network = Network(network.word.in_features)
        self.network.load_state_dict(network.state_dict())
        self._steps = 0

    def update(self, network: Network) -> None:
        """Take the weights as they are now into the average."""
        self._steps += 1
        decay = min(0.98, self._steps / (self._steps + 9))
        with torch.no_grad():
            for mine, theirs in zip(self.network.parameters(), network.parameters(), strict=True):
                mine.lerp_(theirs, 1 - decay)


def train(
    make_epoch: Callable[[int], list[Text]],
    lexicon: Lexicon,
    vectors: Vectors,
    *,
    epochs: int,
    seed: int,
    batch_characters: int = 9000,
) -> Network:
    """Train for some epochs and give the averaged network."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    generator = np.random.default_rng(seed)
    random = Random(seed)
    network = Network()
    dense = [p for name, p in network.named_parameters() if not name.startswith("table")]
    optimizer = torch.optim.AdamW(dense, lr=_RATE, weight_decay=0.01)
    loss_of = nn.CrossEntropyLoss(reduction="none", label_smoothing=0.03)
    average = Average(network)
    begun = time.monotonic()
    for epoch in range(epochs):
        network.train()
        texts = make_epoch(epoch)
        order = list(batches(texts, random, batch_characters))
        total = 0.0
        for step, texts_of_batch in enumerate(order):
            progress = (epoch + step / len(order)) / epochs
            rate = min(1.0, progress * 25 + 0.05) * (0.5 + 0.5 * math.cos(math.pi * progress)) + 0.02
            for group in optimizer.param_groups:
                group["lr"] = _RATE * rate
            optimizer.zero_grad()
            batch = Batch(texts_of_batch, lexicon, vectors)
            of_each = loss_of(batch.scores(network, generator), batch.labels)
            loss = (of_each * batch.counts).sum() / batch.counts.sum()
            loss.backward()
            nn.utils.clip_grad_norm_(dense, 2.0)
            optimizer.step()
            network.table.step(_TABLE_RATE * rate)
            total += float(loss.detach())
            if step % _AVERAGED_EVERY == 0:
                average.update(network)
        print(
            f"epoch {epoch + 1}/{epochs}  loss {total / len(order):.4f}  {time.monotonic() - begun:.0f} s", flush=True
        )
    average.network.eval()
    return average.network
