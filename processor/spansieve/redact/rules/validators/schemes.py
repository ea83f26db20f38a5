"""Numbers known by their shape: one candidate, looked up in a table of some eighty national and other schemes.

A rule for each scheme would try each of their patterns at each place where digits stand. The candidate's shape (`9` for
a digit, `A` for a capital letter) names the few schemes that it can be of; their check digits, and the words around it
where the shape alone is not enough, decide.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from typing import Any

from spansieve import strict_yaml
from spansieve.redact.rules.validators import devices, europe, world

Span = tuple[int, int]
Check = Callable[[str], bool]

_SHAPE = str.maketrans(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\u00a0\u202f\u2010\u2011\u2012\u2013\u2014",
    "9" * 10 + "A" * 26 + "a" * 26 + "  " + "-----",
)
_ANY = "*"
_WORD = re.compile(r"[^\W\d_]+")
_PARTS = re.compile(r"[^\W_]+")
_BEFORE = 48
_AFTER = 24
_NEAR_BEFORE = 5  # words that may stand between a word and a number of any shape
_NEAR_AFTER = 2
_LONGEST = 26  # characters of the longest shape

_NONE: frozenset[str] = frozenset()

_Scheme = tuple[Check, frozenset[str]]  # no words: the shape is enough


class Numbers:
    """The schemes of one group of the table. An instance is a checker."""

    def __init__(self, schemes: Iterable[dict[str, Any]]) -> None:
        self._alone: dict[str, list[Check]] = {}
        self._beside: dict[str, list[_Scheme]] = {}
        words: set[str] = set()
        for scheme in schemes:
            check = _check(scheme["check"])
            for shape in scheme.get("alone", ()):
                self._alone.setdefault(shape, []).append(check)
            wanted = frozenset(scheme.get("words", ()))
            words |= wanted
            for shape in scheme.get("beside", ()):
                self._beside.setdefault(shape, []).append((check, wanted))
        self._any = self._beside.pop(_ANY, [])
        shapes = [*self._alone, *self._beside]
        self._shortest = 0 if self._any else min(map(len, shapes), default=0)
        self.may: re.Pattern[str] | None = None if self._any else re.compile(_as_pattern(shapes))
        """Finds, in the symbols of `rules.shapes`, where a number of one of these shapes may begin."""
        self._words = frozenset(words)
        self._single = frozenset(part for phrase in words for part in phrase.split())

    def __call__(self, text: str, start: int, end: int) -> Span | None:
        """Give the span of the number at the start of a candidate; what follows behind a space may be another."""
        if end - start < self._shortest:
            return None
        if end - start > _LONGEST and (end := text.rfind(" ", start, start + _LONGEST + 1)) < 0:
            return None
        shape = text[start:end].translate(_SHAPE)
        folded = shape.upper()
        alone, beside = self._alone, self._beside
        cut = len(shape)
        if shape[-1] == ")" and "(" not in shape:
            cut -= 1
        while cut > 0:
            if (shape[:cut] in alone and self._is_alone(text, start, shape, cut)) or (
                folded[:cut] in beside and self._is_beside(text, start, folded[:cut])
            ):
                return start, start + cut
            cut = shape.rfind(" ", 0, cut)
        return self._of_any_shape(text, start, start + len(shape)) if self._any else None

    def _is_alone(self, text: str, start: int, shape: str, cut: int) -> bool:
        if _in_a_row(text, start, shape, cut):
            return False
        number = _compact(text[start : start + cut])
        return any(check(number) for check in self._alone[shape[:cut]])

    def _is_beside(self, text: str, start: int, shape: str) -> bool:
        end = start + len(shape)
        words = self._around(text, start, end)
        if not words:
            return False
        number = _compact(text[start:end])
        return any(not words.isdisjoint(wanted) and check(number) for check, wanted in self._beside[shape])

    def _around(self, text: str, start: int, end: int) -> frozenset[str]:
        ahead = _WORD.findall(text[max(0, start - _BEFORE) : start].lower())
        behind = _WORD.findall(text[end : end + _AFTER].lower())
        return self._phrases(ahead, behind)

    def _phrases(self, *runs: list[str]) -> frozenset[str]:
        """Which words of the schemes, and which two of them as neighbours, stand in runs of words."""
        single = self._single
        for words in runs:
            if not single.isdisjoint(words):
                break
        else:
            return _NONE
        found = {word for words in runs for word in words}
        found |= {f"{first} {second}" for words in runs for first, second in pairwise(words)}
        return self._words & found

    def _of_any_shape(self, text: str, start: int, end: int) -> Span | None:
        space = text.find(" ", start, end)
        ends = [end] if space < 0 else [space, end]
        for stop in ends:
            ahead = _WORD.findall(text[max(0, start - _BEFORE) : start].lower())
            behind = _WORD.findall(text[stop : stop + _AFTER].lower())
            near = self._phrases(ahead[-_NEAR_BEFORE:], behind[:_NEAR_AFTER])
            if near:
                number = _compact(text[start:stop])
                if any(not near.isdisjoint(wanted) and check(number) for check, wanted in self._any):
                    return start, stop
        return None


def _as_pattern(shapes: Iterable[str]) -> str:
    written = ("".join(map(_SYMBOLS.__getitem__, shape)) for shape in sorted(shapes))
    return f"(?:{'|'.join(written) or '(?!)'})(?![0Aax])"


_SYMBOLS = {character: f"[{re.escape(character)}?]" for character in "./+()"} | {
    "9": "[0x?]",
    "A": "[Aax?]",
    " ": "[ \u00a0\u202f?]",
    "-": "[-\u2010-\u2014?]",
}


def group(name: str, countries: frozenset[str] | None = None) -> Numbers:
    """Read a group of schemes from the table of this package: those of some countries, and of none, or all."""
    return Numbers(
        scheme
        for scheme in _table()[name]
        if countries is None or scheme["country"] == _ANY or scheme["country"] in countries
    )


def known_country(code: str) -> bool:
    """Whether there are schemes of a country."""
    return code != _ANY and any(scheme["country"] == code for schemes in _table().values() for scheme in schemes)


@cache
def _table() -> dict[str, list[dict[str, Any]]]:
    table: dict[str, list[dict[str, Any]]] = strict_yaml.shipped("spansieve.redact.rules.validators", "schemes.yaml")
    return table


def _check(name: str) -> Check:
    for module in (europe, world, devices):
        if (found := getattr(module, name, None)) is not None:
            check: Check = found
            return check
    raise KeyError(name)


def _compact(raw: str) -> str:
    return (raw if raw.isalnum() else "".join(_PARTS.findall(raw))).upper()


def _in_a_row(text: str, start: int, shape: str, cut: int) -> bool:
    """Whether a number in groups is part of a longer one: more groups of the same length stand next to it."""
    last = shape.rfind(" ", 0, cut)
    if last < 0:
        return False
    size = cut - last - 1
    goes_on = shape[cut : cut + 1 + size] == " " + "9" * size and not shape[cut + 1 + size : cut + 2 + size].isalnum()
    before = text[max(0, start - 5) : start]
    return goes_on or (shape.startswith("9999 ") and len(before) == 5 and before[:4].isdigit() and before[4] == " ")
