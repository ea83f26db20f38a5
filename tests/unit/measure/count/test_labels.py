"""The bound on labels."""

import json

import pytest

from spansieve.measure.count.labels import COMBINATION, MAX_LENGTH, LabelLimiter, Limited


def _limiter(limit: int, **allowed: frozenset[str]) -> LabelLimiter:
    return LabelLimiter(("operation", "model", "service"), limit, trusted={"operation"}, allowed=allowed)


def test_values_within_the_limit_pass() -> None:
    """The first values of a label pass as they are."""
    limiter = _limiter(2)
    assert limiter.limit(("chat", "a", "s")) == Limited(("chat", "a", "s"), ())
    assert limiter.limit(("chat", "b", "s")) == Limited(("chat", "b", "s"), ())


def test_further_values_become_other() -> None:
    """A value beyond the limit becomes `other`, is told with its label each time, and the other labels stay."""
    limiter = _limiter(1)
    limiter.limit(("chat", "a", "s"))
    for _ in range(2):
        assert limiter.limit(("chat", "b", "s")) == Limited(("chat", "other", "s"), (("model", "b"),))


def test_what_was_admitted_stays_admitted() -> None:
    """A series goes on after the limit was reached, and after many other values were asked for."""
    limiter = _limiter(1)
    limiter.limit(("chat", "a", "s"))
    for n in range(10_000):
        limiter.limit(("chat", f"m{n}", "s"))
    assert limiter.limit(("chat", "a", "s")) == Limited(("chat", "a", "s"), ())


def test_empty_values_are_always_admitted() -> None:
    """An empty value takes no place."""
    limiter = _limiter(1)
    limiter.limit(("chat", "", ""))
    assert limiter.limit(("chat", "a", "")) == Limited(("chat", "a", ""), ())


def test_trusted_labels_are_not_limited() -> None:
    """The gateway's own values are not limited."""
    limiter = _limiter(1)
    assert [limiter.limit((operation, "", "")).labels for operation in ("a", "b")] == [("a", "", ""), ("b", "", "")]


@pytest.mark.parametrize(("model", "shown"), [("a", "a"), ("b", "b"), ("c", "other"), ("", "")])
def test_an_allow_list_admits_what_stands_there(model: str, shown: str) -> None:
    """A label with an allow-list has its values whatever the limit, and no others."""
    limiter = _limiter(1, model=frozenset({"a", "b"}))
    limiter.limit(("chat", "b", "s"))
    assert limiter.limit(("chat", model, "s")).labels == ("chat", shown, "s")


def test_combinations_lose_their_last_labels_first() -> None:
    """When values are admitted and their combination is one too many, labels become `other` from the last one on."""
    limiter = _limiter(4)
    full = [limiter.limit(("chat", f"m{n % 4}", f"s{n // 4}")) for n in range(16)]
    assert all(each.replaced == () for each in full)
    more = [limiter.limit((f"op{n}", "m0", "s0")) for n in range(40)]
    whole = [each for each in full + more if not each.replaced]
    assert len(whole) == 40
    coarse = [each for each in more if each.replaced]
    assert coarse[0] == Limited(("op24", "m0", "other"), ((COMBINATION, "op24, m0, s0"),))
    assert coarse[4].labels == ("op28", "other", "other")
    assert coarse[8].labels == ("op32", "other", "other")
    assert coarse[-1].labels == ("other", "other", "other")


def test_long_values_are_cut() -> None:
    """A value has a greatest length."""
    assert _limiter(1).limit(("chat", "x" * 1000, "")).labels[1] == "x" * MAX_LENGTH


def test_values_that_people_write_are_cleaned() -> None:
    """A written label's values are what cleaning leaves of them, also where they overflow; an allowed one stays."""
    asked = []

    def clean(value: str, label: str) -> str:
        asked.append((value, label))
        return value.replace("Alice", "<PERSON>")

    limiter = LabelLimiter(("model", "agent"), 1, written={"agent"}, clean=clean)
    assert limiter.limit(("Alice", "Alice's agent")) == Limited(("Alice", "<PERSON>'s agent"), ())
    assert limiter.limit(("Alice", "Alice 2")) == Limited(("Alice", "other"), (("agent", "<PERSON> 2"),))
    assert asked == [("Alice's agent", "agent"), ("Alice 2", "agent")]
    listed = LabelLimiter(("agent",), 1, written={"agent"}, allowed={"agent": frozenset({"Alice"})}, clean=clean)
    assert [listed.limit((value,)).labels for value in ("Alice", "Alice 2")] == [("Alice",), ("other",)]


def test_the_state_is_everything() -> None:
    """A limiter that takes over another's state, through JSON, admits what that one did and no more."""
    first, second = _limiter(1), _limiter(1)
    first.limit(("chat", "a", "s"))
    second.restore(json.loads(json.dumps(first.state())))
    for values in (("chat", "a", "s"), ("chat", "b", "s"), ("chat", "a", "t")):
        assert second.limit(values) == first.limit(values)


def test_the_state_of_other_labels_is_not_taken_over() -> None:
    """A configuration with other labels begins anew."""
    other = LabelLimiter(("model",), 1)
    other.limit(("x",))
    limiter = _limiter(1)
    limiter.restore(other.state())
    assert limiter.limit(("chat", "a", "s")).replaced == ()
