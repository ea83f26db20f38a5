"""The section `sampling` of the configuration: the Collector's policies under its names, and those for LLM traces."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from spansieve.config_types import Duration, Section, setting
from spansieve.facts import ErrorClass, KeyPart


class _Policy(Section):
    name: str = Field(
        description="Stands in metrics, logs and on kept spans.",
        examples=["errors"],
        min_length=1,
        max_length=64,
    )
    shadow: bool = Field(
        default=False,
        description="Only count what it would have kept (spansieve_shadow_kept_traces_total): it changes nothing.",
        examples=[True],
    )


class AlwaysSample(_Policy):
    """Keep every trace."""

    type: Literal["always_sample"]


class StatusCodeSettings(Section):
    """Keep a trace that holds a span of one of these statuses."""

    status_codes: tuple[Literal["ERROR", "OK", "UNSET"], ...] = Field(
        description="Statuses of spans.", examples=[["ERROR"]], min_length=1
    )


class StatusCode(_Policy):
    """Keep failed traces (or those of another status). A budget does not touch what is kept for ERROR alone."""

    type: Literal["status_code"]
    status_code: StatusCodeSettings


class LatencySettings(Section):
    """Keep a trace that lasts so long, from its earliest start to its latest end."""

    threshold_ms: int = Field(description="At least so many milliseconds.", examples=[5000], ge=0)
    upper_threshold_ms: int = setting(0, "At most so many milliseconds; 0 is no upper bound.", 0, ge=0)


class Latency(_Policy):
    """Keep slow traces."""

    type: Literal["latency"]
    latency: LatencySettings


class ProbabilisticSettings(Section):
    """Keep a share of all traces, chosen by the randomness of the trace id (or `ot=rv` of the tracestate)."""

    sampling_percentage: float = Field(description="Percent, 0 to 100.", examples=[10], ge=0, le=100)


class Probabilistic(_Policy):
    """Keep a share of the rest."""

    type: Literal["probabilistic"]
    probabilistic: ProbabilisticSettings


class StringAttributeSettings(Section):
    """Keep a trace in which a span or resource has such a text."""

    key: str = Field(description="The attribute.", examples=["tenant.tier"], min_length=1)
    values: tuple[str, ...] = Field(
        description="Texts, or regular expressions (RE2) that are searched for.", examples=[["gold"]], min_length=1
    )
    enabled_regex_matching: bool = Field(
        default=False, description="Whether the values are regular expressions.", examples=[True]
    )
    invert_match: bool = Field(
        default=False, description="Keep the traces in which no span or resource has it.", examples=[True]
    )


class StringAttribute(_Policy):
    """Keep traces by the text of an attribute."""

    type: Literal["string_attribute"]
    string_attribute: StringAttributeSettings


class NumericAttributeSettings(Section):
    """Keep a trace in which a span or resource has such a number."""

    key: str = Field(description="The attribute.", examples=["http.response.status_code"], min_length=1)
    min_value: float = setting(float("-inf"), "At least.", 500)
    max_value: float = setting(float("inf"), "At most.", 599)
    invert_match: bool = Field(
        default=False, description="Keep the traces in which no span or resource has it.", examples=[True]
    )


class NumericAttribute(_Policy):
    """Keep traces by the number of an attribute."""

    type: Literal["numeric_attribute"]
    numeric_attribute: NumericAttributeSettings


class BooleanAttributeSettings(Section):
    """Keep a trace in which a span or resource has such a truth value."""

    key: str = Field(description="The attribute.", examples=["debug"], min_length=1)
    value: bool = Field(description="The truth value.", examples=[True])
    invert_match: bool = Field(
        default=False, description="Keep the traces in which no span or resource has it.", examples=[True]
    )


class BooleanAttribute(_Policy):
    """Keep traces by the truth value of an attribute."""

    type: Literal["boolean_attribute"]
    boolean_attribute: BooleanAttributeSettings


class TraceStateSettings(Section):
    """Keep a trace with such a tracestate."""

    key: str = Field(description="A key of the tracestate.", examples=["vendor"], min_length=1)
    values: tuple[str, ...] = Field(description="Values under it.", examples=[["keep"]], min_length=1)


class TraceState(_Policy):
    """Keep traces by their tracestate."""

    type: Literal["trace_state"]
    trace_state: TraceStateSettings


class SpanCountSettings(Section):
    """Keep a trace of so many spans."""

    min_spans: int = Field(description="At least.", examples=[50], ge=0)
    max_spans: int = setting(0, "At most; 0 is no upper bound.", 0, ge=0)


class SpanCount(_Policy):
    """Keep traces by the number of their spans."""

    type: Literal["span_count"]
    span_count: SpanCountSettings


class RateLimitingSettings(Section):
    """Keep traces while they come to no more than so many spans a second."""

    spans_per_second: int = Field(description="Spans a second; as many are saved up.", examples=[100], ge=1)


class RateLimiting(_Policy):
    """Keep what nothing else keeps, up to a rate of spans."""

    type: Literal["rate_limiting"]
    rate_limiting: RateLimitingSettings


class BytesLimitingSettings(Section):
    """Keep traces while they come to no more than so many bytes a second."""

    bytes_per_second: int = Field(description="Bytes a second.", examples=[1_000_000], ge=1)
    burst_capacity: int = setting(0, "Bytes that are saved up; 0 for two seconds' worth.", 5_000_000, ge=0)


class BytesLimiting(_Policy):
    """Keep what nothing else keeps, up to a rate of bytes."""

    type: Literal["bytes_limiting"]
    bytes_limiting: BytesLimitingSettings


class LlmCostSettings(Section):
    """Keep a trace whose LLM calls cost so much together."""

    min_usd: float = Field(description="US dollars, at least.", examples=[0.5], gt=0)


class LlmCost(_Policy):
    """Keep dear traces."""

    type: Literal["llm_cost"]
    llm_cost: LlmCostSettings


class LlmTokensSettings(Section):
    """Keep a trace whose LLM calls took so many tokens together."""

    min_tokens: int = Field(description="Input and output tokens, at least.", examples=[50_000], gt=0)


class LlmTokens(_Policy):
    """Keep traces that took many tokens."""

    type: Literal["llm_tokens"]
    llm_tokens: LlmTokensSettings


class LlmTimeSettings(Section):
    """Keep a trace in which a call took so long."""

    threshold_ms: float = Field(description="Milliseconds, at least.", examples=[2000], gt=0)


class LlmTtft(_Policy):
    """Keep traces in which the first token came late."""

    type: Literal["llm_ttft"]
    llm_ttft: LlmTimeSettings


class LlmTimePerOutputToken(_Policy):
    """Keep traces in which tokens came slowly."""

    type: Literal["llm_time_per_output_token"]
    llm_time_per_output_token: LlmTimeSettings


class LlmRetriesSettings(Section):
    """Keep a trace in which so many LLM calls failed."""

    min_failed_calls: int = Field(description="Failed calls, at least.", examples=[3], ge=2)


class LlmRetries(_Policy):
    """Keep traces that tried again and again."""

    type: Literal["llm_retries"]
    llm_retries: LlmRetriesSettings


class LlmErrorSettings(Section):
    """Keep a trace in which an LLM call failed for one of these reasons."""

    classes: tuple[ErrorClass, ...] = Field(description="Reasons.", examples=[["rate_limit"]], min_length=1)


class LlmError(_Policy):
    """Keep traces by the reason of a failed LLM call. A budget does not touch them."""

    type: Literal["llm_error"]
    llm_error: LlmErrorSettings


class LlmSafetyBlock(_Policy):
    """Keep traces in which a provider's safety system refused. A budget does not touch them."""

    type: Literal["llm_safety_block"]


