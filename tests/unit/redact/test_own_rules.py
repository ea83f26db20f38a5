"""Rules that an operator writes: where their patterns look, how sure they are, and whose numbers are known."""

import pytest

from spansieve import redact
from spansieve.redact import policy
from spansieve.redact.rules.compiled import CompiledRules

_HEAD = "rules: [{name: badge, entity: BADGE, reason: Numbers of our staff., "


def _rules(rest: str, also: str = "") -> CompiledRules:
    return policy.compile(policy.parse(f"{also}\n{_HEAD}{rest}}}]"))


def _clean(rules: CompiledRules, text: str, key: str = "") -> str:
    return redact.text(text, rules, key)[0]


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("came with Q7, left", "came with [BADGE], left"),
        ("Q7", "[BADGE]"),
        ('{"who": "Q7", "n": [1, "Q8"]}', '{"who": "[BADGE]", "n": [1, "[BADGE]"]}'),
        ("who=%51%37", "who=[BADGE]"),
        ("\uff31\uff17", "[BADGE]"),
        ("UTczM1E3UTczM1E3UTczMw==", "[BADGE]"),
        ("Q 7", "Q 7"),
    ],
)
def test_a_pattern_without_anchors_looks_at_every_text(text: str, becomes: str) -> None:
    """Also at leaves of JSON and at what an encoding hides; nothing else has to be in the text."""
    assert _clean(_rules("patterns: ['Q[0-9]']"), text) == becomes


def test_a_pattern_looks_at_values_that_are_split() -> None:
    """Parts of one message are read as one text."""
    text = '[{"type": "text", "content": "it is Q"}, {"type": "text", "content": "7 here"}]'
    assert "[BADGE]" in _clean(_rules("patterns: ['Q[0-9]']"), text)


def test_with_anchors_only_texts_that_hold_one_are_looked_at() -> None:
    """So a rule costs nothing where its word is not. The match need not be near it."""
    rules = _rules("patterns: ['[0-9]{4}'], anchors: [badge]")
    assert _clean(rules, f"BADGE {'x' * 9000} 1234") == f"BADGE {'x' * 9000} [BADGE]"
    assert _clean(rules, "1234") == "1234"
    assert not rules.every_text


@pytest.mark.parametrize("anchor", ["BDG", "'#bdg'", "'^bdg'"])
def test_anchors_of_ones_own_are_literals_in_any_case(anchor: str) -> None:
    """Signs that mean more in shipped packs do not hide anything here."""
    rules = _rules(f"patterns: ['(?i)#?\\^?bdg-?[0-9]'], anchors: [{anchor}]")
    for text in ("BDG-1", "bdg-1", "#bdg1", "xbdg1"):
        assert "[BADGE]" in _clean(rules, f"see {text} now"), text


def test_a_class_of_anchors_is_no_condition() -> None:
    """`<digits>` means seven digits, which an operator's pattern need not have."""
    assert _clean(_rules("patterns: ['[0-9]{4}'], anchors: [<digits>]"), "1234") == "[BADGE]"


def test_what_was_put_in_is_not_found_again() -> None:
    """A pattern that would match tokens leaves them, so that the result stays as it is."""
    rules = _rules("patterns: ['[A-Z]{4,9}']", "include: [identity]")
    once = _clean(rules, "HELLO alice@example.com")
    assert once == "[BADGE] [EMAIL]"
    assert _clean(rules, once) == once


def test_too_many_candidates_remove_the_value() -> None:
    """The budget of a value holds for operators' patterns too."""
    rules = _rules("patterns: ['a']", "limits: {checks: 10, checks_per_kib: 0}")
    assert redact.text("a" * 11, rules) == ("[REMOVED]", {"budget": 1})


