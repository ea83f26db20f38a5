"""What Tempo has: every failed and every slow trace, whole; of the rest exactly the share that the trace ids choose."""

from collections import Counter, defaultdict

import pytest
from demo.evidence import decided

from e2e.harness.topology import Run, attributes, spans_in_tempo

pytestmark = pytest.mark.e2e


def sent_ids(run: Run) -> dict[str, list[str]]:
    """The span ids of each trace as it was sent."""
    found: dict[str, list[str]] = defaultdict(list)
    for span in run.sent:
        found[span.trace_id].append(span.raw["spanId"])
    return found


def test_run_has_all_kinds_of_traces(run: Run) -> None:
    """The tests below are about something: failures, slow ones, a kept and a discarded share."""
    counts = Counter(run.verdicts.values())
    assert counts["errors"] == 12
    assert counts["slow"] >= 6
    assert counts["baseline"] > 0
    assert counts[""] > 0


def test_traces_that_a_policy_wants_are_whole(run: Run) -> None:
    """Each kept trace has exactly the spans that were sent, each once."""
    sent = sent_ids(run)
    for trace_id, policy in run.verdicts.items():
        if policy:
            answer = run.trace(trace_id)
            assert answer, f"{policy} should have kept {trace_id}"
            assert sorted(span["spanId"] for span in spans_in_tempo(answer)) == sorted(sent[trace_id])


def test_traces_that_no_policy_wants_are_not_there(run: Run) -> None:
    """Nothing of a sampled-out trace is stored."""
    assert [trace_id for trace_id, policy in run.verdicts.items() if not policy and run.trace(trace_id)] == []


def test_kept_spans_name_their_policy(run: Run) -> None:
    """Each stored span says which policy kept its trace: the first that wanted it."""
    for trace_id, policy in run.verdicts.items():
        if policy:
            named = {attributes(span)["tailsampling.policy"] for span in spans_in_tempo(run.trace(trace_id))}
            assert named == {policy}


def test_decisions_are_counted_by_policy(run: Run) -> None:
    """The gateway's count of decisions is that of the traces."""
    expected = Counter(run.verdicts.values())
    assert {policy: traces for policy, traces in decided(run.samples).items() if traces} == expected


def test_redacted_text_is_where_the_personal_data_was(run: Run) -> None:
    """In the root span of each kept trace stand tokens in place of the user's address."""
    for trace_id, policy in run.verdicts.items():
        if policy:
            (root,) = [span for span in spans_in_tempo(run.trace(trace_id)) if span["name"] == "POST /chat"]
            assert attributes(root)["user.id"] == "[EMAIL]"


def test_words_of_the_prompt_are_still_there(run: Run) -> None:
    """The harmless marker of each kept prompt is in its trace: redaction took out values, not prompts."""
    markers = {request["trace_id"]: request["marker"] for request in run.report["requests"]}
    for trace_id, policy in run.verdicts.items():
        if policy:
            assert markers[trace_id].encode() in run.trace(trace_id)


def test_gateway_stopped_in_order(run: Run) -> None:
    """SIGTERM at the end of the run: exit code 0."""
    assert run.exit_code == 0
