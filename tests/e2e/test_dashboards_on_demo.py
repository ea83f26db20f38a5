"""What the dashboards show of the demo application, and that it is what the application did."""

import json
from collections import Counter
from typing import Any

import pytest
from demo.conversation import PROMPTS, Shape

from e2e.harness.answers import Answers
from e2e.parts import processes

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("real_parts")]

# What the demo application does not do, or does not do wrong: these panels are empty, and so they should be.
NOTHING_TO_SHOW = {
    "Safety blocks": "no answer of the stand-in is stopped",
    "Calls without a price": "all its models are on the price list",
    "Spans not understood": "all its calls are understood",
    "p95 time between chunks": "its instrumentation does not measure it",
    "p95 of agents and workflows": "it has none",
    "p95 of MCP": "it speaks none",
    "Regenerations": "its users do not ask again",
    "Turns of a conversation": "none has been idle for half an hour",
    "Duration of a conversation": "none has been idle for half an hour",
    "Wasted output tokens": "its failed calls have none",
    "What agents say against what was counted": "it has no agents",
    "Runs of agents by whether they agree": "it has no agents",
    "Values that cannot be right": "all its values can be right",
    "Label values counted as other": "its labels have few values",
    "Kept in the shadow": "no policy is in shadow mode",
}
ALL_PANELS = json.loads((processes.STACK / "grafana/dashboards/spansieve.json").read_text(encoding="utf-8"))["panels"]
PANELS = [panel for panel in ALL_PANELS if any("expr" in target for target in panel.get("targets", ()))]


def _filled(expression: str) -> str:
    for choice in ("$service", "$provider", "$model", "$template"):
        expression = expression.replace(f'"{choice}"', '".*"')
    return expression.replace("$__rate_interval", "5m").replace("$__range", "30m")


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_panels_show_the_demo(answers: Answers, panel: dict[str, Any]) -> None:
    """Each panel has a number for some of its queries, unless the demo gives it nothing to show."""
    shown = [number for target in panel["targets"] for number in answers.numbers(_filled(target["expr"]))]
    assert bool(shown) == (panel["title"] not in NOTHING_TO_SHOW)


def test_reasons_are_of_panels_that_exist() -> None:
    """The list of empty panels names no panel that is gone."""
    assert NOTHING_TO_SHOW.keys() <= {panel["title"] for panel in PANELS}


def test_kept_traces_are_listed(answers: Answers) -> None:
    """Tempo answers the list's query with traces of the demo, among them failed ones, and not with all of them."""
    (panel,) = [panel for panel in ALL_PANELS if panel["title"] == "Kept traces"]
    query = _filled(panel["targets"][0]["query"])
    requests = {request["trace_id"].lstrip("0"): request["kind"] for request in _requests(answers)}
    # A search sees a trace some seconds after its last span.
    processes.wait_until(lambda: bool(answers.traces(query)), "traces in Tempo's search")
    found = answers.traces(query)
    assert found < requests.keys()
    assert "failed" in {requests[trace_id] for trace_id in found}


def _requests(answers: Answers) -> list[dict[str, Any]]:
    return [request for report in answers.reports for request in report["requests"]]


def test_calls_by_template(answers: Answers) -> None:
    """Each call counts under the template and version that the application says."""
    expected = Counter(
        (PROMPTS[shape].template, PROMPTS[shape].version)
        for request in _requests(answers)
        for shape in [Shape(request["shape"])]
        for _ in request["calls"]
    )
    query = "sum by (gen_ai_prompt_name, gen_ai_prompt_version) (spansieve_llm_requests_total)"
    assert answers.by(query, "gen_ai_prompt_name", "gen_ai_prompt_version") == expected


def test_calls_by_task_type(answers: Answers) -> None:
    """A label that the configuration adds holds what the application says."""
    expected = Counter(
        (PROMPTS[Shape(request["shape"])].task_type,) for request in _requests(answers) for _ in request["calls"]
    )
    assert answers.by("sum by (llm_task_type) (spansieve_llm_requests_total)", "llm_task_type") == expected


def test_feedback(answers: Answers) -> None:
    """Every judgement of a user is counted as it was given."""
    expected = Counter((request["feedback"],) for request in _requests(answers) if request["feedback"])
    assert answers.by("sum by (verdict) (spansieve_llm_feedback_total)", "verdict") == expected


def test_evaluations(answers: Answers) -> None:
    """Every answer was evaluated once, and every evaluation is counted."""
    answered = sum(request["kind"] != "failed" for request in _requests(answers))
    assert answers.numbers("sum(spansieve_llm_evaluation_score_count)") == [answered]
