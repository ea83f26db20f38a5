"""Tail sampling: traces wait, are decided as a whole, and late spans follow the verdict."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from spansieve.facts import NO_LLM, LlmFacts, TraceFacts
from spansieve.model import Because, Decision, SampledTrace, TraceSlice, Trigger
from spansieve.sample import state
from spansieve.sample.buffer import Limbo, TraceBuffer
from spansieve.sample.early_notes import EarlyNotes
from spansieve.sample.late_spans import DecisionMemory
from spansieve.sample.pending import Held, PendingTrace
from spansieve.sample.plan import Plan, Tally
from spansieve.sample.probes import Probes

_IN_PARTS = (Trigger.TOO_LARGE, Trigger.GOES_ON)
"""Of decisions against a part of a trace: the rest may yet be worth keeping, and is decided by itself."""
_LATE_AND_OUT = Decision(keep=False, policy="", trigger=Trigger.LATE_SPAN, because=Because.NO_MATCH)


@dataclass(slots=True)
class Decided:
    """Traces that were decided: those to export, and the ids and span counts of those that end here.

    `verdicts` names each trace once, with its final decision. `repeated_spans` were left out, because their trace had
    them already.
    """

    kept: list[SampledTrace] = field(default_factory=list)
    sampled_out: list[tuple[bytes, int]] = field(default_factory=list)
    verdicts: list[tuple[bytes, Decision]] = field(default_factory=list)
    repeated_spans: int = 0

    @property
    def sampled_out_spans(self) -> int:
        """Spans that end here."""
        return sum(spans for _, spans in self.sampled_out)


class Sampler:
    """All traces of one owner: those that wait and the verdicts on those that do not. One owner, no locks.

    Every span that was added is kept, sampled out, left out as repeated, or held. `decided_traces` and `decided_spans`
    count verdicts since the start, for the telemetry; under LATE_SPAN the former counts the slices that followed an
    earlier verdict. `shadow_kept` counts by policy what those in shadow had kept.
    """

    def __init__(self, plan: Plan, sampled_cache_size: int, non_sampled_cache_size: int, probes: Probes) -> None:
        self.probes = probes
        self._plan = plan
        self._held = Held()
        self._buffer = TraceBuffer(plan.waits, self._held)
        self._limbo = Limbo(self._held)
        self._early = EarlyNotes()
        self._memory = DecisionMemory(sampled_cache_size, non_sampled_cache_size)
        self.decided_traces: Counter[Tally] = Counter()
        self.decided_spans: Counter[Tally] = Counter()
        self.shadow_kept: Counter[str] = Counter()

    @property
    def held_bytes(self) -> int:
        """Memory of what waits for a decision, or for an error that reverses one."""
        return self._held.bytes

    @property
    def held_traces(self) -> int:
        """Traces that wait so."""
        return len(self._buffer) + len(self._limbo)

    @property
    def held_spans(self) -> int:
        """Spans that wait so."""
        return self._held.spans

    @property
    def remembered(self) -> int:
        """Verdicts in memory for late spans."""
        return len(self._memory)

    def oldest_position(self) -> int | None:
        """The lowest journal position of anything that waits; None when nothing does."""
        positions = [
            each for each in (self._buffer.oldest_position(), self._limbo.oldest_position()) if each is not None
        ]
        return min(positions, default=None)

    def next_due(self) -> float | None:
        """When the next trace falls due, in monotonic seconds; None when nothing waits."""
        first, second = self._buffer.next_due(), self._limbo.next_due()
        if first is None or second is None:
            return second if first is None else first
        return min(first, second)

    def add(self, slices: Iterable[TraceSlice], now: float) -> Decided:
        """Take in what a request brought: late spans follow their verdict at once, others wait."""
        decided = Decided()
        self._early.forget(now - self._plan.waits.decision)
        for part in slices:
            trace_id = part.trace_id
            decided.repeated_spans += part.repeated
            if trace_id in self._limbo:
                self._late_error(part, now, decided)
            elif trace_id in self._buffer:
                decided.repeated_spans += self._buffer.add(part, now)
            elif (earlier := self._memory.kept(trace_id)) is not None:
                decision = earlier._replace(trigger=Trigger.LATE_SPAN)
                self._count(decision, part.facts.spans)
                decided.kept.append(SampledTrace(trace_id, part.groups, part.facts, decision, part.position))
                decided.verdicts.append((trace_id, decision))
            elif self._memory.dropped(trace_id):
                self._count(_LATE_AND_OUT, part.facts.spans)
                decided.sampled_out.append((trace_id, part.facts.spans))
                decided.verdicts.append((trace_id, _LATE_AND_OUT))
            else:
                self._begin(part, now)
        while (large := self._buffer.take_large()) is not None:
            self._decide(large, Trigger.TOO_LARGE, now, decided)
        return decided

    def note(self, trace_id: bytes, told: LlmFacts, now: float) -> Decided:
        """Add what others tell of a trace, such as a score in a log record.

        It may come before the trace, or after a decision against it, which it may reverse as a late error does. To a
        trace that has left nothing can be added.
        """
        decided = Decided()
        if trace_id in self._limbo:
            trace, earlier, shadows = self._limbo.take(trace_id)
            self._held.note(trace, told)
            self._decide_anew(trace, earlier, shadows, trace.facts, is_reason=_is_reason(told), now=now, into=decided)
        elif trace_id in self._buffer:
            self._buffer.note(trace_id, told)
        elif not self._is_decided(trace_id):
            self._early.add(trace_id, told, now)
        return decided

    def recall(self, trace_id: bytes, told: LlmFacts, now: float, *, known: bool) -> None:
        """Take a note once more, as `hold` takes spans. What is `known` a restored state may hold already."""
        if trace_id in self._buffer:
            self._buffer.note(trace_id, told)
        elif not (known and trace_id in self._early) and not self._is_decided(trace_id):
            self._early.add(trace_id, told, now)

    def take_due(self, now: float, limit: int) -> Decided:
        """Decide what is due at `now`, in the order in which it fell due, at most `limit` traces."""
        decided = Decided()
        for _ in range(limit):
            due = self._buffer.take_due(now)
            if due is None:
                break
            self._decide(*due, now, decided)
        for _ in range(limit):
            until = self._limbo.next_due()
            if until is None or until > now:
                break
            self._end(*self._limbo.take_first()[:2], decided)
        return decided

    def evict(self, bytes_to_free: int, now: float) -> Decided:
        """Free at least so many bytes: first of what was sampled out, then by deciding the oldest traces early."""
        decided = Decided()
        enough = self.held_bytes - bytes_to_free
        while self.held_bytes > enough and self._limbo:
            self._end(*self._limbo.take_first()[:2], decided)
        while self.held_bytes > enough and self._buffer:
            self._decide(self._buffer.take_heaviest(), Trigger.MEMORY_PRESSURE, now, decided, final=True)
        return decided

    def flush(self, trigger: Trigger, now: float) -> Decided:
        """Decide all traces on what is known of them."""
        decided = Decided()
        while self._limbo:
            self._end(*self._limbo.take_first()[:2], decided)
        while self._buffer:
            self._decide(self._buffer.take_heaviest(), trigger, now, decided, final=True)
        return decided

    def reconfigure(self, plan: Plan) -> None:
        """Go on with another plan; it holds for the traces that wait already.

        Verdicts stay, and so does how far each policy has come, its rate or its share, if one of its name and kind is
        in both plans.
        """
        state.hand_on(self._plan, plan)
        self._plan = plan
        self._buffer.set_waits(plan.waits)

    def hold(self, slices: Iterable[TraceSlice], now: float) -> int:
        """Let parts wait, whatever is remembered of their traces: what comes of them is told by `follow`.

        Gives how many spans were left out as repeated.
        """
        return sum(part.repeated + self._begin(part, now) for part in slices)

    def follow(
        self, trace_id: bytes, decision: Decision, *, remember: bool, spans: int = 0
    ) -> SampledTrace | int | None:
        """Take a waiting trace out under a decision that was made before: the trace, or the count of its spans.

        With `remember` the decision is counted and remembered, else it is known already. None when it does not wait;
        then it is counted with so many `spans`.
        """
        trace = self._buffer.take(trace_id) if trace_id in self._buffer else None
        if remember:
            self._remember(trace_id, decision)
            self._count(decision, trace.spans if trace is not None else spans)
        if trace is None:
            return None
        self._held.end(trace)
        if not decision.keep:
            return trace.spans
        facts = trace.facts
        if remember:
            self._note_kept(decision, facts)
        return SampledTrace(trace_id, trace.groups(), facts, decision, trace.position)

    def state(self) -> Iterator[bytes]:
        """Verdicts and counts, and how far each policy has come; not the traces that wait.

        As it is now: pieces (see pieces.py), made as they are asked for. Joined they are what `restore` takes.
        """
        counts = [self.decided_traces, self.decided_spans]
        return state.pack(self._memory, self._plan, counts, self.shadow_kept, self._early)

    def restore(self, saved: bytes) -> None:
        """Go on from a state, with today's policies. Raises ValueError when it is none."""
        counts = [self.decided_traces, self.decided_spans]
        state.unpack(saved, self._memory, self._plan, counts, self.shadow_kept, self._early)

    def _is_decided(self, trace_id: bytes) -> bool:
        """Whether a verdict on a trace is remembered."""
        return self._memory.kept(trace_id) is not None or self._memory.dropped(trace_id)

    def _begin(self, part: TraceSlice, now: float) -> int:
        """Let a part wait, with what was told of its trace before; gives how many spans were left out as repeated."""
        repeated = self._buffer.add(part, now)
        if self._early and (told := self._early.take(part.trace_id)) is not NO_LLM:
            self._buffer.note(part.trace_id, told)
        return repeated

    def _late_error(self, part: TraceSlice, now: float, decided: Decided) -> None:
        """A part of a trace that was sampled out a moment ago: an error in it has the trace decided anew."""
        facts, part, repeated = self._limbo.add(part, now)
        decided.repeated_spans += repeated
        if part.facts.spans:
            trace, earlier, shadows = self._limbo.take(part.trace_id)
            is_reason = part.facts.errors > 0 or _is_reason(part.facts.llm)
            self._decide_anew(trace, earlier, shadows, facts, is_reason=is_reason, now=now, into=decided)

    def _decide_anew(
        self,
        trace: PendingTrace,
        earlier: Decision,
        shadows: frozenset[str],
        facts: TraceFacts,
        *,
        is_reason: bool,
        now: float,
        into: Decided,
    ) -> None:
        """Go on with a trace that was sampled out: keep it, if there `is_reason` to ask again, or let it wait on."""
        if is_reason:
            decision, shadows = self._judge(trace.trace_id, facts, Trigger.LATE_ERROR, now, shadows)
            if decision.keep:
                self._keep(trace, facts, decision, into)
                return
        until = self._late_until(trace, now)
        if facts.size > self._plan.waits.largest_bytes:
            self._end(trace, earlier._replace(trigger=Trigger.TOO_LARGE), into)
        elif until <= now:
            self._end(trace, earlier._replace(trigger=Trigger.GOES_ON), into)
        else:
            self._limbo.put(trace, earlier, until, shadows)

    def _judge(
        self, trace_id: bytes, facts: TraceFacts, trigger: Trigger, now: float, counted: frozenset[str] = frozenset()
    ) -> tuple[Decision, frozenset[str]]:
        """The decision, and the names of the shadows that would have kept the trace: each counts once for it."""
        plan = self._plan
        decision, floor, shadows = plan.rules.decide(trace_id, facts, trigger, now)
        for name in shadows:
            if name not in counted:
                self.shadow_kept[name] += 1
        counted |= frozenset(shadows)
        if decision.keep and plan.budget is not None:
            if not plan.budget.spend(decision, facts.size, now, floor=floor):
                return decision._replace(keep=False, because=Because.OVER_BUDGET, threshold=None), counted
            if not floor and plan.budget.pressed(now):
                decision = decision._replace(threshold=None)
        self._note_kept(decision, facts)
        return decision, counted

    def _note_kept(self, decision: Decision, facts: TraceFacts) -> None:
        """Let conversations know of a trace that was kept as a whole kind."""
        if self._plan.conversations and decision.keep and decision.because is Because.MATCHED:
            for conversation in self._plan.conversations:
                conversation.note_kept(facts)

    def _decide(
        self, trace: PendingTrace, trigger: Trigger, now: float, decided: Decided, *, final: bool = False
    ) -> None:
        facts = trace.facts
        decision, shadows = self._judge(trace.trace_id, facts, trigger, now)
        if decision.keep:
            self._keep(trace, facts, decision, decided)
        elif final or not self._plan.waits.late_error:
            self._end(trace, decision, decided)
        else:
            self._limbo.put(trace, decision, self._late_until(trace, now), shadows)

    def _late_until(self, trace: PendingTrace, now: float) -> float:
        """Until when an error may yet come: by the times of its parts, so that a restart makes no difference.

        One that goes on and on is not waited for: as long as it is held the journal keeps all that came since.
        """
        waits = self._plan.waits
        due = min(now, waits.due(trace))
        return min(max(due, trace.last_seen), due + waits.decision) + waits.late_error

    def _keep(self, trace: PendingTrace, facts: TraceFacts, decision: Decision, decided: Decided) -> None:
        self._held.end(trace)
        self._remember(trace.trace_id, decision)
        self._count(decision, facts.spans)
        decided.verdicts.append((trace.trace_id, decision))
        decided.kept.append(SampledTrace(trace.trace_id, trace.groups(), facts, decision, trace.position))

    def _end(self, trace: PendingTrace, decision: Decision, decided: Decided) -> None:
        self._held.end(trace)
        self._remember(trace.trace_id, decision)
        self._count(decision, trace.spans)
        decided.verdicts.append((trace.trace_id, decision))
        decided.sampled_out.append((trace.trace_id, trace.spans))

    def _remember(self, trace_id: bytes, decision: Decision) -> None:
        if decision.keep:
            self._memory.keep(trace_id, decision._replace(trigger=Trigger.WAIT_EXPIRED))
        elif decision.trigger not in _IN_PARTS:
            self._memory.drop(trace_id)

    def _count(self, decision: Decision, spans: int) -> None:
        tally = Tally(decision.keep, decision.policy, decision.trigger, decision.because)
        self.decided_traces[tally] += 1
        self.decided_spans[tally] += spans


def _is_reason(told: LlmFacts) -> bool:
    """Whether it may reverse a decision against a trace: a failure, or a judgement of what was answered."""
    return bool(told.failed_calls or told.failed_tools or told.thumbs_down or told.lowest_scores)
