"""JSON in pieces, of which some are known, becomes what it becomes token by token."""

import gc
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spansieve import redact
from spansieve.redact import CompiledRules, policy
from spansieve.redact.find import bodies
from spansieve.redact.find.engine import Run
from spansieve.redact.rules.anchors import Anchors, Hits
from spansieve.redact.rules.cache import Cache
from unit.redact.helpers_redact import default_policy

_FILLER = "The clerk sends the parcel on time, and nobody asks why it was late. " * 5
_WORDS = st.sampled_from(
    [
        "alice@example.com", "to bob@exam", "ple.com", "4111 1111", "1111 1111 ok", "4155552671", "078-05-1120",
        'say "hi"\n', "back\\slash", "é \u2019 👍", "\\u0040",
        '{"password": "hunter2"}', '{"a": ["carol@example.com"]}',
        "call", "", "x", _FILLER, "a\u0000b", "]}, {", '},{"role":',
    ]
)  # fmt: skip
_STRINGS = st.lists(_WORDS, max_size=4).map(" ".join)
_KEYS = st.sampled_from(
    ["content", "text", "role", "password", "name", "email", "phone", "alice@example.com", 'q"', "arguments"]
)
_SCALARS = st.one_of(
    _STRINGS, st.none(), st.booleans(), st.sampled_from([1, 4155552671, 4111111111111111, 0.5, 4.111111111111111e15])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=8,
)
_MESSAGES = st.lists(
    st.builds(lambda role, content, more: {"role": role, "content": content, **more},
              st.sampled_from(["user", "tool"]), _VALUES, st.dictionaries(_KEYS, _VALUES, max_size=2)),
    min_size=1, max_size=6,
)  # fmt: skip
_EXAMPLES = 100
_WRITERS: list[Callable[[Any], str]] = [
    lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    lambda value: json.dumps(value, separators=(",", ":")),
    json.dumps,
    lambda value: json.dumps(value, indent=1),
]


@cache
def _rules() -> CompiledRules:
    return policy.compile(default_policy())


def _by_tokens(text: str) -> tuple[str, dict[str, int]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "body", lambda *_: None)
        new, found = redact.text(text, replace(_rules(), cache=Cache()))
    return new, dict(found)


@settings(max_examples=_EXAMPLES, deadline=None)
@given(st.one_of(_MESSAGES, _VALUES), st.sampled_from(_WRITERS))
def test_the_result_is_that_of_reading_by_tokens(value: object, write: Callable[[Any], str]) -> None:
    """With an empty memory, with one that knows all of it, and with one that knows a part of it."""
    text = write(value)
    expected = _by_tokens(text)
    for part in (value, value[:-1] if isinstance(value, list) else value):
        rules = replace(_rules(), cache=Cache())
        redact.text(write(part), rules)
        for _ in range(2):
            new, found = redact.text(text, rules)
            assert (new, dict(found)) == expected


def _conversation(*said: str) -> str:
    return json.dumps([{"role": "user", "content": text} for text in said])


def _fresh() -> CompiledRules:
    return replace(_rules(), cache=Cache())


