"""What one LLM call adds to the series."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from spansieve.catalogue import Semconv
from spansieve.facts import ErrorClass
from spansieve.measure.count.exemplars import PER_BUCKET
from spansieve.measure.finish_reasons import FinishReasons
from spansieve.measure.llm_call import CallKind, CostSource, LlmCall, Origin, Source, Tokens, TtftSource
from spansieve.series import Counter, Distribution, Labels, SeriesStore

Form: TypeAlias = tuple[CallKind, Source, ErrorClass | None, TtftSource | None, bool | None]
"""What decides which series a call raises: its kind, its source, error class, source of TTFT, whether it streamed."""

Offer: TypeAlias = Callable[[Distribution, int, float, Origin], None]
"""Takes a value in a bucket, by its index, as one that may become an exemplar."""

_Places: TypeAlias = Mapping[str, tuple[str, Labels]]
"""What stands for a series here → its metric, and the values of the labels that this one has beside those of a call."""

_EMBEDDINGS: Final = "embeddings"
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
_DISTRIBUTED: Final = "duration", "input", "output", "first_chunk", "per_token", "per_chunk", "saturation"
_COUNTERS: Final[_Places] = {
    "input": ("spansieve.llm.tokens", ("input",)),
    "output": ("spansieve.llm.tokens", ("output",)),
    "cache_read": ("spansieve.llm.cached_tokens", ("read",)),
    "cache_write": ("spansieve.llm.cached_tokens", ("write",)),
    "reasoning": ("spansieve.llm.reasoning_tokens", ()),
    "untold": ("spansieve.llm.requests_without_usage", ()),
    "unpriced": ("spansieve.llm.unpriced_requests", ()),
    "unpriced_input": ("spansieve.llm.unpriced_tokens", ("input",)),
    "unpriced_output": ("spansieve.llm.unpriced_tokens", ("output",)),
    **{source: ("spansieve.llm.cost.usd", (source.value,)) for source in CostSource},
    **{name: (name, (_MODALITY,)) for name in _LATEST_USAGE},
}


class _Counters(dict[str, Counter]):
    """The counters that calls of one form raise, each begun when it is first raised."""

    def __init__(self, store: SeriesStore, labels: Labels, places: _Places) -> None:
        super().__init__()
        self._store = store
        self._labels = labels
        self._places = places

    def __missing__(self, key: str) -> Counter:
        name, own = self._places[key]
        found = self[key] = self._store.counter(name, self._labels + own)
        return found


class CallSeries:
    """The series of calls of one form, held at hand: a call raises ten or so of them.

    `labels` are those of the label set `call`, limited. Owner: one Recorder.
    """

    def __init__(
        self,
        store: SeriesStore,
        labels: Labels,
        form: Form,
        semconv: Semconv,
        reasons: FinishReasons,
        offer: Offer,
    ) -> None:
        kind, _, error_class, _, _ = form
        error = "" if error_class is None else error_class.value
        self._each = [store.counter(name, label) for name, label in _each_call(labels, form, reasons)]
        wasted = {"wasted": ("spansieve.llm.wasted_tokens", (error,))}
        self._counters = _Counters(store, labels, {**_COUNTERS, **wasted})
        self._latest_usage = semconv is Semconv.LATEST
        places = _v1_41(error)
        if self._latest_usage:
            places = _latest(error, is_embedding=kind.operation == _EMBEDDINGS)
        self._store = store
        self._labels = labels
        self._places = places
        # In the order of _DISTRIBUTED, each begun when it is first raised.
        self._distributions: list[Distribution | None] = [None] * len(_DISTRIBUTED)
        self._failed = error_class is not None
        self._counts_more = self._failed or self._latest_usage
        self._offer = offer

    def add(self, call: LlmCall) -> None:
        """Enter one call of the form."""
        # All at once: asking a tuple for a field by its name takes as long as what is done with it.
        (
            origin,
            _,
            _,
            ttft,
            _,
            _,
            per_token,
            per_chunk,
            duration,
            tokens,
            _,
            _,
            _,
            _,
            _,
            _,
            cost,
            cost_source,
            window,
            _,
        ) = call
        given, output, cache_read, cache_write, reasoning = tokens
        count = origin.adjusted_count
        for each in self._each:
            each.value += count
        counters = self._counters
        if given is not None:
            counters["input"].value += given * count
        if output is not None:
            counters["output"].value += output * count
        if cost is not None and cost_source is not None:
            counters[cost_source].value += cost * count
        else:
            self._count_unpriced(given, output, count)
        if cache_read or cache_write or reasoning or self._counts_more:
            self._count_more(tokens, count)
        saturation = given / window if window and given is not None else None
        values = duration, given, output, ttft, per_token, per_chunk, saturation
        for at, value in enumerate(values):
            if value is not None:  # as Distribution.observe does it
                distribution = self._distributions[at] or self._begin(at)
                bucket = bisect_left(distribution.bounds, value)
                distribution.counts[bucket] += count
                distribution.sum += value * count
                if distribution.waiting[bucket] < PER_BUCKET:
                    self._offer(distribution, bucket, value, origin)

    def _begin(self, at: int) -> Distribution:
        name, own = self._places[_DISTRIBUTED[at]]
        found = self._distributions[at] = self._store.distribution(name, self._labels + own)
        return found

    def _count_unpriced(self, given: int | None, output: int | None, count: float) -> None:
        counters = self._counters
        if given or output:
            counters["unpriced"].value += count
            counters["unpriced_input"].value += (given or 0) * count
            counters["unpriced_output"].value += (output or 0) * count
        elif given is None and output is None and not self._failed:
            counters["untold"].value += count

    def _count_more(self, tokens: Tokens, count: float) -> None:
        """Raise the counters of what is part of the input or output, wasted, or told by the latest conventions."""
        counters = self._counters
        given, output, cache_read, cache_write, reasoning = tokens
        if given is not None:
            if cache_read:
                counters["cache_read"].value += cache_read * count
            if cache_write:
                counters["cache_write"].value += cache_write * count
        if output:
            if reasoning:
                counters["reasoning"].value += reasoning * count
            if self._failed:
                counters["wasted"].value += output * count
        if self._latest_usage:
            for name, used in zip(_LATEST_USAGE, tokens, strict=True):
                if used is not None:
                    counters[name].value += used * count


def _each_call(labels: Labels, form: Form, reasons: FinishReasons) -> list[tuple[str, Labels]]:
    """Return what each call of a form raises by one: metrics, and their labels."""
    kind, source, error, ttft_source, streaming = form
    raised = [("spansieve.llm.requests", (*labels, "ok" if error is None else "error"))]
    if error is not None:
        raised.append(("spansieve.llm.errors", (*labels, error.value)))
    if error is ErrorClass.SAFETY_BLOCK:
        raised.append(("spansieve.llm.safety_blocks", labels))
    if kind.finish_reasons:
        raised.append(("spansieve.llm.finish_reasons", (*labels, reasons.of(kind.finish_reasons))))
    if streaming:
        ttft = "absent" if ttft_source is None else "present"
        raised.append(("spansieve.llm.streaming_requests", (*labels, ttft)))
    raised.append(("spansieve.llm.dialects", (source.dialect, "" if ttft_source is None else ttft_source.value)))
    return raised


def _v1_41(error: str) -> _Places:
    return {
        **_OURS,
        "duration": ("gen_ai.client.operation.duration", (error,)),
        "first_chunk": ("gen_ai.client.operation.time_to_first_chunk", ()),
        "per_chunk": ("gen_ai.client.operation.time_per_output_chunk", ()),
        "input": ("gen_ai.client.token.usage", ("input",)),
        "output": ("gen_ai.client.token.usage", ("output",)),
    }


def _latest(error: str, *, is_embedding: bool) -> _Places:
    duration = "gen_ai.client.operation.duration" if is_embedding else "gen_ai.client.inference.duration"
    return {
        **_OURS,
        "duration": (duration, (error,)),
        "first_chunk": ("gen_ai.client.inference.time_to_first_chunk", ()),
        "per_chunk": ("gen_ai.client.inference.time_per_output_chunk", ()),
        "input": ("gen_ai.client.inference.operation.input_tokens", (error,)),
        "output": ("gen_ai.client.inference.operation.output_tokens", (error,)),
    }


_OURS: Final[_Places] = {
    "per_token": ("spansieve.llm.time_per_output_token", ()),
    "saturation": ("spansieve.llm.context_window.saturation", ()),
}