class EvaluationSettings(Section):
    """Keep a trace with such a score."""

    evaluation: str = setting("", "The evaluation's name; empty for any.", "faithfulness")
    below: float = Field(description="Scores below this.", examples=[0.5])


class Evaluation(_Policy):
    """Keep traces whose evaluation came out badly."""

    type: Literal["evaluation"]
    evaluation: EvaluationSettings


class ThumbsDown(_Policy):
    """Keep traces that a user was not content with."""

    type: Literal["thumbs_down"]


class ToolError(_Policy):
    """Keep traces in which a tool failed. A budget does not touch them."""

    type: Literal["tool_error"]


class RedactedSettings(Section):
    """Keep a trace from which personal data or secrets were taken."""

    entities: tuple[str, ...] = setting((), "Which, as `spansieve policy show` names them; none for any.", ["CARD"])
    min_values: int = setting(1, "So many values or more.", 5, ge=1)


class Redacted(_Policy):
    """Keep traces by what was redacted in them."""

    type: Literal["redacted"]
    redacted: RedactedSettings


class DynamicSettings(Section):
    """Keep one in so many on average: rare prompt templates, models … more often than frequent ones."""

    keys: tuple[KeyPart, ...] = Field(description="What tells kinds apart.", examples=[["template"]], min_length=1)
    goal_sampling_rate: float = Field(description="Keep one in so many.", examples=[20], ge=1)
    adjustment_interval: Duration = setting(15.0, "How often the shares are set anew.", "15s", gt=0)
    weight: float = setting(0.5, "Of the last interval against those before.", 0.5, gt=0, lt=1)
    max_keys: int = setting(500, "Kinds told apart.", 500, ge=1, le=10_000)


