"""Reads what is particular to a call of a model: its tokens, times, cost, and who it was for."""

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import TypeAlias

from spansieve.facts import ErrorClass
from spansieve.measure.llm_call import (
    CallKind,
    CostSource,
    LlmCall,
    Origin,
    Parts,
    Suspect,
    Tokens,
    TtftSource,
    make_call,
    make_tokens,
)
from spansieve.measure.pricing import NO_PARTS, cost_of
from spansieve.measure.read import values
from spansieve.measure.read.plans import Plan, Shape
from spansieve.measure.read.table import Fields, Option
from spansieve.measure.read.values import Told

_Times: TypeAlias = tuple[bool | None, float | None, TtftSource | None, str, float | None, float | None]
"""Whether an answer was streamed; seconds to its first token, whence, and by which attribute or event; seconds for each
further token, and chunk."""

_USERS = 4096
_MOST = values.MAX_TOKENS


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
        shape, found = plan.shape, told.found
        fields = shape.fields
        # What is as it nearly always is, is taken as it stands; whatever is not, `told` makes something of.
        given_at, output_at, _, _, conversation_at, response_id_at = shape.places
        given, output = found[given_at], found[output_at]
        if shape.parts or not (type(given) is type(output) is int and 0 <= given <= _MOST and 0 <= output <= _MOST):
            tokens = self.tokens(told, shape, origin.source.scope, kind.provider)
        else:
            tokens = make_tokens((given, output, None, None, None))
        times: _Times = plan.streaming, None, None, "", None, None
        if shape.timed:
            times = _times(plan, told, duration, tokens.output or 0)
        streaming, ttft_s, ttft_source, ttft_key, per_token, per_chunk = times
        usd: float | None = None
        if fields.reported_usd and (reported := told.amount(fields.reported_usd, values.MAX_USD)) is not None:
            usd = reported[0]
        cost: float | None = None
        source: CostSource | None = None
        window: int | None = None
        if plan.prices is not None:
            row = plan.row or plan.prices(origin.end_ns // 10**9, kind.service_tier)
            window = row.context_window
            if (cost := cost_of(tokens, row, _parts(told, fields) if shape.apart else NO_PARTS)) is not None:
                source = row.source
        if source is None and usd:  # 0 is none: some emitters write it when they found no price
            cost, source = usd, CostSource.REPORTED
        conversation, response_id = found[conversation_at], found[response_id_at]
        if type(conversation) is not str or not 0 < len(conversation) <= values.MAX_TEXT:
            conversation = told.identifier(fields.conversation)
        if "[" in conversation and not values.tells_apart(conversation):
            conversation = ""
        if type(response_id) is not str or not 0 < len(response_id) <= values.MAX_TEXT:
            response_id = told.text(fields.response_id)
        user = told.identifier(fields.user) if fields.user else ""
        return make_call(
            (
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
                conversation,
                self._pseudonym(user) if user and values.tells_apart(user) else "",
                told.identifier(fields.agent_id) if fields.agent_id else "",
                response_id,
                usd,
                cost,
                source,
                window,
                tuple(told.suspects) if told.suspects else (),
            )
        )

    def tokens(self, told: Told, shape: Shape, scope: str, provider: str) -> Tokens:
        """Read the usage."""
        fields, read, found = shape.fields, told.tokens, told.found
        given = output = None
        count = found[shape.places.input_tokens]
        if type(count) is int and 0 <= count <= values.MAX_TOKENS:
            given = count
        elif fields.input_tokens:
            given = read(fields.input_tokens)
        count = found[shape.places.output_tokens]
        if type(count) is int and 0 <= count <= values.MAX_TOKENS:
            output = count
        elif fields.output_tokens:
            output = read(fields.output_tokens)
        if not shape.parts:
            return make_tokens((given, output, None, None, None))
        given = _sum(given, read(fields.more_input_tokens))
        output = _sum(output, read(fields.more_output_tokens))
        cache_read = read(fields.cache_read_tokens)
        cache_write = read(fields.cache_write_tokens)
        reasoning = read(fields.reasoning_tokens)
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
        return make_tokens((given, output, cache_read, cache_write, reasoning))


def _sum(count: int | None, more: int | None) -> int | None:
    return count if more is None else (count or 0) + more


def _parts(told: Told, fields: Fields) -> Parts:
    """Read the tokens that have prices of their own."""
    read = told.tokens
    return Parts(
        read(fields.cache_write_1h_tokens) or 0,
        read(fields.audio_input_tokens) or 0,
        read(fields.audio_output_tokens) or 0,
        read(fields.audio_cache_read_tokens) or 0,
        read(fields.image_input_tokens) or 0,
        read(fields.image_output_tokens) or 0,
    )


def _times(plan: Plan, told: Told, duration: float | None, output: int) -> _Times:
    """Read whether an answer of `output` tokens was streamed, and how long its parts took."""
    shape, found = plan.shape, told.found
    fields = shape.fields
    _, _, streaming_at, ttft_at, _, _ = shape.places
    flag = found[streaming_at]
    streaming = flag if type(flag) is bool else told.truth(fields.streaming)
    if plan.streaming is not None:
        streaming = plan.streaming
    ttft_s: float | None = None
    ttft_source: TtftSource | None = None
    ttft_key = ""
    first = found[ttft_at]
    if type(first) is float and 0 <= first <= values.MAX_SECONDS:
        ttft_s, ttft_source, ttft_key = first, TtftSource.ATTRIBUTE, fields.ttft[0].key
    elif (amount := told.amount(fields.ttft, values.MAX_SECONDS, streaming=streaming)) is not None:
        ttft_s, option = amount
        ttft_source, ttft_key = _ttft_source(option), option.key or option.event
    if ttft_s is not None:
        if streaming is False or (duration is not None and ttft_s > duration):
            told.suspects.append(_wrong_ttft(ttft_s, duration))
            ttft_s, ttft_source, ttft_key = None, None, ""
        else:
            streaming = True  # some emitters have no flag, and give the time of streamed answers only
    per_token = per_chunk = None
    if shape.gaps:
        per_token, per_chunk = _gaps(told, fields, streaming=streaming)
    if per_token is None and ttft_s is not None and duration is not None and output > 1:
        per_token = (duration - ttft_s) / (output - 1)
    return streaming, ttft_s, ttft_source, ttft_key, per_token, per_chunk


def _wrong_ttft(ttft: float, duration: float | None) -> Suspect:
    is_longer = duration is not None and ttft > duration
    return Suspect.TTFT_EXCEEDS_DURATION if is_longer else Suspect.TTFT_WITHOUT_STREAMING


def _ttft_source(option: Option) -> TtftSource:
    if option.event:
        return TtftSource.EVENT
    return TtftSource.TIMESTAMP if option.since_start else TtftSource.ATTRIBUTE


def _gaps(told: Told, fields: Fields, *, streaming: bool | None) -> tuple[float | None, float | None]:
    """Return the mean seconds for each output token after the first, and for each chunk, where they are told."""
    per_token = per_chunk = None
    if fields.time_per_output_token:
        given = told.amount(fields.time_per_output_token, values.MAX_SECONDS, streaming=streaming)
        per_token = given[0] if given is not None else None
    if fields.time_per_output_chunk:
        given = told.amount(tuple(option for option in fields.time_per_output_chunk if option.key), values.MAX_SECONDS)
        per_chunk = given[0] if given is not None else told.mean_gap(fields.time_per_output_chunk)
    return per_token, per_chunk


def _pseudonym(key: bytes) -> Callable[[str], str]:
    def pseudonym(user: str) -> str:
        return blake2b(user.encode(), key=key[:64], digest_size=8).hexdigest()

    return pseudonym
