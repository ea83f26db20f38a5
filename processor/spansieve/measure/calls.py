"""Finds the LLM calls among spans: a span becomes an LlmCall, or nothing."""

from collections.abc import Mapping

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.measure import values
from spansieve.measure.dialects import Dialect, Dialects
from spansieve.measure.failures import Failures
from spansieve.measure.llm_call import CostSource, LlmCall, Suspect, Tokens
from spansieve.measure.pricing import PriceTable, cost_of
from spansieve.measure.values import Found


class CallReader:
    """Reads spans by the tables of the dialects.

    Only leaf calls to a model count: an agent's or workflow's span repeats the usage of the calls beneath it.
    """

    def __init__(
        self, dialects: Dialects, providers: Mapping[str, str], failures: Failures, prices: PriceTable
    ) -> None:
        self._dialects = dialects
        self._providers = providers
        self._failures = failures
        self._prices = prices
        self._known = dialects.keys | failures.keys

    def by_scope(self, scope: str) -> Dialect | None:
        """Return the dialect that an instrumentation scope is known to speak: ask once for a scope's spans."""
        return self._dialects.by_scope(scope[: values.MAX_TEXT])

    def read(self, span: Span, dialect: Dialect | None, scope: str, service: str) -> LlmCall | None:
        """Return the call that a span tells of, None when it tells of none.

        `dialect` is what `by_scope` said of `scope`, the name of the span's scope; `service` is that of its resource.
        """
        # Most spans are no LLM spans, and attributes are the costly part of a span: one pass, whatever the dialect.
        known = self._known
        found = {}
        for attribute in span.attributes:
            key = attribute.key
            if key in known:
                found[key] = attribute.value
        if dialect is None:
            if self._dialects.marks.isdisjoint(found):
                return None
            dialect = self._dialects.by_keys(found)
            if dialect is None:
                return None
        return self._call(span, found, dialect, scope, service)

    def _call(self, span: Span, found: Found, dialect: Dialect, scope: str, service: str) -> LlmCall | None:
        fields = dialect.fields
        suspects: list[Suspect] = []
        provider = values.text(found, fields.provider).strip().lower()
        request_model = values.text(found, fields.request_model)
        if named := values.text(found, fields.operation):
            operation = dialect.operations.get(named.lower(), "")
            if not operation:
                return None
        elif not request_model:
            return None
        else:
            operation = dialect.default_operation
        usage = self._tokens(found, dialect, scope, suspects)
        if not named and not provider and usage.input is None and usage.output is None:
            return None
        provider = self._providers.get(provider, provider)
        response_model = values.text(found, fields.response_model)
        end_ns = span.end_time_unix_nano
        duration = _duration(span.start_time_unix_nano, end_ns, suspects)
        streaming = values.truth(found, fields.streaming, suspects)
        ttft, ttft_key = values.amount(found, fields.ttft, values.MAX_SECONDS, suspects)
        if ttft is not None:
            if wrong := _wrong_ttft(ttft, duration, streaming=streaming):
                suspects.append(wrong)
                ttft, ttft_key = None, ""
            elif streaming is None:
                # Some emitters have no flag, and give the time of streamed answers only.
                streaming = True
        reported, _ = values.amount(found, fields.reported_usd, values.MAX_USD, suspects)
        finish_reasons = values.texts(found, fields.finish_reasons)
        cost, source = self._cost(usage, provider, response_model, request_model, end_ns, reported)
        return LlmCall(
            dialect.name,
            operation,
            provider,
            request_model,
            response_model,
            service,
            streaming,
            ttft,
            ttft_key,
            duration,
            usage,
            finish_reasons,
            self._failures.classify(span, found, finish_reasons),
            reported,
            cost,
            source,
            tuple(suspects),
        )

    @staticmethod
    def _tokens(found: Found, dialect: Dialect, scope: str, suspects: list[Suspect]) -> Tokens:
        fields = dialect.fields
        read = values.tokens
        given = read(found, fields.input_tokens, suspects)
        cache_read = read(found, fields.cache_read_tokens, suspects)
        cache_write = read(found, fields.cache_write_tokens, suspects)
        if given is not None and (cache_read or cache_write):
            cached = (cache_read or 0) + (cache_write or 0)
            # The conventions count cached tokens as input. Some emitters pass on a provider's count that leaves them
            # out; when they are more than the input itself, it cannot be otherwise.
            if cached > given or scope.startswith(dialect.exclusive_input_scopes):
                given += cached
        return Tokens(
            given,
            read(found, fields.output_tokens, suspects),
            cache_read,
            cache_write,
            read(found, fields.reasoning_tokens, suspects),
        )

    def _cost(
        self, usage: Tokens, provider: str, response_model: str, request_model: str, end_ns: int, reported: float | None
    ) -> tuple[float | None, CostSource | None]:
        row = self._prices.find(provider, response_model, request_model, end_ns)
        if row is not None and (usd := cost_of(usage, row)) is not None:
            return usd, row.source
        # A reported 0 is what emitters write that could not price the call either.
        return (reported, CostSource.REPORTED) if reported else (None, None)


def _duration(start_ns: int, end_ns: int, suspects: list[Suspect]) -> float | None:
    duration = (end_ns - start_ns) / 1e9
    if 0 <= duration <= values.MAX_SECONDS:
        return duration
    suspects.append(Suspect.ENDS_BEFORE_START if duration < 0 else Suspect.TOO_LARGE)
    return None


def _wrong_ttft(ttft: float, duration: float | None, *, streaming: bool | None) -> Suspect | None:
    if duration is not None and ttft > duration:
        return Suspect.TTFT_EXCEEDS_DURATION
    return Suspect.TTFT_WITHOUT_STREAMING if streaming is False else None
