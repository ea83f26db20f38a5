"""Text that telemetry is made of and that holds nothing personal: the files of the folder `benign`."""

from pathlib import Path

_FOLDER = Path(__file__).with_name("benign")


def written() -> list[str]:
    """The lines of the files, each a text."""
    return [line for path in sorted(_FOLDER.glob("*.txt")) for line in path.read_text(encoding="utf-8").splitlines()]
