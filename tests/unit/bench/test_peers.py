import re
from random import Random

import pytest
import yaml
from bench import classes
from bench.peers import collector, patterns, re2, rotel, spansieve
from bench.peers.patterns import Said
from bench.prose import LOOK_ALIKES
from bench.traffic import MARK
from demo.planted import KINDS, plant

from spansieve import config, redact
from spansieve.redact import policy

ENVIRONMENT = {
    "BENCH_GRPC": "127.0.0.1:1",
    "BENCH_HTTP": "127.0.0.1:2",
    "BENCH_HEALTH": "127.0.0.1:3",
    "BENCH_SINK": "127.0.0.1:4",
    "BENCH_DECISION_WAIT": "2s",
    "BENCH_BASELINE": "10",
    "BENCH_LIMIT_MIB": "64",
    "BENCH_DIRECTORY": "data",
}


def test_the_gateway_takes_its_configuration() -> None:
    """The file beside the peer is valid."""
    assert config.load(spansieve.CONFIG, ENVIRONMENT).sampling.decision_wait == 2.0


def test_gateway_and_collector_have_the_same_policies() -> None:
    """What one keeps the other keeps, but for the choice of the random share."""
    text = collector.CONFIG.read_text(encoding="utf-8").replace("${env:BENCH_BASELINE}", "10")
    theirs = yaml.safe_load(text)["processors"]["tail_sampling"]["policies"]
    ours = config.load(spansieve.CONFIG, ENVIRONMENT).sampling.policies
    assert [p.model_dump(mode="json", exclude_defaults=True) for p in ours] == theirs


@pytest.mark.parametrize("said", [collector.twelve(), patterns.default()], ids=["twelve", "default"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_the_collectors_patterns_find_each_kind_of_value(kind: str, said: Said) -> None:
    """The comparison is fair: the Collector has a pattern for whatever is planted."""
    seeded = Random(1)
    compiled = [re.compile(pattern) for pattern in said.values]
    for _ in range(50):
        planted = plant(kind, seeded)
        assert any(pattern.search(f"It is {planted.text} today.") for pattern in compiled), kind


@pytest.mark.parametrize("kind", ["uuid", "hex", "date", "semver", "order"])
@pytest.mark.parametrize("said", [collector.twelve(), patterns.default()], ids=["twelve", "default"])
def test_the_collectors_patterns_leave_most_look_alikes(kind: str, said: Said) -> None:
    """Nor is recall bought by taking everything."""
    seeded = Random(2)
    compiled = [re.compile(pattern) for pattern in said.values]
    texts = [LOOK_ALIKES[kind](seeded) for _ in range(200)]
    assert sum(any(p.search(f"It is {text} today.") for p in compiled) for text in texts) < 5


def test_each_rule_of_the_policy_is_accounted_for() -> None:
    """No rule of `default` is left out of the comparison in silence."""
    rules = policy.parse(policy.shipped("default")).rules
    assert set(patterns.default().how) == {rule.name for rule in rules}


def test_only_what_cannot_be_said_is_left_out() -> None:
    """Rules that a model finds, one that costs too much, and four that say nothing without what a check knows."""
    left_out = {name for name, how in patterns.default().how.items() if how.startswith("left out")}
    assert left_out == {
        "person_in_text", "place_in_text", "named_key_by_key", "email_spelled",
        "password_in_other_scripts", "birth_date_other_scripts", "phone_other_scripts",
    }  # fmt: skip


@pytest.mark.parametrize("key", ["user.password", "db_password", "client_secret", "customer.fullName", "ssn"])
def test_the_keys_of_the_policy_are_blocked(key: str) -> None:
    """A key at the end of an attribute's, in whatever way it is joined, blocks the value."""
    assert all(re.search(pattern, key) for pattern in patterns.default().keys)


@pytest.mark.parametrize("key", ["http.request.method", "gen_ai.usage.input_tokens", "passwords_checked"])
def test_other_keys_are_not_blocked(key: str) -> None:
    """A word in the middle of a key is no such key."""
    assert not any(re.search(pattern, key) for pattern in patterns.default().keys)


def test_most_patterns_begin_with_fixed_text() -> None:
    """Which Go searches for first: the peer's patterns are written as it likes them."""
    values = patterns.default().values
    assert sum(len(re2.literal_start(pattern)) >= 2 for pattern in values) > 0.9 * len(values)


def test_the_collectors_file_takes_other_patterns() -> None:
    """They stand in place of its own, with what it would take for a variable doubled; all else stays."""
    tree = yaml.safe_load(collector.configuration(Said(("a$", "b"), ("k$",), {})))
    assert tree["processors"]["redaction"]["blocked_values"] == ["a$$", "b"]
    assert tree["processors"]["redaction"]["blocked_key_patterns"] == ["k$$"]
    own = yaml.safe_load(collector.configuration(None))
    assert tree["processors"]["tail_sampling"] == own["processors"]["tail_sampling"]
    assert tree["service"] == own["service"]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (r"(?<![0-9A-Za-z])sk-ant-[A-Za-z0-9_-]{16,256}", r"\bsk-ant-[A-Za-z0-9_\-]{16,}"),
        (r"(?<![0-9A-Za-z])csk-[A-Za-z0-9]{40,64}(?![0-9A-Za-z])", r"\bcsk-[A-Za-z0-9]{40,}\b"),
        (r"x=(?P<value>(?=[a-z]{0,9}[0-9])[a-z0-9]{4,8})", r"x=(?:[a-z0-9]{4,8})"),
        (r"a(?:[^-]{1,256}+|-(?!--))b", r"a(?:[^\-]+|-)b"),
        (r"(?i:mr\.?) [A-Z][a-z]{1,20}(?=[,!]|\s)", r"(?i:mr\.?) [A-Z][a-z]{1,20}[,!\s]"),
        (r"\n\d(?>ab)c", r"\n[0-9](?:ab)c"),
    ],
)
def test_a_pattern_is_said_without_what_go_lacks(pattern: str, said: str) -> None:
    """Look-around becomes the edge of a word, what follows, or nothing; possessive and atomic become plain."""
    assert re2.translate(pattern) == said


