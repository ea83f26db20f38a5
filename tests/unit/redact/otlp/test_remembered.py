"""What was clean before."""

from spansieve.redact.otlp.remembered import LONGEST, Remembered


def test_what_was_added_is_known() -> None:
    """And nothing else."""
    memory: Remembered[str] = Remembered()
    memory.add({"a", "b"})
    assert memory.known({"a", "c"}) == {"a"}


def test_it_is_bounded() -> None:
    """However much is added, at most `capacity` pieces are remembered."""
    memory: Remembered[str] = Remembered(capacity=10)
    for number in range(100):
        memory.add({f"{number}a", f"{number}b"})
    assert len(memory) <= 10
    memory.add({str(number) for number in range(1000)})
    assert len(memory) <= 10


def test_what_is_used_stays() -> None:
    """A piece that is asked for again and again outlives any number of others."""
    memory: Remembered[str] = Remembered(capacity=10)
    memory.add({"kept"})
    for number in range(100):
        memory.add({str(number)})
        assert memory.known({"kept"}) == {"kept"}


def test_long_pieces_are_not_remembered() -> None:
    """They are content, which does not come again; the engine knows what does."""
    memory: Remembered[bytes] = Remembered()
    memory.add({b"x" * LONGEST, b"x" * (LONGEST + 1)})
    assert len(memory) == 1
