"""Exemplars in Prometheus lead to traces that Tempo has, and to no others."""

import json
from typing import Any

import pytest

from e2e.harness.topology import Run, spans_in_tempo

pytestmark = pytest.mark.e2e

DURATIONS = "gen_ai_client_operation_duration_seconds_bucket"


@pytest.fixture(scope="module")
def exemplars(run: Run) -> list[dict[str, Any]]:
    """Every exemplar of the gateway's histograms that Prometheus has: its labels, its value, and its series."""
    now = run.prometheus_answer("query", query="time()")["result"][0]
    answer = run.prometheus_answer(
        "query_exemplars", query='{__name__=~"(gen_ai|spansieve)_.+"}', start=str(now - 3600), end=str(now + 60)
    )
    return [{**each, "series": series["seriesLabels"]} for series in answer for each in series["exemplars"]]


def test_there_are_exemplars(exemplars: list[dict[str, Any]]) -> None:
    """The histogram of durations has some, of more than one trace."""
    traces = {each["labels"]["trace_id"] for each in exemplars if each["series"]["__name__"] == DURATIONS}
    assert len(traces) > 1


def test_every_exemplar_is_of_a_kept_trace(run: Run, exemplars: list[dict[str, Any]]) -> None:
    """No exemplar names a trace that was sampled out."""
    kept = {trace_id for trace_id, policy in run.verdicts.items() if policy}
    assert {each["labels"]["trace_id"] for each in exemplars} <= kept
    assert kept < set(run.verdicts)


def test_every_exemplar_opens_in_tempo(run: Run, exemplars: list[dict[str, Any]]) -> None:
    """Tempo has each trace that an exemplar names, with the very span."""
    for each in exemplars:
        answer = run.trace(each["labels"]["trace_id"])
        assert answer
        assert each["labels"]["span_id"] in {span["spanId"] for span in spans_in_tempo(answer)}


def test_exemplars_are_values_of_their_series(run: Run, exemplars: list[dict[str, Any]]) -> None:
    """A duration that an exemplar tells is that of the span which it names."""
    lasted = {
        span.raw["spanId"]: (int(span.raw["endTimeUnixNano"]) - int(span.raw["startTimeUnixNano"])) / 1e9
        for span in run.sent
    }
    told = [each for each in exemplars if each["series"]["__name__"] == DURATIONS]
    assert [float(each["value"]) for each in told] == pytest.approx(
        [lasted[each["labels"]["span_id"]] for each in told]
    )


def test_exemplars_hold_nothing_but_ids(exemplars: list[dict[str, Any]]) -> None:
    """An exemplar's labels are the ids of its span and of its trace."""
    assert {label for each in exemplars for label in each["labels"]} == {"trace_id", "span_id"}, json.dumps(exemplars)
