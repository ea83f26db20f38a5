"""The log of verdicts."""

import stat
from pathlib import Path

from spansieve.model import Because, Decision, Trigger
from spansieve.verdict_log import VerdictLog, search

KEPT = Decision(
    keep=True, policy="baseline", trigger=Trigger.WAIT_EXPIRED, because=Because.PROBABILITY, threshold=1 << 55
)
OUT = Decision(keep=False, policy="", trigger=Trigger.LATE_SPAN, because=Because.NO_MATCH)
A, B = b"\xaa" * 16, b"\xbb" * 16
T0 = 1_767_268_800 * 10**9


def log(directory: Path, size: int = 1 << 20) -> VerdictLog:
    """A log whose clock stands."""
    return VerdictLog(directory, size, lambda: T0)


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    """Mode 0600, whatever the process's mask says."""
    verdicts = log(tmp_path / "data")
    verdicts.note([(A, KEPT)])
    verdicts.flush()
    (file,) = (tmp_path / "data").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_no_other_file_is_written_by_a_link(tmp_path: Path) -> None:
    """Who can put links into the directory cannot have the gateway write elsewhere: what is not written is counted."""
    other = tmp_path / "other"
    other.touch()
    (tmp_path / "verdicts.jsonl").symlink_to(other)
    verdicts = log(tmp_path)
    verdicts.note([(A, KEPT)])
    verdicts.flush()
    assert (other.read_bytes(), verdicts.missing) == (b"", 1)


def test_verdict_is_found_again(tmp_path: Path) -> None:
    """With all that is known of it; another trace's is not."""
    verdicts = log(tmp_path / "data")
    verdicts.note([(A, KEPT), (B, OUT)])
    verdicts.flush()
    assert search(tmp_path / "data", A.hex()) == [
        {
            "trace_id": A.hex(),
            "at": "2026-01-01T12:00:00Z",
            "verdict": "kept",
            "policy": "baseline",
            "reason": "probability",
            "trigger": "wait_expired",
            "rate": 2.0,
        }
    ]


def test_verdicts_of_a_trace_come_in_order(tmp_path: Path) -> None:
    """Also over the two files."""
    verdicts = log(tmp_path, size=100)
    for decision in (KEPT, OUT):
        verdicts.note([(A, decision)])
        verdicts.flush()
    assert [each["verdict"] for each in search(tmp_path, A.hex())] == ["sampled_out"]
    verdicts = log(tmp_path / "larger", size=1000)
    for decision in (KEPT, OUT):
        verdicts.note([(A, decision)])
        verdicts.flush()
    assert [each["verdict"] for each in search(tmp_path / "larger", A.hex())] == ["kept", "sampled_out"]


def test_size_is_bounded(tmp_path: Path) -> None:
    """The older file goes when the newer has half the size; what was written last stays."""
    verdicts = log(tmp_path, size=20_000)
    for number in range(1000):
        verdicts.note([(number.to_bytes(16, "big"), OUT)])
        verdicts.flush()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 20_000 + 200
    assert search(tmp_path, (999).to_bytes(16, "big").hex())


def test_log_that_cannot_be_written_is_counted(tmp_path: Path) -> None:
    """The gateway goes on without it."""
    (tmp_path / "file").write_text("in the way")
    verdicts = log(tmp_path / "file")
    verdicts.note([(A, KEPT), (B, OUT)])
    verdicts.flush()
    assert verdicts.missing == 2


def test_half_a_line_is_passed_over(tmp_path: Path) -> None:
    """It is still being written."""
    verdicts = log(tmp_path)
    verdicts.note([(A, KEPT)])
    verdicts.flush()
    file = tmp_path / "verdicts.jsonl"
    file.write_bytes(file.read_bytes() + f'{{"trace_id":"{A.hex()}","at"'.encode())
    assert len(search(tmp_path, A.hex())) == 1


def test_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    """As by a kill in the middle of it: the next process begins a new line, and that one is passed over."""
    verdicts = log(tmp_path)
    verdicts.note([(A, KEPT)])
    verdicts.flush()
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    again = log(tmp_path)
    for decision in (KEPT, OUT):
        again.note([(B, decision)])
        again.flush()
    assert [each["verdict"] for each in search(tmp_path, B.hex())] == ["kept", "sampled_out"]
    assert search(tmp_path, A.hex()) == []