def test_what_was_said_before_is_not_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn costs what is new in it, though it sends all that was said."""
    searched: list[str] = []
    scan = Anchors.scan

    def note(self: Anchors, texts: Sequence[str]) -> Hits:
        searched.extend(texts)
        return scan(self, texts)

    monkeypatch.setattr(Anchors, "scan", note)
    rules = _fresh()
    said = [f"{number} alice@example.com {_FILLER}" for number in range(8)]
    redact.text(_conversation(*said[:7]), rules)
    searched.clear()
    new, found = redact.text(_conversation(*said), rules)
    assert said[7] in searched
    assert sum(map(len, searched)) < 3 * len(said[7])  # and where it meets the one before
    assert (new, found) == (_conversation(*said).replace("alice@example.com", "[EMAIL]"), {"email": 8})


@pytest.mark.parametrize("between", [[], ["ok " * 100], ["no"] * 90])
def test_a_value_that_is_split_over_pieces_is_found_each_time(between: list[str]) -> None:
    """Also when the pieces are known one by one, and whatever else was said before."""
    rules = _fresh()
    apart = _conversation(f"{_FILLER}to alice@exam", _FILLER, f"ple.com {_FILLER}", *between)
    split = _conversation(*between, f"{_FILLER}to alice@exam", f"ple.com {_FILLER}")
    assert redact.text(apart, rules) == (apart, {})
    for _ in range(2):
        new, found = redact.text(split, rules)
        assert "to [EMAIL]" in new
        assert "ple.com" not in new
        assert found == {"email": 1}


def test_the_same_message_twice_in_one_text_counts_twice() -> None:
    """It is looked at once."""
    assert redact.text(_conversation(*[f"alice@example.com {_FILLER}"] * 3), _fresh())[1] == {"email": 3}


def test_a_string_that_fails_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is removed and counted, and the next try is a new one."""
    plain = Run._plain

    def fail(self: Run, text: str, *rest: Any) -> str:  # noqa: ANN401 - whatever it takes
        if "poison" in text:
            raise RuntimeError(text)
        return plain(self, text, *rest)

    rules = _fresh()
    text = _conversation(f"poison bob@example.com {_FILLER}", f"carol@example.com {_FILLER}")
    with monkeypatch.context() as patch:
        patch.setattr(Run, "_plain", fail)
        new, found = redact.text(text, rules)
        assert (json.loads(new)[0]["content"], found) == ("[REMOVED]", {"error": 1, "email": 1})
    assert redact.text(text, rules)[1] == {"email": 2}


@pytest.mark.parametrize("more", [{}, {"role": "user"}, {"a": 1, "b": [_FILLER]}])
def test_of_a_string_whose_rule_drops_nothing_stays(more: dict[str, object]) -> None:
    """Also when the string is known, and what stands around it is not."""
    rules = policy.compile(policy.parse("name: own\ninclude: [identity]\nactions: {EMAIL: {action: drop}}\n"))
    said = f"alice@example.com {_FILLER}"
    for value in ({"text": said}, {"text": said, **more}):
        new, found = redact.text(json.dumps(value), rules)
        assert json.loads(new) == value | {"text": ""}
        assert found == {"email": 1}


@pytest.mark.parametrize("capacity", range(800, 6000, 200))
def test_what_is_forgotten_meanwhile_does_not_pass(capacity: int) -> None:
    """A string that was known, and so not searched, stays clean when other strings of the text push it out."""
    rules = replace(_rules(), cache=Cache(capacity))
    known = "words of no weight, and more of them; " * 8 + "write to alice@example.com"
    others = [f"line {n} " + "some other words that say nothing, " * 8 + "bob@example.com" for n in range(4)]
    twice = ', "b": 1, "b": 2}'  # a key that stands twice: the text is read token by token
    assert "alice@" not in redact.text(f'{{"m": "{known}"{twice}', rules, "")[0]
    members = ", ".join(f'"{key}": "{text}"' for key, text in zip("fghi", others, strict=True))
    redacted, _ = redact.text(f'{{"password": "hunter2x!", {members}, "m": "{known}"{twice}', rules, "")
    assert "alice@" not in redacted
    assert "bob@" not in redacted


def test_the_memory_holds_nothing_raw() -> None:
    """Neither of messages nor of where they meet."""
    rules = _fresh()
    said = [f"alice@example.com {_FILLER} Quentin{number}" for number in range(4)]
    redact.text(_conversation(*said), rules)
    redact.text(json.dumps([{"role": "user", "alice@example.com content": _FILLER}] * 3), rules)
    pending: list[object] = [rules.cache]
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if id(each) in seen or isinstance(each, type):
            continue
        seen.add(id(each))
        assert not (isinstance(each, str) and "alice" in each)
        assert not (isinstance(each, bytes) and b"alice" in each)
        pending += (
            gc.get_referents(each) if not isinstance(each, Cache) else [getattr(each, n) for n in Cache.__slots__]
        )


def test_times_do_not_have_a_text_read_by_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number with as many digits as a telephone's is looked at by itself first."""
    read: list[str] = []
    monkeypatch.setattr(Run, "by_tokens", lambda _, text, *__: read.append(text) or text)
    text = json.dumps([{"created": 1716239022 + at, "content": f"{_FILLER} {at}"} for at in range(4)])
    assert redact.text(text, _rules())[0] == text
    assert read == []
