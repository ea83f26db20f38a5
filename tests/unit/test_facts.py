"""What is known of two parts of a trace, together."""

import pytest

from spansieve.facts import NO_LLM, LlmFacts, TraceFacts, union

ONE = LlmFacts(
    calls=1, failed_calls=2, cost_usd=0.5, input_tokens=10, output_tokens=20, ttft_s=1.0, time_per_output_token_s=0.02,
    providers=frozenset({"a"}), models=frozenset({"b"}), templates=frozenset({"c"}), conversations=frozenset({"d"}),
    failed_tools=1, thumbs_down=3, lowest_scores={"tone": 0.5, "truth": 0.25},
)  # fmt: skip
OTHER = LlmFacts(
    calls=4, failed_calls=1, cost_usd=0.25, input_tokens=100, output_tokens=300, ttft_s=0.5,
    time_per_output_token_s=0.04, providers=frozenset({"a", "e"}), models=frozenset({"f"}), templates=frozenset({"g"}),
    conversations=frozenset({"h"}), failed_tools=5, thumbs_down=2, lowest_scores={"tone": 0.125, "wit": 1.0},
)  # fmt: skip
BOTH = LlmFacts(
    calls=5, failed_calls=3, cost_usd=0.75, input_tokens=110, output_tokens=320, ttft_s=1.0,
    time_per_output_token_s=0.04, providers=frozenset("ae"), models=frozenset("bf"), templates=frozenset("cg"),
    conversations=frozenset("dh"), failed_tools=6, thumbs_down=5,
    lowest_scores={"tone": 0.125, "truth": 0.25, "wit": 1.0},
)  # fmt: skip
EARLY = TraceFacts(
    spans=3, errors=1, oks=2, start_ns=5_000_000, end_ns=9_999_999, has_root=False, size=100, marks=0b0101,
    redacted={"EMAIL": 2, "CARD": 1}, llm=ONE,
)  # fmt: skip
LATE = TraceFacts(
    spans=4, errors=2, oks=1, start_ns=6_000_000, end_ns=20_999_999, has_root=True, size=50, randomness=7, marks=0b0110,
    redacted={"EMAIL": 3}, llm=OTHER,
)  # fmt: skip
WHOLE = TraceFacts(
    spans=7, errors=3, oks=3, start_ns=5_000_000, end_ns=20_999_999, has_root=True, size=150, randomness=7,
    marks=0b0111, redacted={"EMAIL": 5, "CARD": 1}, llm=BOTH,
)  # fmt: skip


def test_parts_come_to_the_same_in_either_order() -> None:
    """Sums, extremes and unions, whichever they are of."""
    assert EARLY.plus(LATE) == WHOLE == LATE.plus(EARLY)


def test_parts_are_left_as_they_are() -> None:
    """Each may be told of again."""
    EARLY.plus(LATE)
    assert (EARLY.redacted, ONE.lowest_scores) == ({"EMAIL": 2, "CARD": 1}, {"tone": 0.5, "truth": 0.25})


@pytest.mark.parametrize("part", [EARLY, LATE])
def test_a_part_without_calls_adds_none(part: TraceFacts) -> None:
    """And takes none away."""
    plain = part._replace(llm=NO_LLM)
    assert part.plus(plain).llm == part.llm == plain.plus(part).llm


def test_a_duration_is_in_whole_milliseconds() -> None:
    """Of the earliest start and the latest end, rounded down."""
    assert (EARLY.duration_ms, WHOLE.duration_ms) == (4, 15)


def test_tokens_are_those_of_both_ways() -> None:
    """What went in and what came out."""
    assert BOTH.tokens == 430


def test_explicit_randomness_goes_before_that_of_the_id() -> None:
    """Which is its low 56 bits."""
    trace_id = bytes.fromhex("0123456789abcdefff00000000000009")
    assert (LATE.randomness_of(trace_id), EARLY.randomness_of(trace_id)) == (7, 9)
    assert EARLY._replace(randomness=0).randomness_of(trace_id) == 0


def test_values_of_a_trace_are_bounded() -> None:
    """At 64 of each kind, the same ones in any order; of scores the first names, each with its lowest."""
    some, more = (frozenset(f"{number:03}" for number in numbers) for numbers in (range(0, 100, 2), range(1, 100, 2)))
    assert union(some, more) == union(more, some) == frozenset(f"{number:03}" for number in range(64))
    facts = NO_LLM
    for number in range(100):
        facts = facts.plus(LlmFacts(lowest_scores={f"{number:03}": 0.5}))
    facts = facts.plus(LlmFacts(lowest_scores={"000": 0.25, "100": 0.25}))
    assert facts.lowest_scores == {"000": 0.25} | {f"{number:03}": 0.5 for number in range(1, 64)}
