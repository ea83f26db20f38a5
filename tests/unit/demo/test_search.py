import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
from demo import search
from hypothesis import given
from hypothesis import strategies as st

VALUE = "+44 20 7946/0123 ü"


@pytest.mark.parametrize(
    "disguise",
    [
        lambda v: v,
        lambda v: json.dumps({"a": v}),
        lambda v: json.dumps({"a": v}, ensure_ascii=False),
        lambda v: json.dumps({"a": json.dumps({"b": v})}),
        lambda v: json.dumps({"a": v}).replace("/", "\\/"),
        lambda v: f"https://example.com/?q={quote(v)}",
        lambda v: f"https://example.com/?q={quote(v, safe='')}",
        lambda v: f"https://example.com/?q={quote_plus(v)}",
        lambda v: urlencode({"q": v}),
    ],
)
def test_value_is_found_in_a_disguise(disguise: Callable[[str], str]) -> None:
    """JSON, JSON in JSON and URLs do not hide a value."""
    assert search.found([VALUE], f"before {disguise(VALUE)} after".encode()) == [VALUE]


@given(before=st.binary(max_size=40), after=st.binary(max_size=40), url_safe=st.booleans())
def test_value_is_found_in_base64(before: bytes, after: bytes, *, url_safe: bool) -> None:
    """Base64 hides a value at no alignment, whatever stands around it."""
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    assert search.found([VALUE], encode(before + VALUE.encode() + after)) == [VALUE]


def test_absent_value_is_not_found() -> None:
    """Other text, even the value cut short, is no find."""
    assert search.found([VALUE], f"{VALUE[:-1]}".encode()) == []


def test_short_value_has_no_base64_form() -> None:
    """Three letters of base64 would be found anywhere, so they are not looked for."""
    assert search.found(["abc"], base64.b64encode(b"abc")) == []
