"""Labelled text, as training and scoring use it."""

from dataclasses import dataclass

PERSON, LOCATION, OTHER = 1, 2, 3
"""OTHER are names of anything else, such as companies: told apart in training, and not looked for."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text and its labelled spans: start, end and PERSON, LOCATION or OTHER; in order, without overlap."""

    text: str
    spans: tuple[tuple[int, int, int], ...] = ()
    edited: bool = False
    """Whether it is an article or a book: much in it is named that is no person, and a name is seldom missed."""
