"""Turns observations into series, labels limited."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from spansieve import catalogue
from spansieve.facts import ErrorClass
from spansieve.measure import finish_reasons
from spansieve.measure.count.call_series import CallSeries, Form
from spansieve.measure.count.conversations import Ended
from spansieve.measure.count.exemplars import PER_BUCKET, Candidates
from spansieve.measure.count.labels import CleanLabel, LabelLimiter
from spansieve.measure.count.overflow import OverflowTop
from spansieve.measure.llm_call import (
    AgentRun,
    CallKind,
    Evaluation,
    Feedback,
    LlmCall,
    McpCall,
    McpSide,
    NotCounted,
    NotUnderstood,
    Observation,
    Origin,
    Reconciliation,
    Regeneration,
    Retrieval,
    Source,
    ToolRun,
    TtftSource,
    WorkflowRun,
)
from spansieve.measure.settings import MeterSettings
from spansieve.series import Distribution, Exemplar, Labels, SeriesStore

_REMEMBERED: Final = 8192
"""Label values, as they came, and forms of calls, whose series are held at hand."""

_CALL: Final = "call"
_TRUSTED: Final = frozenset(
    {"gen_ai.operation.name", "gen_ai.token.type", "error.type", "verdict", "result", "end", "dialect", "ttft.source"}
)
"""Labels whose values are the gateway's own."""

_WRITTEN: Final = frozenset(
    {
        "gen_ai.agent.name",
        "gen_ai.evaluation.name",
        "gen_ai.evaluation.score.label",
        "gen_ai.prompt.name",
        "gen_ai.prompt.version",
        "gen_ai.tool.name",
        "gen_ai.tool.type",
        "gen_ai.workflow.name",
    }
)
"""Labels whose values people write as they like, beside the operator's own: names of persons may be among them."""


class _Known(NamedTuple):
    """What the form of a call leads to."""

    series: CallSeries
    replaced: tuple[tuple[str, str], ...]


_Identity: TypeAlias = tuple[int, int, ErrorClass | None, TtftSource | None, bool | None]
"""A call's form by the ids of the objects that are its kind and its source."""


