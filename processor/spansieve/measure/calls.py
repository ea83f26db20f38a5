"""Reads what is particular to a call of a model: its tokens, times, cost, and who it was for."""

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

from spansieve.facts import ErrorClass
from spansieve.measure import values
from spansieve.measure.dialects import Fields, Option
from spansieve.measure.llm_call import CallKind, CostSource, LlmCall, Origin, Suspect, Tokens, TtftSource
from spansieve.measure.plans import Plan, Shape
from spansieve.measure.pricing import cost_of
from spansieve.measure.values import Told

_USERS = 4096


class CallReader:
    """Reads calls from what a span or log record tells.

    `separate_cache` are the providers whose own input counts leave cached tokens out; `user_key` is the key of users'
    pseudonyms.
    """

    def __init__(self, separate_cache: frozenset[str], user_key: bytes) -> None:
        self._separate_cache = separate_cache
        self._pseudonym = lru_cache(maxsize=_USERS)(_pseudonym(user_key))

    def read(
        self, plan: Plan, kind: CallKind, told: Told, origin: Origin, duration: float | None, error: ErrorClass | None
    ) -> LlmCall:
        """Read one call of a kind by its plan; it took `duration` seconds, and failed for `error`."""
        shape, suspects = plan.shape, told.suspects
        fields = shape.fields
        streaming = told.truth(fields.streaming) if fields.streaming else None
        tokens = self.tokens(told, shape, origin.source.scope, kind.provider)
        if plan.streaming is not None:
            streaming = plan.streaming
        ttft_s: float | None = None
        ttft_source: TtftSource | None = None
        ttft_key = ""
        if fields.ttft and (ttft := told.amount(fields.ttft, values.MAX_SECONDS, streaming=streaming)) is not None:
            if wrong := _wrong_ttft(ttft[0], duration, streaming=streaming):
                suspects.append(wrong)
            else:
                ttft_s, option = ttft
                ttft_source, ttft_key = _ttft_source(option), option.key or option.event
                if streaming is None:
                    # Some emitters have no flag, and give the time of streamed answers only.
                    streaming = True
        per_token = per_chunk = None
        if ttft_s is not None or fields.time_per_output_token or fields.time_per_output_chunk:
            per_token, per_chunk = _gaps(told, fields, tokens, duration, ttft_s, streaming=streaming)
        usd: float | None = None
        if fields.reported_usd and (reported := told.amount(fields.reported_usd, values.MAX_USD)) is not None:
            usd = reported[0]
        cost: float | None = None
        source: CostSource | None = None
        window: int | None = None
        if plan.prices is not None:
            row = plan.prices(origin.end_ns // 10**9, kind.service_tier)
            window = row.context_window
            if (cost := cost_of(tokens, row)) is not None:
                source = row.source
        if source is None and usd:  # 0 is none: some emitters write it when they found no price
            cost, source = usd, CostSource.REPORTED
        user = told.identifier(fields.user) if fields.user else ""
        return LlmCall(
            origin,
            kind,
            streaming,
            ttft_s,
            ttft_source,
            ttft_key,
            per_token,
            per_chunk,
            duration,
            tokens,
            error,
            told.identifier(fields.conversation) if fields.conversation else "",
            self._pseudonym(user) if user else "",
            told.identifier(fields.agent_id) if fields.agent_id else "",
            told.text(fields.response_id) if fields.response_id else "",
            usd,
            cost,
            source,
            window,
            tuple(suspects) if suspects else (),
        )

    def tokens(self, told: Told, shape: Shape, scope: str, provider: str) -> Tokens:
        """Read the usage."""
        fields, read, found = shape.fields, told.tokens, told.found
        given = output = None
        if options := fields.input_tokens:  # as `read` would, but that a call for each costs as much again
            count = found[options[0].at]
            given = count if type(count) is int and 0 <= count <= values.MAX_TOKENS else read(options)
        if options := fields.output_tokens:
            count = found[options[0].at]
            output = count if type(count) is int and 0 <= count <= values.MAX_TOKENS else read(options)
        cache_read = read(fields.cache_read_tokens) if fields.cache_read_tokens else None
        cache_write = read(fields.cache_write_tokens) if fields.cache_write_tokens else None
        reasoning = read(fields.reasoning_tokens) if fields.reasoning_tokens else None
        if (cache_read or cache_write) and given is not None:
            cached = (cache_read or 0) + (cache_write or 0)
            # The conventions count cached tokens as input. Some emitters pass on a provider's count that leaves them
            # out: those that always do are in the tables; for the rest it shows when there are more than the input.
            if scope in shape.dialect.input_without_cache or (cached > given and provider in self._separate_cache):
                given += cached
            elif cached > given:
                told.suspects.append(Suspect.CACHED_EXCEEDS_INPUT)
                cache_read = cache_write = None
        if reasoning and output is not None and reasoning > output:
            told.suspects.append(Suspect.REASONING_EXCEEDS_OUTPUT)
            reasoning = None
        return Tokens(given, output, cache_read, cache_write, reasoning)


def _wrong_ttft(ttft: float, duration: float | None, *, streaming: bool | None) -> Suspect | None:
    if duration is not None and ttft > duration:
        return Suspect.TTFT_EXCEEDS_DURATION
    return Suspect.TTFT_WITHOUT_STREAMING if streaming is False else None


def _ttft_source(option: Option) -> TtftSource:
    if option.event:
        return TtftSource.EVENT
    return TtftSource.TIMESTAMP if option.since_start else TtftSource.ATTRIBUTE


def _gaps(
    told: Told,
    fields: Fields,
    tokens: Tokens,
    duration: float | None,
    ttft: float | None,
    *,
    streaming: bool | None,
) -> tuple[float | None, float | None]:
    """Return the mean seconds for each output token after the first, and for each chunk, where they are known."""
    per_token = per_chunk = None
    if fields.time_per_output_token:
        given = told.amount(fields.time_per_output_token, values.MAX_SECONDS, streaming=streaming)
        per_token = given[0] if given is not None else None
    if fields.time_per_output_chunk:
        given = told.amount(tuple(option for option in fields.time_per_output_chunk if option.key), values.MAX_SECONDS)
        per_chunk = given[0] if given is not None else told.mean_gap(fields.time_per_output_chunk)
    if per_token is None and ttft is not None and duration is not None and streaming:
        output = tokens.output or 0
        if output > 1:
            per_token = (duration - ttft) / (output - 1)
    return per_token, per_chunk


def _pseudonym(key: bytes) -> Callable[[str], str]:
    def pseudonym(user: str) -> str:
        return blake2b(user.encode(), key=key[:64], digest_size=8).hexdigest()

    return pseudonym
