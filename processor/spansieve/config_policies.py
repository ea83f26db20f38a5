"""The section `sampling.policies`: those of the Collector's tail sampling, under its names."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from spansieve.config_types import Section, setting


class Policy(Section):
    """What all policies have."""

    instead: ClassVar[Mapping[str, str]] = {
        "ottl_condition": "Ask for attributes by string_attribute, numeric_attribute and boolean_attribute, joined by "
        "and, not and drop: there is no language for conditions.",
        "trace_flags": "Leave it out: an SDK sends the spans that it sampled, so that all have the flag.",
    }
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


class AlwaysSample(Policy):
    """Keep every trace."""

    type: Literal["always_sample"]


class StatusCodeSettings(Section):
    """Keep a trace that holds a span of one of these statuses."""

    status_codes: tuple[Literal["ERROR", "OK", "UNSET"], ...] = Field(
        description="Statuses of spans.", examples=[["ERROR"]], min_length=1
    )


class StatusCode(Policy):
    """Keep failed traces (or those of another status). A budget does not touch what is kept for ERROR alone."""

    type: Literal["status_code"]
    status_code: StatusCodeSettings


class LatencySettings(Section):
    """Keep a trace that lasts so long, from its earliest start to its latest end."""

    threshold_ms: int = Field(description="More than so many whole milliseconds.", examples=[5000], ge=0)
    upper_threshold_ms: int = setting(0, "At most so many milliseconds; 0 is no upper bound.", 0, ge=0)

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if 0 < self.upper_threshold_ms <= self.threshold_ms:
            raise ValueError("keeps nothing: upper_threshold_ms has to be above threshold_ms, or 0")
        return self


class Latency(Policy):
    """Keep slow traces."""

    type: Literal["latency"]
    latency: LatencySettings


class ProbabilisticSettings(Section):
    """Keep a share of all traces, chosen by the randomness of the trace id (or `ot=rv` of the tracestate)."""

    instead: ClassVar[Mapping[str, str]] = {
        "hash_salt": "Leave it out: a trace's share follows the randomness of its id, the same in every gateway.",
    }
    sampling_percentage: float = Field(description="Percent, 0 to 100.", examples=[10], ge=0, le=100)


class Probabilistic(Policy):
    """Keep a share of the rest."""

    type: Literal["probabilistic"]
    probabilistic: ProbabilisticSettings


class StringAttributeSettings(Section):
    """Keep a trace in which a span or resource has such a text."""

    instead: ClassVar[Mapping[str, str]] = {
        "cache_max_size": "Leave it out: the patterns are RE2's, and each span is asked once, when it comes.",
    }
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


class StringAttribute(Policy):
    """Keep traces by the text of an attribute."""

    type: Literal["string_attribute"]
    string_attribute: StringAttributeSettings


class NumericAttributeSettings(Section):
    """Keep a trace in which a span or resource has such a number."""

    key: str = Field(description="The attribute.", examples=["http.response.status_code"], min_length=1)
    min_value: float = setting(float("-inf"), "At least; one of the two bounds is needed.", 500)
    max_value: float = setting(float("inf"), "At most.", 599)
    invert_match: bool = Field(
        default=False, description="Keep the traces in which no span or resource has it.", examples=[True]
    )

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if not self.model_fields_set & {"min_value", "max_value"}:
            raise ValueError("has neither min_value nor max_value: give one of them")
        if not self.min_value <= self.max_value:
            raise ValueError("matches nothing: max_value is below min_value")
        return self


class NumericAttribute(Policy):
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


class BooleanAttribute(Policy):
    """Keep traces by the truth value of an attribute."""

    type: Literal["boolean_attribute"]
    boolean_attribute: BooleanAttributeSettings


class TraceStateSettings(Section):
    """Keep a trace with such a tracestate."""

    key: str = Field(description="A key of the tracestate.", examples=["vendor"], min_length=1)
    values: tuple[str, ...] = Field(description="Values under it.", examples=[["keep"]], min_length=1)


class TraceState(Policy):
    """Keep traces by their tracestate."""

    type: Literal["trace_state"]
    trace_state: TraceStateSettings


class SpanCountSettings(Section):
    """Keep a trace of so many spans."""

    min_spans: int = setting(0, "At least; one of the two bounds is needed.", 50, ge=0)
    max_spans: int = setting(0, "At most; 0 is no upper bound.", 0, ge=0)

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if not self.model_fields_set & {"min_spans", "max_spans"}:
            raise ValueError("has neither min_spans nor max_spans: give one of them")
        if 0 < self.max_spans < self.min_spans:
            raise ValueError("keeps nothing: max_spans is below min_spans")
        return self


class SpanCount(Policy):
    """Keep traces by the number of their spans."""

    type: Literal["span_count"]
    span_count: SpanCountSettings


class RateLimitingSettings(Section):
    """Keep traces while they come to no more than so many spans a second."""

    spans_per_second: int = Field(description="Spans a second.", examples=[100], ge=1)
    burst_capacity: int = setting(0, "Spans that are saved up; 0 for two seconds' worth.", 500, ge=0)


class RateLimiting(Policy):
    """Keep what nothing else keeps, up to a rate of spans."""

    type: Literal["rate_limiting"]
    rate_limiting: RateLimitingSettings


class BytesLimitingSettings(Section):
    """Keep traces while they come to no more than so many bytes a second."""

    bytes_per_second: int = Field(description="Bytes a second.", examples=[1_000_000], ge=1)
    burst_capacity: int = setting(0, "Bytes that are saved up; 0 for two seconds' worth.", 5_000_000, ge=0)


class BytesLimiting(Policy):
    """Keep what nothing else keeps, up to a rate of bytes."""

    type: Literal["bytes_limiting"]
    bytes_limiting: BytesLimitingSettings
