"""The section `sampling` of the configuration: policies made of others, and how long traces wait for them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from spansieve.config_llm_policies import (
    Conversation,
    Dynamic,
    Evaluation,
    LlmCost,
    LlmError,
    LlmRetries,
    LlmSafetyBlock,
    LlmTimePerOutputToken,
    LlmTokens,
    LlmTtft,
    Redacted,
    ThumbsDown,
    ToolError,
)
from spansieve.config_policies import (
    AlwaysSample,
    BooleanAttribute,
    BytesLimiting,
    Latency,
    LatencySettings,
    NumericAttribute,
    Policy,
    Probabilistic,
    ProbabilisticSettings,
    RateLimiting,
    SpanCount,
    StatusCode,
    StatusCodeSettings,
    StringAttribute,
    TraceState,
)
from spansieve.config_types import Duration, Section, setting


class AndSettings(Section):
    """Keep a trace that each of these keeps."""

    and_sub_policy: tuple["SamplingPolicy", ...] = Field(description="Policies.", examples=[[]], min_length=1)


class And(Policy):
    """Keep traces that several policies agree on."""

    type: Literal["and"]
    and_: AndSettings = Field(alias="and")


class NotSettings(Section):
    """Keep a trace that this does not keep."""

    not_sub_policy: "SamplingPolicy" = Field(description="A policy that is no share.", examples=[{}])

    @model_validator(mode="after")
    def _is_no_share(self) -> Self:
        if self.not_sub_policy.type in ("probabilistic", "dynamic"):
            raise ValueError("is around a share, which has no opposite: keep the other share by probabilistic itself")
        return self


class Not(Policy):
    """Keep traces that a policy would not."""

    type: Literal["not"]
    not_: NotSettings = Field(alias="not")


class DropSettings(Section):
    """Sample out a trace that each of these keeps."""

    drop_sub_policy: tuple["SamplingPolicy", ...] = Field(description="Policies.", examples=[[]], min_length=1)


class Drop(Policy):
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
        if sorted(names) != sorted(self.policy_order) or len(set(names)) < len(names):
            raise ValueError("has a policy_order that does not name each policy of composite_sub_policy once")
        if unknown := {share.policy for share in self.rate_allocation} - set(names):
            raise ValueError(f"allocates a rate to {min(unknown)!r}, which is none of its policies")
        if len({share.policy for share in self.rate_allocation}) < len(self.rate_allocation):
            raise ValueError("allocates a rate to one of its policies twice")
        if sum(share.percent for share in self.rate_allocation) > 100:
            raise ValueError("allocates more than 100 percent")
        return self


class Composite(Policy):
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


def within(policy: SamplingPolicy) -> tuple[SamplingPolicy, ...]:
    """The policies that one is made of; empty for most."""
    match policy:
        case And():
            return policy.and_.and_sub_policy
        case Not():
            return (policy.not_.not_sub_policy,)
        case Drop():
            return policy.drop.drop_sub_policy
        case Composite():
            return policy.composite.composite_sub_policy
    return ()


def every(some: Iterable[SamplingPolicy]) -> Iterator[SamplingPolicy]:
    """Policies, and all that they are made of."""
    for each in some:
        yield each
        yield from every(within(each))


class DecisionCache(Section):
    """How many verdicts are remembered, so that late spans follow them."""

    sampled_cache_size: int = setting(100_000, "Kept traces remembered; about 200 bytes each.", 100_000, ge=0)
    non_sampled_cache_size: int = setting(500_000, "Sampled-out traces remembered; about 80 bytes each.", 500_000, ge=0)


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

    instead: ClassVar[Mapping[str, str]] = {
        "num_traces": "Leave it out: what waits is bounded in bytes, by memory_limiter.limit_mib.",
        "expected_new_traces_per_sec": "Leave it out: nothing is reserved beforehand.",
        "block_on_overflow": "Leave it out: senders are told to come again (UNAVAILABLE with RetryInfo, 503).",
        "sample_on_first_match": "Leave it out: policies have no order, and the trace is decided as a whole.",
        "sampling_strategy": "Leave it out: traces are always decided as a whole, as by trace-complete.",
        "drop_pending_traces_on_shutdown": "Leave it out: what waits is in the journal; see drain_on_shutdown.",
        "maximum_trace_size_bytes": "Write maximum_trace_size_mib: a trace beyond it is decided in parts, not dropped.",
        "num_shards": "Leave it out: see workers.",
        "tail_storage": "Leave it out: what waits is in the journal, see storage.",
    }
    decision_wait: Duration = setting(
        30.0,
        "From a trace's first span to its decision. Make it longer than a trace takes and its senders batch (5s by "
        "default): a failure that arrives after the decision does not change it.",
        "30s",
        gt=0,
        le=3600,
    )
    decision_wait_after_root_received: Duration | None = setting(
        None, "Decide so long after the root span, if that is sooner; null or 0s waits in full.", "10s", ge=0, le=3600
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
        default=_DEFAULT_POLICIES,
        description="A kept trace is credited to the first that keeps it, whole kinds (slow, dear …) before shares.",
        min_length=1,
    )
    budget: Budget = Budget()
    decision_cache: DecisionCache = DecisionCache()

    @model_validator(mode="after")
    def _keeps_something(self) -> Self:
        if all(policy.shadow or isinstance(policy, Drop) for policy in self.policies):
            raise ValueError("keeps nothing: each of its policies is in shadow or of type drop")
        return self

    @model_validator(mode="after")
    def _shadows_are_whole(self) -> Self:
        for policy in self.policies:
            if hidden := next((each.name for each in every(within(policy)) if each.shadow), None):
                raise ValueError(
                    f"has shadow on {hidden!r} within {policy.name!r}, where it does nothing: "
                    "put it on the outermost policy"
                )
        return self

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        names = [policy.name for policy in self.policies]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"names two policies {twice[0]!r}: names tell them apart in metrics, so each needs its own"
            )
        return self
