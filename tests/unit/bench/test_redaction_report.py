"""The page that `bench.redaction` writes."""

from typing import Any

import pytest
from bench import redaction_report

_RESULTS: dict[str, Any] = {
    "machine": {"date": "2026-01-02", "machine": "a core"},
    "texts": {
        "clean": {"mb_s": 251.26, "values": 0, "bytes_per_value": 327680},
        "dense": {
            "mb_s": 10.04,
            "values": 2000,
            "bytes_per_value": 163,
            "beside": {"same": {"mb_s": 12.0, "values": 46, "presidio_mb_s": 0.125, "presidio_values": 58}},
        },
    },
    "turns": 1.471,
    "hostile_ms": {"dots": 0.12},
}


@pytest.mark.parametrize(
    "line",
    [
        "- machine: a core",
        "| clean | 251.3 | 300 |  |",
        "| dense | 10.0 | 20 | 163 |",
        "| dense | all that both find | 12.0 | 0.125 | 96 | 46 / 58 |",
        "A conversation of 20 turns costs 1.47 times its messages (aim: 2.5).",
        "| dots | 0.1 |",
    ],
)
def test_each_figure_stands_beside_its_aim(line: str) -> None:
    """Where there is an aim; a ratio is worked out here."""
    assert line in redaction_report.markdown(_RESULTS).splitlines()


def test_a_quick_run_has_no_presidio() -> None:
    """Nothing is said of what was not measured."""
    quick = {**_RESULTS, "texts": {"clean": _RESULTS["texts"]["clean"]}}
    assert "Presidio's `analyze()`" not in redaction_report.markdown(quick)
