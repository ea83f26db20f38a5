"""Who is meant by a name."""

import pytest

from spansieve.names.people import MOST, People


def _people(*names: str) -> People:
    people = People(lambda word: word in {"will", "mark"})
    for name in names:
        people.add(name)
    return people


@pytest.mark.parametrize(
    "name", ["Jane Roe", "jane roe", "Dr. Jane Roe", "Roe", "Jane", "JANE ROE", "Jane M. Roe", "J. Roe", "Roe, Jane"]
)
def test_ways_to_write_a_name_mean_one_person(name: str) -> None:
    """However a name is written, it means the person whose full name was seen."""
    who = _people("Jane Roe", "Tom Li").who(name)
    assert sorted(who.split()) == ["jane", "roe"]


def test_words_that_were_taken_along_mean_nobody() -> None:
    """Ordinary words beside a name neither make another person of it nor one that is remembered."""
    people = _people("Jane Roe", "Roe will")
    assert [people.who(name) for name in ("Jane Roe", "Jane mark Roe", "will Jane Roe")] == ["jane roe"] * 3
    assert _people("Will Smith", "Jane Smith").who("Will Smith") == "will smith"


def test_a_name_of_two_people_means_neither() -> None:
    """A family name that two people bear stays by itself."""
    assert _people("Jane Roe", "John Roe").who("Roe") == "roe"


def test_an_initial_tells_two_people_apart() -> None:
    """Of two people with one family name the initial says which."""
    assert _people("Jane Roe", "Tom Roe").who("T. Roe") == "tom roe"


def test_parts_that_are_words_are_not_looked_for() -> None:
    """A given name that is an ordinary word is not searched for by itself."""
    assert list(_people("Will Smithson").bare()) == ["Smithson"]


def test_a_conversation_remembers_a_bounded_number() -> None:
    """Beyond the bound no more people are remembered."""
    people = _people(*(f"A{chr(97 + i % 26)}{chr(97 + i // 26)} Roe" for i in range(MOST + 50)))
    assert len(list(people.bare())) <= MOST + 1
