"""The id of a gateway among others."""

import uuid
from pathlib import Path

import pytest

from spansieve.instance import identity


def test_id_is_a_uuid_and_stays(tmp_path: Path) -> None:
    """Each directory has its own, also one that is not there yet, and keeps it."""
    first, second = identity(tmp_path / "new" / "a"), identity(tmp_path / "b")
    assert str(uuid.UUID(first)) == first
    assert first != second
    assert identity(tmp_path / "new" / "a") == first


@pytest.mark.parametrize("found", [b"", b"not an id\n", b"\xff" * 36, b"x" * 5000])
def test_what_is_no_id_is_replaced(tmp_path: Path, found: bytes) -> None:
    """A file that was cut, or that somebody wrote, gives way to an id that stays."""
    (tmp_path / "instance-id").write_bytes(found)
    made = identity(tmp_path)
    assert identity(tmp_path) == made == str(uuid.UUID(made))


def test_file_is_for_the_owner_alone(tmp_path: Path) -> None:
    """As all that a gateway keeps, and nothing else is left behind."""
    identity(tmp_path)
    assert [(each.name, each.stat().st_mode & 0o777) for each in tmp_path.iterdir()] == [("instance-id", 0o600)]


def test_directory_that_cannot_be_had_is_no_obstacle(tmp_path: Path) -> None:
    """The gateway runs; its next start is another one."""
    taken = tmp_path / "taken"
    taken.write_text("a file")
    assert identity(taken) != identity(taken)
