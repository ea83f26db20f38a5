"""English-like prose from a word model of our own, with personal values and their look-alikes strewn in.

A sentence is a template with slots; words are drawn with Zipf's weights, so that some are frequent as in real text.
"""

import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate
from random import Random
from typing import Any
from uuid import UUID

import yaml
from demo.planted import plant

BYTES_PER_PERSONAL_VALUE = 2048
BYTES_PER_LOOK_ALIKE = 700
_UNICODE_SHARE = 0.04
_FORMATTER = string.Formatter()


@dataclass(frozen=True, slots=True)
class Value:
    """Something to be searched for in what left: gone when `personal`, still there when not."""

    kind: str
    personal: bool
    needles: tuple[str, ...]


@cache
def _vocabulary() -> dict[str, Any]:
    tree: dict[str, Any] = yaml.safe_load(files("bench").joinpath("words.yaml").read_text(encoding="utf-8"))
    return tree


class Prose:
    """A writer with a style of its own: the same `random` gives the same text. Values written are in `values`."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._vocabulary = _vocabulary()
        self._words = {
            slot: _zipf(self._vocabulary[name])
            for slot, name in (
                ("noun", "nouns"),
                ("adjective", "adjectives"),
                ("verb", "verbs"),
                ("adverb", "adverbs"),
                ("preposition", "prepositions"),
            )
        }
        weights = self._vocabulary["weights"]
        self._kinds, self._weights = list(weights), list(accumulate(weights.values()))
        self._until_personal = self._gap(BYTES_PER_PERSONAL_VALUE)
        self._until_look_alike = self._gap(BYTES_PER_LOOK_ALIKE)

    def text(self, size: int, values: list[Value]) -> str:
        """Write about `size` characters in whole sentences; what was strewn in is added to `values`."""
        pieces: list[str] = []
        written = 0
        while written < size:
            piece = self._next(values)
            pieces.append(piece)
            written += len(piece) + 1
            self._until_personal -= len(piece) + 1
            self._until_look_alike -= len(piece) + 1
        return " ".join(pieces)

    def personal(self) -> Value:
        """A personal value by itself, of a kind drawn by how often each comes up."""
        kind = self._random.choices(self._kinds, cum_weights=self._weights)[0]
        planted = plant(kind, self._random)
        return Value(kind, personal=True, needles=(planted.text,))

    def word(self, slot: str = "noun") -> str:
        """One word."""
        words, weights = self._words[slot]
        return self._random.choices(words, cum_weights=weights)[0]

    def _next(self, values: list[Value]) -> str:
        random, vocabulary = self._random, self._vocabulary
        if self._until_personal <= 0:
            self._until_personal += self._gap(BYTES_PER_PERSONAL_VALUE)
            kind = random.choices(self._kinds, cum_weights=self._weights)[0]
            planted = plant(kind, random)
            values.append(Value(kind, personal=True, needles=planted.needles))
            return self._fill(random.choice(vocabulary["personal"][kind]), planted.text)
        if self._until_look_alike <= 0:
            self._until_look_alike += self._gap(BYTES_PER_LOOK_ALIKE)
            kind = random.choice(list(vocabulary["benign"]))
            text = LOOK_ALIKES[kind](random)
            values.append(Value(kind, personal=False, needles=(text,)))
            return self._fill(random.choice(vocabulary["benign"][kind]), text)
        shapes = "unicode" if random.random() < _UNICODE_SHARE else "sentences"
        return self._fill(random.choice(vocabulary[shapes]), "")

    def _fill(self, template: str, value: str) -> str:
        """Put words into the slots of a template; a sentence starts with a capital."""
        pieces: list[str] = []
        for literal, slot, _, _ in _parts(template):
            pieces.append(literal)
            if slot == "":
                pieces.append(value)
            elif slot == "small":
                pieces.append(str(self._random.randrange(1, 999)))
            elif slot is not None:
                pieces.append(self.word(slot))
        sentence = "".join(pieces)
        return sentence if template.startswith("{}") else sentence[:1].upper() + sentence[1:]

    def _gap(self, mean: int) -> float:
        return self._random.expovariate(1 / mean)


@cache
def _parts(template: str) -> tuple[tuple[str, str | None, str | None, str | None], ...]:
    return tuple(_FORMATTER.parse(template))


def _zipf(words: list[str]) -> tuple[list[str], list[float]]:
    """Words and their cumulative weights: the n-th is 1/n as frequent as the first, in an order without a pattern."""
    shuffled = sorted(words, key=hash_of)
    return shuffled, list(accumulate(1 / (rank + 8) for rank in range(len(words))))


def hash_of(text: str) -> int:
    """A hash that is the same in each process."""
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def _date(random: Random) -> str:
    day = f"2026-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}"
    return day if random.random() < 0.5 else f"{day}T{random.randrange(24):02}:{random.randrange(60):02}:00Z"


def _semver(random: Random) -> str:
    return f"v{random.randrange(9)}.{random.randrange(30)}.{random.randrange(30)}"


LOOK_ALIKES: dict[str, Callable[[Random], str]] = {
    "uuid": lambda random: str(UUID(int=random.getrandbits(128), version=4)),
    "hex": lambda random: random.randbytes(random.choice((8, 16))).hex(),
    "date": _date,
    "semver": _semver,
    "order": lambda random: f"ORD-{random.randrange(10_000, 99_999)}",
    "money": lambda random: f"${random.randrange(1, 99)},{random.randrange(1000):03}.{random.randrange(100):02}",
}
"""What patterns mistake for personal data."""
