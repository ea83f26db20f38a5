"""What attribute policies look for on spans and resources, asked once for each span when it comes.

A probe that matches anywhere in a trace sets its bit in `TraceFacts.marks`: a trace need not be parsed again when it is
decided. A bit belongs to what is looked for, not to a policy, so that policies may change while traces wait.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import re2
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


def _quiet() -> re2.Options:
    """A pattern's mistake is told by ProbeError, not also by the library on standard error."""
    options = re2.Options()
    options.log_errors = False
    return options


class ProbeError(ValueError):
    """What is looked for cannot be looked for; the message says why."""


@dataclass(frozen=True, slots=True)
class TextProbe:
    """A value that is one of these texts, or, as a regular expression, that one of these is found in (RE2)."""

    key: str
    values: tuple[str, ...]
    regex: bool = False
    _patterns: tuple[re.Pattern[str], ...] = field(init=False, repr=False, compare=False)
    _texts: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        patterns = []
        for value in self.values if self.regex else ():
            try:
                patterns.append(re2.compile(value, _quiet()))  # type: ignore[no-untyped-call] # re2 ships no stubs
            except re2.error:
                raise ProbeError(f"{value!r} is not a regular expression of RE2's syntax") from None
        object.__setattr__(self, "_patterns", tuple(patterns))
        object.__setattr__(self, "_texts", frozenset(() if self.regex else self.values))

    def matches(self, value: AnyValue) -> bool:
        """Whether a value is looked for. Only texts are."""
        text = value.string_value
        return bool(text) and (text in self._texts or any(pattern.search(text) for pattern in self._patterns))


@dataclass(frozen=True, slots=True)
class NumberProbe:
    """A number from `least` to `most`, both included."""

    key: str
    least: float
    most: float

    def matches(self, value: AnyValue) -> bool:
        """Whether a value is looked for."""
        kind = value.WhichOneof("value")
        if kind == "int_value":
            return self.least <= value.int_value <= self.most
        return kind == "double_value" and self.least <= value.double_value <= self.most


@dataclass(frozen=True, slots=True)
class TruthProbe:
    """A truth value."""

    key: str
    value: bool

    def matches(self, value: AnyValue) -> bool:
        """Whether a value is looked for."""
        return value.WhichOneof("value") == "bool_value" and value.bool_value is self.value


@dataclass(frozen=True, slots=True)
class TraceStateProbe:
    """A tracestate that has one of these values under a key."""

    key: str
    values: tuple[str, ...]

    def is_in(self, trace_state: str) -> bool:
        """Whether a tracestate is looked for."""
        for member in trace_state.split(","):
            name, separator, value = member.strip().partition("=")
            if separator and name == self.key and value in self.values:
                return True
        return False


class AttributeProbe(Protocol):
    """Looks at the attributes under one key."""

    @property
    def key(self) -> str:
        """The attribute's key."""
        ...

    def matches(self, value: AnyValue) -> bool:
        """Whether a value is looked for."""
        ...


Probe = TextProbe | NumberProbe | TruthProbe | TraceStateProbe
_MOST = 512


class Probes:
    """All probes of a process, each with its bit. Owner: the sampler. Probes of former policies keep their bits."""

    def __init__(self) -> None:
        self._bits: dict[Probe, int] = {}
        self._of_key: Mapping[str, Sequence[tuple[AttributeProbe, int]]] = {}
        self._trace_states: Sequence[tuple[TraceStateProbe, int]] = ()
        self.keys: frozenset[str] = frozenset()
        """The attributes that the probes in use look at."""

    def use(self, probes: Iterable[Probe]) -> dict[Probe, int]:
        """Look for these from now on; gives each one's bit. Raises ProbeError after too many different ones."""
        of_key: dict[str, list[tuple[AttributeProbe, int]]] = {}
        trace_states: list[tuple[TraceStateProbe, int]] = []
        used: dict[Probe, int] = {}
        for probe in dict.fromkeys(probes):
            if probe not in self._bits and len(self._bits) >= _MOST:
                raise ProbeError(f"attribute policies have looked for more than {_MOST} different things: restart")
            bit = used[probe] = self._bits.setdefault(probe, 1 << len(self._bits))
            if isinstance(probe, TraceStateProbe):
                trace_states.append((probe, bit))
            else:
                of_key.setdefault(probe.key, []).append((probe, bit))
        self._of_key, self._trace_states = of_key, trace_states
        self.keys = frozenset(of_key)
        return used

    def of_attributes(self, attributes: Iterable[KeyValue]) -> int:
        """The bits of what these attributes of a span or resource say."""
        marks = 0
        of_key = self._of_key
        for attribute in attributes:
            for probe, bit in of_key.get(attribute.key, ()):
                if probe.matches(attribute.value):
                    marks |= bit
        return marks

    def of_trace_state(self, trace_state: str) -> int:
        """The bits of what a tracestate says."""
        marks = 0
        for probe, bit in self._trace_states:
            if probe.is_in(trace_state):
                marks |= bit
        return marks

    def of_span(self, span: Span) -> int:
        """The bits of what a span says."""
        return self.of_attributes(span.attributes) | self.of_trace_state(span.trace_state)
