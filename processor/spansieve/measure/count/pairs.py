"""Calls and runs of tools that a dialect tells as a span and as a log record, of which neither has the other's id.

Coding agents do: tracing is switched on and off apart from their log records, and a record stands beneath whatever span
was current. What both carry is the provider's id of the answer, and the model's id of a tool call. Where there is none
(some clouds give none), the nth span and the nth log record of a conversation with the same model and tokens are one.
"""

from hashlib import blake2b
from typing import Final

from spansieve.measure.count.seen import WIDTH, Seen
from spansieve.measure.llm_call import LlmCall, Observation, ToolRun

_MOST: Final = 64
"""Calls of one conversation that are alike and told apart; what more there are count, whoever tells of them."""


def key(observation: Observation, seen: Seen) -> bytes:
    """Return the key (WIDTH bytes) that a call or run shares with the other one that tells of it; empty without one.

    It must be one that this teller tells for the first time.
    """
    if isinstance(observation, ToolRun):
        call_id = observation.call_id
        return _key((observation.origin.source.dialect, call_id), 0, b"either") if call_id else b""
    if not isinstance(observation, LlmCall) or not (said := _said(observation)):
        return b""
    teller = b"log" if observation.origin.source.log else b"span"
    for number in range(_MOST):
        if seen.first(_key(said, number, teller)):
            return _key(said, number, b"either")
    return b""


def _said(call: LlmCall) -> tuple[object, ...]:
    dialect = call.origin.source.dialect
    if call.response_id:
        return dialect, call.response_id
    if not call.conversation:
        return ()
    given, output, cache_read, cache_write, _ = call.tokens
    return (
        dialect,
        call.conversation,
        call.kind.request_model,
        given or 0,
        output or 0,
        cache_read or 0,
        cache_write or 0,
    )


def _key(said: tuple[object, ...], number: int, teller: bytes) -> bytes:
    return blake2b(repr((said, number)).encode(), key=teller, digest_size=WIDTH).digest()


def log_key(observation: Observation) -> bytes:
    """Return what tells a log record from all others, and from spans."""
    origin = observation.origin
    name = getattr(observation, "name", "") or getattr(observation, "response_id", "")
    told: tuple[object, ...] = type(observation).__name__, name, origin.start_ns
    if isinstance(observation, LlmCall) and not origin.span_id:  # nothing else tells two of a millisecond apart
        told = *told, origin.end_ns, observation.conversation, observation.kind, tuple(observation.tokens)
    elif isinstance(observation, ToolRun):
        told = *told, observation.call_id
    return blake2b(origin.trace_id + origin.span_id + repr(told).encode(), digest_size=WIDTH).digest()
