"""Conversations: depth and duration when they end, in bounded memory."""

import json

from spansieve.measure.count.conversations import Conversations, Ended

_SECOND = 10**9


def _hear(some: Conversations, conversation: str, trace: int, now: float, seconds: int = 1) -> None:
    start = int(now) * _SECOND
    some.heard("shop", conversation, trace.to_bytes(16, "big"), start, start + seconds * _SECOND, now)


def test_silence_ends_a_conversation() -> None:
    """A conversation ends when it was not heard of for so long; its duration is that of the calls."""
    some = Conversations(60)
    _hear(some, "a", 1, now=100)
    _hear(some, "a", 2, now=130, seconds=5)
    assert list(some.ended(now=189)) == []
    assert list(some.ended(now=190)) == [Ended("shop", 2, 35.0, evicted=False)]
    assert len(some) == 0


def test_a_turn_is_a_trace() -> None:
    """Several calls of one trace are one turn."""
    some = Conversations(60)
    for _ in range(5):
        _hear(some, "a", 1, now=100)
    assert [each.turns for each in some.ended(now=200)] == [1]


def test_order_does_not_matter() -> None:
    """Calls of a conversation that come in any order give the same depth and duration."""
    some = Conversations(60)
    for conversation, order in (("a", (0, 50, 100)), ("b", (100, 0, 50))):
        for at in order:
            some.heard("shop", conversation, at.to_bytes(16, "big"), at * _SECOND, (at + 1) * _SECOND, now=200)
    first, second = some.ended(now=300)
    assert first == second == Ended("shop", 3, 101.0, evicted=False)


def test_services_have_conversations_of_their_own() -> None:
    """The same id at two services is two conversations."""
    some = Conversations(60)
    some.heard("a", "c", b"1" * 16, 0, 1, now=0)
    some.heard("b", "c", b"1" * 16, 0, 1, now=0)
    assert {each.service for each in some.ended(now=60)} == {"a", "b"}


def test_too_many_conversations_evict_the_most_silent() -> None:
    """Beyond the capacity the one that was silent longest ends, and says so."""
    some = Conversations(60, capacity=2)
    for at, conversation in enumerate("abac"):
        _hear(some, conversation, at, now=at)
    assert list(some.ended(now=3)) == [Ended("shop", 1, 1.0, evicted=True)]
    assert len(some) == 2


def test_too_many_turns_evict() -> None:
    """The turns of all conversations are bounded together."""
    some = Conversations(60, turns=10)
    for trace in range(100):
        _hear(some, f"c{trace % 3}", trace, now=1)
        list(some.ended(now=1))
    assert sum(each.turns for each in some.ended(now=100)) <= 10


def test_the_state_is_everything() -> None:
    """Conversations that took over a state, through JSON, end as the first would have."""
    first, second = Conversations(60), Conversations(60)
    _hear(first, "a", 1, now=100)
    _hear(first, "a", 2, now=110)
    _hear(first, "b", 3, now=120)
    second.restore(json.loads(json.dumps(list(first.state()))))
    for some in (first, second):
        _hear(some, "a", 2, now=130)
    assert list(second.ended(now=185)) == list(first.ended(now=185))
    assert list(second.ended(now=500)) == list(first.ended(now=500))


def test_calls_without_a_trace_are_one_turn_also_after_a_restart() -> None:
    """Log records of applications that do not trace: how many turns there were is not known, but that there was one."""
    some, other = Conversations(60), Conversations(60)
    some.heard("shop", "a", b"", 0, _SECOND, now=0)
    some.heard("shop", "a", b"", 0, 2 * _SECOND, now=0)
    some.heard("shop", "a", b"1" * 16, 0, 2 * _SECOND, now=0)
    other.restore(json.loads(json.dumps(list(some.state()))))
    for each in (some, other):
        assert list(each.ended(now=100)) == [Ended("shop", 2, 2.0, evicted=False)]
