import xml.etree.ElementTree as ET
from dataclasses import asdict
from typing import Any

import pytest
from bench import comparisons, plot, report
from bench.comparisons import DEFAULT, TWELVE
from bench.micro import FLOOR, STAGES
from bench.recall import of_counts


def _cell(us: float) -> dict[str, Any]:
    figures = {"us_per_span": us, "spans_per_cpu_s": 1e6 / us, "mb_per_cpu_s": 5.0, "us_per_request": us * 100}
    return {**figures, "p50_ms": 1.0, "p99_ms": 2.0, "spread": 1.1, "kept": 0.14, "refused": 0}


@pytest.fixture
def results() -> dict[str, Any]:
    """A run of one kind of traffic with every part in it."""
    return {
        "machine": {"date": "today"},
        "peers": {name: {"version": "1", "leaves_out": "a | b"} for name in (*DEFAULT, *TWELVE)},
        "unavailable": {"presidio": "no network"},
        "kinds": {"plain": {"spans": 1000, "bytes": 730_000, "requests": 2}},
        "rounds": {
            "plain": {
                "spansieve": [{"spans": 100, "cpu_s": 2.0}, {"spans": 100, "cpu_s": 4.0}],
                "collector": [{"spans": 100, "cpu_s": 6.0}, {"spans": 100, "cpu_s": 12.0}],
                "rotel": [{"spans": 100, "cpu_s": 3.0}],
                "spansieve-twelve": [{"spans": 100, "cpu_s": 2.0}, {"spans": 100, "cpu_s": 4.0}],
                "collector-twelve": [{"spans": 100, "cpu_s": 2.4}, {"spans": 100, "cpu_s": 4.8}],
            }
        },
        "throughput": {
            "plain": {
                "spansieve": _cell(20),
                "collector": _cell(60),
                "rotel": _cell(30),
                "spansieve-twelve": _cell(20),
                "collector-twelve": _cell(24),
            }
        },
        "rounds_over_http": {
            "plain": {
                "spansieve-twelve": [{"spans": 100, "cpu_s": 2.0}],
                "collector-twelve": [{"spans": 100, "cpu_s": 5.0}],
            }
        },
        "over_http": {"plain": {"spansieve-twelve": _cell(20), "collector-twelve": _cell(50)}},
        "stages": {"plain": {**dict.fromkeys(STAGES, 2.0), **dict.fromkeys(FLOOR, 2.0)}},
        "stages_twelve": {"plain": {**dict.fromkeys(STAGES, 2.0), "redact": 8.0, **dict.fromkeys(FLOOR, 2.0)}},
        "measuring": {"plain": {"llm": 15.5, "other": 0.5, "llm_spans": 10, "other_spans": 20}},
        "recall": {"plain": {"spansieve": asdict(of_counts({"personal ssn": 1}, {"personal ssn": 10}))}},
        "classes": {
            "spansieve": asdict(
                of_counts({"personal CARD": 0, "benign uuid": 4}, {"personal CARD": 8, "benign uuid": 4})
            ),
            "collector": asdict(
                of_counts({"personal CARD": 2, "benign uuid": 3}, {"personal CARD": 8, "benign uuid": 4})
            ),
        },
        "sizes": [
            {
                "spans": size,
                "rate": 2000.0,
                "us_per_request": 8000.0,
                "p50_ms": 9.0,
                "p99_ms": p99,
                "requests": 500,
                "refused": {},
            }
            for size, p99 in ((50, 20.0), (345.5, 120.0))
        ],
        "latency": [
            {
                "kind": "plain",
                "spans": 50,
                "rate": 10.0,
                "peer": "spansieve, fsync",
                "p50_ms": 1.0,
                "p99_ms": 2.0,
                "requests": 3,
                "refused": {},
            }
        ],
        "lag": {
            "traces": 100_000,
            "filling_p99_ms": 10.0,
            "deciding_p50_ms": 1.0,
            "deciding_p99_ms": 20.0,
            "deciding_longest_ms": 50.0,
            "probe_p50_ms": 2.5,
            "probe_p99_ms": 12.5,
        },
        "memory": {
            "spansieve": {
                "spans": 1000,
                "received_mib": 1.0,
                "idle_mib": 90.0,
                "first_mib": 93.5,
                "waiting_mib": 94.75,
                "account_mib": 1.19,
            }
        },
        "names": {
            "words_warm": 300_000.0,
            "words_cold": 100_000.0,
            "start_seconds": 0.2,
            "memory_mib": 50.0,
            "span_microseconds": 1200.0,
            "core_share": 0.12,
            "turns": 1.6,
        },
        "overload": [
            {
                "peer": "spansieve",
                "cause": "load",
                "accepted": 10,
                "arrived": 9,
                "lost": 1,
                "unsure": 0,
                "refused": {"UNAVAILABLE": 3},
                "refused_with_retry": 3,
                "idle_mib": 90.0,
                "half_mib": 120.0,
                "most_mib": 121.0,
            }
        ],
    }


