"""Vectorscan and the regexes that stand in for it lead to the same, whatever the text."""

import base64
import string
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spansieve import redact
from spansieve.redact import policy
from spansieve.redact.rules import anchors, shapes, vectorscan
from spansieve.redact.rules.cache import Cache
from spansieve.redact.rules.compiled import CompiledRules
from spansieve.redact.rules.literals import MARKS

pytestmark = pytest.mark.skipif(
    not vectorscan.installed(), reason="hyperscan has no wheel for this machine: there is one engine to compare"
)

_POLICY = policy.parse(policy.shipped("default"))
_LITERALS = sorted({a for rule in _POLICY.rules for a in rule.anchors if a not in anchors.CLASSES})
_WRITTEN = [each.lstrip(MARKS).removesuffix("$").replace("*", " - ") for each in _LITERALS]
_KEYS = [key.removeprefix("*") for rule in _POLICY.rules for key in rule.keys]
_NATIVE = policy.compile(_POLICY)


def _without_vectorscan(rules: CompiledRules) -> CompiledRules:
    anchors = replace(rules.anchors, native=None, of_keys=None, of_near=None, in_runs=None)
    return replace(rules, anchors=anchors, cache=Cache())


_PYTHON = _without_vectorscan(_NATIVE)

_PIECES = st.one_of(
    st.sampled_from(_WRITTEN),
    st.sampled_from(_WRITTEN).map(str.upper),
    st.sampled_from([f'"{key}":' for key in _KEYS] + [f'{{\\"{key.upper()}\\": 1' for key in _KEYS]),
    st.text("0123456789 ()-./\u00a0\u2011\u202f", max_size=24),
    st.text("0123456789abcdefABCDEF:.-", max_size=40),
    st.text("0123456789ABCxyz +", max_size=20),
    st.text("0123456789abcdefMDLT05j_-/+=", min_size=14, max_size=80),
    st.binary(min_size=9, max_size=24).map(lambda raw: base64.b64encode(raw).decode()),
    st.text(string.printable[:95], min_size=9, max_size=24).map(lambda text: base64.b64encode(text.encode()).decode()),
    st.text("\\u0\"'%&\n{[@=_-", max_size=8),
    st.sampled_from([example.text for rule in _POLICY.rules for example in rule.examples.positive]),
    st.text(max_size=8),
    st.sampled_from(["\ud800", "\0", "é", "用户", "😀", "phone ", " Tel", "ssn", "12 Elm", " fir"]),
)
_TEXTS = st.lists(st.lists(_PIECES, max_size=8).map("".join), max_size=6)


def _hits(rules: CompiledRules, texts: list[str]) -> dict[int, set[tuple[int, int]]]:
    """What the hits lead to: of a number the number, wherever in it the hit is; of escapes only that there are some."""
    found: dict[int, set[tuple[int, int]]] = {}
    for index, hits in rules.anchors.scan(texts).items():
        for at, anchor in hits:
            place = at
            if anchor in (anchors.ESCAPE, anchors.KEY):
                place = 0
            elif anchor == anchors.GROUPS:
                token = shapes.groups(texts[index], at)
                place = at if token is None else token[0]
            elif anchor == anchors.DIGITS:
                token = shapes.digits(texts[index], at)
                place = -1 if token is None else token[0]
            found.setdefault(index, set()).add((place, anchor))
    return found


@given(_TEXTS)
@example(["PHONE \u4e2d"])
def test_both_passes_find_the_same_anchors(texts: list[str]) -> None:
    """What a machine without Vectorscan looks at is the same."""
    assert _hits(_NATIVE, texts) == _hits(_PYTHON, texts)


@given(_TEXTS)
def test_both_redact_the_same(texts: list[str]) -> None:
    """And what comes of it."""
    for text in texts:
        assert redact.text(text, _NATIVE) == redact.text(text, _PYTHON)
