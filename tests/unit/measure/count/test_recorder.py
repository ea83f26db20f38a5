"""What observations add to the series, and the bounds on their labels."""

import json
from typing import Any

import pytest

from spansieve.facts import ErrorClass
from spansieve.measure.count import recorder as module
from spansieve.measure.count.conversations import Ended
from spansieve.measure.count.exemplars import Candidates
from spansieve.measure.count.recorder import Recorder
from spansieve.measure.llm_call import (
    NO_TOKENS,
    AgentRun,
    Evaluation,
    Feedback,
    McpCall,
    McpSide,
    NotCounted,
    NotCountedReason,
    NotUnderstood,
    Observation,
    Reconciliation,
    Regeneration,
    Retrieval,
    Suspect,
    Tokens,
    ToolRun,
    TtftSource,
    WorkflowRun,
)
from spansieve.measure.settings import MeterSettings, OwnLabel
from unit.measure.helpers_observations import call, origin, recorded, values

_AT = origin(scope="some.scope")
_TIMEOUT = ErrorClass.TIMEOUT


def _used(given: int | None, output: int | None) -> Tokens:
    return Tokens(given, output, None, None, None)


@pytest.mark.parametrize(
    ("observation", "name", "expected"),
    [
        (
            AgentRun(_AT, "helper", "id", "gpt-4o", 2.0, _TIMEOUT, NO_TOKENS, "", ()),
            "gen_ai.invoke_agent.duration",
            {("helper", "gpt-4o", "shop", "timeout"): (1, 2.0)},
        ),
        (
            WorkflowRun(_AT, "crew", 2.0, None, NO_TOKENS, "", ()),
            "gen_ai.invoke_workflow.duration",
            {("crew", "shop", ""): (1, 2.0)},
        ),
        (
            ToolRun(_AT, "search", "function", "helper", 2.0, None, ()),
            "gen_ai.execute_tool.duration",
            {("search", "function", "helper", "shop", ""): (1, 2.0)},
        ),
        (ToolRun(_AT, "search", "function", "helper", None, None, ()), "gen_ai.execute_tool.duration", {}),
        (
            Retrieval(_AT, "retrieval", "pinecone", "docs", 2.0, None, ()),
            "gen_ai.client.operation.duration",
            {("retrieval", "pinecone", "docs", "", "shop", "", "", ""): (1, 2.0)},
        ),
        (
            McpCall(_AT, McpSide.CLIENT, "tools/call", "search", 2.0, None, ()),
            "mcp.client.operation.duration",
            {("tools/call", "search", "", "shop", ""): (1, 2.0)},
        ),
        (
            McpCall(_AT, McpSide.SERVER, "prompts/get", "greeting", 2.0, _TIMEOUT, ()),
            "mcp.server.operation.duration",
            {("prompts/get", "", "greeting", "shop", "timeout"): (1, 2.0)},
        ),
        (
            Evaluation(_AT, "relevance", 0.75, "pass", "", ()),
            "spansieve.llm.evaluation.score",
            {("relevance", "shop"): (1, 0.75)},
        ),
        (
            Evaluation(_AT, "relevance", None, "pass", "", ()),
            "spansieve.llm.evaluations",
            {("relevance", "pass", "shop"): 1},
        ),
        (Evaluation(_AT, "relevance", None, "pass", "", ()), "spansieve.llm.evaluation.score", {}),
        (
            Feedback(_AT, False, "thumbs", "greeting", "gpt-4o"),  # noqa: FBT003 - down
            "spansieve.llm.feedback",
            {("gpt-4o", "greeting", "shop", "down"): 1},
        ),
        (
            Regeneration(_AT, "greeting", "gpt-4o"),
            "spansieve.llm.regenerations",
            {("gpt-4o", "greeting", "shop"): 1},
        ),
        (
            Reconciliation(_AT, "helper", _used(10, 5), _used(8, 5)),
            "spansieve.llm.reconciliation",
            {("shop", "input"): (1, 1.25), ("shop", "output"): (1, 1.0)},
        ),
        (
            Reconciliation(_AT, "helper", _used(10, 5), _used(8, 5)),
            "spansieve.llm.reconciliations",
            {("shop", "differs"): 1},
        ),
        (
            Reconciliation(_AT, "helper", _used(10, None), _used(10, 5)),
            "spansieve.llm.reconciliations",
            {("shop", "agrees"): 1},
        ),
        (Reconciliation(_AT, "helper", _used(10, None), _used(0, 0)), "spansieve.llm.reconciliation", {}),
        (NotUnderstood(_AT), "spansieve.llm.not_understood", {("some.scope",): 1}),
        (NotCounted(_AT, NotCountedReason.NESTED), "spansieve.llm.not_counted", {("nested",): 1}),
        (
            call(suspects=(Suspect.NEGATIVE, Suspect.NEGATIVE, Suspect.TOO_LARGE)),
            "spansieve.llm.suspect",
            {("negative",): 2, ("too_large",): 1},
        ),
        (ToolRun(_AT, "t", "", "", None, None, (Suspect.NEGATIVE,)), "spansieve.llm.suspect", {("negative",): 1}),
        (call(ttft_source=TtftSource.EVENT), "spansieve.llm.dialects", {("otel", "event"): 1}),
        (call(), "spansieve.llm.dialects", {("otel", ""): 1}),
    ],
)
def test_observations(observation: Observation, name: str, expected: dict[tuple[str, ...], object]) -> None:
    """Each kind of observation raises its series, under its labels."""
    assert values(recorded(observation), name) == expected