@pytest.mark.parametrize(
    ("pattern", "unled"),
    [(r"\bhf_[a-z]+", r"hf_[a-z]+"), (r"\b[0-9]{3}", r"\b[0-9]{3}"), (r"\bx[0-9]", r"\bx[0-9]")],
)
def test_nothing_stands_in_front_of_fixed_text(pattern: str, unled: str) -> None:
    """The edge of a word would make Go try the pattern at each character."""
    assert patterns.unled(pattern) == unled


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        (r"hf_[a-z]+", ("hf_", "[a-z]+")),
        (r"\.com/x{2}", (".com/", "x{2}")),
        (r"\$2[aby]", ("$2", "[aby]")),
        (r"\b[0-9]{3}", ("", r"\b[0-9]{3}")),
        (r"ab|cd", ("", "ab|cd")),
        (r"\nN:", ("", r"\nN:")),
    ],
)
def test_a_pattern_parts_into_text_and_rest(pattern: str, parts: tuple[str, str]) -> None:
    """What is fixed stands in front; what may be repeated, or is no text, stays in the pattern."""
    assert re2.parted(pattern) == parts


def test_a_tree_finds_its_texts_and_no_others() -> None:
    """Also one that begins another."""
    tree = re.compile(re2.tree(["pwd", "password", "passwd", "pass"]))
    assert [text for text in ("pwd", "pass", "passwd", "password", "pas", "passw") if tree.fullmatch(text)] == [
        *("pwd", "pass", "passwd", "password")
    ]


def test_joined_patterns_find_what_they_found_apart() -> None:
    """Rotel takes the same values as the Collector, by fewer patterns."""
    apart, joined = patterns.default(), patterns.joined(patterns.default())
    assert len(joined.values) < len(apart.values) / 3
    compiled = [[re.compile(pattern) for pattern in said.values] for said in (apart, joined)]
    for _, written in classes.requests(MARK):
        for each in written:
            text = each.span.attributes[0].value.string_value
            first, second = (any(pattern.search(text) for pattern in found) for found in compiled)
            assert first == second, text


def test_words_stand_in_the_forms_in_which_they_are_written() -> None:
    """Small, with a capital in front, which is left open, and in capitals where that is usual."""
    assert patterns.behind(["ssn", "passport"], ":x") == ["SSN:x", "ssn:x", "assport:x"]
    assert patterns.behind(["password"], "=", capitals=True) == ["ASSWORD=", "assword="]


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_gateway_of_nine_classes_finds_each_kind_of_value(kind: str) -> None:
    """It does as much as the Collector's twelve patterns, by the rules as they are shipped."""
    rules = policy.compile(policy.parse(spansieve.twelve_policy()))
    seeded = Random(1)
    for _ in range(20):
        planted = plant(kind, seeded)
        text, _ = redact.text(f"It is {planted.text} today.", rules)
        assert not any(needle in text for needle in planted.needles)


def test_the_gateway_of_nine_classes_does_no_more() -> None:
    """Whatever is added to the package, its policy has the rules that are named for it."""
    named = yaml.safe_load((spansieve.CONFIG.parent / "twelve.yaml").read_text(encoding="utf-8"))["rules"]
    assert [rule.name for rule in policy.parse(spansieve.twelve_policy()).rules] == named


def test_every_peer_says_what_it_leaves_out() -> None:
    """A row of the table is no claim of equality."""
    peers = (spansieve.DEFAULT, spansieve.twelve(), collector.default(), collector.TWELVE, rotel.default())
    assert all(peer.LEAVES_OUT for peer in peers)
    assert len({peer.NAME for peer in peers}) == len(peers)
