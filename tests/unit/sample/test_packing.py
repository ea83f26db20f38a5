"""Facts and spans of waiting traces come out of their packing as they went in."""

from hypothesis import given
from hypothesis import strategies as st

from spansieve.facts import LlmFacts, TraceFacts
from spansieve.model import SpanGroup
from spansieve.sample import packing
from unit.sample.helpers_sample import ENVELOPE

_counts = st.integers(0, 2**63)
_seconds = st.floats(0, 1e9)
_names = st.frozensets(st.text(), max_size=4)
_llm = st.builds(
    LlmFacts,
    calls=_counts,
    failed_calls=_counts,
    cost_usd=_seconds,
    input_tokens=_counts,
    output_tokens=_counts,
    ttft_s=_seconds,
    time_per_output_token_s=_seconds,
    error_classes=_names,
    providers=_names,
    models=_names,
    templates=_names,
    conversations=_names,
    failed_tools=_counts,
    thumbs_down=_counts,
    lowest_scores=st.dictionaries(st.text(), _seconds, max_size=3),
)
_facts = st.builds(
    TraceFacts,
    spans=_counts,
    errors=_counts,
    oks=_counts,
    start_ns=_counts,
    end_ns=_counts,
    has_root=st.booleans(),
    size=_counts,
    randomness=st.none() | st.integers(0, 2**56 - 1),
    marks=st.integers(0, 2**200),
    redacted=st.dictionaries(st.text(), _counts, max_size=3),
    llm=st.just(LlmFacts()) | _llm,
)
_groups = st.lists(st.lists(st.binary(max_size=300), min_size=1, max_size=5), max_size=4)


@given(_facts)
def test_facts_come_back(facts: TraceFacts) -> None:
    """All of them, and of the same types."""
    again = packing.unpacked_facts(packing.facts(facts))
    assert again == facts
    assert [type(each) for each in again.llm[7:12]] == [frozenset] * 5


@given(_groups)
def test_spans_come_back(groups: list[list[bytes]]) -> None:
    """Group by group, empty spans too."""
    packed = packing.spans([SpanGroup(ENVELOPE, tuple(spans)) for spans in groups])
    assert list(packing.unpacked_spans(packed)) == [tuple(spans) for spans in groups]


def test_packed_spans_take_four_bytes_more_each() -> None:
    """And four for all: what waits is mostly spans."""
    spans = (bytes(100), bytes(200))
    assert len(packing.spans([SpanGroup(ENVELOPE, spans)])) == 100 + 200 + 2 * 4 + 4
