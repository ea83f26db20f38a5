"""The keys that the journal is sealed with: from the environment, from a file, or made."""

import base64
import binascii
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from spansieve.journal.blocks import KEY_BYTES, key_id
from spansieve.journal.disk import make_directory, sync_directory
from spansieve.journal.errors import JournalError

VARIABLE = "SPANSIEVE_JOURNAL_KEY"
"""The environment variable that goes before the file."""

_WIDER_THAN_OWNER = 0o077


class Keyring:
    """The first key seals new segments, the others open old ones: to rotate, put a new key in front."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = {key_id(key): key for key in keys}
        self.current_id = next(iter(self._keys))

    @property
    def current(self) -> bytes:
        """The key for what is written now."""
        return self._keys[self.current_id]

    def find(self, wanted: bytes) -> bytes | None:
        """The key of an id, if it is here."""
        return self._keys.get(wanted)

    def __repr__(self) -> str:
        return f"Keyring({len(self._keys)} keys)"


def load(file: Path, environment: Mapping[str, str], *, is_new: bool) -> tuple[Keyring, bool]:
    """Read the keys: 32 bytes each in base64, separated by white space.

    Without any, one is made in `file`, mode 0600, if the journal `is_new`: another one has been sealed with a key that
    is lost or elsewhere, and whoever brings it back is not to find a second in its place.

    Returns the keys, and whether one was made. Raises JournalError, which shows nothing of a key.
    """
    if VARIABLE in environment:
        return _parse(environment[VARIABLE], f"the environment variable {VARIABLE}"), False
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="ascii")
    except FileNotFoundError:
        if is_new:
            return _make(file), True
        raise JournalError(
            f"The journal's key file {file} is not there, and the journal was sealed with a key: bring that back; or, "
            "if it is lost and with it what the journal owes, move the journal's directory away."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not ASCII text"
        raise JournalError(f"The journal's key file {file} cannot be read: {why}.") from None
    if mode & _WIDER_THAN_OWNER and file.owner() != "root":
        # A file of root's that a group may read is how an orchestrator hands out secrets.
        raise JournalError(f"The journal's key file {file} can be read by others than its owner: chmod 600 {file}.")
    return _parse(text, str(file)), False


def _parse(text: str, source: str) -> Keyring:
    keys: list[bytes] = []
    for word in text.split():
        try:
            key = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise JournalError(
                f"{source} holds something that is no key of {KEY_BYTES} bytes in base64: make one with "
                "`openssl rand -base64 32`."
            )
        keys.append(key)
    if not keys:
        raise JournalError(f"{source} is empty: put a key there, made with `openssl rand -base64 32`.")
    return Keyring(keys)


def _make(file: Path) -> Keyring:
    key = secrets.token_bytes(KEY_BYTES)
    try:
        make_directory(file.parent)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(base64.b64encode(key) + b"\n")
            opened.flush()
            os.fsync(descriptor)
        sync_directory(file.parent)  # a power cut must not leave a journal whose key has no name
    except OSError as error:
        raise JournalError(f"The journal's key file {file} cannot be made: {error.strerror}.") from None
    return Keyring([key])
