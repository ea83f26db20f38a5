"""Rules that look over whole texts, with a confidence for each finding: operators' patterns, Presidio's recognisers.

The patterns of shipped packs are tried only where an anchor is. What others write says less of itself, so it is run
over the text from end to end, by engines whose time is bounded.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from spansieve.redact.rules.validators import Checker

PATTERN: Final = 0.6
"""The confidence in what a pattern finds by itself, unless its rule says another."""

IN_CONTEXT: Final = 0.3
"""The confidence in what a context pattern finds, before a word beside it is looked for."""

NEARBY: Final = 0.35
"""What a context word adds, as in Presidio."""

CONFIRMED: Final = 1.0
"""The confidence in what a validator has confirmed, or what stands under a key that says so."""

Look = Callable[[str], Iterable[tuple[int, int, float]]]
"""Gives the start, the end and the confidence of each finding in a text."""


@dataclass(frozen=True, slots=True)
class Whole:
    """One detector over whole texts.

    `anchors`: literals in lower case, of which a text must hold one to be looked at; none of them: every text is.
    What has less confidence than `threshold` counts beside a context word, if NEARBY lifts it so far.
    """

    look: Look
    threshold: float
    anchors: tuple[str, ...] = ()
    check: Checker | None = None
    cost: int = 1

    def may(self, lowered: str) -> bool:
        """Whether the detector is to look at a text, which is given in lower case."""
        return not self.anchors or any(anchor in lowered for anchor in self.anchors)


class TooMuch(Exception):
    """A detector would take too long over a text: the text is removed whole."""
