"""The memory of texts: what it knows is right, holds nothing raw, and stays small."""

import gc
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.redact.rules.cache import NOTHING, Cache, Known
from spansieve.redact.text import parsed


def _name(cache: Cache, text: str, key: str | None = None) -> bytes:
    return cache.digest(text, cache.around("text", 0, 0, key))


def _cache(capacity: int = 1 << 20) -> Cache:
    return Cache(capacity, make_key=lambda: b"k" * 32)


def test_what_was_put_is_given() -> None:
    """A second sight of a text costs a look-up."""
    cache = _cache()
    name = _name(cache, "alice@example.com")
    cache.put(name, Known("[EMAIL]", (("email", 1),)))
    assert cache.get(_name(cache, "alice@example.com")) == Known("[EMAIL]", (("email", 1),))


def test_a_text_that_stays_is_known_without_its_text() -> None:
    """Clean texts take the room of a digest."""
    cache = _cache()
    cache.put(_name(cache, "clean"), NOTHING)
    assert cache.get(_name(cache, "clean")) == Known(None, ())


def test_what_was_not_put_is_not_known() -> None:
    """Nothing is invented."""
    assert _cache().get(b"0" * 16) is None


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_other_texts_and_other_circumstances_have_other_digests(one: tuple[str, str], two: tuple[str, str]) -> None:
    """Where the text ends and what is known about it begins cannot be confused."""
    cache = _cache()
    assert (_name(cache, *one) == _name(cache, *two)) == (one == two)


def test_lone_surrogates_have_digests() -> None:
    """Whatever JSON can make, a text can hold."""
    cache = _cache()
    assert _name(cache, "\ud800", "\udfff") != _name(cache, "\ud801", "\udfff")


def test_the_key_decides_the_digest() -> None:
    """Another process names the same text otherwise."""
    assert _name(Cache(), "text") != _name(Cache(), "text")


def test_old_texts_are_forgotten() -> None:
    """The memory does not grow with what passes through."""
    cache = _cache(64 << 10)
    for number in range(10_000):
        cache.put(_name(cache, str(number)), NOTHING)
    assert cache.get(_name(cache, "0")) is None
    assert cache.get(_name(cache, "9999")) is not None


def test_what_is_used_is_not_forgotten() -> None:
    """A conversation that goes on keeps its history."""
    cache = _cache(64 << 10)
    used = _name(cache, "used")
    cache.put(used, NOTHING)
    for number in range(10_000):
        cache.put(_name(cache, str(number)), NOTHING)
        assert cache.get(used) is not None


@pytest.mark.parametrize("length", [0, 300, 5000])
def test_the_memory_takes_no_more_than_its_bytes(length: int) -> None:
    """The bound counts tables, tuples and texts as the interpreter does."""
    capacity = 1 << 20
    cache = _cache(capacity)
    for number in range(20_000):
        found = (("email", number),)
        new = f"{number:0{length}}" if length else None
        cache.put(_name(cache, str(number)), Known(new, found, (("content", True), ("text", False))))
    assert _bytes(cache) < capacity


def test_what_would_fill_the_memory_is_not_kept() -> None:
    """One giant does not drive out all others."""
    cache = _cache(64 << 10)
    small, giant = _name(cache, "small"), _name(cache, "giant")
    cache.put(small, NOTHING)
    cache.put(giant, Known("x" * (40 << 10), ()))
    assert cache.get(giant) is None
    assert cache.get(small) is not None


def test_no_text_that_came_in_is_in_memory() -> None:
    """Only digests and clean texts are kept."""
    cache = _cache()
    secret = "alice@example.com" + "!" * 300
    cache.put(_name(cache, secret, "user.email"), Known("[EMAIL]", (("email", 1),)))
    assert not any(secret in str(each) or "user.email" in str(each) for each in _reachable(cache))


def _reachable(cache: Cache) -> list[object]:
    found: dict[int, object] = {}
    pending: list[object] = [getattr(cache, name) for name in Cache.__slots__]
    while pending:
        each = pending.pop()
        if id(each) not in found and isinstance(each, (dict, tuple, bytes, str, int)):
            found[id(each)] = each
            pending += gc.get_referents(each)
    return list(found.values())


def _bytes(cache: Cache) -> int:
    return sum(map(sys.getsizeof, _reachable(cache)))


def test_many_are_recalled_as_each_is() -> None:
    """Those of the old generation are used by it, too, and so not forgotten."""
    cache = _cache(8192)
    names = [_name(cache, f"{number}") for number in range(3)]
    cache.put(names[0], Known("zero", ()))
    cache.put(names[1], NOTHING)
    for number in range(100):
        assert cache.recall(names) == [Known("zero", ()), NOTHING, None]
        cache.put(_name(cache, f"another {number}"), NOTHING)


def _framed(cache: Cache, beginning: str, key: str) -> bool:
    text = json.dumps({beginning: "x", key: "a text that is longer than what stands around it " * 3}).encode()
    shape = parsed.shape(text, "", wrapped=False)
    assert shape is not None
    frame = parsed.frame(shape, parsed.segments(text))
    assert frame is not None
    known = any(True for _ in cache.framed(text, "here"))
    cache.remember_frame(text, "here", frame)
    cache.remember_frame(text, "here", frame)
    assert any(True for _ in cache.framed(text, "here"))
    assert not any(True for _ in cache.framed(text, "there"))
    return known


def test_frames_are_known_in_their_circumstances() -> None:
    """And only there."""
    cache = _cache()
    assert not _framed(cache, "role", "content")
    assert _framed(cache, "role", "content")


@pytest.mark.parametrize("beginnings", [1, 1000])
def test_few_frames_are_remembered(beginnings: int) -> None:
    """Keys that are made of data do not fill the memory."""
    cache = _cache()
    for number in range(1000):
        _framed(cache, f"{number % beginnings:020}", f"k{number}")
    assert sum(map(len, cache.frames.values())) <= 64 * 8