class Dynamic(_Policy):
    """Keep what is rare, and thin out what is frequent, in shares that adapt."""

    type: Literal["dynamic"]
    dynamic: DynamicSettings


class ConversationSettings(Section):
    """Keep whole conversations."""

    sampling_percentage: float = setting(0.0, "Percent of conversations, 0 to 100.", 5, ge=0, le=100)
    follow: bool = Field(
        default=True,
        description="Once a trace of a conversation was kept as failed, slow …, keep those after it.",
        examples=[True],
    )


class Conversation(_Policy):
    """Keep all traces of some conversations (`gen_ai.conversation.id`)."""

    type: Literal["conversation"]
    conversation: ConversationSettings


class AndSettings(Section):
    """Keep a trace that each of these keeps."""

    and_sub_policy: tuple["SamplingPolicy", ...] = Field(description="Policies.", examples=[[]], min_length=1)


class And(_Policy):
    """Keep traces that several policies agree on."""

    type: Literal["and"]
    and_: AndSettings = Field(alias="and")


class NotSettings(Section):
    """Keep a trace that this does not keep."""

    not_sub_policy: "SamplingPolicy" = Field(description="A policy that is no share and no rate.", examples=[{}])


class Not(_Policy):
    """Keep traces that a policy would not."""

    type: Literal["not"]
    not_: NotSettings = Field(alias="not")


class DropSettings(Section):
    """Sample out a trace that each of these keeps."""

    drop_sub_policy: tuple["SamplingPolicy", ...] = Field(description="Policies.", examples=[[]], min_length=1)


class Drop(_Policy):
    """Sample out traces that all of some policies agree on, whatever the others say."""

    type: Literal["drop"]
    drop: DropSettings


class RateAllocation(Section):
    """The share of one policy."""

    policy: str = Field(description="Its name.", examples=["errors"])
    percent: float = Field(description="Of max_total_spans_per_second.", examples=[50], ge=0, le=100)


