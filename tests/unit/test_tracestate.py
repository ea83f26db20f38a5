"""tracestate's entry `ot`: what earlier sampling stages say, and what we say to later ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve import tracestate

TRACE_ID = bytes.fromhex("00112233445566778800aabbccddeeff")


@pytest.mark.parametrize(
    ("trace_state", "expected"),
    [
        ("", None),
        ("ot=th:0", 0),
        ("ot=th:c", 0xC0000000000000),
        ("ot=th:fd70a4", 0xFD70A400000000),
        ("ot=rv:00000000000001;th:E", 0xE0000000000000),
        ("vendor=x, ot=p:8;th:8 ,other=ot", 0x80000000000000),
        ("ot=th:", None),
        ("ot=th:123456789abcdef", None),
        ("ot=th:xyz", None),
        ("ot=p:8", None),
        ("not=th:8", None),
        ("tenant@ot=th:8", None),
    ],
)
def test_threshold(trace_state: str, expected: int | None) -> None:
    """`th` is 1 to 14 hexadecimal digits of the entry `ot`, extended with zeros; all else is no threshold."""
    assert tracestate.threshold(trace_state) == expected


@pytest.mark.parametrize(
    ("trace_state", "expected"),
    [
        ("", 0x00AABBCCDDEEFF),
        ("ot=th:8", 0x00AABBCCDDEEFF),
        ("ot=rv:f0f0f0f0f0f0f0;th:8", 0xF0F0F0F0F0F0F0),
        ("ot=rv:f0f0", 0x00AABBCCDDEEFF),
        ("x=rv:f0f0f0f0f0f0f0", 0x00AABBCCDDEEFF),
    ],
)
def test_randomness(trace_state: str, expected: int) -> None:
    """An explicit, well-formed `rv` goes before the low 56 bits of the trace id."""
    assert tracestate.randomness(trace_state, TRACE_ID) == expected


@pytest.mark.parametrize(("th", "count"), [("0", 1.0), ("8", 2.0), ("c", 4.0), ("e", 8.0), ("f", 16.0)])
def test_adjusted_count(th: str, count: float) -> None:
    """A span kept with probability 1/N stands for N."""
    of = tracestate.threshold(f"ot=th:{th}")
    assert of is not None
    assert tracestate.adjusted_count(of) == count


def _members(number: int) -> str:
    return ",".join(f"vendor{each}=x" for each in range(number))


@pytest.mark.parametrize(
    ("before", "of", "after"),
    [
        ("", 0, "ot=th:0"),
        ("", None, ""),
        ("ot=th:8", None, ""),
        ("ot=rv:f0f0f0f0f0f0f0;th:8", None, "ot=rv:f0f0f0f0f0f0f0"),
        ("ot=rv:f0f0f0f0f0f0f0;th:8", 0xC0000000000000, "ot=th:c;rv:f0f0f0f0f0f0f0"),
        ("a=1,ot=p:8,b=2", 0x80000000000000, "ot=th:8;p:8,a=1,b=2"),
        ("a=1", 0xE6660000000000, "ot=th:e666,a=1"),
        ("a=1", None, "a=1"),
        ("ot=" + "k" * 250 + ":1", 0xFD70A400000000, "ot=" + "k" * 250 + ":1"),
        (_members(31), 0, f"ot=th:0,{_members(31)}"),
        (_members(32), 0, _members(32)),
        (f"ot=th:8,{_members(32)}", None, _members(32)),
    ],
)
def test_with_threshold(before: str, of: int | None, after: str) -> None:
    """Only `th` changes; an entry that would be too long, or a member too many, goes without it."""
    assert tracestate.with_threshold(before, of) == after


@given(st.integers(0, tracestate.NEVER - 1), st.text("abc=;:,ot thrv0189", max_size=40))
def test_what_is_written_is_read_again(of: int, before: str) -> None:
    """Whatever stood there before, the threshold put in is the one that is read."""
    assert tracestate.threshold(tracestate.with_threshold(before, of)) == of


@given(st.text("abc=;:,ot thrv0189", max_size=40))
def test_erased_is_unknown(before: str) -> None:
    """After erasing, no threshold is read."""
    assert tracestate.threshold(tracestate.with_threshold(before, None)) is None
