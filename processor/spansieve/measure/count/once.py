"""Sees to it that each call is counted once, whoever tells of it and however often.

The same call may be told by a span and by a log record, by a framework's span and beneath it by that of the provider's
SDK, by an agent's span that repeats its children's usage, and all of that again by a sender that got no answer.

- A span counts once: its id is remembered.
- Of calls whose spans stand above one another one counts: the lowest that tells tokens. A call with tokens or a failure
  from an instrumentation that nothing stands beneath is certain, and is counted when it comes. One that may stand above
  another (`Origin.wraps`), or tells nothing, is held until the trace's root is known, since children end and are sent
  before it; or for `settle_s` seconds.
- A log record of a call is held for `settle_s`, and counts if no span of its id came; for dialects whose log records
  do not carry the call's span id, if no span came that tells of the same call, see pairs.py.
- A provider's own span of a call, an echo, counts only if nothing above it tells of the call.
- An evaluation or a judgement that a span's event and a log record both tell counts once, see judgements.py.
- What agents and workflows tell of their usage is compared with what was counted beneath them, `settle_s` after.

Everything is bounded: `spans` ids, the parents of `links` spans, `traces` traces for `keep_s` seconds with `calls`
calls in all of them together. What has to make room is counted first.

What is certain does not wait, so one thing depends on the order: where a framework's span comes before its children,
with the trace's root, the framework's is the one that counts.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from spansieve.measure.count import judgements, pairs
from spansieve.measure.count.links import Ids, Links
from spansieve.measure.count.seen import Seen
from spansieve.measure.count.traces import Lone, Run, Trace
from spansieve.measure.llm_call import (
    NO_TOKENS,
    AgentRun,
    LlmCall,
    NotCounted,
    NotCountedReason,
    Observation,
    Reconciliation,
    Tokens,
    WorkflowRun,
)

_TRACE_ID: Final = 16  # bytes

SEEN_SPANS: Final = 200_000
"""Spans remembered, so that a repeated one counts once: minutes of traffic, some 25 MB when full."""


class Once:
    """The memory, and what comes of it. Times are seconds of one clock that only runs forward. Owner: one Meter."""

    def __init__(
        self,
        *,
        settle_s: float = 10.0,
        keep_s: float = 60.0,
        traces: int = 10_000,
        calls: int = 100_000,
        links: int = 50_000,
        spans: int = SEEN_SPANS,
    ) -> None:
        self._settle_s = settle_s
        self._keep_s = keep_s
        self._limit = traces
        self._calls = calls
        self.links = Links(links)
        self.seen = Seen(spans)
        self.traces: OrderedDict[bytes, Trace | Lone] = OrderedDict()
        """By trace id; the one that was touched longest ago is first."""
        self.queue: deque[tuple[float, bytes, bytes]] = deque()
        """When something that waits is due, with its trace id and span id."""
        self._remembered = 0  # in all traces
        self._whole = 0  # traces that are no Lone
        self._idle_until = -math.inf  # nothing is due before
        self._age = 0  # traces of earlier ages belong to a state: who changes one makes a copy

    def take(self, observed: Iterable[Sequence[Observation]], spans: Sequence[Ids], now: float) -> list[Observation]:
        """Take what one request's spans (or log records) tell, each with its observations; return what counts now.

        `spans` are all of the request, those that tell nothing as well.
        """
        out = self.settle(now)
        calls: dict[bytes, LlmCall | list[LlmCall]] = {}
        first_time = self.seen.first
        for of_one in observed:
            origin = of_one[0].origin
            source, trace_id, span_id, _, _, _, _ = origin
            is_log = source.log
            if not first_time(pairs.log_key(of_one[0]) if is_log else trace_id + span_id):
                out.append(
                    NotCounted(origin, NotCountedReason.REPEATED_LOG if is_log else NotCountedReason.REPEATED_SPAN)
                )
                continue
            if len(of_one) > 1 or source.logged or type(of_one[0]) in judgements.JUDGEMENTS:
                of_one = self._told_once(of_one, now, out)  # noqa: PLW2901 - what is left of it
            for each in of_one:
                if type(each) is LlmCall and trace_id and span_id:
                    before = calls.get(trace_id)
                    if before is None:
                        calls[trace_id] = each  # nearly always the only one
                    elif isinstance(before, list):
                        before.append(each)
                    else:
                        calls[trace_id] = [before, each]
                    continue
                out.append(each)
                if type(each) is AgentRun or type(each) is WorkflowRun:
                    self._run(each, now)
        touched = self._link(spans)
        if calls or touched:
            self._decide(calls, touched, now, out)
        return out

    def _told_once(
        self, observations: Sequence[Observation], now: float, out: list[Observation]
    ) -> Sequence[Observation]:
        """Leave out what a span and a log record both tell, without an id of the other, and was counted or waits."""
        source = observations[0].origin.source
        if source.logged:
            observations = [each for each in observations if not self._is_paired(each, now, out)]
        return self._judged_once(observations, out, is_log=source.log)

    def _is_paired(self, observation: Observation, now: float, out: list[Observation]) -> bool:
        """Whether something was told by the other teller, or is held until that may have told it."""
        key = pairs.key(observation, self.seen)
        if not key:
            return False
        trace_id, span = key[:_TRACE_ID], key[_TRACE_ID:]
        if type(observation) is LlmCall and observation.origin.source.log:
            if key in self.seen:
                out.append(NotCounted(observation.origin, NotCountedReason.REPEATED_LOG))
                return True
            self._trace(trace_id, now).logged[span] = observation
            self._remembered += 1
            self.queue.append((now + self._settle_s, trace_id, span))
            return True
        if not self.seen.first(key):
            out.append(NotCounted(observation.origin, NotCountedReason.REPEATED_LOG))
            return True
        trace = self.traces.get(trace_id)
        if isinstance(trace, Trace) and (log := self._own(trace).logged.pop(span, None)) is not None:
            self._remembered -= 1
            out.append(NotCounted(log.origin, NotCountedReason.REPEATED_LOG))
        return False

    def _judged_once(
        self, observations: Sequence[Observation], out: list[Observation], *, is_log: bool
    ) -> list[Observation]:
        """Leave out the evaluations and judgements that a span's event and a log record both tell, and were counted."""
        seen = self.seen
        if is_log:
            keyed = [(each, judgements.logged(each, seen)) for each in observations]
        else:
            keyed = list(judgements.told(observations))
        left: list[Observation] = []
        for each, key in keyed:
            if key and not seen.first(key):
                out.append(NotCounted(each.origin, NotCountedReason.REPEATED_LOG))
            else:
                left.append(each)
        return left

    def settle(self, now: float) -> list[Observation]:
        """Return what has waited long enough."""
        out: list[Observation] = []
        if now < self._idle_until:
            return out
        queue = self.queue
        while queue and queue[0][0] <= now:
            _, trace_id, span = queue.popleft()
            if isinstance(trace := self.traces.get(trace_id), Trace):
                self._finish(self._own(trace), span, out)
        while self.traces:
            oldest = next(iter(self.traces.values()))
            if (oldest.last if isinstance(oldest, Trace) else oldest[0]) + self._keep_s > now:
                break
            self._drop_oldest(out)
        # What comes from now on waits for either time from then on.
        self._idle_until = now + min(self._settle_s, self._keep_s)
        if queue:
            self._idle_until = min(self._idle_until, queue[0][0])
        if self.traces:
            oldest = next(iter(self.traces.values()))
            last = oldest.last if isinstance(oldest, Trace) else oldest[0]
            self._idle_until = min(self._idle_until, last + self._keep_s)
        return out

    def disagreements(self, trace_id: bytes) -> dict[bytes, Reconciliation]:
        """Return, by span id, the runs of a trace whose told usage is not what was counted beneath them."""
        trace = self.traces.get(trace_id)
        if not isinstance(trace, Trace) or not trace.runs or trace.held or trace.logged:
            return {}  # what is held may be counted yet
        found = {span: self._reconciliation(trace, run) for span, run in trace.runs.items()}
        return {span: each for span, each in found.items() if not each.agrees}

    def whole(self) -> tuple[list[bytes], list[Trace | Lone]]:
        """All traces as they are now, and stay: ids, and what is known of each. The first was touched longest ago."""
        self._age += 1
        return list(self.traces), list(self.traces.values())

    def replace(self, traces: Mapping[bytes, Trace | Lone]) -> None:
        """Forget all traces, and remember these instead; the first was touched longest ago."""
        self.traces = OrderedDict(traces)
        self._idle_until = -math.inf
        whole = [trace for trace in traces.values() if isinstance(trace, Trace)]
        self._whole = len(whole)
        self._remembered = sum(trace.size for trace in whole)

    def _trace(self, trace_id: bytes, now: float) -> Trace:
        trace = self.traces.get(trace_id)
        if isinstance(trace, Trace):
            trace = self._own(trace)
            trace.last = now
            self.traces.move_to_end(trace_id)
            return trace
        whole = Trace(trace_id, now, age=self._age)
        self._whole += 1
        if trace is not None:
            _, span, *tokens = trace
            self._note(whole, span, Tokens(*tokens))
            if not self._is_beneath_root(whole, span):
                whole.open.add(span)
            del self.traces[trace_id]
        self.traces[trace_id] = whole
        return whole

    def _own(self, trace: Trace) -> Trace:
        """A trace that may be changed."""
        if trace.age != self._age:
            trace = self.traces[trace.trace_id] = trace.copy(self._age)
        return trace

    def _run(self, run: Run, now: float) -> None:
        if run.told == NO_TOKENS or not run.origin.trace_id:
            return
        origin = run.origin
        trace = self._trace(origin.trace_id, now)
        trace.runs[origin.span_id] = run
        trace.unreconciled.add(origin.span_id)
        self._remembered += 1
        self.queue.append((now + self._settle_s, origin.trace_id, origin.span_id))

    def _decide(
        self,
        calls: Mapping[bytes, LlmCall | list[LlmCall]],
        touched: dict[bytes, Trace],
        now: float,
        out: list[Observation],
    ) -> None:
        traces = self.traces
        for trace_id, some in calls.items():
            if not isinstance(some, list) and trace_id not in traces and _is_certain(some):
                given, output, cache_read, cache_write, reasoning = some.tokens
                traces[trace_id] = now, some.origin.span_id, given, output, cache_read, cache_write, reasoning
                out.append(some)
                continue
            trace = touched[trace_id] = self._trace(trace_id, now)
            all_told = some if isinstance(some, list) else [some]
            self._count(trace, [call for call in all_told if not self._waits(trace, call, now, out)], out)
        for trace in touched.values():
            if trace.held and self._is_complete(trace):
                self._count_held(trace, out)
        while len(traces) > self._limit or (self._remembered > self._calls and traces):
            self._drop_oldest(out)

    def _link(self, spans: Sequence[Ids]) -> dict[bytes, Trace]:
        """Remember spans' parents; return those traces where a call is held that may be beneath one of them."""
        self.links.add(spans)
        touched: dict[bytes, Trace] = {}
        if self._whole:
            traces = self.traces
            for each in spans:
                trace = traces.get(each.trace_id)
                if type(trace) is Trace:
                    span = each.span_id
                    if span in trace.above or span in trace.counted:
                        trace = self._own(trace)
                        self._cover(trace, span)
                    if trace.held:
                        touched[each.trace_id] = self._own(trace)
        return touched

    def _cover(self, trace: Trace, span: bytes) -> None:
        """Remember that the spans above one stand above a counted call."""
        for parent in self.links.chain(trace.trace_id, span):
            if not parent or parent in trace.above:
                return
            trace.above.add(parent)

    def _is_complete(self, trace: Trace) -> bool:
        """Whether all calls, held or counted, stand beneath a known root: it is clear which stand above others."""
        trace.open = {span for span in trace.open if not self._is_beneath_root(trace, span)}
        return not trace.open

    def _is_beneath_root(self, trace: Trace, span: bytes) -> bool:
        return b"" in self.links.chain(trace.trace_id, span)

    def _is_told(self, trace: Trace, span: bytes) -> bool:
        """Whether a call above or beneath a span is counted."""
        return span in trace.above or any(parent in trace.counted for parent in self.links.chain(trace.trace_id, span))

    def _note(self, trace: Trace, span: bytes, tokens: Tokens) -> None:
        """Remember that a call is counted."""
        trace.counted[span] = tokens
        self._remembered += 1
        self._cover(trace, span)

    def _waits(self, trace: Trace, call: LlmCall, now: float, out: list[Observation]) -> bool:
        """Whether a call has to wait; then it is held. A span's call leaves out that of its log record."""
        origin = call.origin
        span = origin.span_id
        if origin.source.log:
            # A log record is known by another key than its span: this one is the span's.
            if origin.trace_id + span in self.seen or span in trace.logged:
                out.append(NotCounted(origin, NotCountedReason.REPEATED_LOG))
                return True
            trace.logged[span] = call
        else:
            if (log := trace.logged.pop(span, None)) is not None:
                self._remembered -= 1
                out.append(NotCounted(log.origin, NotCountedReason.REPEATED_LOG))
            if not self._is_beneath_root(trace, span):
                trace.open.add(span)
            # Beneath one that may have told it already, a call is certain once it is known not to stand beneath it.
            if _is_certain(call) and not (trace.wrapped and span in trace.open):
                return False
            trace.held[span] = call
        self._remembered += 1
        self.queue.append((now + self._settle_s, origin.trace_id, span))
        return True

    def _count(self, trace: Trace, calls: list[LlmCall], out: list[Observation]) -> None:
        """Count those calls that no other one tells already: the lowest first, and first of all those with tokens."""
        if len(calls) > 1:
            # By the spans above them, not by clocks.
            depths = {
                call.origin.span_id: sum(1 for _ in self.links.chain(trace.trace_id, call.origin.span_id))
                for call in calls
            }
            calls = sorted(
                calls,
                key=lambda call: (
                    not _tells_tokens(call),
                    call.origin.source.echo,
                    -depths[call.origin.span_id],
                    call.origin.span_id,
                ),
            )
        for call in calls:
            if self._is_told(trace, call.origin.span_id):
                out.append(NotCounted(call.origin, NotCountedReason.NESTED))
            else:
                self._note(trace, call.origin.span_id, call.tokens)
                trace.wrapped = trace.wrapped or call.origin.source.wraps
                out.append(call)

    def _count_held(self, trace: Trace, out: list[Observation]) -> None:
        held = list(trace.held.values())
        self._remembered -= len(held)
        trace.held.clear()
        self._count(trace, held, out)

    def _reconciliation(self, trace: Trace, run: Run) -> Reconciliation:
        """Compare what a run told with the sums of the calls counted beneath it."""
        sums = [0, 0, 0, 0, 0]
        for span, tokens in trace.counted.items():
            if run.origin.span_id in self.links.chain(trace.trace_id, span):
                sums = [total + (each or 0) for total, each in zip(sums, tokens, strict=True)]
        return Reconciliation(run.origin, run.name, run.told, Tokens(*sums))

    def _finish(self, trace: Trace, span: bytes, out: list[Observation]) -> None:
        """Do what was due of a span: count all calls that are held with it, or its log record, or compare its run."""
        if span in trace.held:
            self._count_held(trace, out)
        if (log := trace.logged.pop(span, None)) is not None:
            self._remembered -= 1
            if self.seen.first(trace.trace_id + span):
                # No span came: the record is all there is. Should one come yet, it is a repetition.
                if log.origin.source.logged:
                    out.append(log)
                else:
                    self._count(trace, [log], out)
            else:
                out.append(NotCounted(log.origin, NotCountedReason.REPEATED_LOG))
        if span in trace.unreconciled:
            trace.unreconciled.discard(span)
            out.append(self._reconciliation(trace, trace.runs[span]))

    def _drop_oldest(self, out: list[Observation]) -> None:
        _, trace = self.traces.popitem(last=False)
        if type(trace) is not Trace:
            return
        self._whole -= 1
        if trace.age != self._age:
            trace = trace.copy(self._age)
        for span in (*trace.held, *trace.logged, *sorted(trace.unreconciled)):
            self._finish(trace, span, out)
        self._remembered -= trace.size


def _is_certain(call: LlmCall) -> bool:
    source = call.origin.source
    if source.wraps or source.log or source.echo:
        return False
    given, output, _, _, _ = call.tokens
    return bool(given or output) or call.error_class is not None


def _tells_tokens(call: LlmCall) -> bool:
    tokens = call.tokens
    return bool(tokens.input or tokens.output)
