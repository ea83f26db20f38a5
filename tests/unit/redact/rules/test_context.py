"""Whether a word of context may be near: never no where a rule's own pattern would find one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact.rules import keys
from spansieve.redact.rules.context import Context
from unit.redact.helpers_redact import default_rules

_WORDS = ["phone", "call me", "social_security_no", "téléphone", "móvil", "tax id"]
_CONTEXT = Context({1: _WORDS, 2: ["fax"]})
_SHIPPED = sorted({word for rule in default_rules().rules for word in rule.words})


@pytest.mark.parametrize(
    "text",
    [
        "my Phone: ", "phones ", "_phone_", "\nphone\n", "call-me at", "callme ", "socialSecurityNo",
        "social.security.no", "TÉLÉPHONE ", "el móvil es", "tax.id",
    ],
)  # fmt: skip
def test_a_word_is_near_however_it_is_written(text: str) -> None:
    """In any case, in the plural, and with or without what divides its parts."""
    assert _CONTEXT.near(text, 0, len(text))


@pytest.mark.parametrize("text", ["", "phonetic ", "telephonist", "recall us", "the taxi", "12 34"])
def test_other_words_are_none(text: str) -> None:
    """Also those that have one in them."""
    assert not _CONTEXT.near(text, 0, len(text))


def test_only_what_is_between_the_two_places_counts() -> None:
    """A word farther off is no context; a place before the text is its beginning."""
    text = "phone and a long way to go"
    assert _CONTEXT.near(text, -5, 6)
    assert not _CONTEXT.near(text, 6, 100)


def test_each_word_speaks_for_its_own_rule() -> None:
    """Beside a word for telephones no number is asked whether it is a fax."""
    assert _CONTEXT.near("phone 12", 0, 8) == {1}
    assert _CONTEXT.near("phone or fax", 0, 12) == {1, 2}


def test_a_word_in_another_script_may_always_be_near() -> None:
    """It is not told from other text here, so that its pattern is asked every time."""
    assert Context({3: ["телефон"]}).near("nothing", 0, 7) == {3}


@given(
    st.sampled_from(_SHIPPED),
    st.sampled_from(["", "s", "es"]),
    st.sampled_from([" ", "_", "-", ".", ""]),
    st.booleans(),
    st.text(max_size=6),
    st.text(max_size=6),
)
def test_what_a_rule_finds_is_near(word: str, plural: str, gap: str, upper: bool, before: str, after: str) -> None:
    """For every word of the shipped rules, amid any text: what its own pattern finds, is near."""
    pattern = keys.words([word])
    assert pattern is not None
    written = gap.join(word.replace("_", " ").split()) + plural
    text = before + (written.upper() if upper else written) + after
    if pattern.search(text):
        assert Context({0: _SHIPPED}).near(text, 0, len(text))
