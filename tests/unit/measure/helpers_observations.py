"""Builders of observations, as a reader would make them."""

from collections.abc import Container
from itertools import count
from typing import Any

from spansieve.measure.count.exemplars import Candidates
from spansieve.measure.count.recorder import Recorder
from spansieve.measure.llm_call import (
    NO_TOKENS,
    CallKind,
    CostSource,
    LlmCall,
    Observation,
    Origin,
    Source,
    Tokens,
)
from spansieve.measure.settings import DEFAULTS, MeterSettings
from spansieve.series import HistogramValue, SeriesStore

START_NS = 1_760_000_000_000_000_000
_ids = count(1)


def origin(**more: Any) -> Origin:  # noqa: ANN401 - fields of every type
    """Return where an observation comes from: a span of its own, of the service `shop`; `more` may be its source's."""
    source, own = _split(more, Source._fields)
    given = Origin(
        source=Source("otel", "some.scope", "shop")._replace(**source),
        trace_id=bytes(15) + b"\1",
        span_id=next(_ids).to_bytes(8, "big"),
        parent_span_id=b"",
        start_ns=START_NS,
        end_ns=START_NS + 10**9,
        adjusted_count=1.0,
    )
    return given._replace(**own)


def call(at: Origin | None = None, **more: Any) -> LlmCall:  # noqa: ANN401 - fields of every type
    """Return a plain chat of one second without tokens; fields of its kind as well."""
    kind, own = _split(more, CallKind._fields)
    given = LlmCall(
        origin=at or origin(),
        kind=CallKind("chat", "openai", "gpt-4o", "", "", (), "", "", "")._replace(**kind),
        streaming=None,
        ttft_s=None,
        ttft_source=None,
        ttft_key="",
        time_per_output_token_s=None,
        time_per_output_chunk_s=None,
        duration_s=1.0,
        tokens=NO_TOKENS,
        error_class=None,
        conversation="",
        user="",
        agent_id="",
        response_id="",
        reported_usd=None,
        cost_usd=None,
        cost_source=None,
        context_window=None,
        suspects=(),
    )
    return given._replace(**own)


def _split(fields: dict[str, Any], apart: Container[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return those of the fields that belong to a part, and the others."""
    return {k: v for k, v in fields.items() if k in apart}, {k: v for k, v in fields.items() if k not in apart}


def priced(
    given: int,
    output: int,
    usd: float,
    at: Origin | None = None,
    **more: Any,  # noqa: ANN401 - fields of every type
) -> LlmCall:
    """Return a call that used tokens and cost something."""
    tokens = Tokens(given, output, None, None, None)
    return call(at, tokens=tokens, cost_usd=usd, cost_source=CostSource.TABLE, **more)


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
