"""What sampling may know of a trace: sums over its spans, which make no difference between orders of arrival."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from spansieve import tracestate

_NOTHING: Mapping[str, int] = MappingProxyType({})
_NOBODY: frozenset[str] = frozenset()
NO_SCORES: Mapping[str, float] = MappingProxyType({})
_MOST_VALUES = 64
"""Distinct values kept of one trace for each set below; a trace that has more is matched by the first of them."""


class ErrorClass(StrEnum):
    """Why a call failed. The value is the `reason` and `error.type` label of the metrics: the set is closed."""

    RATE_LIMIT = "rate_limit"
    CONTEXT_OVERFLOW = "context_overflow"
    TIMEOUT = "timeout"
    SAFETY_BLOCK = "safety_block"
    AUTH = "auth"
    BAD_REQUEST = "bad_request"
    PROVIDER_5XX = "provider_5xx"
    CANCELLED = "cancelled"
    MALFORMED_RESPONSE = "malformed_response"
    OTHER = "other"

    __hash__ = str.__hash__  # every call is counted by it, and an Enum's own is a function in Python


class KeyPart(StrEnum):
    """What tells kinds of traces apart, for shares that adapt."""

    MODEL = "model"
    TEMPLATE = "template"
    PROVIDER = "provider"
    ERROR_CLASS = "error_class"
    ENTITY = "entity"


class LlmFacts(NamedTuple):
    """What the LLM calls and their surroundings in (a part of) a trace come to. Times are seconds.

    A tuple, since one is made for every LLM call.
    """

    calls: int = 0
    failed_calls: int = 0
    cost_usd: float = 0.0  # of the calls whose price is known
    input_tokens: int = 0
    output_tokens: int = 0
    ttft_s: float = 0.0  # the longest; 0 when none is known
    time_per_output_token_s: float = 0.0  # the longest; 0 when none is known
    error_classes: frozenset[str] = _NOBODY
    providers: frozenset[str] = _NOBODY
    models: frozenset[str] = _NOBODY
    templates: frozenset[str] = _NOBODY
    conversations: frozenset[str] = _NOBODY
    failed_tools: int = 0
    thumbs_down: int = 0
    lowest_scores: Mapping[str, float] = NO_SCORES  # by evaluation's name

    def plus(self, other: "LlmFacts") -> "LlmFacts":
        """The facts of both parts together."""
        lowest = self.lowest_scores
        if other.lowest_scores:
            lowest = dict(lowest)
            for name, score in other.lowest_scores.items():
                if name in lowest or len(lowest) < _MOST_VALUES:
                    lowest[name] = min(score, lowest.get(name, score))
        return LlmFacts(
            self.calls + other.calls,
            self.failed_calls + other.failed_calls,
            self.cost_usd + other.cost_usd,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            max(self.ttft_s, other.ttft_s),
            max(self.time_per_output_token_s, other.time_per_output_token_s),
            union(self.error_classes, other.error_classes),
            union(self.providers, other.providers),
            union(self.models, other.models),
            union(self.templates, other.templates),
            union(self.conversations, other.conversations),
            self.failed_tools + other.failed_tools,
            self.thumbs_down + other.thumbs_down,
            lowest,
        )

    @property
    def tokens(self) -> int:
        """Input and output tokens."""
        return self.input_tokens + self.output_tokens


NO_LLM = LlmFacts()
make_llm_facts: Final[Callable[[tuple[Any, ...]], LlmFacts]] = partial(tuple.__new__, LlmFacts)
"""Make one of all its fields, in their order: the class's own function in between would cost as much as the rest."""


class TraceFacts(NamedTuple):
    """What the sampling policies may know of (a part of) a trace. Times are Unix nanoseconds.

    A tuple, since one is made for every part.
    """

    spans: int
    errors: int  # spans with STATUS_CODE_ERROR
    oks: int  # spans with STATUS_CODE_OK
    start_ns: int
    end_ns: int
    has_root: bool  # a span without a parent is among them
    size: int  # bytes, envelopes included
    randomness: int | None = None  # explicit, from a span's tracestate; None leaves it to the trace id
    marks: int = 0  # bits of the attribute policies that matched a span, see sample/probes.py
    redacted: Mapping[str, int] = _NOTHING  # values taken out, by entity
    llm: LlmFacts = NO_LLM

    def plus(self, other: "TraceFacts") -> "TraceFacts":
        """The facts of both parts together."""
        llm, redacted = self.llm, self.redacted
        if other.llm is not NO_LLM:
            llm = other.llm if llm is NO_LLM else llm.plus(other.llm)
        if other.redacted:
            redacted = {**redacted}
            for entity, values in other.redacted.items():
                redacted[entity] = redacted.get(entity, 0) + values
        return TraceFacts(
            self.spans + other.spans,
            self.errors + other.errors,
            self.oks + other.oks,
            min(self.start_ns, other.start_ns),
            max(self.end_ns, other.end_ns),
            self.has_root or other.has_root,
            self.size + other.size,
            other.randomness if self.randomness is None else self.randomness,
            self.marks | other.marks,
            redacted,
            llm,
        )

    def randomness_of(self, trace_id: bytes) -> int:
        """R of the trace: explicit, else that of its id (W3C Trace Context Level 2)."""
        return tracestate.randomness("", trace_id) if self.randomness is None else self.randomness

    @property
    def duration_ms(self) -> int:
        """From the earliest start to the latest end of any span, in whole milliseconds, as the Collector counts."""
        return (self.end_ns - self.start_ns) // 1_000_000


def union(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Both sets, as far as the bound on a trace's values allows."""
    if not other or other <= one:
        return one
    both = one | other
    return both if len(both) <= _MOST_VALUES else frozenset(sorted(both)[:_MOST_VALUES])
