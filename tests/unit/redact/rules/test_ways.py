"""Where patterns have the literals that their rules hang on, told by the patterns themselves."""

import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact.rules import patterns, ways
from spansieve.redact.rules.compiled import Detector
from spansieve.redact.rules.literals import Literal, Need, literal
from unit.redact.helpers_redact import default_policy, default_rules

FAR = 64


def at(pattern: str, *anchors: str, within: int = FAR) -> dict[str, tuple[int, int]] | None:
    """What is told of a pattern and these anchors."""
    return ways.at_literals(pattern, {each: literal(each) for each in anchors}, within)


@pytest.mark.parametrize(
    ("pattern", "names", "found"),
    [
        ("secret=[a-z]{3}", ["secret="], {"secret=": (0, 0)}),
        ("[?&](?:sig|token)=x", ["sig=", "token=", "key="], {"sig=": (1, 1), "token=": (1, 1)}),
        ("[?&](?:x-)?sig=", ["sig="], {"sig=": (1, 3)}),
        ("a{2,5}key", ["key"], {"key": (2, 5)}),
        ("(?i:API)[ _-]?KEY", ["api key", "api-key", "api_key", "apikey"], dict.fromkeys(
            ["api key", "api-key", "api_key", "apikey"], (0, 0))),
        ("a(?:b(?=c)|d){1,3}key", ["key"], {"key": (2, 4)}),
        (r"\bpass:", ["^pass:"], {"^pass:": (0, 0)}),
        ("(?<![0-9A-Za-z])sk-a", ["^sk-"], {"^sk-": (0, 0)}),
        (r"(?<!\w)sk-a", ["^sk-"], {"^sk-": (0, 0)}),
        ("[a-z]{0,9}pin: [0-9]{4}", ["#pin"], {"#pin": (0, 9)}),
        ("AKIA[A-Z]{16}", ["AKIA"], {"AKIA": (0, 0)}),
        ("(?>key|pin)=", ["key", "pin"], {"key": (0, 0), "pin": (0, 0)}),
        ("(?:ab){2}c", ["ab"], {"ab": (0, 0)}),
    ],
)  # fmt: skip
def test_a_pattern_hangs_on_literals_that_each_match_has(
    pattern: str, names: list[str], found: dict[str, tuple[int, int]]
) -> None:
    """One on every way through it, with the fewest and the most characters before it."""
    assert at(pattern, *names) == found


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("(?:secret|token)=", ["secret="]),  # one way without
        ("(?:secret)?=", ["secret"]),  # may be left out
        ("(?:secret){0,3}=", ["secret"]),
        ("sk-a", ["^sk-"]),  # in the middle of a word, too
        ("(?<![0-9])sk-a", ["^sk-"]),
        (r"(?<=\w)sk-a", ["^sk-"]),
        ("[a-z]sk-a", ["^sk-"]),
        ("pin: [a-z0-9]{4}", ["#pin"]),  # asks for a digit
        ("pin[a-z]{0,46}[0-9]", ["#pin"]),  # may be too far
        ("[0-9][a-z]{0,48}pin", ["#pin"]),
        ("exp: [0-9]{4}", ["^exp$"]),
        ("Main road", ["~ road"]),
        ("akia[a-z]", ["AKIA"]),  # is found in its own case only
        ("(?i:AKIA)[a-z]", ["AKIA"]),
        ("[a-z]{1,65}key", ["key"]),  # farther than is looked
        ("a@b", ["@"]),
        ("licence number", ["licence*number"]),
        ("p[a-z]ss", ["pass"]),
    ],
)
def test_without_one_on_every_way_all_anchors_count(pattern: str, names: list[str]) -> None:
    """The pattern is then tried around each of its rule's."""
    assert at(pattern, *names) is None


def test_more_ways_than_are_followed_are_as_good_as_none() -> None:
    """A policy is compiled in bounded time."""
    assert at("(?:ab|cd|ef|gh|ij)" * 7 + "key", "key") is None


@pytest.mark.parametrize(
    ("pattern", "anchor", "need"),
    [
        (r"machine [^ ]{1,8} {1,2}login [a-z]{3}", "^machine ", Need(b"login ", 0, 24)),
        ("echo [a-z]{1,4}(?:x|y)sudo -S", "^echo ", Need(b"sudo -S", 0, 17)),
        ("echo [a-z]{1,4} -S", "^echo ", None),  # too short
        ("machine [a-z]{2}", "^machine ", None),
        ("machine [a-z]{2}(?:login )?", "^machine ", None),
        ("(?i)machine [a-z]{2}login", "^machine ", None),
    ],
)
def test_the_longest_other_literal_is_needed_near(pattern: str, anchor: str, need: Need | None) -> None:
    """One that all matches have, up to where it ends at most."""
    assert ways.need(pattern, literal(anchor)) == need


