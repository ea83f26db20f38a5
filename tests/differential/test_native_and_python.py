"""Vectorscan and the regexes that stand in for it find the same, whatever the text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact import anchors, patterns, policy, vectorscan
from spansieve.redact.gate import Gate

pytestmark = pytest.mark.skipif(
    not vectorscan.installed(), reason="hyperscan has no wheel for this machine: there is one engine to compare"
)

_POLICY = policy.parse(policy.shipped("default"))
_LITERALS = sorted({a for rule in _POLICY.rules for a in rule.anchors if a not in anchors.CLASSES})
_KEYS = [key.removeprefix("*") for rule in _POLICY.rules for key in rule.keys]
_NATIVE = anchors.build(_LITERALS, _KEYS)
_PYTHON = anchors.build(_LITERALS, _KEYS, native=False)
_PATTERNS = [pattern for rule in _POLICY.rules for pattern in (*rule.patterns, *rule.context_patterns)]

_PIECES = st.one_of(
    st.sampled_from(_LITERALS),
    st.sampled_from([literal.upper() for literal in _LITERALS]),
    st.sampled_from([f'"{key}":' for key in _KEYS] + [f'{{\\"{key.upper()}\\": 1' for key in _KEYS]),
    st.text("0123456789 ()-./\u00a0\u2011\u202f", max_size=24),
    st.text("0123456789abcdefABCDEF:.-", max_size=40),
    st.text("0123456789ABCxyz +", max_size=20),
    st.text("\\u0\"'%&\n{[@=_-", max_size=8),
    st.sampled_from([example.text for rule in _POLICY.rules for example in rule.examples.positive]),
    st.text(max_size=8),
    st.sampled_from(["\ud800", "\0", "é", "用户", "😀"]),
)
_TEXTS = st.lists(st.lists(_PIECES, max_size=8).map("".join), max_size=6)


def _hits(scanner: anchors.Anchors, texts: list[str]) -> dict[int, list[tuple[int, int]]]:
    return {index: sorted(hits) for index, hits in scanner.scan(texts).items()}


@given(_TEXTS)
def test_both_passes_find_the_same_anchors(texts: list[str]) -> None:
    """A machine without Vectorscan redacts the same."""
    assert _hits(_NATIVE, texts) == _hits(_PYTHON, texts)


def test_blocks_do_not_show() -> None:
    """Anchors are found wherever the blocks of Vectorscan's pass begin and end."""
    texts = ["plain words " * n + "a@b 078-05-1120" for n in (1, 340, 341, 342, 1000, 3, 2)]
    assert _hits(_NATIVE, texts) == _hits(_PYTHON, texts)
    assert len(_hits(_NATIVE, texts)) == len(texts)


@given(st.lists(_PIECES, min_size=1, max_size=8).map("".join))
def test_an_outline_matches_where_its_pattern_does(text: str) -> None:
    """The gate never holds a pattern back that would have found something."""
    raw = re.sub(r"[^\x00-\x7f]", chr(patterns.OTHER), text).encode("latin-1")
    for pattern in _PATTERNS:
        if re.search(pattern, text):
            assert re.search(patterns.outline(pattern), raw, re.IGNORECASE | re.DOTALL), pattern


_MEMBERS = [(pattern, 64, patterns.reach(pattern)) for pattern in _PATTERNS]
_GATE = Gate(_MEMBERS, [range(len(_MEMBERS))])


@given(st.lists(_PIECES, min_size=1, max_size=8).map("".join))
def test_the_gate_lets_through_whatever_matches(text: str) -> None:
    """What the gate holds back around an anchor has no match that starts near it."""
    for number, (pattern, before, after) in enumerate(_MEMBERS):
        if (match := re.search(pattern, text)) is not None:
            at = match.start() + min(before, (match.end() - match.start()) // 2)
            if match.end() <= at + after:
                assert number in _GATE.likely(text, [(at, 0)]), pattern
