"""What Prometheus says is what the provider was asked: over all traffic, by queries that anyone would write."""

from collections import Counter
from decimal import Decimal

import pytest
from demo.conversation import Fate
from demo.provider import Asked
from demo.telemetry import SERVICE
from genai_prices import Usage, calc_price

from e2e.harness.topology import REQUESTS, Run, expected_calls

pytestmark = pytest.mark.e2e


def price(line: Asked) -> Decimal:
    """What the call cost in USD, by the price list itself."""
    usage = Usage(
        input_tokens=line.input_tokens, cache_read_tokens=line.cached_tokens, output_tokens=line.output_tokens
    )
    return calc_price(usage, line.model, provider_id="openai").total_price


def test_requests_by_model(run: Run) -> None:
    """Every call of every model was counted once, kept or not."""
    assert run.sums("sum by (gen_ai_request_model) (spansieve_llm_requests_total)", "gen_ai_request_model") == (
        expected_calls(run.asked)
    )


def test_requests_by_outcome(run: Run) -> None:
    """Failures are errors, and everything else is ok."""
    expected = Counter("error" if line.outcome.failed else "ok" for line in run.asked)
    assert run.sums("sum by (outcome) (spansieve_llm_requests_total)", "outcome") == expected


def test_durations_are_as_many_as_requests(run: Run) -> None:
    """The conventions' histogram counts the same calls."""
    calls = 'gen_ai_operation_name!~"retrieval|rerank"'  # the conventions have their durations here, too
    query = f"sum by (gen_ai_request_model) (gen_ai_client_operation_duration_seconds_count{{{calls}}})"
    assert run.sums(query, "gen_ai_request_model") == expected_calls(run.asked)


def test_tokens_by_model_and_type(run: Run) -> None:
    """Token sums are the ledger's: the application's own metric of that name does not add to them."""
    expected: Counter[tuple[str, str]] = Counter()
    for line in run.asked:
        expected[line.model, "input"] += line.input_tokens
        expected[line.model, "output"] += line.output_tokens
    query = "sum by (gen_ai_request_model, gen_ai_token_type) (gen_ai_client_token_usage_sum)"
    measured = run.sums(query, "gen_ai_request_model", "gen_ai_token_type")
    assert {key: n for key, n in measured.items() if n} == +expected


def test_first_chunks_are_as_many_as_streamed_answers(run: Run) -> None:
    """Each successful streamed call has one time to first chunk, and no other call has one."""
    expected = Counter(line.model for line in run.asked if line.stream and not line.outcome.failed)
    query = "sum by (gen_ai_request_model) (gen_ai_client_operation_time_to_first_chunk_seconds_count)"
    assert run.sums(query, "gen_ai_request_model") == expected


def test_first_chunks_of_slow_answers_are_slow(run: Run) -> None:
    """The times are real: as many are over a second as slow answers were streamed."""
    slow = sum(line.stream and line.outcome is Fate.SLOW for line in run.asked)
    bucket = "gen_ai_client_operation_time_to_first_chunk_seconds_bucket"
    measured = run.sums(f'sum({bucket}{{le="+Inf"}}) - sum({bucket}{{le="1.28"}})')
    assert slow > 0
    assert measured == {(): slow}


def test_errors_by_reason(run: Run) -> None:
    """Three ways to fail are told apart, though two of them are the same exception for the client."""
    expected = Counter(str(line.outcome) for line in run.asked if line.outcome.failed)
    assert len(expected) == 3
    assert run.sums("sum by (reason) (spansieve_llm_errors_total)", "reason") == expected


def test_cost_by_model(run: Run) -> None:
    """Cost is tokens times price, cached ones at their own price, to the last digit that a float holds."""
    expected: dict[str, Decimal] = {}
    for line in run.asked:
        expected[line.model] = expected.get(line.model, Decimal(0)) + price(line)
    query = "sum by (gen_ai_request_model) (spansieve_llm_cost_usd_total)"
    assert run.sums(query, "gen_ai_request_model") == pytest.approx(
        {model: float(cost) for model, cost in expected.items()}, rel=1e-9
    )


def test_no_tokens_without_a_price(run: Run) -> None:
    """All models of the demo are on the price list."""
    assert not any(run.sums("sum(spansieve_llm_unpriced_tokens_total)").values())


def test_calls_belong_to_the_service_that_made_them(run: Run) -> None:
    """`service_name` is the application's, not the gateway's."""
    query = "sum by (service_name) (spansieve_llm_requests_total)"
    assert run.sums(query, "service_name") == {SERVICE: len(run.asked)}


def test_metrics_of_the_application_pass(run: Run) -> None:
    """A metric that the gateway does not derive itself arrives as it was sent."""
    failed = sum(request["kind"] == "failed" for request in run.report["requests"])
    assert run.sums("sum by (outcome) (shop_chat_requests_total)", "outcome") == {
        "ok": REQUESTS - failed,
        "failed": failed,
    }


def test_ledger_of_spans_is_in_prometheus(run: Run) -> None:
    """The books that arrive are those of /metrics, they balance, and they count what was sent."""
    names = ("received", "exported", "sampled_out", "rejected", "dropped")
    books = {name: sum(run.sums(f'sum(spansieve_{name}_items_total{{signal="traces"}})').values()) for name in names}
    for name in names:
        assert books[name] == run.samples.total(f"spansieve_{name}_items_total", signal="traces")
    assert books["received"] == len(run.sent)
    assert books["received"] == books["exported"] + books["sampled_out"]
    assert books["exported"] > 0
    assert books["sampled_out"] > 0
