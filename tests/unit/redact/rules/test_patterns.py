"""Patterns of a policy are held to linear time before they run."""

import pytest

from spansieve.redact.rules import patterns


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(", "not a regular expression"),
        ("a+", "without a bound"),
        ("a*b", "without a bound"),
        (".{3,}", "without a bound"),
        ("a{1,30000}", "20000"),
        ("(a)\\1", "refers back"),
        ("(?:a{1,9}){1,40}", "varying length"),
        ("(?:a{1,9}){1,10}b", "nothing ends"),
        ("(?:a{1,9}b?){1,10}c", "nothing ends"),
        ("(?:a{1,9}ba{1,9}){1,9}c", "nothing ends"),
        ("a?", "empty text"),
        ("a|", "empty text"),
        ("(?=a+)b", "without a bound"),
        ("(?:x|(?>y+))z", "without a bound"),
        ("(a)?(?(1)b|c)", "refers back"),
    ],
)
def test_what_could_take_long_is_refused(pattern: str, problem: str) -> None:
    """Unbounded and nested repeats and back-references are mistakes in a policy."""
    assert problem in patterns.problem(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "a{1,64}",
        r"(?:\d{1,3}\.){3}\d{1,3}",
        "(?:[ -]?[0-9]){6,14}",
        "(?:[ -]{0,2}+[0-9]){6,14}",
        r"(?:\w{1,63}\.){1,8}",
        r"(?:[ -]{1,2}\d{1,8}){1,6}",
        "(?<!a)b{2}(?!c)",
    ],
)
def test_what_is_linear_is_taken(pattern: str) -> None:
    """Bounded repeats, few nested ones, look-around."""
    assert patterns.problem(pattern) == ""


def test_reach_is_the_longest_match_with_room() -> None:
    """Windows around anchors are as wide as the pattern, and what it looks at."""
    assert patterns.reach("ab{1,10}(?!c)") == 11 + 64


@pytest.mark.parametrize(
    ("pattern", "most"),
    [
        (r"\d{3}", 0),
        ("[0-9]a", 0),
        (r"(?<!a)\d(?<!b.)x", 0),
        ("[A-Z]{1,5}[0-9]", 5),
        (r"(?:ab|c)\d", 2),
        (r"(?:[a-z]{0,6}[0-9]|[A-Z]{1,2}(?=[ -]?[0-9]))x{1,9}", 6),
        (r"(?=.{0,3}\d)\w{5}", 3),
        (r"a?b{2}(?:c\d){1,3}", 4),
        ("abc", None),
        (r"a\d?", None),
        (r"(?:\d|a)b", None),
        (r"a(?!\d)", None),
        ("[0-9a-f]{8}", None),
    ],
)
def test_how_far_into_a_match_its_first_digit_is(pattern: str, most: int | None) -> None:
    """The most that may stand in front of it; nothing where a match may have no digit."""
    assert patterns.before_digit(pattern) == most


@pytest.mark.parametrize(
    ("pattern", "far"),
    [
        (r"(?<![0-9A-Za-z])sk-[A-Za-z0-9_-]{20,256}", 0),
        (r"sk-(?:(?:proj|admin)-)?(?=[a-z]{0,9}[0-9])[A-Za-z0-9_-]{12,256}", 0),
        (r"ya29\.[A-Za-z0-9_-]{20,2048}", 5),
        (r"SG\.[a-z]{2,9}\.[A-Za-z0-9_-]{16,64}", 13),
        (r"(?:a\.|bcd\.)[0-9a-f]{32}", 4),
        (r"(?:a\.[0-9a-f]{32}|b[0-9]{14})", 2),
        (r"[0-9a-f]{40}(?:\.[a-z]{1,9})?", 0),
    ],
)
def test_where_a_long_run_begins_is_known(pattern: str, far: int) -> None:
    """At the latest, on whatever way through a pattern."""
    assert patterns.before_run(pattern) == far


@pytest.mark.parametrize(
    "pattern",
    [
        "sk-[a-z]{11,99}",
        r"(?:sk-[a-z]{20}|pk\.[a-z]{9})",
        r"sk-[\w]{20,99}",
        r"sk-\d{20,99}",
        "(?i:sk-[a-z]{20,99})",
        "(?i)sk-[a-z]{20,99}",
        "sk-[a-z.]{20,99}",
        "(?:sk-[a-z]{20,99})?x",
        "sk-[^ ]{20,99}",
    ],
)
def test_a_pattern_that_need_have_no_long_run_is_told(pattern: str) -> None:
    """A shorter one, one that may be left out, or characters of which some are in no run."""
    assert patterns.before_run(pattern) is None