@pytest.mark.parametrize(
    ("pattern", "anchor", "may"),
    [
        ("(?:sql|zip) -P", "^zip -", True),
        ("(?:sql|zip) -P", "^machine ", False),
        ("(?i:psexec)", "^psexec", True),
        ("psexec", "^PSE", False),
        ("PSEXEC", "^pse", True),
        ("p{1,3}in", "pp", True),
        ("p{1,3}in", "pppp", False),
        ("(?:a|b)?c{0,2}d", "ccd", True),
        ("(?>a|b)c", "bc", True),
        ("ke", "key", True),  # what goes on behind a match is no matter
        ("s(?i:e)", "Sé", False),
        ("s\u00e9", "s\u00e9", True),
        ("number", "licence*number", True),  # where it starts is not told
    ],
)
def test_a_match_may_begin_where_a_literal_does(pattern: str, anchor: str, may: bool) -> None:
    """Else the pattern is not tried there."""
    assert ways.may_begin(pattern, literal(anchor)) is may


_REPEATS = st.sampled_from(["?", "{0,2}", "{1,2}", "{2}", "{2,3}+"])


@st.composite
def _patterns(draw: st.DrawFn) -> str:
    words = st.sampled_from(["key", "Key", "k", "api", "x", "=", "-", " "])
    parts = st.one_of(
        words,
        words.map(lambda word: f"(?i:{word})"),
        st.tuples(words, words).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(words, _REPEATS).map(lambda two: f"(?:{two[0]}){two[1]}"),
        st.sampled_from(["[a-z]{0,2}", "[_-]", "[^k]", r"\b", "."]),
    )  # fmt: skip
    return "".join(draw(st.lists(parts, min_size=1, max_size=6)))


@given(_patterns(), st.data())
def test_what_is_told_of_a_pattern_holds_for_its_matches(pattern: str, data: st.DataObject) -> None:
    """Some literal of those told stands between the two distances; a match opens as told."""
    text = data.draw(st.from_regex(re.compile(pattern), fullmatch=True))
    match = re.match(pattern, text)
    told = at(pattern, "key", "api", "API", "^x")
    if match and told is not None:
        assert any(low <= place <= high for name, (low, high) in told.items() for place in _places(name, match[0])), (
            pattern,
            match[0],
            told,
        )
    if match and match[0] and (opening := patterns.opening(pattern)):
        assert re.match(opening, match[0])


def _places(name: str, text: str) -> Iterable[int]:
    read = literal(name)
    raw = read.raw.decode("latin-1")
    return [each.start() for each in re.finditer(f"(?={re.escape(raw)})", text if read.exact else text.lower())]


def _told() -> list[tuple[str, Detector]]:
    return [(rule.name, each) for rule in default_rules().rules for each in rule.detectors if each.at is not None]


def test_most_patterns_are_tried_at_literals_only() -> None:
    """Around an anchor a pattern costs ten times as much."""
    others = [each for rule in default_rules().rules for each in rule.detectors if each.at is None]
    assert len(_told()) > 3 * len(others)


def test_matches_in_examples_have_what_was_told_of_their_patterns() -> None:
    """Each pattern that hangs on some literals, in each example of its rule."""
    examples = {
        rule.name: [str(each.text) for each in rule.examples.positive] for rule in default_policy().rules
    }  # fmt: skip
    seen = 0
    for name, detector in _told():
        for text in examples.get(name, ()):
            for match in detector.search.finditer(text):
                seen += 1
                starts = [at for each in detector.at or () for at in _places(each, text)]
                assert any(at - detector.before <= match.start() <= at + detector.ahead for at in starts), name
    assert seen > 300


def test_what_is_needed_is_near_in_examples() -> None:
    """No example loses the anchor that its pattern hangs on."""
    needy = {name for name, number in default_rules().anchors.ids.items() if (read := _read(number)) and read.needs}
    assert "^machine " in needy
    text = "machine a.example login bob password horse"
    hits = {number for _, number in default_rules().anchors.scan([text])[0]}
    assert default_rules().anchors.ids["^machine "] in hits
    assert default_rules().anchors.ids["^machine "] not in {
        n for _, n in default_rules().anchors.scan([text[:-15]]).get(0, [])
    }


def _read(number: int) -> Literal | None:
    return default_rules().anchors.literals[number] if number < len(default_rules().anchors.literals) else None
