"""No planted value is anywhere behind the application: not in an answer, not in a file, not in a log."""

import json

import pytest
from demo import search

from e2e.harness.topology import Run

pytestmark = pytest.mark.e2e


def test_search_finds_everything_in_what_was_sent(run: Run) -> None:
    """Before the gateway every planted value is there to be found: the search works."""
    sent = json.dumps(run.report["sent"], ensure_ascii=False).encode()
    assert len(run.needles) > 300
    assert set(search.found(run.needles, sent)) == set(run.needles)


def test_planted_values_are_nowhere(run: Run) -> None:
    """Tempo, Prometheus, the Collector's output, every log and every file are free of them, in any disguise."""
    leaks = {place: len(values) for place, data in run.stores() if (values := search.found(run.needles, data))}
    assert leaks == {}


def test_places_that_were_searched_hold_something(run: Run) -> None:
    """The search looked at the real places: what is harmless is found in each of them."""
    kept = {trace_id for trace_id, policy in run.verdicts.items() if policy}
    markers = [request["marker"] for request in run.report["requests"] if request["trace_id"] in kept]
    places = dict(run.stores())
    in_tempo = b"".join(data for place, data in places.items() if place.startswith("Tempo /api/traces/"))
    assert search.found(markers, in_tempo) == markers
    assert search.found(markers, places[run.stock.output.name]) == markers
    assert b"gpt-4o-mini" in places["Prometheus series"]
    assert b"gpt-4o-mini" in places["/metrics of the gateway"]
    assert any(b"gpt-4o-mini" in data for place, data in places.items() if "write-ahead log" in place)
    assert b'"stopped"' in places["gateway/gateway.log"]
    for directory in ("tempo-data/", "prometheus/data/"):
        assert any(data for place, data in places.items() if place.startswith(directory))


def test_logs_of_the_application_arrive_redacted(run: Run) -> None:
    """Log records with message content reach the Collector, with tokens in place of the planted values."""
    lines = run.stock.output.read_bytes().splitlines()
    logs = b"\n".join(line for line in lines if line.startswith(b'{"resourceLogs"'))
    assert b"kestrel-0000" in logs
    assert b"[EMAIL]" in logs
