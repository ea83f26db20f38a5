"""The journal's keys: where they come from, and that none is shown."""

import base64
from pathlib import Path

import pytest

from spansieve.journal import keys
from spansieve.journal.blocks import key_id
from spansieve.journal.errors import JournalError
from unit.journal.helpers_journal import synced_paths

ONE, TWO = bytes(range(32)), bytes(range(32, 64))


def written(*all_keys: bytes) -> str:
    """Keys as an operator writes them."""
    return "\n".join(base64.b64encode(key).decode() for key in all_keys) + "\n"


def private(file: Path, text: str) -> Path:
    """A file of mode 0600."""
    file.touch(0o600)
    file.write_text(text)
    return file


def test_a_key_is_made_when_there_is_none(tmp_path: Path) -> None:
    """For its owner only, and the next start finds it."""
    file = tmp_path / "data" / "journal.key"
    ring, made = keys.load(file, {}, is_new=True)
    assert made
    assert file.stat().st_mode & 0o777 == 0o600
    again, made = keys.load(file, {}, is_new=True)
    assert not made
    assert again.current == ring.current


def test_a_key_that_was_made_outlives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key, its name, and the name of the directory that was made for it: without it nothing can be read."""
    file = tmp_path / "data" / "journal.key"
    synced = synced_paths(monkeypatch, tmp_path, file.parent, file)
    keys.load(file, {}, is_new=True)
    assert synced() == [tmp_path, file, file.parent]


def test_no_second_key_is_made_for_a_journal_that_has_one(tmp_path: Path) -> None:
    """Whoever brings the lost one back finds its place empty."""
    with pytest.raises(JournalError, match="bring that back"):
        keys.load(tmp_path / "k", {}, is_new=False)
    assert not list(tmp_path.iterdir())


def test_no_two_keys_that_are_made_are_equal(tmp_path: Path) -> None:
    """They are random."""
    assert (
        keys.load(tmp_path / "a", {}, is_new=True)[0].current != keys.load(tmp_path / "b", {}, is_new=True)[0].current
    )


def test_the_first_key_seals_and_all_open(tmp_path: Path) -> None:
    """A new key is put in front of the old one."""
    ring, _ = keys.load(private(tmp_path / "k", written(TWO, ONE)), {}, is_new=True)
    assert (ring.current, ring.current_id) == (TWO, key_id(TWO))
    assert ring.find(key_id(ONE)) == ONE
    assert ring.find(b"whatever") is None


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    """And no file is made."""
    ring, made = keys.load(tmp_path / "k", {keys.VARIABLE: written(ONE)}, is_new=True)
    assert ring.current == ONE
    assert not made
    assert not (tmp_path / "k").exists()


@pytest.mark.parametrize("text", ["", "not base64!", written(b"short"), written(ONE) + "c2hvcnQ="])
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    """With a remedy."""
    with pytest.raises(JournalError, match="openssl rand -base64 32") as raised:
        keys.load(private(tmp_path / "k", text), {}, is_new=True)
    assert not any(word in str(raised.value) for word in text.split())


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is root's, as an orchestrator's secrets are."""
    file = private(tmp_path / "k", written(ONE))
    file.chmod(mode)
    monkeypatch.setattr(Path, "owner", lambda _: "somebody")
    with pytest.raises(JournalError, match="chmod 600"):
        keys.load(file, {}, is_new=True)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Rather than replaced by a new key, which would open nothing. Why is told."""
    with pytest.raises(JournalError, match="cannot be read: Is a directory"):
        keys.load(tmp_path, {}, is_new=True)
    with pytest.raises(JournalError, match="cannot be read: it is not ASCII text"):
        keys.load(private(tmp_path / "k", "schlüssel"), {}, is_new=True)


def test_a_file_of_its_owner_alone_may_be_anybodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the gateway: mode 0600 is enough."""
    monkeypatch.setattr(Path, "owner", lambda _: "somebody")
    assert keys.load(private(tmp_path / "k", written(ONE)), {}, is_new=True)[0].current == ONE


def test_a_ring_shows_no_key() -> None:
    """Not in a log line, not in a traceback."""
    assert "\\x0" not in repr(keys.Keyring([ONE]))
    assert repr(keys.Keyring([ONE])) == "Keyring(1 keys)"
