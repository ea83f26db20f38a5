"""Many literals and patterns in one pass, by Vectorscan (the package `hyperscan`) where it is installed.

It reads bytes, in any ASCII case, and tells where a match ends. Nothing of a text is kept.
"""

import functools
import importlib
import re
import threading
from collections.abc import Sequence
from typing import Any


def _load() -> Any:  # noqa: ANN401 - a module that may not be there
    try:
        return importlib.import_module("hyperscan")
    except ImportError:  # no wheel for this machine: anchors.py has its own pass
        return None


_hyperscan = _load()


def installed() -> bool:
    """Whether there is a Vectorscan on this machine."""
    return _hyperscan is not None


class Scanner:
    """A compiled database. Many threads may use it; each has scratch memory of its own, as Vectorscan demands."""

    def __init__(self, database: Any, meanings: Sequence[int]) -> None:  # noqa: ANN401 - hyperscan.Database
        self._database = database
        self._scan = database.scan
        self._meanings = meanings
        self._local = threading.local()

    def scan(self, text: bytes) -> list[tuple[int, int]]:
        """Give the meanings of what is in a text, with the offset of each end; a sign's once for each expression."""
        try:
            scratch = self._local.scratch
        except AttributeError:
            scratch = self._local.scratch = _hyperscan.Scratch(self._database)
        found: list[tuple[int, int]] = []
        meanings = self._meanings

        def note(expression: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.append((meanings[expression], end))

        self._scan(text, match_event_handler=note, scratch=scratch)
        return found


@functools.lru_cache(maxsize=32)
def scanner(signs: tuple[tuple[bytes, int], ...], literals: tuple[tuple[bytes, int], ...]) -> Scanner | None:
    """Compile expressions, each with what it means: signs are reported once a text, literals wherever they are.

    Two policies share what is the same in both. Gives None when Vectorscan is not installed.
    """
    if _hyperscan is None:
        return None
    flags = [_hyperscan.HS_FLAG_CASELESS | _hyperscan.HS_FLAG_SINGLEMATCH] * len(signs)
    flags += [_hyperscan.HS_FLAG_CASELESS] * len(literals)
    expressions = [sign for sign, _ in signs] + [re.escape(literal) for literal, _ in literals]
    database = _hyperscan.Database(mode=_hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=expressions, ids=list(range(len(expressions))), flags=flags)
    return Scanner(database, [meaning for _, meaning in (*signs, *literals)])
