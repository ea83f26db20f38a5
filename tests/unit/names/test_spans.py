"""From probabilities to spans: what belongs to a name beside the words that the tagger marks."""

import numpy as np
import pytest

from spansieve.names import spans, tokens
from spansieve.names.spans import LOCATION, PERSON

_SURE = (0.5, 0.5)


def _found(text: str, marked: dict[str, int], *, unsure: str = "") -> list[tuple[str, int]]:
    """What is found where these words are marked as of a kind, and one more a little."""
    split = tokens.split("\n" + text)
    probabilities = np.zeros((len(split), 4), np.float32)
    for at, token in enumerate(split):
        kind = marked.get(token.strip())
        if kind:
            probabilities[at, kind] = 0.9
        elif token.strip() == unsure:
            probabilities[at, PERSON] = 0.3
    return [(text[start:end], kind) for start, end, kind in spans.found(text, split, probabilities, _SURE)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask Dr. Jane Roe now", "Dr. Jane Roe"),
        ("ask Prof. Dr. Jane Roe now", "Prof. Dr. Jane Roe"),
        ("ask mr Roe now", "mr Roe"),
        ("ask Jane Roe, PhD, now", "Jane Roe, PhD"),
        ("ask Jane Roe Jr. now", "Jane Roe Jr."),
        ("I miss Jane", "Jane"),
        ("in 5 forms Jane", "Jane"),
        ("the MD Jane Roe", "Jane Roe"),
    ],
)
def test_titles_belong_to_a_person(text: str, expected: str) -> None:
    """What stands before and after a name to address its bearer is a part of it, and goes with it."""
    assert _found(text, {"Jane": PERSON, "Roe": PERSON}) == [(expected, PERSON)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ask Jane " Jay " Roe now', ['Jane " Jay " Roe']),
        ("ask Jane “Big Jay” Roe now", ["Jane “Big Jay” Roe"]),
        ("ask Jane (Jay) Roe now", ["Jane (Jay) Roe"]),
        ("ask Jane (Roe is ill)", ["Jane", "Roe"]),
        ('ask Jane "or so you all say" Roe now', ["Jane", "Roe"]),
        ('ask Jane\n"Jay" Roe now', ["Jane", "Roe"]),
    ],
)
def test_a_nickname_between_belongs_to_a_person(text: str, expected: list[str]) -> None:
    """One or two words in quotation marks or brackets between two parts of a name go with them, in one line."""
    assert _found(text, {"Jane": PERSON, "Roe": PERSON}) == [(each, PERSON) for each in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("the Jane&Roe line", ["Jane&Roe"]), ("ask Jane & Roe", ["Jane", "Roe"]), ("ask Jane& Roe", ["Jane", "Roe"])],
)
def test_an_ampersand_joins_without_blanks(text: str, expected: list[str]) -> None:
    """Two names around an ampersand are one where it touches both, and two where it does not."""
    assert _found(text, {"Jane": PERSON, "Roe": PERSON}) == [(each, PERSON) for each in expected]


def test_places_have_no_titles() -> None:
    """A title before a place, and letters behind it, stay."""
    assert _found("Dr. Berlin, MD", {"Berlin": LOCATION}) == [("Berlin", LOCATION)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thanks @ jane_roe87 for it", [("@ jane_roe87", PERSON)]),
        ("thanks @ x_jane_roe for it", [("@ x_jane_roe", PERSON)]),
        ("thanks @jane for it", []),
        ("mail jane@example.com now", []),
        ("the value a_jane_b", []),
    ],
)
def test_a_handle_goes_as_a_whole(text: str, expected: list[tuple[str, int]]) -> None:
    """Of a handle that stands apart from its sign no part is left; identifiers and addresses of mail are no names."""
    assert _found(text, {"jane": PERSON, "roe": PERSON}) == expected


def test_a_stray_letter_is_not_taken_along() -> None:
    """One letter of another script beside a name, as wrong decoding leaves them, is no part of it."""
    assert _found("by Jane Roe \u05d2\u20ac", {"Jane": PERSON, "Roe": PERSON}, unsure="\u05d2") == [
        ("Jane Roe", PERSON)
    ]
    assert _found("by Jane Roe q", {"Jane": PERSON, "Roe": PERSON}, unsure="q") == [("Jane Roe q", PERSON)]


@pytest.mark.parametrize(("thresholds", "kind"), [((0.5, 0.4), LOCATION), ((0.5, 1.1), PERSON)])
def test_in_doubt_it_is_a_place_unless_none_is_looked_for(thresholds: tuple[float, float], kind: int) -> None:
    """What may be a person as well as a place goes as a place; where no place is looked for it goes as a person."""
    split = tokens.split("\nin Paris now")
    probabilities = np.zeros((len(split), 4), np.float32)
    probabilities[1, [PERSON, LOCATION]] = 0.52, 0.48
    assert spans.found("in Paris now", split, probabilities, thresholds) == [(3, 8, kind)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class JohnSmith:", []),
        ("struct  JohnSmith {", []),
        ("JohnSmith(x)", []),
        ("ask JohnSmith about it", [("JohnSmith", PERSON)]),
        ("class John Smith:", [("John Smith", PERSON)]),
    ],
)
def test_what_code_declares_or_calls_is_no_person(text: str, expected: list[tuple[str, int]]) -> None:
    """Two names written as one word are a name of code where it is declared or called, and a person elsewhere."""
    assert _found(text, {"JohnSmith": PERSON, "John": PERSON, "Smith": PERSON}) == expected
