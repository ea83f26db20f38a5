"""The bound on labels."""

from spansieve.measure.labels import MAX_LENGTH, LabelLimiter


def _limiter(limit: int) -> LabelLimiter:
    return LabelLimiter(("operation", "model", "service"), limit)


def test_values_within_the_limit_pass() -> None:
    """The first values of a label pass as they are."""
    limiter = _limiter(2)
    assert limiter.limit(("chat", "a", "s")) == (("chat", "a", "s"), ())
    assert limiter.limit(("chat", "b", "s")) == (("chat", "b", "s"), ())


def test_further_values_become_other() -> None:
    """A value beyond the limit becomes `other`, and the label is named, each time."""
    limiter = _limiter(1)
    limiter.limit(("chat", "a", "s"))
    for _ in range(2):
        assert limiter.limit(("chat", "b", "s")) == (("chat", "other", "s"), ("model",))


def test_what_was_admitted_stays_admitted() -> None:
    """A series goes on after the limit was reached, and after many other values were asked for."""
    limiter = _limiter(1)
    limiter.limit(("chat", "a", "s"))
    for n in range(10_000):
        limiter.limit(("chat", f"m{n}", "s"))
    assert limiter.limit(("chat", "a", "s")) == (("chat", "a", "s"), ())


def test_empty_values_are_always_admitted() -> None:
    """An empty value takes no place."""
    limiter = _limiter(1)
    limiter.limit(("chat", "", ""))
    assert limiter.limit(("chat", "a", "")) == (("chat", "a", ""), ())


def test_the_first_label_is_trusted() -> None:
    """The gateway's own values are not limited."""
    limiter = _limiter(1)
    assert [limiter.limit((operation, "", "")) for operation in ("a", "b")] == [
        (("a", "", ""), ()),
        (("b", "", ""), ()),
    ]


def test_combinations_are_limited() -> None:
    """Combinations beyond ten times the limit become `other` in every label from outside."""
    limiter = _limiter(4)
    seen = [limiter.limit(("chat", f"m{n % 4}", f"s{n // 4}")) for n in range(16)]
    more = [limiter.limit((f"op{n}", "m0", "s0")) for n in range(100)]
    assert all(overflowed == () for _, overflowed in seen)
    assert more[-1] == (("op99", "other", "other"), ("combination",))
    assert sum(not overflowed for _, overflowed in seen + more) == 40


def test_long_values_are_cut() -> None:
    """A value has a greatest length."""
    assert _limiter(1).limit(("chat", "x" * 1000, ""))[0][1] == "x" * MAX_LENGTH
