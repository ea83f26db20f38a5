"""Who is meant by a name: «Dr. Jane Roe», «jane roe», «Roe» and «Jane» are one person when a full name was seen."""

import re
from collections.abc import Callable, Iterator
from typing import Final

MOST: Final = 500
"""Full names that one conversation remembers: a list of thousands of people is no conversation."""

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019\-][^\W\d_]+)*")
_TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "madam", "lady", "lord", "herr", "frau",
     "madame", "monsieur", "mme", "señor", "señora", "sr", "sra", "jr", "ii", "iii", "iv", "phd", "md",
     "dds", "dvm", "mba", "esq", "captain", "judge"}
)  # fmt: skip
_LONGEST = 8  # words of a name
_SHORTEST = 3  # letters of a part of a name that is looked for by itself


class People:
    """The persons of one conversation. `is_word` says whether a word, in small letters, is an ordinary one."""

    def __init__(self, is_word: Callable[[str], bool]) -> None:
        self._is_word = is_word
        self._by_part: dict[str, set[tuple[str, ...]]] = {}
        self._full: dict[tuple[str, ...], tuple[str, ...]] = {}  # parts in small letters: as they were written

    def add(self, name: str) -> None:
        """Note a name that was found. One of a single word says nothing of others."""
        words = _parts(name)
        if any(word[0].isupper() for word in words):  # «Roe knows»: a word that was taken along is no part of a name
            words = [word for word in words if not (word.islower() and self._is_word(word))]
        if not 2 <= len(words) <= _LONGEST or len(self._full) >= MOST:
            return
        key = tuple(word.casefold() for word in words)
        if key in self._full:
            return
        self._full[key] = tuple(words)
        for part in key:
            self._by_part.setdefault(part, set()).add(key)

    def who(self, name: str) -> str:
        """Write a name as that of the one person whom it can mean; else without its titles."""
        parts = tuple(word.casefold() for word in _parts(name))
        if not parts:
            return name
        known = tuple(part for part in parts if part in self._by_part)
        if known and all(part in self._by_part or self._is_word(part) for part in parts):
            parts = known  # here too
        if parts in self._full:
            return " ".join(parts)
        candidates = set.intersection(*(self._by_part.get(part, set()) for part in parts))
        initials = {word.casefold() for word in _WORD.findall(name) if len(word) == 1}
        if initials:
            candidates = {each for each in candidates if initials & {part[0] for part in each}}
        return " ".join(next(iter(candidates)) if len(candidates) == 1 else parts)

    def bare(self) -> Iterator[str]:
        """The parts of full names that mean somebody wherever they stand: those that are no ordinary words."""
        seen: set[str] = set()
        for words in self._full.values():
            for word in (words[0], words[-1]):
                if (
                    len(word) >= _SHORTEST
                    and word not in seen
                    and word[0].isupper()
                    and not self._is_word(word.lower())
                ):
                    seen.add(word)
                    yield word


def _parts(name: str) -> list[str]:
    """The words of a name without titles and initials."""
    return [word for word in _WORD.findall(name) if len(word) > 1 and word.casefold() not in _TITLES]
