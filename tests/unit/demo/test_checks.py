import dataclasses
from pathlib import Path

import pytest
from demo import checks
from demo.conversation import Fate
from demo.evidence import Evidence, Span
from demo.gateway import Samples
from demo.provider import Asked

from unit.demo.helpers_demo import METRICS, SECRET, good_run, span


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    """A run in which everything is as it should be."""
    return good_run(tmp_path)


def failures(evidence: Evidence) -> list[str]:
    """What the checks that do not hold say."""
    return [check.otherwise for check in checks.all_of(evidence) if not check.holds]


def test_good_run_has_no_failures(evidence: Evidence) -> None:
    """When all is well every check holds."""
    assert failures(evidence) == []


def test_planted_value_in_a_file_is_a_failure_that_names_the_file(evidence: Evidence) -> None:
    """A leak into the log is found, and the sentence does not repeat the value."""
    (evidence.directory / "gateway.log").write_text(f"error near {SECRET}")
    assert failures(evidence) == ["Planted values were found in gateway.log (1)."]


def test_planted_value_in_a_kept_trace_is_a_failure(evidence: Evidence) -> None:
    """A leak into what left is found."""
    kept = [*evidence.kept[:1], Span(span("aa", "02", f"kestrel-0000 {SECRET}"))]
    (sentence,) = failures(dataclasses.replace(evidence, kept=kept))
    assert sentence == "Planted values were found in spansieve traces show (1)."


def test_planted_value_in_the_metrics_is_a_failure(evidence: Evidence) -> None:
    """A leak into a label is found."""
    leaky = f'x{{model="{SECRET}"}} 1\n'
    (sentence,) = failures(dataclasses.replace(evidence, metrics_text=leaky))
    assert sentence == "Planted values were found in /metrics (1)."


def test_search_that_finds_nothing_to_hide_is_a_failure(evidence: Evidence) -> None:
    """When the planted values were never sent, their absence proves nothing."""
    (sentence,) = failures(dataclasses.replace(evidence, report={**evidence.report, "requests": [
        {**evidence.report["requests"][0], "planted": [{"kind": "ssn", "needles": ["219-09-9999"]}]}
    ]}))  # fmt: skip
    assert "proves nothing" in sentence


def test_missing_span_of_a_failed_trace_is_a_failure(evidence: Evidence) -> None:
    """A failed trace must be kept whole."""
    (sentence,) = failures(dataclasses.replace(evidence, kept=evidence.kept[:1]))
    assert sentence == "1 of 1 failed or slow traces are missing or lack spans."


def test_removed_marker_is_a_failure(evidence: Evidence) -> None:
    """Taking out everything is no redaction."""
    kept = [Span(span("aa", "01", "[REMOVED]")), Span(span("aa", "02", "[REMOVED]"))]
    (sentence,) = failures(dataclasses.replace(evidence, kept=kept))
    assert sentence == "Only 0 of 1 kept prompts can be recognised: too much was taken out."


def test_one_token_too_many_is_a_failure(evidence: Evidence) -> None:
    """Token counts are exact or wrong."""
    asked = [*evidence.asked, Asked("chat", "gpt-4o", stream=False, outcome=Fate.OK, input_tokens=1)]
    (sentence,) = failures(dataclasses.replace(evidence, asked=asked))
    assert sentence == "Requests or tokens of gpt-4o differ from the provider's books."


def test_lost_span_is_a_failure(evidence: Evidence) -> None:
    """What was received and has no fate is lost."""
    samples = Samples(
        METRICS.replace('sampled_out_items_total{signal="traces"} 1', 'sampled_out_items_total{signal="traces"} 0')
    )
    (sentence,) = failures(dataclasses.replace(evidence, samples=samples))
    assert sentence == "Spans are unaccounted for: 3 sent, 3 received, 2 settled."


def test_bad_exit_code_is_a_failure(evidence: Evidence) -> None:
    """A gateway that dies on SIGTERM has not stopped."""
    assert failures(dataclasses.replace(evidence, exit_code=-9)) == ["The gateway's exit code was -9."]
