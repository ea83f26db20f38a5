"""What spans have in common: the few texts that say what a span is, who was asked and how it ended.

Models, providers, operations, names of tools come again and again: what is read here is read once for all spans that
carry the same, see plans.py. Numbers and ids, which are new on every span, are left to others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from spansieve.facts import ErrorClass
from spansieve.measure.read import values
from spansieve.measure.read.providers import of_model
from spansieve.measure.read.table import Dialect, Fields, Operation
from spansieve.measure.read.values import Told

_STANDARD_TIERS: Final = frozenset({"", "default", "standard", "standard_only", "normal", "auto", "on_demand"})


@dataclass(frozen=True, slots=True)
class Traits:
    """What the texts of a span, or log record, say. A text is empty where there is none."""

    operation: Operation | None  # what it is; None for a word that the dialect does not know, and when it is `unsaid`
    unsaid: bool  # neither an attribute nor its name says what it is
    model: str  # the one that the span's name holds
    provider: str  # canonical
    request_model: str
    response_model: str
    service_tier: str  # empty for the standard one
    prompt_name: str
    prompt_version: str
    agent_name: str
    finish_reasons: tuple[str, ...]
    answered: ErrorClass | None  # why a call that was answered so failed nevertheless; None when it did not
    name: str  # of what it is, where none of the next says it
    workflow_name: str
    tool_name: str
    tool_type: str
    data_source: str
    mcp_method: str
    mcp_name: str


class TraitReader:
    """Reads traits.

    `providers` are the canonical names by their spellings; `of_answer` tells failures by finish reasons alone.
    """

    def __init__(self, providers: Mapping[str, str], of_answer: Callable[[tuple[str, ...]], ErrorClass | None]) -> None:
        self._providers = providers
        self._of_answer = of_answer

    def read(self, told: Told, dialect: Dialect, fields: Fields, span_name: str) -> Traits:
        """Read the traits of a span of a dialect by its fields as far as it has them; a log record has no name."""
        operation, unsaid, model = _operation(told, dialect, fields, span_name)
        tier = told.text(fields.service_tier).strip().lower()
        finish_reasons = told.texts(fields.finish_reasons)
        asked = told.text(fields.request_model)
        answered_by = told.text(fields.response_model)
        return Traits(
            operation,
            unsaid,
            model[: values.MAX_TEXT],
            self._provider(told.text(fields.provider)) or dialect.provider or of_model(asked or answered_by),
            asked,
            answered_by,
            "" if tier in _STANDARD_TIERS else tier,
            told.text(fields.prompt_name),
            told.identifier(fields.prompt_version),
            told.text(fields.agent_name),
            finish_reasons,
            self._of_answer(finish_reasons),
            told.text(fields.name),
            told.text(fields.workflow_name),
            told.text(fields.tool_name),
            told.text(fields.tool_type),
            told.text(fields.data_source),
            told.text(fields.mcp_method),
            told.text(fields.mcp_name),
        )

    def _provider(self, given: str) -> str:
        """Return the canonical name of a provider as it was given."""
        provider = given.strip().lower()
        if (known := self._providers.get(provider)) is not None:
            return known
        # An SDK's provider, and which of its interfaces: openai.responses.
        return self._providers.get(provider.partition(".")[0], provider)


def _operation(told: Told, dialect: Dialect, fields: Fields, span_name: str) -> tuple[Operation | None, bool, str]:
    """Return what a span is, whether that is unsaid, and the model that its name may hold."""
    if span_name and (exact := dialect.names.get(span_name)) is not None and exact.what == "ignored":
        return exact, False, ""
    if named := told.text(fields.operation):
        return dialect.operations.get(named.lower(), dialect.other_operation), False, ""
    if span_name and (known := dialect.by_name(span_name)) is not None:
        return known[0], False, known[1]
    return None, True, ""
