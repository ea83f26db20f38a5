"""Many literals and patterns in one pass, by Vectorscan (the package `hyperscan`) where it is installed.

It reads bytes, in any ASCII case, and tells where a match ends. Nothing of a text is kept.
"""

import functools
import importlib
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple


def _load() -> Any:  # noqa: ANN401 - a module that may not be there
    try:
        return importlib.import_module("hyperscan")
    except ImportError:  # no wheel for this machine: anchors.py has its own pass
        return None


_hyperscan = _load()


def installed() -> bool:
    """Whether there is a Vectorscan on this machine."""
    return _hyperscan is not None


class Expression(NamedTuple):
    """Something to look for, and what it means. In any ASCII case, but when `exact`; told `once` a text, or always."""

    pattern: bytes
    meaning: Hashable
    exact: bool = False
    once: bool = False


Note = Callable[[int, int, int, int, object], None]


class Scanner:
    """A compiled database. Many threads may use it; each has scratch memory of its own, as Vectorscan demands."""

    def __init__(self, database: Any, meanings: Sequence[Any]) -> None:  # noqa: ANN401 - hyperscan.Database
        self._database = database
        self._scan = database.scan
        self.meanings = meanings
        self._local = threading.local()

    def tell(self, text: bytes, note: Note) -> None:
        """Call `note` for all that is in a text, in order of its end: number among `meanings`, 0, end."""
        try:
            scratch = self._local.scratch
        except AttributeError:
            scratch = self._local.scratch = _hyperscan.Scratch(self._database)
        self._scan(text, match_event_handler=note, scratch=scratch)

    def scan(self, text: bytes) -> list[tuple[Any, int]]:
        """Give the meanings of what is in a text, with the offset of each end."""
        found: list[tuple[Any, int]] = []
        meanings, add = self.meanings, found.append

        def note(expression: int, _start: int, end: int, _flags: int, _context: object) -> None:
            add((meanings[expression], end))

        self.tell(text, note)
        return found


@functools.lru_cache(maxsize=32)
def scanner(expressions: tuple[Expression, ...]) -> Scanner | None:
    """Compile expressions. Two policies share what is the same in both. Gives None when there is no Vectorscan."""
    if _hyperscan is None:
        return None
    flags = [
        (0 if each.exact else _hyperscan.HS_FLAG_CASELESS) | (_hyperscan.HS_FLAG_SINGLEMATCH if each.once else 0)
        for each in expressions
    ]
    database = _hyperscan.Database(mode=_hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=[each.pattern for each in expressions], ids=list(range(len(flags))), flags=flags)
    return Scanner(database, [each.meaning for each in expressions])
