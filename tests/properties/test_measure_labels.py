"""Whatever comes from outside as a label: the sets stay under the cap, and totals stay what they were."""

from hypothesis import given, settings
from hypothesis import strategies as st

from spansieve.measure.count.exemplars import Candidates
from spansieve.measure.count.labels import MAX_LENGTH, OTHER, LabelLimiter
from spansieve.measure.count.recorder import Recorder
from spansieve.measure.llm_call import ToolRun
from spansieve.measure.settings import MeterSettings
from unit.measure.helpers_observations import call, origin, priced, values

_LABELS = ("a", "b", "c")
_VALUES = st.one_of(st.sampled_from(["", "x", "y", OTHER]), st.text(max_size=MAX_LENGTH + 3), st.integers().map(str))
_SETS = st.lists(st.tuples(_VALUES, _VALUES, _VALUES), max_size=200)
_LIMITS = st.integers(1, 5)


@given(sets=_SETS, limit=_LIMITS)
def test_label_sets_stay_under_the_cap(sets: list[tuple[str, ...]], limit: int) -> None:
    """A label has at most `limit` values, `other` and the empty one; all together at most (10 + n) `limit` sets."""
    limiter = LabelLimiter(_LABELS, limit)
    shown = {limiter.limit(values).labels for values in sets}
    assert len(shown) <= (10 + len(_LABELS)) * limit + 1
    for at in range(len(_LABELS)):
        assert len({labels[at] for labels in shown} - {"", OTHER}) <= limit


@given(sets=_SETS, limit=_LIMITS)
def test_the_answer_is_the_same_for_ever(sets: list[tuple[str, ...]], limit: int) -> None:
    """What a set became once it becomes always, so that remembering answers is safe and series do not end."""
    limiter = LabelLimiter(_LABELS, limit)
    first = {}
    for each in sets:
        answer = limiter.limit(each).labels
        assert first.setdefault(each, answer) == answer
    assert all(limiter.limit(each).labels == answer for each, answer in first.items())


@given(sets=_SETS, limit=_LIMITS)
def test_what_is_replaced_is_told(sets: list[tuple[str, ...]], limit: int) -> None:
    """A set that comes out as it went in, but for length, names nothing; any other names what it lost."""
    limiter = LabelLimiter(_LABELS, limit)
    for each in sets:
        labels, replaced = limiter.limit(each)
        assert bool(replaced) == (labels != tuple(value[:MAX_LENGTH] for value in each))


@settings(max_examples=30)
@given(models=st.lists(st.tuples(_VALUES, st.integers(0, 10**6)), max_size=100), limit=_LIMITS)
def test_totals_do_not_depend_on_the_cap(models: list[tuple[str, int]], limit: int) -> None:
    """However few labels there may be, the tokens of all series together are those of the calls."""
    recorder = Recorder(MeterSettings(label_limit=limit), Candidates(60))
    for model, tokens in models:
        recorder.record(priced(tokens, tokens, 0.5, request_model=model), 0)
    counted = values(recorder.series, "spansieve.llm.tokens")
    assert sum(value for labels, value in counted.items() if labels[-1] == "input") == sum(n for _, n in models)
    assert sum(values(recorder.series, "spansieve.llm.cost.usd").values()) == 0.5 * len(models)


def test_any_number_of_names_takes_the_same_room() -> None:
    """Distinct names of models, services, templates and tools leave as many series as a few hundred do."""
    recorder = Recorder(MeterSettings(label_limit=50), Candidates(60))
    sizes = []
    for begin in (0, 10_000):
        for n in range(begin, begin + 10_000):
            at = origin(service=f"s{n}", trace_id=n.to_bytes(16, "big"))
            recorder.record(call(at, request_model=f"m{n}", response_model=f"r{n}", prompt_name=f"p{n}"), 0)
            if n % 10 == 0:
                recorder.record(ToolRun(at, f"t{n}", "", "", 1.0, None, ()), 0)
        sizes.append(len(recorder.series.snapshot()))
    assert sizes[0] == sizes[1] < 50 * 20 * 10
    assert sum(values(recorder.series, "spansieve.llm.requests").values()) == 20_000
    assert len(recorder.overflow.top()) <= 100 * 10
