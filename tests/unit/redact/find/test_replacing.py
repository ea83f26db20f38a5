"""Replacements: what they leave of the text around them, and where to look again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact.find import replacing
from spansieve.redact.rules.compiled import CompiledRule
from spansieve.redact.rules.judges import Finding
from unit.redact.helpers_redact import clean, default_rules

_RULES = default_rules()
_FIRST, _SECOND = _RULES.rules[0], _RULES.rules[1]
_TEXT = "0123456789" * 60
_REACH = (8,) * 1000


def _finding(start: int, end: int, rule: CompiledRule = _FIRST) -> Finding:
    return start, end, rule, _TEXT[start:end]


def test_findings_that_overlap_are_one() -> None:
    """The longest gives the rule, and no part of either stays."""
    text, changes, names, _ = replacing.replace("0123456789", [_finding(2, 5), _finding(4, 9, _SECOND)])
    assert text == f"01{_SECOND.replacement}9"
    assert changes == [(2, 9, len(_SECOND.replacement))]
    assert names == [_SECOND.name]


def test_what_changes_nothing_is_no_change() -> None:
    """A pseudonym that is seen again is put in its own place."""
    same = replace(_FIRST, act=lambda found: found)
    assert replacing.replace("0123456789", [_finding(2, 5, same)]) == ("0123456789", [], [], False)


def test_a_letter_right_behind_a_replacement_is_told() -> None:
    """With it may begin what did not before."""
    assert replacing.replace("0123456789", [_finding(2, 5)])[3]
    assert not replacing.replace("01234 6789", [_finding(2, 5)])[3]


_SPANS = st.lists(st.integers(0, len(_TEXT)), min_size=2, max_size=12, unique=True).map(sorted)


@given(_SPANS, st.lists(st.integers(0, len(_TEXT) - 1), max_size=20, unique=True))
def test_places_move_with_the_text_around_them(borders: list[int], places: list[int]) -> None:
    """Those outside of what was replaced, and near it: each stands at the character at which it stood."""
    findings = [_finding(start, end) for start, end in zip(borders[::2], borders[1::2], strict=False)]
    text, changes, _, _ = replacing.replace(_TEXT, list(findings))
    outside = [at for at in places if not any(start <= at < end for start, end, _, _ in findings)]
    moved = replacing.beside([(at, 6) for at in places], changes, _REACH)
    put = replacing.placed(changes)
    near = replacing.near(moved, put, _REACH)
    assert near == moved
    assert all(text[start:end] == _FIRST.replacement for start, end in put)
    assert len(moved) <= len(outside)
    assert [text[at] for at, _ in moved] == [_TEXT[at] for at in sorted(outside) if _is_near(at, findings)]


def _is_near(at: int, findings: list[Finding]) -> bool:
    far = replacing.LONGEST + _REACH[6]
    return any(0 <= at - end <= far or 0 < start - at <= far for start, end, _, _ in findings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{'card': 4111111111111111, 'n': 1}", "{'card': '[CARD]', 'n': 1}"),
        ('sent {"card": 4111111111111111} to it', 'sent {"card": "[CARD]"} to it'),
        ('{"card":4111111111111111,"text":"cut o', '{"card":"[CARD]","text":"cut o'),
        (r'sent {"a":"{\"card\":4111111111111111}"} on', r'sent {"a":"{\"card\":\"[CARD]\"}"} on'),
        ('{"card": 4111111111111111', '{"card": "[CARD]"'),
        ("card: 4111111111111111", "card: [CARD]"),
        ('the "card": 4111111111111111 is his', 'the "card": [CARD] is his'),
        ('{"card": 4111 1111 1111 1111}', '{"card": [CARD]}'),
    ],
)
def test_a_number_that_is_a_value_leaves_a_string(text: str, expected: str) -> None:
    """Where JSON does not parse as a whole, or is a Python dict: what reads it goes on to read it."""
    assert clean(text) == expected
    assert clean(expected) == expected


def test_places_move_with_what_is_put_before_them() -> None:
    """Those in what was replaced are gone."""
    changes = [(2, 5, 7), (8, 9, 0)]
    assert replacing.moved([(1, 0), (3, 0), (5, 0), (8, 0), (9, 0)], changes) == [(1, 0), (9, 0), (12, 0)]


def test_what_is_written_otherwise_moves_too() -> None:
    """Unless some of it was replaced."""
    changes = [(2, 5, 7), (8, 9, 0)]
    assert replacing.outside_of([(0, 2, "x"), (4, 6, "x"), (6, 8, "y")], changes) == [(0, 2, "x"), (10, 12, "y")]


@pytest.mark.parametrize(
    ("behind", "may"), [("%41", True), ("\u200b1", True), ("\\u0041", True), (r"\n", False), (" a", False)]
)
def test_an_escape_right_behind_a_replacement_may_say_a_letter(behind: str, may: bool) -> None:
    """Then readings are searched anew: with it may begin what did not before."""
    assert replacing.before_escape("[EMAIL]" + behind, [(0, 7)]) is may
