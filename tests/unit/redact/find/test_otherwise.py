"""Other readings are searched near what stands otherwise; what is found there is what a search of all would find."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spansieve.redact.find import matching, otherwise
from spansieve.redact.rules.anchors import Anchors, Hits
from spansieve.redact.rules.compiled import NO_FACTS
from spansieve.redact.text import normalise
from unit.redact.helpers_redact import clean, default_rules

_PROSE = "We wrote to alice@example.com and called +49 30 1255607 about card 4111 1111 1111 1111 in the end. "


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many characters each search for anchors was given."""
    sizes: list[int] = []
    scan = Anchors.scan

    def noted(self: Anchors, texts: Sequence[str]) -> Hits:
        sizes.append(sum(map(len, texts)))
        return scan(self, texts)

    monkeypatch.setattr(Anchors, "scan", noted)
    return sizes


@pytest.mark.parametrize("odd", [r"a\b", r"said \"no\" to", "2\n3", "&amp;", "x\\u0020y", "% 20 %20 of"])
def test_one_odd_character_has_only_its_neighbours_searched(scanned: list[int], odd: str) -> None:
    """All of the text is searched once."""
    text = _PROSE * 40 + odd + " " + _PROSE * 40
    assert "alice" not in clean(text)
    assert sum(scanned) < 1.2 * len(text)


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        (_PROSE * 30 + r"alice\u0040example.com " + _PROSE * 30, "[EMAIL]"),
        (_PROSE * 30 + "bob%2540example.org " + _PROSE * 30, "[EMAIL]"),
        (_PROSE * 30 + "the card 5555 5555\n5555 4444 " + _PROSE * 30, "[CARD]"),
        (_PROSE * 30 + r"he said: \"password: hunter2secret\" " + _PROSE * 30, "[SECRET]"),
    ],
)
def test_a_value_written_otherwise_is_found_among_others(text: str, becomes: str) -> None:
    """As many values go as there are, and the one that is written otherwise with them."""
    expected = clean(_PROSE * 30)
    middle = clean(text).removeprefix(expected).removesuffix(expected)
    assert becomes in middle


_PIECES = st.sampled_from(
    [
        *("alice@example.com", "4111 1111 1111 1111", "+49 30 1255607", "192.0.2.17", "password", "hunter2", "said"),
        *(": ", " ", " ", " ", "\n", "\r\n", r"\n", r"\"", '"', "%40", "&#64;", "\u200b", "\\", "=\n", "1\n2", "'"),
    ]
)


@settings(deadline=None)
@given(st.lists(_PIECES, max_size=60).map("".join))
def test_what_is_found_near_is_what_is_found_in_all(text: str) -> None:
    """Whatever is written otherwise, and wherever: nothing is missed for not being searched."""
    rules = default_rules()
    try:
        readings = normalise.readings(text)
    except normalise.TooDeep:
        return
    places = sorted(place for place in rules.anchors.scan([text]).get(0, []) if place[1] not in otherwise.NO_RULES)
    found, _ = otherwise.find(readings, rules, NO_FACTS, places)
    found += matching.find(text, rules, NO_FACTS, places)[0]
    for reading in readings:
        reading.changed = None  # so that all of it is searched
    for start, end, _, value in otherwise.find(readings, rules, NO_FACTS, places)[0]:
        assert any(low <= start and end <= high for low, high, _, _ in found), value
