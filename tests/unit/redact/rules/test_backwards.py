"""Patterns turned round say of what stands before a place the same as the patterns themselves."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spansieve.redact import policy
from spansieve.redact.rules import backwards
from spansieve.redact.rules.linear import Linear

_SHIPPED = sorted(
    rf"(?:{rule.unless_before})\Z" for rule in policy.parse(policy.shipped("default")).rules if rule.unless_before
)
_PIECES = (
    "version", "v", "Ver", " ", ":", "=", "/", "(", "'", '"', "upgrade", "zlib", "from", "to", "1.2.3", "section", "§",
    "\n    ", "activejob", ">=", "~>", "chrome", "x", "é", "\u212a", "\u017f", "cache", "key", "hash", "://", "a/b",
    "0a:1b:", "\n", "path", "-", "4111",
)  # fmt: skip


def _pattern() -> st.SearchStrategy[str]:
    leaf = st.sampled_from(["a", "[ab]", "[^a]", ".", r"\b", r"\d", "(?i:k)", "(?<=a)", "(?<![ab])", "(?=b)", "(?!a)"])
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map("".join),
            st.lists(inner, min_size=2, max_size=3).map(lambda each: f"(?:{'|'.join(each)})"),
            st.tuples(inner, st.sampled_from(["{0,2}", "{1,2}", "?", "{2}"])).map(lambda of: f"(?:{of[0]}){of[1]}"),
        ),
        max_leaves=6,
    )


@given(_pattern(), st.text("abkK1 \u212aé", max_size=8))
@example("(?i:k)a{0,2}", "\u212aa")
def test_a_pattern_turned_round_finds_the_same(pattern: str, text: str) -> None:
    """Whether the text ends in a match is what its reverse begins with."""
    ending = rf"(?:{pattern})\Z"
    back = backwards.turned(ending)
    assert back is not None
    assert (back.match(text[::-1]) is not None) is (re.search(ending, text) is not None)


@pytest.mark.parametrize("pattern", _SHIPPED)
def test_what_rules_look_for_before_a_value_can_be_turned_round(pattern: str) -> None:
    """Of a pattern that cannot, each candidate would cost a search of all that is in front of it."""
    assert backwards.turned(pattern) is not None


@given(st.sampled_from(_SHIPPED), st.lists(st.sampled_from(_PIECES), max_size=10).map("".join))
def test_what_rules_look_for_before_a_value_is_the_same_turned_round(pattern: str, text: str) -> None:
    """For texts of what these patterns have in them."""
    back = backwards.turned(pattern)
    assert back is not None
    assert (back.match(text[::-1]) is not None) is (re.search(pattern, text) is not None)


@pytest.mark.parametrize(
    "pattern",
    ["abc", r"(?:a++b)\Z", r"(?>ab)\Z", r"(?:a(?=b{1,2}))\Z", r"(a)\1\Z", r"(?:^ab)\Z", r"(?m:a)\Z", r"(?s:.)\Z"],
)
def test_what_depends_on_its_direction_is_not_turned_round(pattern: str) -> None:
    """It is searched for as it is written."""
    assert backwards.turned(pattern) is None


@pytest.mark.parametrize(
    "pattern", [re.compile(r"(?:no\. ?)\Z"), re.compile(r"(?:n++o\. ?)\Z"), Linear(r"(?:no\. ?)$")]
)
def test_only_what_stands_right_before_a_place_counts(pattern: re.Pattern[str] | Linear) -> None:
    """Turned round, as it is written, or on RE2."""
    stands = backwards.before(pattern)
    assert stands("see no. 12", 8)
    assert stands("no.12", 3)
    assert not stands("no. x 12", 6)
    assert not stands("12", 0)


def test_what_is_far_from_a_place_does_not_count() -> None:
    """No candidate costs a look at all that is in front of it."""
    assert not backwards.before(re.compile(r"(?:a.{100,200})\Z"))("a" + "b" * 150, 151)
