"""Tail sampling: traces wait, are decided as a whole, and late spans follow the verdict."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from spansieve.model import Decision, PendingTrace, SampledTrace, TraceSlice, Trigger
from spansieve.sample.buffer import TraceBuffer
from spansieve.sample.decision import decide
from spansieve.sample.late_spans import DecisionMemory
from spansieve.sample.policies import Policy


@dataclass(frozen=True, slots=True)
class Added:
    """What became of late spans at once; the rest of what was added waits."""

    kept: list[SampledTrace] = field(default_factory=list)
    sampled_out_spans: int = 0


@dataclass(frozen=True, slots=True)
class Decided:
    """Traces that were decided: those to export, and the ids and span counts of those that end here."""

    kept: list[SampledTrace] = field(default_factory=list)
    sampled_out: list[tuple[bytes, int]] = field(default_factory=list)

    @property
    def sampled_out_spans(self) -> int:
        """Spans that end here."""
        return sum(spans for _, spans in self.sampled_out)


class Sampler:
    """All traces of one owner: those that wait and the verdicts on those that do not. One owner, no locks.

    Every span that was added is kept, sampled out or held. `decided_traces` and `decided_spans` count verdicts since
    the start, for the telemetry; under LATE_SPAN the former counts the slices that followed an earlier verdict.

    Late spans follow the verdict whatever they hold: an error that comes late does not bring a sampled-out trace back.
    """

    def __init__(
        self,
        policies: Sequence[Policy],
        decision_wait: float,
        sampled_cache_size: int,
        non_sampled_cache_size: int,
    ) -> None:
        self._policies = tuple(policies)
        self._buffer = TraceBuffer(decision_wait)
        self._memory = DecisionMemory(sampled_cache_size, non_sampled_cache_size)
        self.decided_traces: Counter[Decision] = Counter()
        self.decided_spans: Counter[Decision] = Counter()

    @property
    def held_bytes(self) -> int:
        """Bytes of spans and envelopes that wait for a decision."""
        return self._buffer.held_bytes

    @property
    def held_traces(self) -> int:
        """Traces that wait for a decision."""
        return len(self._buffer)

    @property
    def held_spans(self) -> int:
        """Spans that wait for a decision."""
        return self._buffer.held_spans

    @property
    def remembered(self) -> int:
        """Verdicts in memory for late spans."""
        return len(self._memory)

    def next_due(self) -> float | None:
        """When the next decision falls due, in monotonic seconds; None when nothing waits."""
        return self._buffer.next_due()

    def add(self, slices: Iterable[TraceSlice], now: float) -> Added:
        """Take in what a request brought: late spans follow their verdict at once, others wait."""
        kept: list[SampledTrace] = []
        sampled_out = 0
        for part in slices:
            policy = self._memory.recall(part.trace_id)
            if policy is None:
                self._buffer.add(part, now)
                continue
            decision = Decision(keep=bool(policy), policy=policy, trigger=Trigger.LATE_SPAN)
            self._count(decision, part.facts.spans)
            if decision.keep:
                kept.append(SampledTrace(part.trace_id, part.groups, part.facts, decision))
            else:
                sampled_out += part.facts.spans
        return Added(kept, sampled_out)

    def take_due(self, now: float, limit: int) -> Decided:
        """Decide what is due at `now`, oldest first, at most `limit` traces."""
        decided = Decided()
        for _ in range(limit):
            due = self._buffer.next_due()
            if due is None or due > now:
                break
            self._decide(self._buffer.take_oldest(), Trigger.WAIT_EXPIRED, decided)
        return decided

    def evict(self, bytes_to_free: int) -> Decided:
        """Decide the oldest traces on what is known of them, until at least so many bytes are no longer held."""
        decided = Decided()
        enough = self._buffer.held_bytes - bytes_to_free
        while self._buffer.held_bytes > enough and self._buffer:
            self._decide(self._buffer.take_oldest(), Trigger.MEMORY_PRESSURE, decided)
        return decided

    def flush(self, trigger: Trigger) -> Decided:
        """Decide all traces on what is known of them."""
        decided = Decided()
        while self._buffer:
            self._decide(self._buffer.take_oldest(), trigger, decided)
        return decided

    def reconfigure(self, policies: Sequence[Policy], decision_wait: float) -> None:
        """Go on with other policies and another wait; both hold for the traces that wait already. Verdicts stay."""
        self._policies = tuple(policies)
        self._buffer.set_decision_wait(decision_wait)

    def _decide(self, trace: PendingTrace, trigger: Trigger, decided: Decided) -> None:
        decision = decide(trace.trace_id, trace.facts, self._policies, trigger)
        self._memory.remember(trace.trace_id, decision.policy)
        self._count(decision, trace.facts.spans)
        if decision.keep:
            decided.kept.append(SampledTrace(trace.trace_id, tuple(trace.groups), trace.facts, decision))
        else:
            decided.sampled_out.append((trace.trace_id, trace.facts.spans))

    def _count(self, decision: Decision, spans: int) -> None:
        self.decided_traces[decision] += 1
        self.decided_spans[decision] += spans
