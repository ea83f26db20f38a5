"""Words for mistakes in files, in which no value stands."""

import pytest

from spansieve import mistakes, strict_yaml


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("", "nothing"),
        ("[secret]", "a list"),
        ("{secret: 1}", "keys and values"),
        ("secret", "a text"),
        ("true", "a truth value"),
        ("7", "a number"),
        ("7.5", "a number"),
        ("2026-01-31", "a date"),
        ("2026-01-31 10:00:00", "a date"),
        ("!!set {secret}", "a value"),
    ],
)
def test_a_value_is_called_by_its_kind(written: str, kind: str) -> None:
    """As it was read, and never by what it is."""
    assert mistakes.kind(strict_yaml.load(written)) == kind


@pytest.mark.parametrize(
    ("wrong", "question"),
    [("endpont", " Did you mean endpoint?"), ("end", ""), ("zzz", ""), (7, "")],
)
def test_a_known_name_that_is_like_a_wrong_one_is_asked_for(wrong: object, question: str) -> None:
    """Only the most like; none that is not much like it."""
    assert mistakes.did_you_mean(wrong, ("headers", "endpoint", "endpoints", "timeout")) == question