def test_ratios_are_ours_to_theirs(results: dict[str, Any]) -> None:
    """Round by round: 2 s beside 6 is three times, and so is 4 beside 12 in the next; 5 floors of 4 µs make 20."""
    (row,) = [line for line in report.markdown(results).splitlines() if line.startswith("| plain | 3.00 x")]
    assert row == (
        "| plain | 3.00 x (aim 1.3 x, reached) | 1.20 x (aim 1.3 x) | 1.50 x (aim 2 x) |  | 2.0 x "
        "| 5.00 x (aim 8 x, reached) |"
    )


def test_what_a_round_has_not_makes_no_ratio(results: dict[str, Any]) -> None:
    """A peer that is driven once is compared with the gateway in that round."""
    rounds = results["rounds"]["plain"]
    assert comparisons.ratio(rounds, "spansieve", "rotel") == 1.5
    assert comparisons.ratio(rounds, "spansieve", "rotel-twelve") is None


def test_classes_have_a_row_each_and_mistakes_a_line(results: dict[str, Any]) -> None:
    """What is gone by class and peer, what is left of look-alikes, and which were taken."""
    page = report.markdown(results)
    assert "| CARD | 100.0% | 75.0% |" in page
    assert "| all 8 values | 100.00% | 75.00% |" in page
    assert "| look-alikes left alone | 100.00% | 75.00% |" in page
    assert "- spansieve takes none" in page
    assert "- collector takes uuid 25%" in page


def test_answers_stand_by_the_size_of_their_request(results: dict[str, Any]) -> None:
    """Beside the aim, so that an operator can choose a size."""
    page = report.markdown(results)
    assert "| 50 | 2,000 | 8.00 | 9.00 | 20.0 (aim 25, reached) | 500 |  |" in page
    assert "| 346 | 2,000 | 8.00 | 9.00 | 120 (aim 25) | 500 |  |" in page


def test_measuring_stands_beside_its_aims(results: dict[str, Any]) -> None:
    """What measuring adds to LLM spans and to others has rows of its own, and says what was aimed at."""
    page = report.markdown(results)
    assert "| plain | 15.5 (aim 15) | 0.50 (aim 3, reached) |" in page
    results["measuring"]["plain"]["llm"] = None
    assert "| plain |  | 0.50 (aim 3, reached) |" in report.markdown(results)


def test_each_table_has_as_many_cells_as_columns(results: dict[str, Any]) -> None:
    """A value with a bar in it does not break its row."""
    width = 0
    for line in report.markdown(results).splitlines():
        cells = line.replace("\\|", "").count("|")
        if line.startswith("|---"):
            assert cells == width
        elif line.startswith("| "):
            assert not width or cells == width
        width = cells if line.startswith("|") else 0


def test_waiting_costs_what_the_second_lot_adds(results: dict[str, Any]) -> None:
    """Not what the first one fills for good."""
    (row,) = [line for line in report.markdown(results).splitlines() if line.startswith("| spansieve | 90")]
    assert row.endswith("| 1,311 | 1,049 | 1.25 | 1.19 |")


def test_http_stands_beside_grpc(results: dict[str, Any]) -> None:
    """What a request costs over each, and the ratio over HTTP, which is the rounds' own."""
    page = report.markdown(results)
    assert "| plain | spansieve-twelve | 20.0 | 2,000 | 2,000 |  |" in page
    assert "| plain | collector-twelve | 50.0 | 5,000 | 2,400 | 2.50 x |" in page


def test_names_have_their_rows(results: dict[str, Any]) -> None:
    """Each beside its aim."""
    page = report.markdown(results)
    assert "| words a second, warm | 300,000 | ≥ 250,000, reached |" in page
    assert "| words a second, cold | 100,000 | ≥ 120,000 |" in page
    assert "| per kept LLM span | 1,200 µs |  |" in page


def test_a_peer_that_cannot_be_had_is_named_with_the_reason(results: dict[str, Any]) -> None:
    """The table says why a peer is missing."""
    assert "| presidio | not to be had | no network |" in report.markdown(results)


def test_plots_are_well_formed(results: dict[str, Any]) -> None:
    """Each picture is XML that a viewer can read."""
    pictures = report.plots(results)
    assert set(pictures) == {"throughput.svg", "stages.svg", "memory.svg"}
    for picture in pictures.values():
        assert ET.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"


def test_a_missing_value_leaves_a_gap() -> None:
    """A group in which a series has no value gets no bar for it."""
    picture = plot.grouped("t", "u", ["a", "b"], {"x": [1.0, None], "y": [10.0, 100.0]})
    assert picture.count("<rect") - 1 - 2 == 3  # without the background and the legend


def test_recall_counts_what_is_gone_and_what_is_left() -> None:
    """Personal values should be gone, look-alikes should be there."""
    found = of_counts(
        {"personal ssn": 1, "personal card": 0, "benign uuid": 3},
        {"personal ssn": 4, "personal card": 4, "benign uuid": 4},
    )
    assert (found.personal, found.look_alikes, found.values, found.benign) == (7 / 8, 3 / 4, 8, 4)
    assert found.by_kind == {"ssn": 0.75, "card": 1.0, "uuid": 0.75}
