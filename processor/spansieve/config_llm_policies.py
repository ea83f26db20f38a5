"""The section `sampling.policies`: those for traces of LLM applications."""

from typing import Literal

from pydantic import Field

from spansieve.config_policies import Policy
from spansieve.config_types import Duration, Section, setting
from spansieve.facts import ErrorClass, KeyPart


class LlmCostSettings(Section):
    """Keep a trace whose LLM calls cost so much together."""

    min_usd: float = Field(description="US dollars, at least.", examples=[0.5], gt=0)


class LlmCost(Policy):
    """Keep dear traces."""

    type: Literal["llm_cost"]
    llm_cost: LlmCostSettings


class LlmTokensSettings(Section):
    """Keep a trace whose LLM calls took so many tokens together."""

    min_tokens: int = Field(description="Input and output tokens, at least.", examples=[50_000], gt=0)


class LlmTokens(Policy):
    """Keep traces that took many tokens."""

    type: Literal["llm_tokens"]
    llm_tokens: LlmTokensSettings


class LlmTimeSettings(Section):
    """Keep a trace in which a call took so long."""

    threshold_ms: float = Field(description="Milliseconds, at least.", examples=[2000], gt=0)


class LlmTtft(Policy):
    """Keep traces in which the first token came late."""

    type: Literal["llm_ttft"]
    llm_ttft: LlmTimeSettings


class LlmTimePerOutputToken(Policy):
    """Keep traces in which tokens came slowly."""

    type: Literal["llm_time_per_output_token"]
    llm_time_per_output_token: LlmTimeSettings


class LlmRetriesSettings(Section):
    """Keep a trace in which so many LLM calls failed."""

    min_failed_calls: int = Field(description="Failed calls, at least.", examples=[3], ge=2)


class LlmRetries(Policy):
    """Keep traces that tried again and again."""

    type: Literal["llm_retries"]
    llm_retries: LlmRetriesSettings


class LlmErrorSettings(Section):
    """Keep a trace in which an LLM call failed for one of these reasons."""

    classes: tuple[ErrorClass, ...] = Field(description="Reasons.", examples=[["rate_limit"]], min_length=1)


class LlmError(Policy):
    """Keep traces by the reason of a failed LLM call. A budget does not touch them."""

    type: Literal["llm_error"]
    llm_error: LlmErrorSettings


class LlmSafetyBlock(Policy):
    """Keep traces in which a provider's safety system refused. A budget does not touch them."""

    type: Literal["llm_safety_block"]


class EvaluationSettings(Section):
    """Keep a trace with such a score."""

    evaluation: str = setting("", "The evaluation's name; empty for any.", "faithfulness")
    below: float = Field(description="Scores below this.", examples=[0.5])


class Evaluation(Policy):
    """Keep traces whose evaluation came out badly."""

    type: Literal["evaluation"]
    evaluation: EvaluationSettings


class ThumbsDown(Policy):
    """Keep traces that a user was not content with."""

    type: Literal["thumbs_down"]


class ToolError(Policy):
    """Keep traces in which a tool failed, its own span or MCP's tools/call says. A budget does not touch them."""

    type: Literal["tool_error"]


class RedactedSettings(Section):
    """Keep a trace from which personal data or secrets were taken."""

    entities: tuple[str, ...] = setting((), "Which, as `spansieve policy show` names them; none for any.", ["CARD"])
    min_values: int = setting(1, "So many values or more.", 5, ge=1)


class Redacted(Policy):
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


class Dynamic(Policy):
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


class Conversation(Policy):
    """Keep all traces of some conversations (`gen_ai.conversation.id`)."""

    type: Literal["conversation"]
    conversation: ConversationSettings
