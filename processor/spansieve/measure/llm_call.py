"""What is observed, in the gateway's own terms: what every dialect is translated into.

An LlmCall is one call of a model, and what tokens, cost and times are counted from. The others tell what stands around
calls. All are tuples, since one is made for every such span, and each says by its Origin where it comes from.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

from spansieve.facts import ErrorClass


class Suspect(StrEnum):
    """Why a value on a span cannot be right. The value is the `reason` label of `spansieve.llm.suspect`."""

    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    NOT_FINITE = "not_finite"
    NOT_WHOLE = "not_whole"
    TOO_LARGE = "too_large"
    NOT_A_TRUTH_VALUE = "not_a_truth_value"
    NOT_A_TIME = "not_a_time"
    ENDS_BEFORE_START = "ends_before_start"
    TTFT_EXCEEDS_DURATION = "ttft_exceeds_duration"
    TTFT_WITHOUT_STREAMING = "ttft_without_streaming"
    CHUNK_BEFORE_START = "chunk_before_start"
    CACHED_EXCEEDS_INPUT = "cached_exceeds_input"
    REASONING_EXCEEDS_OUTPUT = "reasoning_exceeds_output"
    TRACE_STATE = "trace_state"


class CostSource(StrEnum):
    """Whence a cost is known. The value is the `cost.source` label of the metrics."""

    OVERRIDE = "override"  # the operator's own prices
    TABLE = "table"  # the shipped prices
    REPORTED = "reported"  # the emitter computed it

    __hash__ = str.__hash__  # every call is counted by it, and an Enum's own is a function in Python


class TtftSource(StrEnum):
    """Whence the time to the first token is known; `LlmCall.ttft_key` names the attribute or event."""

    ATTRIBUTE = "attribute"  # the emitter measured a duration
    TIMESTAMP = "timestamp"  # the emitter gave the time of the first token: minus the span's start
    EVENT = "event"  # the time of the first chunk's span event: minus the span's start

    __hash__ = str.__hash__  # as CostSource's


class McpSide(StrEnum):
    """Who tells of an MCP request."""

    CLIENT = "client"
    SERVER = "server"


class NotCountedReason(StrEnum):
    """Why something that tells of a call was not counted as one: another one tells of the same call."""

    REPEATED_SPAN = "repeated_span"  # the span was counted before: a retry of the sender, or a replay
    REPEATED_LOG = "repeated_log"  # a log record of what its span tells too, or that was told before
    CONTINUED = "continued"  # a span of its own tells the streamed answer, and with it the call
    NESTED = "nested"  # a span above or beneath another one that tells of the same call


class Tokens(NamedTuple):
    """Tokens of one call; None where it is not known.

    `input` includes cache_read and cache_write, `output` includes reasoning, as in the conventions from v1.40.
    """

    input: int | None
    output: int | None
    cache_read: int | None
    cache_write: int | None
    reasoning: int | None


NO_TOKENS = Tokens(None, None, None, None, None)


class Parts(NamedTuple):
    """Tokens within those of a call that have prices of their own."""

    written_1h: int = 0  # within cache_write: for an hour, where the others are written for minutes
    audio_input: int = 0
    audio_output: int = 0
    audio_cache_read: int = 0  # within audio_input and cache_read
    image_input: int = 0
    image_output: int = 0


class Source(NamedTuple):
    """What the spans that one instrumentation writes in one service have in common, as far as it is of interest."""

    dialect: str
    scope: str  # the instrumentation scope's name
    service: str  # service.name of the resource
    extra: tuple[str, ...] = ()  # the values of the operator's own labels, in the order in which they are configured
    wraps: bool = False  # its spans may stand above another one of the same call, see dialects.py
    log: bool = False  # they are log records
    echo: bool = False  # its spans tell once more what one above them may tell, see dialects.py
    logged: bool = False  # log records of the same dialect tell of what its spans tell, each without the other's ids


class Origin(NamedTuple):
    """Where an observation comes from. Times are Unix nanoseconds; ids are bytes, empty when they are not known."""

    source: Source
    trace_id: bytes
    span_id: bytes  # of the span itself, or of the one that a log record belongs to
    parent_span_id: bytes
    start_ns: int  # of a log record, both are its time
    end_ns: int
    adjusted_count: float  # how many like it there were before the sender sampled; 1.0 when it did not


class CallKind(NamedTuple):
    """What many calls have in common: the texts of few different values. Each is empty where it is not known."""

    operation: str  # chat | text_completion | generate_content | embeddings
    provider: str  # canonical, see providers.yaml
    request_model: str
    response_model: str
    service_tier: str  # flex, priority, batch, … in lower case; empty for the standard one, too
    finish_reasons: tuple[str, ...]
    prompt_name: str  # the prompt template's
    prompt_version: str
    agent_name: str

    @property
    def model(self) -> str:
        """The model that answered, or else the one that was asked."""
        return self.response_model or self.request_model


class LlmCall(NamedTuple):
    """One leaf inference or embeddings call."""

    origin: Origin
    kind: CallKind
    streaming: bool | None
    ttft_s: float | None
    ttft_source: TtftSource | None
    ttft_key: str  # the attribute or event that ttft_s was read from; empty without it
    time_per_output_token_s: float | None  # as told, or else (duration - ttft) / (output tokens - 1) when streaming
    time_per_output_chunk_s: float | None  # the mean, as told or from the times of chunk events
    duration_s: float | None
    tokens: Tokens
    error_class: ErrorClass | None
    conversation: str  # id, as it is after redaction; empty when it is not known
    user: str  # pseudonym: a keyed hash of what redaction left of the user's id; empty when it is not known
    agent_id: str
    response_id: str  # the provider's id of the answer: what evaluations refer to
    reported_usd: float | None  # a cost that the emitter gave
    cost_usd: float | None
    cost_source: CostSource | None
    context_window: int | None  # tokens that the model takes, when the price table knows it
    suspects: tuple[Suspect, ...]  # what was wrong with values that are therefore unknown


make_tokens: Final[Callable[[tuple[Any, ...]], Tokens]] = partial(tuple.__new__, Tokens)
make_origin: Final[Callable[[tuple[Any, ...]], Origin]] = partial(tuple.__new__, Origin)
make_call: Final[Callable[[tuple[Any, ...]], LlmCall]] = partial(tuple.__new__, LlmCall)
"""Make one of all its fields, in their order: a class's own function in between would cost as much as the rest."""