def test_an_adjusted_count_multiplies_runs_too() -> None:
    """A tool's run that stands for two is entered twice."""
    run = ToolRun(origin(adjusted_count=2.0), "search", "", "", 3.0, None, ())
    assert values(recorded(run), "gen_ai.execute_tool.duration") == {("search", "", "", "shop", ""): (2, 6.0)}


def test_conversations_that_ended() -> None:
    """Depth and duration are observed, and how it ended is counted."""
    recorder = Recorder(MeterSettings(), Candidates(60))
    recorder.ended(Ended("shop", 3, 40.0, evicted=False))
    recorder.ended(Ended("shop", 1, 0.0, evicted=True))
    assert values(recorder.series, "spansieve.llm.conversation.depth") == {("shop",): (2, 4)}
    assert values(recorder.series, "spansieve.llm.conversation.duration") == {("shop",): (2, 40.0)}
    assert values(recorder.series, "spansieve.llm.conversations") == {("idle",): 1, ("evicted",): 1}


def _models(settings: MeterSettings, *models: str) -> tuple[dict[str, object], dict[Any, object]]:
    store = recorded(*[call(request_model=model) for model in models], settings=settings)
    counted = {labels[2]: value for labels, value in values(store, "spansieve.llm.requests").items()}
    return counted, values(store, "spansieve.llm.label_overflow")


def test_labels_are_limited() -> None:
    """Beyond the limit calls count under `other`, and how many do is counted."""
    counted, overflowed = _models(MeterSettings(label_limit=2), "a", "b", "c", "d", "a")
    assert counted == {"a": 2, "b": 1, "other": 2}
    assert overflowed == {("gen_ai.request.model",): 2}


def test_labels_may_have_allow_lists() -> None:
    """A label with an allow-list has those values and `other`."""
    settings = MeterSettings(allowed={"gen_ai.request.model": frozenset({"b"})})
    assert _models(settings, "a", "b", "c")[0] == {"b": 1, "other": 2}


def test_own_labels() -> None:
    """The operator's labels come last, with the values that were read for them."""
    settings = MeterSettings(own_labels=(OwnLabel("task", "llm.task_type"),))
    store = recorded(call(origin(extra=("summary",))), settings=settings)
    assert store.specs["spansieve.llm.cost.usd"].labels[-2:] == ("task", "cost.source")
    assert values(store, "spansieve.llm.requests") == {
        ("chat", "openai", "gpt-4o", "", "shop", "", "", "summary", "ok"): 1
    }


def test_the_overflowed_values_are_told() -> None:
    """What became `other` can be looked up."""
    recorder = Recorder(MeterSettings(label_limit=1), Candidates(60))
    for model in ("a", "b", "c", "b"):
        recorder.record(call(request_model=model), 0)
    assert [tuple(each) for each in recorder.overflow.top()] == [
        ("gen_ai.request.model", "b", 2),
        ("gen_ai.request.model", "c", 1),
    ]


