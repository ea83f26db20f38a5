"""Turns calls into series."""

from spansieve import catalogue
from spansieve.measure import dialects, failures
from spansieve.measure.calls import CallReader
from spansieve.measure.labels import LabelLimiter
from spansieve.measure.llm_call import LlmCall
from spansieve.measure.pricing import PriceTable
from spansieve.measure.seen import Seen
from spansieve.series import Labels, SeriesStore

SEEN_SPANS = 200_000
"""Spans remembered, so that a repeated one counts once: minutes of traffic, some 20 MB when full."""


class Meter:
    """What is measured, over all traffic and before sampling. Owner: the thread that calls `measure.batch`.

    `label_limit` bounds the distinct values of a label. With `drop_application_metrics`, metrics under the names
    that the gateway derives itself are left out, unless `own_service` is the service.name of their resource.
    """

    def __init__(
        self,
        prices: PriceTable,
        *,
        label_limit: int = 200,
        drop_application_metrics: bool = True,
        own_service: str = "spansieve",
        seen_spans: int = SEEN_SPANS,
    ) -> None:
        self.series = SeriesStore(catalogue.load("spansieve.measure", "metrics.yaml"))
        self.calls = CallReader(dialects.load(), dialects.load_providers(), failures.load(), prices)
        self.drop_application_metrics = drop_application_metrics
        self.own_service = own_service
        self._seen = Seen(seen_spans)
        self._labels = LabelLimiter(self.series.specs["spansieve.llm.unpriced_tokens"].labels, label_limit)

    def record(self, span: bytes, call: LlmCall) -> bool:
        """Count a call, unless the span (trace id and span id) was counted before; say whether it was counted."""
        if not self._seen.first(span):
            return False
        series = self.series
        labels, overflowed = self._labels.limit(
            (call.operation, call.provider, call.request_model, call.response_model, call.service)
        )
        for label in overflowed:
            series.add("spansieve.llm.label_overflow", (label,))
        for reason in call.suspects:
            series.add("spansieve.llm.suspect", (reason.value,))
        error = call.error_class
        if error is None:
            series.add("spansieve.llm.requests", (*labels, "ok"))
        else:
            series.add("spansieve.llm.requests", (*labels, "error"))
            series.add("spansieve.llm.errors", (*labels, error.value))
        if call.duration_s is not None:
            series.observe("gen_ai.client.operation.duration", (*labels, error.value if error else ""), call.duration_s)
        if call.ttft_s is not None:
            series.observe("gen_ai.client.operation.time_to_first_chunk", labels, call.ttft_s)
        if call.streaming:
            ttft = "absent" if call.ttft_s is None else "present"
            series.add("spansieve.llm.streaming_requests", (*labels, ttft))
        self._record_usage(call, labels)
        return True

    def _record_usage(self, call: LlmCall, labels: Labels) -> None:
        series, tokens = self.series, call.tokens
        if tokens.input is not None:
            series.observe("gen_ai.client.token.usage", (*labels, "input"), tokens.input)
        if tokens.output is not None:
            series.observe("gen_ai.client.token.usage", (*labels, "output"), tokens.output)
        if call.cost_usd is not None and call.cost_source is not None:
            series.add("spansieve.llm.cost.usd", (*labels, call.cost_source.value), call.cost_usd)
        elif unpriced := (tokens.input or 0) + (tokens.output or 0):
            series.add("spansieve.llm.unpriced_tokens", labels, unpriced)
