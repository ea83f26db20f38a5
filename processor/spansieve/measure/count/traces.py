"""What is remembered of a trace with LLM spans, so that each of its calls counts once."""

from dataclasses import dataclass, field
from typing import TypeAlias

from spansieve.measure.llm_call import AgentRun, LlmCall, Tokens, WorkflowRun

Lone: TypeAlias = tuple[float, bytes, int | None, int | None, int | None, int | None, int | None]
"""A trace of which one counted call is known, as nearly all are: when, span id, and its tokens one by one.

A plain tuple of nothing but numbers and bytes is none of the garbage collector's business.
"""
Run: TypeAlias = AgentRun | WorkflowRun


@dataclass(slots=True)
class Trace:
    """What is remembered of one trace with LLM spans; ids are span ids."""

    trace_id: bytes
    last: float
    counted: dict[bytes, Tokens] = field(default_factory=dict)
    above: set[bytes] = field(default_factory=set)  # spans above a counted call
    open: set[bytes] = field(default_factory=set)  # calls of which not all spans above are known
    wrapped: bool = False  # a call that may stand above another one is counted
    held: dict[bytes, LlmCall] = field(default_factory=dict)
    logged: dict[bytes, LlmCall] = field(default_factory=dict)
    runs: dict[bytes, Run] = field(default_factory=dict)
    unreconciled: set[bytes] = field(default_factory=set)  # those runs that were not compared yet
    age: int = 0  # in which of its owner's ages it was made

    @property
    def size(self) -> int:
        """How many things are remembered."""
        return len(self.counted) + len(self.held) + len(self.logged) + len(self.runs)

    def copy(self, age: int) -> "Trace":
        """Another one that remembers the same."""
        return Trace(
            self.trace_id,
            self.last,
            self.counted.copy(),
            self.above.copy(),
            self.open.copy(),
            self.wrapped,
            self.held.copy(),
            self.logged.copy(),
            self.runs.copy(),
            self.unreconciled.copy(),
            age,
        )
