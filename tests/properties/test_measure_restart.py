"""A restart in the middle changes nothing that is measured; exemplars are of kept traces only, come what may."""

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spansieve.measure import Meter
from spansieve.measure.count.exemplars import PER_BUCKET, Candidates
from spansieve.measure.llm_call import NO_TOKENS, Observation, Tokens, ToolRun
from spansieve.measure.pricing import PriceTable
from spansieve.measure.settings import MeterSettings
from spansieve.series import Distribution, Exemplar
from unit.measure.helpers_observations import call, origin

_ids = st.integers(1, 6)
_seconds = st.floats(0, 100, allow_nan=False)


@st.composite
def _observations(draw: st.DrawFn) -> Observation:
    at = origin(
        trace_id=draw(_ids).to_bytes(16, "big"),
        span_id=draw(st.integers(1, 50)).to_bytes(8, "big"),
        parent_span_id=draw(st.sampled_from([b"", *(number.to_bytes(8, "big") for number in (1, 2, 3, 60))])),
        service=draw(st.sampled_from(["a", "b", "c", ""])),
        adjusted_count=draw(st.sampled_from([1.0, 2.0, 10 / 7])),
    )
    if draw(st.booleans()):
        return ToolRun(at, draw(st.sampled_from(["x", "y", "z"])), "", "", draw(_seconds), None, ())
    used = draw(st.one_of(st.none(), st.integers(0, 10**6)))
    return call(
        at,
        request_model=draw(st.sampled_from(["m", "n", "o"])),
        duration_s=draw(_seconds),
        conversation=draw(st.sampled_from(["", "c", "d"])),
        tokens=NO_TOKENS if used is None else Tokens(used, used, None, None, None),
    )


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.lists(_observations(), min_size=1, max_size=4)),
        st.tuples(st.just("kept"), _ids),
        st.tuples(st.just("wait"), st.sampled_from([1.0, 12.0, 70.0])),
    ),
    max_size=25,
)


def _meter() -> Meter:
    return Meter(PriceTable(()), MeterSettings(label_limit=2, conversation_idle_s=30, exemplar_patience_s=20))


def _run(meter: Meter, steps: Sequence[tuple[str, Any]], now: float) -> float:
    for what, given_ in steps:
        match what:
            case "take":
                meter.take([(each,) for each in given_], [each.origin for each in given_], now)
            case "kept":
                meter.kept(given_.to_bytes(16, "big"))
            case _:
                now += given_
                meter.settle(now)
    return now


@given(steps=_steps, data=st.data())
def test_a_restart_changes_nothing(steps: list[tuple[str, Any]], data: st.DataObject) -> None:
    """A meter that is saved and restored anywhere shows the same to the last bit, exemplars and overflow included."""
    through, before, after = _meter(), _meter(), _meter()
    cut = data.draw(st.integers(0, len(steps)))
    end = _run(through, steps, 0.0)
    now = _run(before, steps[:cut], 0.0)
    after.restore(b"".join(before.state()))
    assert _run(after, steps[cut:], now) == end
    for meter in (through, after):
        meter.settle(end + 1000)
    assert after.series.snapshot() == through.series.snapshot()
    assert after.overflow() == through.overflow()


@given(steps=_steps, data=st.data())
def test_a_state_is_that_of_the_moment_in_which_it_was_asked_for(
    steps: list[tuple[str, Any]], data: st.DataObject
) -> None:
    """Though its pieces are made while the meter goes on, some now and some then."""
    meter = _meter()
    cut = data.draw(st.integers(0, len(steps)))
    now = _run(meter, steps[:cut], 0.0)
    whole = b"".join(meter.state())
    pieces = iter(meter.state())
    made = []
    for step in steps[cut:]:
        made += islice(pieces, data.draw(st.integers(0, 2)))
        now = _run(meter, [step], now)
    meter.settle(now + 1000)
    assert b"".join([*made, *pieces]) == whole


_events = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), _ids, st.integers(0, 1), st.integers(0, 2)),
        st.tuples(st.just("kept"), _ids, st.just(0), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 15), st.just(0), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0), st.just(0)),
    ),
    max_size=80,
)


@given(events=_events)
def test_exemplars_are_of_kept_traces(events: list[tuple[str, int, int, int]]) -> None:
    """Only values of kept traces become exemplars, and the room that is taken is that of what waits."""
    series = {name: Distribution(name, (), (1.0, 2.0)) for name in "ab"}
    candidates, kept, now = Candidates(10, capacity=20), set(), 0.0
    for what, number, which, bucket in events:
        trace_id = number.to_bytes(16, "big")
        match what:
            case "offer":
                exemplar = Exemplar(float(bucket), trace_id, b"s" * 8, 0)
                candidates.offer(series["ab"[which]], bucket, exemplar, now)
            case "kept":
                kept.add(trace_id)
                candidates.kept(trace_id)
            case "wait":
                now += number
                candidates.expire(now)
            case _:
                state = json.loads(json.dumps(list(candidates.state())))
                for each in series.values():
                    each.waiting = bytearray(len(each.waiting))
                candidates = Candidates(10, capacity=20)
                candidates.restore(state, lambda name, _labels: series[name])
    assert {each.trace_id for one in series.values() for each in one.exemplars.values()} <= kept
    taken = [room for one in series.values() for room in one.waiting]
    assert sum(taken) == len(candidates) <= 20
    assert max(taken) <= PER_BUCKET
    candidates.expire(now + 10)
    assert not any(room for one in series.values() for room in one.waiting)
