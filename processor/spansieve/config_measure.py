"""The section `measure`: what is derived from LLM calls, and under which labels."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from spansieve import catalogue, identifiers
from spansieve.catalogue import CatalogueError, Semconv
from spansieve.config_types import Duration, Section
from spansieve.config_types import setting as key

_MOST_LABELS = 8


class OwnLabel(Section):
    """A label more on the metrics of LLM calls, read from an attribute of the span, or else of its resource."""

    attribute: str = Field(description="The attribute's key.", examples=["llm.task_type"], min_length=1, max_length=128)
    name: str = key("", "The label's name; the attribute's key when it is left out.", "llm.task_type")
    allow: tuple[str, ...] = key(
        (), "The values that it may have; others become `other`. Left out: the first `label_limit` values.", ["chat"]
    )

    @property
    def label(self) -> str:
        """The name that the label has."""
        return self.name or self.attribute

    @model_validator(mode="after")
    def _is_no_identifier(self) -> Self:
        why = identifiers.refusal(self.attribute, has_allow=bool(self.allow))
        if why:
            raise ValueError(f"names the attribute {self.attribute!r}, which {why}")
        return self


class Measure(Section):
    """What is derived from LLM calls."""

    semconv: Literal["v1.41", "latest"] = key(
        "v1.41",
        "The generation of the OpenTelemetry GenAI conventions whose metrics are derived: v1.41, which shipped SDKs "
        "emit, or the latest, which is not released.",
        "v1.41",
    )
    application_genai_metrics: Literal["drop", "rename", "keep"] = key(
        "drop",
        "Metrics that applications send under a name which this gateway derives itself: left out, so that each call "
        "counts once; passed on as `application.…`; or passed on as they are, told apart by scope and resource alone.",
        "drop",
    )
    normalise: bool = key(
        False,  # noqa: FBT003 - a default
        "Add the current `gen_ai.*` attributes beside the originals on spans that leave, so that one query finds the "
        "calls of all dialects.",
        True,  # noqa: FBT003 - an example
    )
    labels: tuple[OwnLabel, ...] = Field(
        default=(),
        description="More labels on the metrics of LLM calls. Attributes that identify are refused.",
        max_length=_MOST_LABELS,
        examples=[[{"attribute": "llm.task_type", "allow": ["chat", "summary"]}]],
    )
    allow: dict[str, tuple[str, ...]] = key(
        {},
        "Label → the values that it may have; others become `other`. Left out: the first `label_limit` values.",
        {"gen_ai.request.model": ["gpt-4o", "gpt-4o-mini"]},
    )
    label_limit: int = key(200, "Distinct values of one metric label; further ones become `other`.", 200, ge=1)
    conversation_idle: Duration = key(
        1800.0, "A conversation ends when no call of it was heard of for so long.", "30m", gt=0
    )
    prices: Path | None = key(None, "A YAML file of prices that go before the shipped table.", "prices.yaml")

    @model_validator(mode="after")
    def _labels_are_labels(self) -> Self:
        if not self.labels and not self.allow:
            return self
        own = tuple(label.label for label in self.labels)
        try:
            specs = catalogue.load("spansieve.measure", "metrics.yaml", Semconv(self.semconv), (("call", own),))
        except CatalogueError as error:
            why = error.problems[0].partition(": ")[2].removesuffix(".")
            raise ValueError(f"has labels that cannot be added to the metrics of calls: {why}") from None
        known = {label for spec in specs.values() for label in spec.labels}
        unknown = [label for label in self.allow if label not in known]
        if unknown:
            raise ValueError(f"has allow for {unknown[0]!r}, which is no label of a metric that is derived")
        return self
