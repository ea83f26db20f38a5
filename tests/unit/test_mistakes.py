"""What is a mistake in any file, and the words for it, in which no value stands."""

import datetime as dt
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from spansieve import mistakes, strict_yaml
from spansieve.mistakes import Written


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


class _Bounded(Written):
    """What may be wrong with a value in more ways than its kind."""

    share: Annotated[float, Field(le=29.0)] = 0
    word: Annotated[str, Field(min_length=1, pattern="^[a-z]*$")] = "a"
    sentence: Annotated[str, Field(min_length=10)] = "a" * 10
    one: Literal["a", "b"] = "a"
    several: tuple[str, ...] = ()
    when: dt.timedelta | None = None


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("share: 30", "29 is the most"),
        ("share: secret", "a number is needed, without a unit"),
        ("word: ''", "a text is needed"),
        ("word: SECRET", "a text of the form ^[a-z]*$ is needed"),
        ("word: 7", "a text is needed, in quotes where it looks like something else"),
        ("sentence: secret", "a text of 10 characters or more is needed"),
        ("one: secret", "'a' or 'b' is needed"),
        ("several: secret", "a list is needed"),
        ("7: secret", "keys are texts: put it in quotes"),
        ("when: []", "input should be a valid timedelta"),
    ],
)
def test_what_is_needed_is_said_in_words(written: str, words: str) -> None:
    """Of what was written nothing; pydantic's own words only where there are none of ours."""
    with pytest.raises(ValidationError) as refused:
        _Bounded.model_validate(strict_yaml.load(written))
    (details,) = refused.value.errors()
    assert mistakes.needed(details) == words


def test_bounds_have_the_unit_of_the_value() -> None:
    """Seconds, where a duration was written."""
    with pytest.raises(ValidationError) as refused:
        _Bounded.model_validate({"share": 60.0})
    assert mistakes.needed(refused.value.errors()[0], "s") == "29s is the most"


class _Settings(Written):
    """A bit of each."""

    whole: int = 5
    share: float | None = None
    wanted: bool = False
    either: bool | int = 0


@pytest.mark.parametrize("key", ["whole", "share"])
@pytest.mark.parametrize("word", ["yes", "off", "true"])
def test_a_truth_value_is_no_number(key: str, word: str) -> None:
    """`sampling_percentage: yes` is not one percent."""
    with pytest.raises(ValidationError) as refused:
        _Settings.model_validate(strict_yaml.load(f"{key}: {word}"))
    (details,) = refused.value.errors()
    assert (details["loc"], mistakes.kind(details["input"])) == ((key,), "a truth value")


@pytest.mark.parametrize(("written", "wanted", "either"), [("wanted: yes", True, 0), ("either: yes", False, True)])
def test_a_truth_value_is_one_where_it_may_be(written: str, *, wanted: bool, either: bool) -> None:
    """As it is written."""
    settings = _Settings.model_validate(strict_yaml.load(written))
    assert (settings.wanted, settings.either) == (wanted, either)


@pytest.mark.parametrize("written", ["hole: 5", "5: yes"])
def test_a_key_that_is_not_known_is_a_mistake(written: str) -> None:
    """Whatever it is."""
    with pytest.raises(ValidationError, match=r"not permitted|should be strings"):
        _Settings.model_validate(strict_yaml.load(written))


@pytest.mark.parametrize("written", ["[7]", "7", ""])
def test_what_is_no_keys_and_values_is_a_mistake(written: str) -> None:
    """It is shown to whoever says so as it was read."""
    tree = strict_yaml.load(written)
    with pytest.raises(ValidationError) as refused:
        _Settings.model_validate(tree)
    assert refused.value.errors()[0]["input"] == tree


def test_a_number_is_one() -> None:
    """Whole or not."""
    settings = _Settings.model_validate(strict_yaml.load("whole: 7\nshare: 0.5"))
    assert (settings.whole, settings.share) == (7, 0.5)