class CompositeSettings(Section):
    """Ask policies in order, each with a share of a rate."""

    max_total_spans_per_second: int = Field(description="Spans a second, of all together.", examples=[1000], ge=1)
    policy_order: tuple[str, ...] = Field(description="Names, in the order to ask.", examples=[["errors"]])
    composite_sub_policy: tuple["SamplingPolicy", ...] = Field(description="Policies.", examples=[[]], min_length=1)
    rate_allocation: tuple[RateAllocation, ...] = setting(
        (), "Shares; the policies not named here have equal parts of what is left.", []
    )

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        names = [policy.name for policy in self.composite_sub_policy]
        if sorted(names) != sorted(self.policy_order):
            raise ValueError("has a policy_order that does not name each policy of composite_sub_policy once")
        if unknown := {share.policy for share in self.rate_allocation} - set(names):
            raise ValueError(f"allocates a rate to {min(unknown)!r}, which is none of its policies")
        if sum(share.percent for share in self.rate_allocation) > 100:
            raise ValueError("allocates more than 100 percent")
        return self


class Composite(_Policy):
    """Keep what nothing else keeps, by policies that share a rate of spans."""

    type: Literal["composite"]
    composite: CompositeSettings


SamplingPolicy = Annotated[
    AlwaysSample
    | StatusCode
    | Latency
    | Probabilistic
    | StringAttribute
    | NumericAttribute
    | BooleanAttribute
    | TraceState
    | SpanCount
    | RateLimiting
    | BytesLimiting
    | LlmCost
    | LlmTokens
    | LlmTtft
    | LlmTimePerOutputToken
    | LlmRetries
    | LlmError
    | LlmSafetyBlock
    | Evaluation
    | ThumbsDown
    | ToolError
    | Redacted
    | Dynamic
    | Conversation
    | And
    | Not
    | Drop
    | Composite,
    Field(discriminator="type"),
]

for _section in (AndSettings, NotSettings, DropSettings, CompositeSettings, And, Not, Drop, Composite):
    _section.model_rebuild()


class DecisionCache(Section):
    """How many verdicts are remembered, so that late spans follow them."""

    sampled_cache_size: int = setting(100_000, "Kept traces remembered; about 200 bytes each.", 100_000, ge=0)
    non_sampled_cache_size: int = setting(500_000, "Sampled-out traces remembered; about 70 bytes each.", 500_000, ge=0)


class Budget(Section):
    """What may be kept a minute; failed traces are kept beyond it."""

    traces_per_minute: int | None = setting(None, "Traces; null for no bound.", 600, ge=1)
    mib_per_minute: float | None = setting(None, "MiB; null for no bound.", 50, gt=0)


_DEFAULT_POLICIES: tuple[SamplingPolicy, ...] = (
    StatusCode(name="errors", type="status_code", status_code=StatusCodeSettings(status_codes=("ERROR",))),
    Latency(name="slow", type="latency", latency=LatencySettings(threshold_ms=5000)),
    Probabilistic(name="baseline", type="probabilistic", probabilistic=ProbabilisticSettings(sampling_percentage=10)),
)


class Sampling(Section):
    """Which traces are kept. A trace is kept when any policy says so, and none of type `drop` is against it."""

    decision_wait: Duration = setting(
        30.0,
        "From a trace's first span to its decision. Make it longer than a trace takes and its senders batch (5s by "
        "default): a failure that arrives after the decision does not change it.",
        "30s",
        gt=0,
        le=3600,
    )
    decision_wait_after_root_received: Duration | None = setting(
        None, "Decide so long after the root span, if that is sooner; null waits in full.", "10s", ge=0, le=3600
    )
    late_error_wait: Duration = setting(
        5.0,
        "How long a trace that was sampled out is still held: an error that comes late brings it back. Given up first "
        "when memory is short.",
        "5s",
        ge=0,
        le=3600,
    )
    maximum_trace_size_mib: float = setting(
        16.0, "A trace that grows beyond this is decided in parts, as they come.", 16, gt=0
    )
    policies: tuple[SamplingPolicy, ...] = Field(
        default=_DEFAULT_POLICIES, description="In the order in which a kept trace is credited to them.", min_length=1
    )
    budget: Budget = Budget()
    decision_cache: DecisionCache = DecisionCache()

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        names = [policy.name for policy in self.policies]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"names two policies {twice[0]!r}: names tell them apart in metrics, so each needs its own"
            )
        return self
