"""What one LLM call adds to the series."""

from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

from spansieve.catalogue import Semconv
from spansieve.facts import ErrorClass
from spansieve.measure.finish_reasons import FinishReasons
from spansieve.measure.llm_call import LlmCall, Origin, Tokens
from spansieve.series import Distribution, Labels, SeriesStore

_T = TypeVar("_T")

Observe: TypeAlias = Callable[[Distribution, float, Origin], None]
"""Enters a finite value of an observation into a series, as often as its origin says."""

_EMBEDDINGS: Final = "embeddings"


class _Handles(dict[tuple[str, str | None], _T]):
    """Series of one set of labels, by metric and by the value of the one label that the metric has beside them."""

    def __init__(self, series_of: Callable[[str, Labels], _T], labels: Labels) -> None:
        super().__init__()
        self._series_of = series_of
        self._labels = labels

    def __missing__(self, key: tuple[str, str | None]) -> _T:
        name, own = key
        # Members of enumerations are asked for as they are; labels are their texts.
        found = self[key] = self._series_of(name, self._labels if own is None else (*self._labels, str(own)))
        return found


class CallSeries:
    """The series of calls whose labels are the same, held at hand: a call raises ten or so of them.

    `labels` are those of the label set `call`, limited. Owner: one Recorder.
    """

    def __init__(
        self, store: SeriesStore, labels: Labels, semconv: Semconv, reasons: FinishReasons, observe: Observe
    ) -> None:
        self._counters = _Handles(store.counter, labels)
        self._distributions = _Handles(store.distribution, labels)
        self._reasons = reasons
        self._observe = observe
        self._conventions = self._latest if semconv is Semconv.LATEST else self._v1_41

    def add(self, call: LlmCall) -> None:
        """Enter one call."""
        counters = self._counters
        origin, error = call.origin, call.error_class
        count = origin.adjusted_count
        if error is None:
            counters["spansieve.llm.requests", "ok"].value += count
        else:
            counters["spansieve.llm.requests", "error"].value += count
            counters["spansieve.llm.errors", error.value].value += count
            if error is ErrorClass.SAFETY_BLOCK:
                counters["spansieve.llm.safety_blocks", None].value += count
        if call.finish_reasons:
            reason = self._reasons.of(call.finish_reasons)
            counters["spansieve.llm.finish_reasons", reason].value += count
        if call.streaming:
            ttft = "absent" if call.ttft_s is None else "present"
            counters["spansieve.llm.streaming_requests", ttft].value += count
        if call.time_per_output_token_s is not None:
            at = self._distributions["spansieve.llm.time_per_output_token", None]
            self._observe(at, call.time_per_output_token_s, origin)
        self._conventions(call)
        self._usage(call, call.tokens, count)

    def _usage(self, call: LlmCall, tokens: Tokens, count: float) -> None:
        counters = self._counters
        given, output, cache_read, cache_write, reasoning = tokens
        if given is not None:
            counters["spansieve.llm.tokens", "input"].value += given * count
            if call.context_window:
                at = self._distributions["spansieve.llm.context_window.saturation", None]
                self._observe(at, given / call.context_window, call.origin)
            if cache_read:
                counters["spansieve.llm.cached_tokens", "read"].value += cache_read * count
            if cache_write:
                counters["spansieve.llm.cached_tokens", "write"].value += cache_write * count
        if output is not None:
            counters["spansieve.llm.tokens", "output"].value += output * count
            if reasoning:
                counters["spansieve.llm.reasoning_tokens", None].value += reasoning * count
            if output and call.error_class is not None:
                counters["spansieve.llm.wasted_tokens", call.error_class.value].value += output * count
        if call.cost_usd is not None and call.cost_source is not None:
            counters["spansieve.llm.cost.usd", call.cost_source].value += call.cost_usd * count
        elif given or output:
            counters["spansieve.llm.unpriced_requests", None].value += count
            counters["spansieve.llm.unpriced_tokens", "input"].value += (given or 0) * count
            counters["spansieve.llm.unpriced_tokens", "output"].value += (output or 0) * count

    def _v1_41(self, call: LlmCall) -> None:
        at, observe, origin = self._distributions, self._observe, call.origin
        error = call.error_class
        if call.duration_s is not None:
            observe(at["gen_ai.client.operation.duration", error.value if error else ""], call.duration_s, origin)
        if call.ttft_s is not None:
            observe(at["gen_ai.client.operation.time_to_first_chunk", None], call.ttft_s, origin)
        if call.time_per_output_chunk_s is not None:
            at_chunk = at["gen_ai.client.operation.time_per_output_chunk", None]
            observe(at_chunk, call.time_per_output_chunk_s, origin)
        if call.tokens.input is not None:
            observe(at["gen_ai.client.token.usage", "input"], call.tokens.input, origin)
        if call.tokens.output is not None:
            observe(at["gen_ai.client.token.usage", "output"], call.tokens.output, origin)

    def _latest(self, call: LlmCall) -> None:
        at, observe, origin = self._distributions, self._observe, call.origin
        error = call.error_class.value if call.error_class else ""
        if call.duration_s is not None:
            is_inference = call.operation != _EMBEDDINGS
            name = "gen_ai.client.inference.duration" if is_inference else "gen_ai.client.operation.duration"
            observe(at[name, error], call.duration_s, origin)
        if call.ttft_s is not None:
            observe(at["gen_ai.client.inference.time_to_first_chunk", None], call.ttft_s, origin)
        if call.time_per_output_chunk_s is not None:
            at_chunk = at["gen_ai.client.inference.time_per_output_chunk", None]
            observe(at_chunk, call.time_per_output_chunk_s, origin)
        tokens = call.tokens
        if tokens.input is not None:
            observe(at["gen_ai.client.inference.operation.input_tokens", error], tokens.input, origin)
        if tokens.output is not None:
            observe(at["gen_ai.client.inference.operation.output_tokens", error], tokens.output, origin)
        for name, used in zip(_LATEST_USAGE, tokens, strict=True):
            if used is not None:
                self._counters[name, _MODALITY].value += used * origin.adjusted_count


_LATEST_USAGE: Final = tuple(
    f"gen_ai.client.inference.usage.{kind}"
    for kind in (
        "input_tokens",
        "output_tokens",
        "cache_read.input_tokens",
        "cache_write.input_tokens",
        "reasoning.output_tokens",
    )
)
"""The counters of the latest conventions, in the order of Tokens."""

_MODALITY: Final = "unknown"
