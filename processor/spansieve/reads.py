"""What the stages behind redaction look at in a span, beside its bytes: redaction hands on that, and no more."""

from dataclasses import dataclass

from spansieve import redact
from spansieve.measure import Meter
from spansieve.model import DecodedSpans, RedactedSpans
from spansieve.sample import Sampler


@dataclass(frozen=True, slots=True)
class Reads:
    """Asks those stages, as they are now: a reload changes what the sampler's policies look for."""

    meter: Meter
    sampler: Sampler

    def attribute(self, key: str) -> bool:
        """Whether anybody looks at attributes of this key."""
        return key in self.sampler.probes.keys or self.meter.reads(key)

    def event(self, name: str) -> bool:
        """Whether anybody looks at events of this name."""
        return self.meter.reads_event(name)

    def restored(self, decoded: DecodedSpans) -> RedactedSpans:
        """Spans that were redacted before, by another process. Raises MalformedRequest for what is no OTLP within."""
        return redact.restored(decoded, self.attribute, self.event)
