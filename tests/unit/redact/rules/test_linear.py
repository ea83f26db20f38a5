"""Patterns of operators run on RE2: what they may be, and what they match."""

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact.rules import linear
from spansieve.redact.rules.linear import Linear

_TAKEN = [
    r"BDG-\d{4,8}",
    r"(?i)bdg-\d{4}",
    r"\b[A-Z]{2}\d{6}\b",
    r"(?:a|ab)(?:c|bcd)?",
    r"[^\s@]{1,64}@[^\s@]{1,64}",
    r"x{0,3}y{1,2}?z",
    r"^\d{3}",
    r"\d{3}$",
    r".{1,3}é",
    r"(?:^|[^0-9])(?P<value>\d{4})(?:$|[^0-9])",
]


@pytest.mark.parametrize("pattern", _TAKEN)
def test_what_re2_and_re_read_alike_is_taken(pattern: str) -> None:
    """Classes, groups, bounded repeats, word boundaries, flags."""
    assert linear.problem(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "remedy"),
    [
        ("(", "not a regular expression"),
        ("(?<=a)b", "put the value into (?P<value>…)"),
        ("(?<!a)b", "looks around"),
        ("a(?=b)", "looks around"),
        ("a(?!b)", "looks around"),
        (r"(a)\1", "refers back"),
        ("(?P<x>a)(?P=x)", "refers back"),
        ("(a)?(?(1)b|c)", "refers back"),
        ("a++b", "write one"),
        ("(?>a)b", "write (?:…)"),
        (r"a\Z", "write $"),
        (r"\pN{3}", "as sets"),
        ("[[:alpha:]]{3}", "two ways"),
        ("a{0,2000}b", "more than 1000 times"),
        ("(?:a{1,40}){1,40}", "more than 1000 times"),
        ("a+", "write {1,64}"),
        ("[0-9]*x", "write {1,64}"),
        (r"\w{1,1000}\w{1,1000}", "is too large"),
        ("a?", "the empty text"),
    ],
)
def test_what_re2_cannot_do_is_refused_with_a_remedy(pattern: str, remedy: str) -> None:
    """Whoever wrote it is told what to write."""
    assert remedy in linear.problem(pattern)


def test_a_mistake_does_not_show_the_pattern() -> None:
    """A pattern may hold, by mistake, a value that must not be logged."""
    assert "hunter2" not in linear.problem("hunter2(?<=x)") + linear.problem("(hunter2")


@pytest.mark.parametrize("pattern", [each for each in _TAKEN if "value" not in each])
@given(text=st.text(st.sampled_from("abcdxyzé BDG-0123456789@\n"), max_size=60))
def test_matches_are_those_of_re(pattern: str, text: str) -> None:
    """The leftmost match and the earlier branch count, and matches do not overlap, as with `re.finditer` in ASCII."""
    wanted = [m.span() for m in re.finditer(pattern.replace("$", r"\Z"), text, re.ASCII) if m[0]]
    assert list(Linear(pattern).look(text)) == wanted


def test_digits_are_those_of_ascii() -> None:
    r"""`\d` does not take digits of other scripts: those are folded before a text is read a second time."""
    assert list(Linear(r"\d{4}").look("١٢٣٤ 1234")) == [(5, 9)]


def test_a_separator_ends_one_value_and_begins_the_next() -> None:
    """What stands around a value in place of look-around may be shared."""
    assert list(Linear(r"(?:^|[^0-9])(?P<value>\d{4})(?:$|[^0-9])").look("1234 5678,9012")) == [
        (0, 4),
        (5, 9),
        (10, 14),
    ]


@given(
    st.lists(st.integers(0, 9000), max_size=6).map(sorted),
    st.sampled_from(["x", "é", "😀", "\ud800"]),
    st.integers(9000, 30000),
)
def test_values_are_found_wherever_windows_end(places: list[int], filler: str, size: int) -> None:
    """Texts are searched in windows, which no match shows."""
    text = filler * size
    for place in reversed(places):
        text = f"{text[:place]}<1234>{text[place:]}"
    found = [text[start:end] for start, end in Linear("<[0-9]{4}>").look(text)]
    assert found == ["<1234>"] * text.count("<1234>")


@pytest.mark.parametrize(
    "pattern",
    ["(?:a{1,30}){1,30}b", "a{0,300}a{0,300}b", "(?:a|aa){1,40}b", "a{1,500}b|a", "[ab]{0,100}a[ab]{100}c"],
)
def test_time_grows_with_the_text_only(pattern: str) -> None:
    """Patterns that take a backtracking engine for ever take milliseconds a window, and no more for longer texts."""
    assert linear.problem(pattern) == ""
    look = Linear(pattern).look

    def cost(size: int) -> float:
        started = process_time()
        assert sum(1 for _ in look("a" * size)) >= 0
        return process_time() - started

    cost(1 << 12)
    assert min(cost(1 << 15) for _ in range(3)) < 8 * 4 * max(min(cost(1 << 13) for _ in range(3)), 0.0005)
