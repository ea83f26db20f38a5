"""Shapes hold back no pattern that could match, and most of those that cannot."""

import re
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spansieve.redact.rules import anchors, shapes
from unit.redact.helpers_redact import default_rules

_RULES = default_rules()
_KINDS = {anchors.DIGITS: shapes.digits, anchors.GROUPS: shapes.groups}


def _tried(text: str, at: int, anchor: int) -> set[str]:
    token = _KINDS[anchor](text, at)
    assert token is not None
    return {_RULES.detectors[each.number][0].name for each in _RULES.shapes[anchor].learn(token)}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SSN 219-09-9999, please", "219-09-9999"),
        ("call +44 20 7946 0123 now", "44 20 7946 0123"),
        ("id 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        ("to DE89370400440532013000 now", "DE89370400440532013000"),
        ("from 198.51.100.7:443", "198.51.100.7"),
    ],
)
def test_a_number_is_its_words_and_what_is_between(text: str, number: str) -> None:
    """From wherever in it a scanner tells of it."""
    begin = text.index(number)
    for at in (m.start() for m in re.finditer("[0-9]", number)):
        token = shapes.digits(text, begin + at)
        assert token is not None
        assert text[token[0] : token[1]] == number


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("219-09-9999", "us_ssn", "payment_card"),
        ("4111 1111 1111 1111", "payment_card", "us_ssn"),
        ("DE89370400440532013000", "iban", "us_ssn"),
        ("198.51.100.7", "ipv4_public", "iban"),
        ("2026-07-12", "phone", "national_id"),
    ],
)
def test_a_shape_tells_patterns_apart(text: str, wanted: str, unwanted: str) -> None:
    """What cannot match is not tried."""
    tried = _tried(text, text.index(next(filter(str.isdigit, text))), anchors.DIGITS)
    assert wanted in tried
    assert unwanted not in tried


def test_a_long_row_of_numbers_has_no_shape() -> None:
    """Each would be a new one: the memory is for what comes again."""
    assert shapes.digits("1 2 3 4 5 6 7 8 9 " * 10, 40) is None


@pytest.mark.parametrize(("number", "is_tried"), [("4111 1111 1111 1111", True), ("1111 1111 1111 1111", False)])
def test_a_number_s_first_digit_tells_patterns_apart(number: str, is_tried: bool) -> None:
    """No card begins with 1: that pattern is not tried, though the shape is a card's."""
    known = _RULES.shapes[anchors.DIGITS].learnt(f"the number {number}, please", 11, hexadecimal=False)
    assert known is not None
    tried = {_RULES.detectors[each.number][0].name for each in known[2] if each.offset == 0}
    assert ("payment_card" in tried) is is_tried


_PIECES = st.one_of(
    st.sampled_from(["GB29 NWBK 6016 1331 9268 19", "AB 12 34 56 C"]),
    st.text("0123456789 ()-./+\u00a0\u2011", max_size=24),
    st.text("0123456789abcdefABCDEF:.-", max_size=40),
    st.text("0123456789ABCxyz +", max_size=20),
    st.sampled_from([" ", "é", "用", "\n", ", ", "a ", "-", "(", "0."]),
)


@given(st.lists(_PIECES, min_size=1, max_size=4).map("".join))
@example("+\u00a0\u00a000000000")
@example("tel: +  4930125560")
def test_no_match_that_begins_in_a_number_is_held_back(text: str) -> None:
    """Wherever a pattern matches, the shape of the number there lets it be tried at that place."""
    for anchor, token_at in _KINDS.items():
        for number in _RULES.of_anchor[anchor]:
            detector = _RULES.detectors[number][1]
            for match in detector.search.finditer(text):
                at = next((m.start() for m in re.finditer("[0-9A-Fa-f:]", match[0]) if m[0] in "0123456789:"), 0)
                token = token_at(text, match.start() + at)
                if token is None or not token[0] - detector.before <= match.start() < token[1]:
                    continue
                may = getattr(detector.check, "may", None)
                if may is not None and detector.check is not None and detector.check(text, *match.span()) is None:
                    continue
                tries = {each.number: each.starts for each in _RULES.shapes[anchor].learn(token)}
                assert match.start() - token[0] in tries.get(number, ()), (detector.search.pattern, token)


@given(st.lists(_PIECES, min_size=1, max_size=4).map("".join))
def test_a_number_seen_before_is_told_as_when_it_was_learnt(text: str) -> None:
    """By its plain symbols, or its shape: with the patterns that were found out, but for a UUID, which has none."""
    known = _RULES.shapes[anchors.DIGITS]
    for at in (m.start() for m in re.finditer("[0-9]", text)):
        learnt = known.learnt(text, at, hexadecimal=False)
        told = known.of_digits(text, at)
        if told is None:
            assert learnt is None
        else:
            assert learnt is not None
            assert told in (learnt, (*learnt[:2], ()))
            assert told == known.of_digits(text, at)
            if told != learnt:
                assert str(UUID(text[learnt[0] : learnt[1]])) == text[learnt[0] : learnt[1]].lower()


@pytest.mark.parametrize("text", ["on 2026-07-12 we", "at 2026-07-12T14:33:00Z it", "since 1999-12-31 23:59"])
def test_a_day_is_no_telephone_number(text: str) -> None:
    """So that none of the patterns for those is tried on it."""
    known = _RULES.shapes[anchors.DIGITS]
    number = known.learnt(text, re.search("[0-9]", text).start(), hexadecimal=False)  # type: ignore[union-attr]  # it is there
    assert number is not None
    assert number[2] == ()


@pytest.mark.parametrize("text", ["on 1234-56-78 we", "(2026-07-12) we", "on 2026-17-12 we"])
def test_what_only_looks_like_a_day_is_tried(text: str) -> None:
    """Also a day in parentheses, with which an area code would begin."""
    known = _RULES.shapes[anchors.DIGITS]
    number = known.learnt(text, re.search("[0-9]", text).start(), hexadecimal=False)  # type: ignore[union-attr]  # it is there
    assert number is not None
    assert {_RULES.detectors[each.number][0].name for each in number[2]} >= {"phone"}


@pytest.mark.parametrize("text", ["at 14:33:00Z it", "at 14:33:00, it", "std::vector", "a::b"])
def test_a_time_of_day_is_no_address(text: str) -> None:
    """No pattern of IPv6 or MAC addresses is tried on it."""
    token = shapes.groups(text, text.index(":"))
    assert token is not None
    tried = {_RULES.detectors[each.number][0].name for each in _RULES.shapes[anchors.GROUPS].learn(token)}
    assert tried <= ({"ipv6_public", "ipv6_private"} if "::" in text else set())


@given(st.text("0123456789abcXYZ", min_size=shapes.LONGEST, max_size=120), st.sampled_from(["", " ", "-", "x ", "é"]))
def test_nothing_is_found_in_a_word_longer_than_any_number(word: str, around: str) -> None:
    """No pattern that hangs on digits finds a part of it, which is why none is tried."""
    text = around + word + around
    for number in _RULES.of_anchor[anchors.DIGITS]:
        rule, detector = _RULES.detectors[number]
        for match in detector.search.finditer(text):
            start, end = match.span(detector.group)
            assert detector.check is not None
            assert detector.check(text, start, end) is None, rule.name