class AgentRun(NamedTuple):
    """One run of an agent. `told` is the usage that its span tells, of all calls beneath it; it is counted nowhere."""

    origin: Origin
    name: str
    agent_id: str
    model: str
    duration_s: float | None
    error_class: ErrorClass | None
    told: Tokens
    conversation: str
    suspects: tuple[Suspect, ...]


class WorkflowRun(NamedTuple):
    """One run of a workflow, chain or graph; `told` as in AgentRun."""

    origin: Origin
    name: str
    duration_s: float | None
    error_class: ErrorClass | None
    told: Tokens
    conversation: str
    suspects: tuple[Suspect, ...]


class ToolRun(NamedTuple):
    """One execution of a tool."""

    origin: Origin
    name: str
    tool_type: str  # function | extension | datastore, or as told
    agent_name: str
    duration_s: float | None
    error_class: ErrorClass | None
    suspects: tuple[Suspect, ...]
    call_id: str = ""  # the model's own id of its call, where a span and a log record tell of the same one


class Retrieval(NamedTuple):
    """One search for documents, or their reranking."""

    origin: Origin
    operation: str  # retrieval | rerank
    provider: str
    name: str  # of the data source, else of the model
    duration_s: float | None
    error_class: ErrorClass | None
    suspects: tuple[Suspect, ...]


class McpCall(NamedTuple):
    """One request of the Model Context Protocol, as one of its sides tells it."""

    origin: Origin
    side: McpSide
    method: str  # tools/call, …
    name: str  # of the tool or prompt; empty when the method has none
    duration_s: float | None
    error_class: ErrorClass | None
    suspects: tuple[Suspect, ...]


class Evaluation(NamedTuple):
    """One result of an evaluation of the span that `origin` names, or of the answer `response_id`."""

    origin: Origin
    name: str
    score: float | None
    label: str
    response_id: str
    suspects: tuple[Suspect, ...]
    is_risk: bool = False  # the more, the worse: a guard's


class Feedback(NamedTuple):
    """A user's judgement of the span that `origin` names."""

    origin: Origin
    up: bool
    name: str  # what kind of feedback it is, as told
    prompt_name: str
    model: str


class Regeneration(NamedTuple):
    """A user asked for the same answer once more."""

    origin: Origin
    prompt_name: str
    model: str


class Reconciliation(NamedTuple):
    """What an agent's or workflow's span told of its usage, and what was counted beneath it; see reconcile.py."""

    origin: Origin  # of the agent's or workflow's span
    name: str
    told: Tokens
    counted: Tokens

    @property
    def agrees(self) -> bool:
        """Whether both say the same number of input and of output tokens, as far as the span tells them."""
        return all(
            told is None or told == (counted or 0)
            for told, counted in zip(self.told[:2], self.counted[:2], strict=True)
        )


class NotUnderstood(NamedTuple):
    """A span that looks like an LLM call, and is not read: no dialect knows it, or the one that does lacks it."""

    origin: Origin


class NotCounted(NamedTuple):
    """Something that tells of a call which another one tells of, too."""

    origin: Origin
    reason: NotCountedReason


Observation: TypeAlias = (
    LlmCall
    | AgentRun
    | WorkflowRun
    | ToolRun
    | Retrieval
    | McpCall
    | Evaluation
    | Feedback
    | Regeneration
    | Reconciliation
    | NotUnderstood
    | NotCounted
)