def test_tool_names_are_limited() -> None:
    """A model may invent names of tools: they are limited as names of models are."""
    runs = [ToolRun(origin(), f"tool-{n}", "", "", 1.0, None, ()) for n in range(5)]
    store = recorded(*runs, settings=MeterSettings(label_limit=2))
    names = {labels[0] for labels in values(store, "gen_ai.execute_tool.duration")}
    assert names == {"tool-0", "tool-1", "other"}
    assert values(store, "spansieve.llm.label_overflow") == {("gen_ai.tool.name",): 3}


def test_written_labels_are_cleaned() -> None:
    """Names of agents, tools, prompts and the operator's own labels are cleaned; models and services are not."""
    settings = MeterSettings(own_labels=(OwnLabel("task", "llm.task_type"),))
    recorder = Recorder(settings, Candidates(60), lambda value, _label: value.replace("Alice", "<PERSON>"))
    at = origin(service="Alice", extra=("Alice",))
    recorder.record(call(at, request_model="Alice", prompt_name="Alice", prompt_version="Alice"), 0)
    recorder.record(ToolRun(at, "Alice", "Alice", "Alice", 1.0, None, ()), 0)
    assert list(values(recorder.series, "spansieve.llm.requests")) == [
        ("chat", "openai", "Alice", "", "Alice", "<PERSON>", "<PERSON>", "<PERSON>", "ok")
    ]
    [labels] = values(recorder.series, "gen_ai.execute_tool.duration")
    assert labels == ("<PERSON>", "<PERSON>", "<PERSON>", "Alice", "")


def test_retrievals_share_the_limit_of_calls() -> None:
    """Retrievals and calls stand in one metric, under one limit."""
    some: list[Observation] = [call(provider=f"p{n}") for n in range(2)]
    some += [Retrieval(origin(), "retrieval", f"q{n}", "docs", 1.0, None, ()) for n in range(2)]
    store = recorded(*some, settings=MeterSettings(label_limit=3))
    providers = {labels[1] for labels in values(store, "gen_ai.client.operation.duration")}
    assert providers == {"p0", "p1", "q0", "other"}


def test_values_are_candidates_for_exemplars() -> None:
    """A value of a kept trace becomes an exemplar of its bucket, with its span."""
    candidates = Candidates(60)
    recorder = Recorder(MeterSettings(), candidates)
    at = origin()
    recorder.record(call(at, duration_s=3.0), 0)
    candidates.kept(at.trace_id)
    labels = ("chat", "openai", "gpt-4o", "", "shop", "", "", "")
    [(bucket, exemplar)] = recorder.series.distribution("gen_ai.client.operation.duration", labels).exemplars.items()
    assert bucket == 9
    assert exemplar == (3.0, at.trace_id, at.span_id, at.end_ns)


def test_a_restored_recorder_goes_on() -> None:
    """A recorder that took over a state, through JSON, counts on in the same series and admits the same labels."""
    settings = MeterSettings(label_limit=1)
    first, second = Recorder(settings, Candidates(60)), Recorder(settings, Candidates(60))
    for recorder in (first, second):
        recorder.record(call(request_model="warm"), 0)
    first.record(call(request_model="b"), 0)
    second.restore(json.loads(json.dumps(first.state())))
    for recorder in (first, second):
        recorder.record(call(request_model="warm"), 0)
        recorder.record(call(request_model="b"), 0)
        recorder.record(ToolRun(origin(), "t", "", "", 1.0, None, ()), 0)
    assert second.state() == first.state()
    assert second.series.snapshot() == first.series.snapshot()


def test_forms_of_calls_at_hand_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Senders may make up as many as they like; each call is counted, whether its form was at hand or not."""
    monkeypatch.setattr(module, "_REMEMBERED", 3)
    recorder = Recorder(MeterSettings(), Candidates(60))
    calls = [call(request_model=f"m{number}") for number in range(10)]
    at_hand = []
    for each in (*calls, *calls):
        recorder.record(each, 0)
        at_hand.append(len(recorder._at_hand))
    assert max(at_hand) == 3
    assert set(values(recorder.series, "spansieve.llm.requests").values()) == {2}