def test_all_parts_of_a_rule_may_be_written_for_re2() -> None:
    """What stands before a match, and what a key's value has to be, too."""
    rules = _rules("patterns: ['[0-9]{4}'], unless_before: 'v\\.? ?', keys: [badge_no], key_value: '[A-Z]{2}\\d{2}'")
    assert _clean(rules, "v. 1234 and 5678") == "v. 1234 and [BADGE]"
    assert _clean(rules, "AB12", "badge_no") == "[BADGE]"
    assert _clean(rules, "AB1", "badge_no") == "AB1"
    assert _clean(rules, "AB12\ud800", "badge_no") == "AB12\ud800"


def test_a_validator_may_check_what_a_pattern_finds() -> None:
    """The validators of the package are there for operators' patterns."""
    rules = _rules("patterns: ['[0-9]{16}'], validator: card")
    assert _clean(rules, "4111111111111111 4111111111111112") == "[BADGE] 4111111111111112"


def test_shown_policies_can_be_used_as_files() -> None:
    """The effective policy, printed, is read again, and the packs' patterns in it run as they did."""
    shown = policy.parse(policy.render(policy.parse(policy.shipped("default"))))
    rules = policy.compile(shown)
    assert rules.wholes == ()
    assert _clean(rules, "alice@example.com") == "[EMAIL]"


_NUMBER = "patterns: ['[0-9]{5}'], context: [badge], "


@pytest.mark.parametrize(
    ("confidence", "alone", "beside"),
    [
        ("threshold: 0.5", True, True),
        ("threshold: 0.6", True, True),
        ("threshold: 0.61", False, True),
        ("threshold: 0.95", False, True),
        ("score: 0.2, threshold: 0.5", False, True),
        ("score: 0.1, threshold: 0.1", True, True),
    ],
)
def test_a_threshold_weighs_patterns_and_words(confidence: str, alone: bool, beside: bool) -> None:
    """A pattern counts by its score, and beside a context word by 0.35 more."""
    rules = _rules(_NUMBER + confidence)
    assert (_clean(rules, "see 12345") == "see [BADGE]") is alone
    assert (_clean(rules, "badge 12345") == "badge [BADGE]") is beside
    assert (_clean(rules, "12345", "staff.badge") == "[BADGE]") is beside


@pytest.mark.parametrize(
    ("thresholds", "bare", "named", "grouped"),
    [
        ("{}", False, True, True),
        ("{US_SSN: 0.3}", True, True, True),
        ("{us_ssn: 0.3}", True, True, True),
        ("{US_SSN: 0.9}", False, False, True),
    ],
)
def test_thresholds_shift_rules_of_packs(thresholds: str, bare: bool, named: bool, grouped: bool) -> None:
    """A low one takes nine digits without a word for them, a high one only what a validator confirms."""
    rules = policy.compile(policy.parse(f"include: [identity]\nthresholds: {thresholds}"))
    assert (_clean(rules, "no 219099999") == "no [US_SSN]") is bare
    assert (_clean(rules, "ssn 219099999") == "ssn [US_SSN]") is named
    assert (_clean(rules, "219-09-9999") == "[US_SSN]") is grouped


@pytest.mark.parametrize(
    ("countries", "text", "gone"),
    [
        ("", "BSN 111222333", True),
        ("countries: [DE, US]", "BSN 111222333", False),
        ("countries: [NL]", "BSN 111222333", True),
        ("countries: [NL]", "219-09-9999", False),
        ("countries: [US]", "219-09-9999", True),
        ("countries: [NL]", "passport C01234567", True),
        ("countries: [NL]", "RTN 111000025", False),
        ("countries: [US]", "RTN 111000025", True),
        ("countries: []", "BSN 111222333", False),
        ("countries: []", "passport C01234567", True),
    ],
)
def test_countries_choose_whose_numbers_are_known(countries: str, text: str, gone: bool) -> None:
    """Schemes of other countries are left out; documents that every country has stay."""
    rules = policy.compile(policy.parse(f"include: [identity, national]\n{countries}"))
    assert (_clean(rules, text) != text) is gone