class Recorder:
    """The series, and the bounds on their labels. Owner: one Meter."""

    def __init__(self, settings: MeterSettings, candidates: Candidates, clean_label: CleanLabel | None = None) -> None:
        own = tuple(label.name for label in settings.own_labels)
        self._settings = settings
        self._written = _WRITTEN | set(own)
        self._no_extra = ("",) * len(own)
        self._clean_label = clean_label
        self._candidates = candidates
        self._now = 0.0
        specs = catalogue.load("spansieve.measure", "metrics.yaml", settings.semconv, ((_CALL, own),))
        self.series = SeriesStore(specs)
        self.overflow = OverflowTop()
        self._reasons = finish_reasons.load()
        self._limiters: dict[str, LabelLimiter] = {}
        self._limiters[_CALL] = self._limiter(specs["spansieve.llm.reasoning_tokens"].labels)
        self._known = lru_cache(maxsize=_REMEMBERED)(self._known_series)
        # Readers hand out the same objects again and again: their ids cost less than comparing a dozen texts.
        self._at_hand: dict[_Identity, tuple[_Known, CallKind, Source]] = {}
        self._limited = lru_cache(maxsize=_REMEMBERED)(self._limit)
        self._timed = lru_cache(maxsize=_REMEMBERED)(self._limited_distribution)
        self._handlers: dict[type, Callable[[Any], None]] = {
            AgentRun: self._agent,
            WorkflowRun: self._workflow,
            ToolRun: self._tool,
            Retrieval: self._retrieval,
            McpCall: self._mcp,
            Evaluation: self._evaluation,
            Feedback: self._feedback,
            Regeneration: self._regeneration,
            Reconciliation: self._reconciliation,
            NotUnderstood: self._not_understood,
            NotCounted: self._not_counted,
        }

    def record(self, observation: Observation, now: float) -> None:
        """Enter one observation. `now` is seconds, never backwards."""
        self._now = now
        if type(observation) is not LlmCall:
            self._handlers[type(observation)](observation)
            return
        identity = (
            id(observation.kind),
            id(observation.origin.source),
            observation.error_class,
            observation.ttft_source,
            observation.streaming,
        )
        series, replaced = (self._at_hand.get(identity) or self._reach(identity, observation))[0]
        if replaced:
            self._count_replaced(replaced)
        if observation.suspects:
            self._suspects(observation)
        series.add(observation)

    def ended(self, conversation: Ended) -> None:
        """Enter a conversation that ended."""
        labels = self._limited("spansieve.llm.conversation.depth", (conversation.service,))
        self._count_replaced(labels[1])
        self.series.observe("spansieve.llm.conversation.depth", labels[0], conversation.turns)
        self.series.observe("spansieve.llm.conversation.duration", labels[0], conversation.duration_s)
        self.series.add("spansieve.llm.conversations", ("evicted" if conversation.evicted else "idle",))

    def _reach(self, identity: _Identity, call: LlmCall) -> tuple[_Known, CallKind, Source]:
        """Put at hand what the form of a call leads to, with the objects themselves: so their ids stay theirs."""
        source = call.origin.source
        known = self._known((call.kind, source, call.error_class, call.ttft_source, call.streaming))
        if len(self._at_hand) >= _REMEMBERED:
            self._at_hand.clear()  # what comes again is back after one look
        found = self._at_hand[identity] = known, call.kind, source
        return found

    def _extra(self, source: Source) -> tuple[str, ...]:
        # What waited over a restart may be from a configuration with other labels.
        return source.extra if len(source.extra) == len(self._no_extra) else self._no_extra

    def _agent(self, run: AgentRun) -> None:
        self._duration(run, "gen_ai.invoke_agent.duration", (run.name, run.model, run.origin.source.service))

    def _workflow(self, run: WorkflowRun) -> None:
        self._duration(run, "gen_ai.invoke_workflow.duration", (run.name, run.origin.source.service))

    def _tool(self, run: ToolRun) -> None:
        labels = (run.name, run.tool_type, run.agent_name, run.origin.source.service)
        self._duration(run, "gen_ai.execute_tool.duration", labels)

    def _retrieval(self, retrieval: Retrieval) -> None:
        # A retrieval has a data source where a call has a model, and no answer's model or prompt template.
        values = (retrieval.operation, retrieval.provider, retrieval.name, "", retrieval.origin.source.service, "", "")
        self._suspects(retrieval)
        if retrieval.duration_s is not None:
            labels = self._labels(_CALL, (*values, *self._extra(retrieval.origin.source)))
            error = retrieval.error_class.value if retrieval.error_class else ""
            at = self.series.distribution("gen_ai.client.operation.duration", (*labels, error))
            self._observe(at, retrieval.duration_s, retrieval.origin)

    def _mcp(self, call: McpCall) -> None:
        is_prompt = call.method.startswith("prompts/")
        names = ("", call.name) if is_prompt else (call.name, "")
        self._duration(call, _MCP_DURATION[call.side], (call.method, *names, call.origin.source.service))

    def _evaluation(self, result: Evaluation) -> None:
        self._suspects(result)
        origin = result.origin
        if result.score is not None:
            labels = self._labels("spansieve.llm.evaluation.score", (result.name, origin.source.service))
            self._observe(self.series.distribution("spansieve.llm.evaluation.score", labels), result.score, origin)
        labels = self._labels("spansieve.llm.evaluations", (result.name, result.label, origin.source.service))
        self.series.add("spansieve.llm.evaluations", labels, origin.adjusted_count)

    def _feedback(self, feedback: Feedback) -> None:
        origin = feedback.origin
        verdict = "up" if feedback.up else "down"
        values = (feedback.model, feedback.prompt_name, origin.source.service, verdict)
        labels = self._labels("spansieve.llm.feedback", values)
        self.series.add("spansieve.llm.feedback", labels, origin.adjusted_count)

    def _regeneration(self, regeneration: Regeneration) -> None:
        origin = regeneration.origin
        values = (regeneration.model, regeneration.prompt_name, origin.source.service)
        labels = self._labels("spansieve.llm.regenerations", values)
        self.series.add("spansieve.llm.regenerations", labels, origin.adjusted_count)

    def _reconciliation(self, found: Reconciliation) -> None:
        origin = found.origin
        result = "agrees" if found.agrees else "differs"
        labels = self._labels("spansieve.llm.reconciliations", (origin.source.service, result))
        self.series.add("spansieve.llm.reconciliations", labels, origin.adjusted_count)
        for kind, told, counted in (
            ("input", found.told.input, found.counted.input),
            ("output", found.told.output, found.counted.output),
        ):
            if told is not None and counted:
                labels = self._labels("spansieve.llm.reconciliation", (origin.source.service, kind))
                at = self.series.distribution("spansieve.llm.reconciliation", labels)
                self._observe(at, told / counted, origin)

    def _not_understood(self, span: NotUnderstood) -> None:
        labels = self._labels("spansieve.llm.not_understood", (span.origin.source.scope,))
        self.series.add("spansieve.llm.not_understood", labels)

    def _not_counted(self, item: NotCounted) -> None:
        self.series.add("spansieve.llm.not_counted", (item.reason.value,))

    def _duration(self, run: AgentRun | WorkflowRun | ToolRun | McpCall, name: str, values: tuple[str, ...]) -> None:
        if run.suspects:
            self._suspects(run)
        if run.duration_s is not None:
            error: ErrorClass | None = run.error_class
            distribution, replaced = self._timed(name, (*values, error.value if error else ""))
            if replaced:
                self._count_replaced(replaced)
            self._observe(distribution, run.duration_s, run.origin)

    def _suspects(self, one: LlmCall | AgentRun | WorkflowRun | ToolRun | Retrieval | McpCall | Evaluation) -> None:
        for reason in one.suspects:
            self.series.add("spansieve.llm.suspect", (reason.value,))

    def _observe(self, distribution: Distribution, value: float, origin: Origin) -> None:
        bucket = distribution.observe(value, origin.adjusted_count)
        if distribution.waiting[bucket] < PER_BUCKET:
            self._offer(distribution, bucket, value, origin)

    def _offer(self, distribution: Distribution, bucket: int, value: float, origin: Origin) -> None:
        exemplar = Exemplar(value, origin.trace_id, origin.span_id, origin.end_ns)
        self._candidates.offer(distribution, bucket, exemplar, self._now)

    def _labels(self, name: str, values: tuple[str, ...]) -> Labels:
        labels, replaced = self._limited(name, values)
        if replaced:
            self._count_replaced(replaced)
        return labels

    def _count_replaced(self, replaced: tuple[tuple[str, str], ...]) -> None:
        for label, value in replaced:
            self.series.add("spansieve.llm.label_overflow", (label,))
            self.overflow.add(label, value)

    def _limited_distribution(
        self, name: str, values: tuple[str, ...]
    ) -> tuple[Distribution, tuple[tuple[str, str], ...]]:
        labels, replaced = self._limit(name, values)
        return self.series.distribution(name, labels), replaced

    def _known_series(self, form: Form) -> _Known:
        kind, source = form[0], form[1]
        labels, replaced = self._limiters[_CALL].limit(
            (
                kind.operation,
                kind.provider,
                kind.request_model,
                kind.response_model,
                source.service,
                kind.prompt_name,
                kind.prompt_version,
                *self._extra(source),
            )
        )
        series = CallSeries(self.series, labels, form, self._settings.semconv, self._reasons, self._offer)
        return _Known(series, replaced)

    def _limit(self, name: str, values: tuple[str, ...]) -> tuple[Labels, tuple[tuple[str, str], ...]]:
        limiter = self._limiters.get(name)
        if limiter is None:
            limiter = self._limiters[name] = self._limiter(self.series.specs[name].labels)
        return limiter.limit(values)

    def _limiter(self, labels: Labels) -> LabelLimiter:
        settings = self._settings
        return LabelLimiter(
            labels,
            settings.label_limit,
            trusted=_TRUSTED,
            allowed=settings.allowed,
            written=self._written,
            clean=self._clean_label,
        )

    def state(self) -> dict[str, Any]:
        """Return all series and what bounds them, as JSON can write it."""
        return {
            "series": self.series.state(),
            "limiters": {name: limiter.state() for name, limiter in self._limiters.items()},
            "overflow": self.overflow.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned."""
        self.series.restore(state["series"])
        self.overflow.restore(state["overflow"])
        for name, kept in state["limiters"].items():
            if name == _CALL or name in self.series.specs:
                labels = self._limiters[_CALL].labels if name == _CALL else self.series.specs[name].labels
                self._limiters[name] = self._limiter(labels)
                self._limiters[name].restore(kept)
        # What was remembered leads to series that are no longer the store's.
        self._at_hand.clear()
        self._known.cache_clear()
        self._limited.cache_clear()
        self._timed.cache_clear()


_MCP_DURATION: Final = {
    McpSide.CLIENT: "mcp.client.operation.duration",
    McpSide.SERVER: "mcp.server.operation.duration",
}
