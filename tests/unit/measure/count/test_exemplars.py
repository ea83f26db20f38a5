"""Exemplars: of kept traces only, and boundedly many candidates."""

import json

from spansieve.measure.count.exemplars import KEPT, PER_BUCKET, Candidates
from spansieve.series import Distribution, Exemplar


def _distribution(name: str = "d") -> Distribution:
    return Distribution(name, ("x",), (1.0, 2.0))


def _exemplar(trace: int, value: float = 0.5) -> Exemplar:
    return Exemplar(value, trace.to_bytes(16, "big"), b"s" * 8, 7)


def _trace(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_a_kept_trace_gives_exemplars() -> None:
    """Each value of a kept trace becomes the exemplar of its bucket."""
    at, candidates = _distribution(), Candidates(10)
    candidates.offer(at, 0, _exemplar(1), now=0)
    candidates.offer(at, 2, _exemplar(1, 9.0), now=0)
    candidates.kept(_trace(1))
    assert at.exemplars == {0: _exemplar(1), 2: _exemplar(1, 9.0)}
    assert len(candidates) == 0


def test_what_is_measured_later_is_an_exemplar_at_once() -> None:
    """A value of a trace that was kept before, such as an evaluation's score, need not wait; memory is bounded."""
    at, candidates = _distribution(), Candidates(10)
    for trace in range(KEPT + 1):
        candidates.kept(_trace(trace))
    candidates.offer(at, 0, _exemplar(KEPT), now=0)
    candidates.offer(at, 1, _exemplar(0), now=0)
    assert at.exemplars == {0: _exemplar(KEPT)}
    assert len(candidates) == 1


def test_a_trace_that_is_not_kept_gives_none() -> None:
    """What is not kept in time is given up, and a verdict that comes later changes nothing."""
    at, candidates = _distribution(), Candidates(10)
    candidates.offer(at, 0, _exemplar(1), now=0)
    candidates.expire(now=10)
    candidates.kept(_trace(1))
    assert at.exemplars == {}
    assert len(candidates) == 0


def test_expiry_waits_for_the_patience() -> None:
    """A candidate stays until its patience has passed."""
    at, candidates = _distribution(), Candidates(10)
    candidates.offer(at, 0, _exemplar(1), now=0)
    candidates.offer(at, 0, _exemplar(2), now=5)
    candidates.expire(now=9.9)
    assert len(candidates) == 2
    candidates.expire(now=10)
    assert len(candidates) == 1


def test_a_bucket_has_room_for_some() -> None:
    """A bucket holds so many candidates; a decided one makes room."""
    at, candidates = _distribution(), Candidates(10)
    for trace in range(PER_BUCKET + 5):
        candidates.offer(at, 0, _exemplar(trace), now=0)
    assert len(candidates) == PER_BUCKET
    candidates.kept(_trace(0))
    candidates.offer(at, 0, _exemplar(99), now=1)
    candidates.kept(_trace(99))
    assert at.exemplars[0] == _exemplar(99)


def test_all_candidates_are_bounded() -> None:
    """There are never more candidates than the capacity, over all buckets."""
    candidates = Candidates(10, capacity=3)
    for n in range(10):
        candidates.offer(_distribution(), 0, _exemplar(n), now=0)
    assert len(candidates) == 3


def test_what_has_no_trace_is_no_candidate() -> None:
    """A value without a trace id cannot be linked to."""
    candidates = Candidates(10)
    candidates.offer(_distribution(), 0, Exemplar(1.0, b"", b"", 0), now=0)
    assert len(candidates) == 0


def test_the_state_is_everything() -> None:
    """Candidates that took over a state, through JSON, become exemplars as the first would have."""
    first, second, of_first, at = Candidates(10), Candidates(10), _distribution(), _distribution()
    first.offer(of_first, 0, _exemplar(1), now=0)
    first.offer(of_first, 1, _exemplar(2, 1.5), now=4)
    first.kept(_trace(3))
    second.restore(json.loads(json.dumps(list(first.state()))), lambda _name, _labels: at)
    assert list(second.state()) == list(first.state())
    second.expire(now=10)
    second.kept(_trace(1))
    second.kept(_trace(2))
    second.offer(at, 2, _exemplar(3, 9.0), now=10)
    assert at.exemplars == {1: _exemplar(2, 1.5), 2: _exemplar(3, 9.0)}


def test_candidates_of_series_that_are_gone_are_not_restored() -> None:
    """A series that is none any more, or has fewer buckets, gets no exemplars."""
    first, second, at, gone = Candidates(10), Candidates(10), _distribution(), _distribution("gone")
    first.offer(at, 2, _exemplar(1), now=0)
    first.offer(gone, 0, _exemplar(1), now=0)
    fewer = Distribution("d", ("x",), (1.0,))
    second.restore(json.loads(json.dumps(list(first.state()))), lambda name, _labels: fewer if name == "d" else None)
    assert len(second) == 0
