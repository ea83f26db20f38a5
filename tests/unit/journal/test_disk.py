"""The operating system's disk: what its calls are trusted with."""

from pathlib import Path

import pytest

from spansieve.journal.disk import DirectoryTaken, RealDisk, make_directory
from unit.journal.helpers_journal import synced_paths


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    """And takes the room that was asked for, before anything is in it."""
    disk = RealDisk(tmp_path / "journal")
    file = disk.create("1.segment")
    file.allocate(10_000)
    file.write(5, b"words")
    file.sync()
    assert disk.read_at("1.segment", 5, 5) == b"words"
    assert len(disk.read("1.segment")) == 10_000
    file.close()
    disk.close()


def test_what_is_written_to_a_deleted_file_is_not_written(tmp_path: Path) -> None:
    """The system would take it, and nobody find it again: that must not be answered OK."""
    disk = RealDisk(tmp_path)
    file = disk.create("1.segment")
    file.allocate(1000)
    disk.remove("1.segment")
    with pytest.raises(FileNotFoundError):
        file.write(0, b"words")
    file.close()
    disk.close()


def test_a_directory_has_one_owner(tmp_path: Path) -> None:
    """Until that one gives it up."""
    disk = RealDisk(tmp_path)
    with pytest.raises(DirectoryTaken):
        RealDisk(tmp_path)
    disk.close()
    RealDisk(tmp_path).close()


def test_directories_that_were_made_outlive_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of each is synced where it stands, and those that were there are left alone."""
    synced = synced_paths(monkeypatch, tmp_path, tmp_path / "a", tmp_path / "a" / "b")
    make_directory(tmp_path / "a" / "b")
    assert sorted(synced()) == [tmp_path, tmp_path / "a"]
    make_directory(tmp_path / "a" / "b")
    assert len(synced()) == 2
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
