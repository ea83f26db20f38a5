"""What redaction changes in the captured requests, line by line, as it was when someone last looked.

To look again after a change of rules: `python tests/golden/test_redaction.py` writes the files anew; read the diff.
"""

import difflib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # for being run as a script; pytest has it already

from unit.redact.helpers_redact import captures, read_capture, run

_GOLDEN = Path(__file__).parent / "redaction"


def _changes(path: Path) -> str:
    before = str(read_capture(path)).splitlines()
    batch = run(read_capture(path))
    after = str(batch.message).splitlines()
    counts = [f"# {rule}: {count}" for rule, count in sorted(batch.findings.items())]
    changed = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    return "\n".join([*counts, *changed, ""])


@pytest.mark.parametrize("path", captures(), ids=lambda path: path.stem)
def test_changes_are_those_on_record(path: Path) -> None:
    """The lines that left differ from those that came as the file says, and by no other."""
    assert _changes(path) == (_GOLDEN / f"{path.stem}.txt").read_text(encoding="utf-8")


def test_every_record_has_its_capture() -> None:
    """No file is left over from a capture that is gone."""
    assert {path.stem for path in _GOLDEN.glob("*.txt")} == {path.stem for path in captures()}


if __name__ == "__main__":
    for each in captures():
        (_GOLDEN / f"{each.stem}.txt").write_text(_changes(each), encoding="utf-8")
