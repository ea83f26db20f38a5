"""One LLM call, in the gateway's own terms: what every dialect is translated into."""

from enum import StrEnum
from typing import NamedTuple


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


class Suspect(StrEnum):
    """Why a value on a span cannot be right. The value is the `reason` label of `spansieve.llm.suspect`."""

    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    NOT_FINITE = "not_finite"
    NOT_WHOLE = "not_whole"
    TOO_LARGE = "too_large"
    NOT_A_TRUTH_VALUE = "not_a_truth_value"
    ENDS_BEFORE_START = "ends_before_start"
    TTFT_EXCEEDS_DURATION = "ttft_exceeds_duration"
    TTFT_WITHOUT_STREAMING = "ttft_without_streaming"


class CostSource(StrEnum):
    """Whence a cost is known. The value is the `cost.source` label of the metrics."""

    OVERRIDE = "override"  # the operator's own prices
    TABLE = "table"  # the shipped prices
    REPORTED = "reported"  # the emitter computed it


class Tokens(NamedTuple):
    """Tokens of one call; None where it is not known.

    `input` includes cache_read and cache_write, `output` includes reasoning, as in the conventions from v1.40.
    """

    input: int | None
    output: int | None
    cache_read: int | None
    cache_write: int | None
    reasoning: int | None


class LlmCall(NamedTuple):
    """One leaf inference or embeddings call. A tuple, since one is made for every such span."""

    dialect: str
    operation: str  # chat | text_completion | generate_content | embeddings
    provider: str  # canonical, see providers.yaml; empty when it is not known
    request_model: str
    response_model: str
    service: str  # service.name of the resource
    streaming: bool | None
    ttft_s: float | None
    ttft_key: str  # the attribute that ttft_s was read from; empty without it
    duration_s: float | None
    tokens: Tokens
    finish_reasons: tuple[str, ...]
    error_class: ErrorClass | None
    reported_usd: float | None  # a cost that the emitter gave
    cost_usd: float | None
    cost_source: CostSource | None
    suspects: tuple[Suspect, ...]  # what was wrong with values that are therefore unknown
