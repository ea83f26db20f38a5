"""The other tests' control: with the gateway left out, what they look for is found where they look."""

from collections.abc import Iterator

import pytest
from demo import search

from e2e.harness import topology
from e2e.harness.topology import Run

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def unguarded(real_parts: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The application through the stock parts alone."""
    with topology.run_without_gateway(tmp_path_factory.mktemp("unguarded"), seed=13) as made:
        yield made


def test_every_planted_value_is_in_tempos_answers(unguarded: Run) -> None:
    """Tempo shows each planted value to whoever asks for the traces."""
    answers = b"".join(unguarded.trace(trace_id) for trace_id in unguarded.verdicts)
    assert set(search.found(unguarded.needles, answers)) == set(unguarded.needles)


def test_every_planted_value_is_in_the_collectors_output(unguarded: Run) -> None:
    """The Collector's file exporter writes each of them."""
    assert set(search.found(unguarded.needles, unguarded.stock.output.read_bytes())) == set(unguarded.needles)


def test_planted_values_can_be_read_from_tempos_files(unguarded: Run) -> None:
    """Tempo compresses, so its answers are the whole check; yet many values stand in its files as they are."""
    stored = b"".join(path.read_bytes() for path in unguarded.stock.tempo.data.rglob("*") if path.is_file())
    assert len(search.found(unguarded.needles, stored)) >= 20


def test_labels_can_be_read_from_prometheus_files(unguarded: Run) -> None:
    """The write-ahead log is searched in the clear: every model's name, which is a label, is found in it."""
    stored = b"".join(data for place, data in unguarded.stores() if place.startswith("Prometheus write-ahead log"))
    models = list(topology.expected_calls(unguarded.asked))
    assert search.found(models, stored) == models


def test_sampled_out_traces_would_be_there(unguarded: Run) -> None:
    """Tempo has all traces when nobody samples."""
    assert all(unguarded.trace(trace_id) for trace_id in unguarded.verdicts)


def test_tokens_of_the_application_itself_are_counted(unguarded: Run) -> None:
    """The application does send a metric of the name that the gateway derives: it would have added to the sums."""
    sums = unguarded.sums("sum(gen_ai_client_token_usage_sum)")
    assert sums[()] == sum(line.input_tokens + line.output_tokens for line in unguarded.asked)
