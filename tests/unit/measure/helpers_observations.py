"""Builders of observations, as a reader would make them."""

from itertools import count
from typing import Any

from spansieve.measure.exemplars import Candidates
from spansieve.measure.llm_call import NO_TOKENS, CostSource, LlmCall, Observation, Origin, Tokens
from spansieve.measure.recorder import Recorder
from spansieve.measure.settings import DEFAULTS, MeterSettings
from spansieve.series import HistogramValue, SeriesStore

START_NS = 1_760_000_000_000_000_000
_ids = count(1)


def origin(**more: Any) -> Origin:  # noqa: ANN401 - fields of every type
    """Return where an observation comes from: a span of its own, of the service `shop`."""
    given = Origin(
        dialect="otel",
        scope="some.scope",
        service="shop",
        trace_id=bytes(15) + b"\1",
        span_id=next(_ids).to_bytes(8, "big"),
        parent_span_id=b"",
        start_ns=START_NS,
        end_ns=START_NS + 10**9,
        adjusted_count=1.0,
        extra=(),
    )
    return given._replace(**more)


def call(at: Origin | None = None, **more: Any) -> LlmCall:  # noqa: ANN401 - fields of every type
    """Return a plain chat of one second without tokens."""
    given = LlmCall(
        origin=at or origin(),
        operation="chat",
        provider="openai",
        request_model="gpt-4o",
        response_model="",
        service_tier="",
        streaming=None,
        ttft_s=None,
        ttft_source=None,
        ttft_key="",
        time_per_output_token_s=None,
        time_per_output_chunk_s=None,
        duration_s=1.0,
        tokens=NO_TOKENS,
        finish_reasons=(),
        error_class=None,
        prompt_name="",
        prompt_version="",
        conversation="",
        user="",
        agent_name="",
        agent_id="",
        response_id="",
        reported_usd=None,
        cost_usd=None,
        cost_source=None,
        context_window=None,
        suspects=(),
    )
    return given._replace(**more)


def priced(given: int, output: int, usd: float, at: Origin | None = None) -> LlmCall:
    """Return a call that used tokens and cost something."""
    tokens = Tokens(given, output, None, None, None)
    return call(at, tokens=tokens, cost_usd=usd, cost_source=CostSource.TABLE)


def recorded(*observations: Observation, settings: MeterSettings = DEFAULTS) -> SeriesStore:
    """Return the series after these observations."""
    recorder = Recorder(settings, Candidates(60))
    for each in observations:
        recorder.record(each, 0)
    return recorder.series


def values(store: SeriesStore, name: str) -> dict[tuple[str, ...], float | tuple[float, float]]:
    """Return a metric's values by labels; a histogram's are (count, sum)."""
    return {
        found.labels: (found.value.count, found.value.sum) if isinstance(found.value, HistogramValue) else found.value
        for found in store.snapshot()
        if found.spec.name == name
    }
