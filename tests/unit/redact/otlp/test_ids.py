"""Identifiers that are told by their form: that no rule would find anything in one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve import redact
from spansieve.redact import policy
from spansieve.redact.otlp.ids import Ids
from spansieve.redact.rules.anchors import DIGITS, ENCODED
from spansieve.redact.rules.literals import literal
from unit.redact.helpers_redact import default_rules

_UUID = "baaa0118-71a4-4378-834c-0d90310ce8d2"
_POLICIES = [policy.compile(policy.parse(policy.shipped(name))) for name in policy.shipped_names()]
_RULES = {rules.name: rules for rules in _POLICIES if not rules.selective}  # by the others places have to be told


def _has(text: str, *anchors: str) -> bool:
    return Ids([None, *map(literal, anchors)]).has(b"\x04note" + text.encode(), 5)


@pytest.mark.parametrize("text", [_UUID, f"call_{_UUID}", f"chatcmpl-{_UUID}", "00000000-0000-0000-0000-000000000000"])
def test_a_uuid_is_one(text: str) -> None:
    """Alone, or behind a word."""
    assert _has(text, "@", "sk-", "-----BEGIN")


@pytest.mark.parametrize(
    "text",
    [
        "",
        _UUID[:-1],
        _UUID + "0",
        _UUID + "\n",
        _UUID.upper(),
        f" {_UUID}",
        f"call_a_{_UUID}",
        f"call9_{_UUID}",
        f"{'a' * 15}_{_UUID}",
        "abcdefab-71a4-4378-834c-0d90310ce8d2",
        "baaa0118-71a4-4378-834c-abcdefabcdef",
    ],
    ids=[
        "nothing", "short", "long", "line end", "capitals", "space", "two words", "number in the word", "long word",
        "no digit first", "no digit last",
    ],
)  # fmt: skip
def test_what_looks_otherwise_is_none(text: str) -> None:
    """Whatever it may be."""
    assert not _has(text)


@pytest.mark.parametrize(
    ("anchor", "text"),
    [
        ("sk-", f"sk-{_UUID}"),
        ("^sk", f"sk-{_UUID}"),
        ("k-b", f"sk-{_UUID}"),
        ("71a4", _UUID),
        ("^71", _UUID),
        ("8-7", f"call_{_UUID}"),
        ("a*a", _UUID),
    ],
)
def test_one_with_an_anchor_is_none(anchor: str, text: str) -> None:
    """In the word, in the UUID, or over the end of the word."""
    assert not _has(text, anchor)


@pytest.mark.parametrize("anchor", ["71A4", "wide", "call", "^fc-", "8d20"])
def test_an_anchor_that_cannot_be_there_does_not_count(anchor: str) -> None:
    """It is written otherwise, or begins a word where none begins."""
    assert _has(f"id_{_UUID}", anchor)


_HEADS = st.one_of(
    st.sampled_from(["", "sk-", "call_", "chatcmpl-", "key_", "token-", "pat-", "fc-"]),
    st.from_regex(r"[a-z]{1,14}[_-]", fullmatch=True),
)
_FORMS = st.from_regex(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", fullmatch=True)


@given(_HEADS, _FORMS, st.sampled_from(sorted(_RULES)))
def test_nothing_is_found_in_one(head: str, form: str, name: str) -> None:
    """By any shipped policy: its anchors are digits of no number, or a run that says nothing."""
    rules, text = _RULES[name], head + form
    if Ids(rules.anchors.literals).has(text.encode(), 0):
        assert {anchor for _, anchor in rules.anchors.scan([text]).get(0, [])} <= {DIGITS, ENCODED}
        assert redact.text(text, rules, "note") == (text, {})


def test_most_are_told_by_the_default_policy() -> None:
    """Also those behind the words that providers write."""
    ids = Ids(default_rules().anchors.literals)
    assert all(ids.has(f"{head}{_UUID}".encode(), 0) for head in ("", "call_", "chatcmpl-", "run-", "req_"))
