from random import Random

from bench.prose import BYTES_PER_PERSONAL_VALUE, Prose, Value


def test_the_same_seed_writes_the_same_text() -> None:
    """Prose is a function of its random numbers."""
    assert Prose(Random(3)).text(5000, []) == Prose(Random(3)).text(5000, [])


def test_what_is_strewn_in_stands_in_the_text() -> None:
    """Every value that is noted as written can be found."""
    values: list[Value] = []
    text = Prose(Random(5)).text(60_000, values)
    assert values
    assert all(needle in text for value in values for needle in value.needles)


def test_one_personal_value_stands_in_two_kilobytes() -> None:
    """The density of personal values is what the traffic promises, within a tenth."""
    values: list[Value] = []
    text = Prose(Random(7)).text(2_000_000, values)
    personal = sum(value.personal for value in values)
    assert 0.9 < len(text) / personal / BYTES_PER_PERSONAL_VALUE < 1.1


def test_all_kinds_of_values_come_up() -> None:
    """A long text holds every kind of personal value and of look-alike."""
    values: list[Value] = []
    Prose(Random(9)).text(3_000_000, values)
    assert {value.kind for value in values if value.personal} == {
        *("email", "phone", "card", "ssn", "iban", "ip", "api_key", "jwt", "pem")
    }
    assert {value.kind for value in values if not value.personal} == {
        *("uuid", "hex", "date", "semver", "order", "money")
    }
