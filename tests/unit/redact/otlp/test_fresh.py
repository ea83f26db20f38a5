"""Short attributes that were not met before: what one look at all of them decides, and what it leaves to others."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

from spansieve import redact
from spansieve.errors import MalformedRequest
from spansieve.redact.otlp import attributes
from spansieve.redact.otlp.attributes import Key
from spansieve.redact.otlp.fresh import Fresh
from spansieve.redact.otlp.pieces import Attributes, Job
from spansieve.redact.rules.anchors import Anchors, Hits
from spansieve.redact.rules.selectors import Place
from unit.redact.helpers_redact import default_rules

_PLAIN = Key("note", silent=True, wanted=False, stamp=False, tells=False)
_CARD = "4111111111111111"
_UUID = "baaa0118-71a4-4378-834c-0d90310ce8d2"  # which has seven digits in a row, but for a dash


def _attribute(value: AnyValue, key: str = "note") -> bytes:
    return KeyValue(key=key, value=value).SerializeToString()


def _text(text: str, key: str = "note") -> bytes:
    return _attribute(AnyValue(string_value=text), key)


class _Look:
    """One look at attributes under keys that are known: `left` is undecided, `changed` is what became of others."""

    def __init__(self, *raws: bytes, key: Key = _PLAIN) -> None:
        rules = default_rules()
        kind = Attributes(Place.SPAN_ATTRIBUTE)
        job = Job(rules, lambda _: False)
        keys = {attributes.head(raw): key for raw in raws if attributes.head(raw)}
        self.left = Fresh(rules).undecided(kind, raws, keys, job)
        job.run(Counter())
        self.wanted = kind.wanted
        self.changed = {raw: outcome.new for raw, outcome in kind.changed.items()}


@pytest.mark.parametrize(
    "raw",
    [
        _text("worker-7"),
        _text(""),
        _text("zwei Wörter"),
        _text("nul\0inside"),
        _text(_UUID),
        _text(f"call_{_UUID}"),
        _attribute(AnyValue(int_value=8443)),
        _attribute(AnyValue(double_value=0.25)),
        _attribute(AnyValue(bool_value=True)),
    ],
    ids=["word", "empty", "not ASCII", "NUL", "UUID", "UUID behind a word", "count", "measure", "truth value"],
)
def test_most_are_decided_at_one_look(raw: bytes) -> None:
    """Nothing is left of them, and nothing changes; nor the second time, or beside others."""
    assert _Look(raw, _text("other")).left == []
    assert _Look(raw, raw, _text("other")).changed == {}


def test_what_has_anchors_goes_through_the_rules() -> None:
    """With the places that were found at the one look, also beside texts that have none."""
    mail, card = _text("jane.roe@example.com"), _text(f"card {_CARD}")
    look = _Look(_text("clean"), mail, _text("ö"), card)
    assert look.left == []
    assert look.changed == {mail: _text("[EMAIL]"), card: _text("card [CARD]")}


@pytest.mark.parametrize(
    "raw",
    [
        _text("x" * 300),
        _attribute(AnyValue(int_value=int(_CARD))),
        _attribute(AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="x")]))),
        _attribute(AnyValue(bytes_value=b"x")),
        _text("x") + b"\x1a\x00",
        b"",
        b"\n",
        b"\n\x04note",
    ],
    ids=["long", "card as a number", "list", "bytes", "unknown field", "nothing", "half a key", "no value"],
)
def test_what_is_not_a_short_text_is_left(raw: bytes) -> None:
    """The longer road takes it."""
    assert _Look(raw).left == [raw]


def test_keys_that_tell_or_are_unknown_are_left() -> None:
    """Whatever stands under them."""
    raw = _text("x")
    assert _Look(raw, key=_PLAIN._replace(tells=True)).left == [raw]
    job = Job(default_rules(), lambda _: False)
    assert Fresh(default_rules()).undecided(Attributes(Place.SPAN_ATTRIBUTE), [raw], {}, job) == [raw]


def test_a_number_under_a_key_that_says_something_is_left() -> None:
    """Beside a context word, four digits may be someone's; the same number under another key still is not."""
    rules, kind, job = default_rules(), Attributes(Place.SPAN_ATTRIBUTE), Job(default_rules(), lambda _: False)
    raws = [_attribute(AnyValue(int_value=4321), key) for key in ("note", "bank")]
    keys = {attributes.head(raws[0]): _PLAIN, attributes.head(raws[1]): _PLAIN._replace(silent=False)}
    assert Fresh(rules).undecided(kind, raws, keys, job) == [raws[1]]


def test_what_a_later_stage_reads_is_noted() -> None:
    """Though nothing else is to be done about it."""
    raw = _text("gpt-4o")
    assert _Look(raw, key=_PLAIN._replace(wanted=True)).wanted == {raw}


@pytest.mark.parametrize("bad", [(b"\xff",), (b"a\xc3", b"\xa9b")], ids=["alone", "whole only together"])
def test_what_is_no_text_is_refused(bad: tuple[bytes, ...]) -> None:
    """As protobuf refuses a string that is not UTF-8, each by itself."""
    raws = [_text("x" * len(text)).replace(b"x" * len(text), text) for text in bad]
    with pytest.raises(MalformedRequest):
        _Look(*raws)


def test_a_failed_search_leaves_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known then, so nothing is clean."""

    def fail(_: Anchors, __: object) -> Hits:
        raise RuntimeError

    raws = [_text("clean"), _text(_CARD)]
    kind, job = Attributes(Place.SPAN_ATTRIBUTE), Job(default_rules(), lambda _: False)
    monkeypatch.setattr(Anchors, "scan", fail)
    assert Fresh(default_rules()).undecided(kind, raws, {attributes.head(raws[0]): _PLAIN}, job) == raws


_NUMBERS = (
    "4111111111111111",
    "4111",
    "203.0.113.4",
    "2026-11-21",
    "078-05-1120",
    "7",
    "12",
    "a1b2",
    "+44 20 7946 0958",
)
_SIGNS = ("DE", "-", ".", " ", ":", '["', '"]', '{"', '\\"', "\\u0034", "%40", "ab", "call_", "ö", _UUID, _UUID[:13])


@given(st.lists(st.sampled_from(_NUMBERS + _SIGNS), min_size=1, max_size=6).map("".join))
def test_nothing_is_decided_otherwise(text: str) -> None:
    """A text becomes the same by one look as alone, numbers in any company included."""
    raw = _text(text)
    look = _Look(raw)
    assert look.left == []
    expected = redact.text(text, default_rules(), "note")[0]
    assert look.changed.get(raw, raw) == _text(expected)
