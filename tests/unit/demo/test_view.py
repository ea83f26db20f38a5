import io
from pathlib import Path

import pytest
from demo import view
from demo.evidence import Evidence
from rich.console import Console, RenderableType

from unit.demo.helpers_demo import SECRET, good_run


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    """A run in which everything is as it should be."""
    return good_run(tmp_path)


def printed(what: RenderableType) -> list[list[str]]:
    """The words of each line that a pipe gets."""
    pipe = io.StringIO()
    Console(file=pipe, width=120).print(what)
    return [line.split() for line in pipe.getvalue().splitlines() if line.strip()]


def test_before_and_after_stand_side_by_side(evidence: Evidence) -> None:
    """The text that changed is shown as it came and as it left, in one line."""
    assert ["chat:", "prompt", "kestrel-0000", SECRET, "kestrel-0000", "[SSN]"] in printed(
        view.before_and_after(evidence)
    )


def test_same_change_in_several_places_is_shown_once(evidence: Evidence) -> None:
    """The prompt stands on two spans; the table has it once, and names both."""
    lines = printed(view.before_and_after(evidence))
    assert sum("[SSN]" in line for line in lines) == 1
    assert sum(line[:2] == ["chat:", "prompt"] for line in lines) == 2


def test_what_did_not_change_is_only_counted(evidence: Evidence) -> None:
    """Harmless texts are not repeated."""
    lines = [" ".join(line) for line in printed(view.before_and_after(evidence))]
    assert any("did not change: 2 of chat" in line for line in lines)
    assert not any("gpt-4o" in line for line in lines)


def test_verdicts_are_counted_by_policy(evidence: Evidence) -> None:
    """Each policy has its line, also one that kept nothing."""
    assert printed(view.verdicts(evidence))[2:] == [
        ["kept", "errors", "1"],
        ["kept", "slow", "0"],
        ["kept", "baseline", "0"],
        ["sampled", "out", "no", "policy", "wanted", "it", "1"],
    ]


def test_measured_has_a_line_for_each_model(evidence: Evidence) -> None:
    """Requests, errors, tokens, mean time to first chunk and cost."""
    _, _, line, caption = printed(view.measured(evidence))
    assert line == ["gpt-4o", "3", "1", "1,030", "7", "250", "ms", "$0.000125"]
    assert caption == ["Errors:", "1", "rate_limit"]


def test_redactions_are_listed_by_frequency(evidence: Evidence) -> None:
    """What was taken out most often comes first."""
    assert view.redactions(evidence) == "us_ssn 7, email 2"


def test_books_are_one_equation(evidence: Evidence) -> None:
    """The ledger of spans in a line that can be added up."""
    assert view.books(evidence) == ("3 received = 2 kept + 1 sampled out + 0 rejected + 0 dropped + 0 in flight")
