"""`spansieve why`: a verdict in words."""

from pathlib import Path

import pytest

from spansieve.cli import main
from spansieve.model import Because, Decision, Trigger
from spansieve.verdict_log import VerdictLog

KEPT = Decision(
    keep=True, policy="baseline", trigger=Trigger.WAIT_EXPIRED, because=Because.PROBABILITY, threshold=1 << 55
)
A, B = b"\xaa" * 16, b"\xbb" * 16
T0 = 1_767_268_800 * 10**9


def noted(directory: Path, *decisions: Decision) -> None:
    """Write a log of what was decided of trace A."""
    verdicts = VerdictLog(directory, 1 << 20, lambda: T0)
    verdicts.note([(A, decision) for decision in decisions])
    verdicts.flush()


def test_why_tells_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When, what, by which policy, for what reason, and what it stands for."""
    noted(tmp_path, KEPT)
    assert main(["why", A.hex().upper(), "--directory", str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        "2026-01-01T12:00:00Z  kept after the decision wait: its randomness is within the share of policy 'baseline'; "
        "it stands for 2 traces\n"
    )


@pytest.mark.parametrize(
    ("trace_id", "says"), [("abc", "32 hexadecimal digits"), (B.hex(), "No verdict"), ("../" * 11, "hexadecimal")]
)
def test_why_says_what_it_does_not_know(
    trace_id: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, with exit code 1."""
    noted(tmp_path, KEPT)
    assert main(["why", trace_id, "--directory", str(tmp_path)]) == 1
    assert says in capsys.readouterr().err


def test_why_without_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The directory is named."""
    assert main(["why", A.hex(), "--directory", str(tmp_path)]) == 1
    assert str(tmp_path) in capsys.readouterr().err


def test_every_reason_and_trigger_has_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No value of the enumerations is printed as it is."""
    noted(tmp_path, *(Decision(True, "p", trigger, because) for trigger in Trigger for because in Because))  # noqa: FBT003 - keep
    main(["why", A.hex(), "--directory", str(tmp_path)])
    printed = capsys.readouterr().out
    assert not [each for each in (*Trigger, *Because) if "_" in each and each in printed]
