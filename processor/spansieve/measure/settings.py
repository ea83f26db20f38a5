"""How to measure: what the operator chose, as the core takes it."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum

from spansieve.catalogue import Semconv


class ApplicationMetrics(StrEnum):
    """What becomes of metrics that applications send under a name which the gateway derives itself."""

    DROP = "drop"  # they are left out: each call counts once
    RENAME = "rename"  # they are passed on as application.…: told apart from ours by their name
    KEEP = "keep"  # they are passed on as they are: told apart by scope and resource only


@dataclass(frozen=True, slots=True)
class OwnLabel:
    """A label of the operator's on the metrics of calls: its name, and the attribute that its values are read from."""

    name: str
    attribute: str


@dataclass(frozen=True, slots=True)
class MeterSettings:
    """What the operator chose. Times are seconds."""

    semconv: Semconv = Semconv.V1_41
    label_limit: int = 200  # distinct values of a label
    own_labels: tuple[OwnLabel, ...] = ()
    allowed: Mapping[str, AbstractSet[str]] = field(default_factory=dict)  # label → its values; others become `other`
    application_metrics: ApplicationMetrics = ApplicationMetrics.DROP
    own_service: str = "spansieve"  # service.name of the gateway itself, whose metrics pass as they are
    conversation_idle_s: float = 1800.0
    exemplar_patience_s: float = 90.0  # how long a candidate waits: longer than a trace for its decision
    user_key: bytes = field(default=b"", repr=False)  # of users' pseudonyms
    normalise: bool = False  # add the current gen_ai.* attributes to spans that leave
    seen_spans: int = 200_000  # remembered, so that a repeated one counts once: minutes of traffic, some 20 MB


DEFAULTS = MeterSettings()
