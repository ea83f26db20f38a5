"""The SQLite file of the embedded store: its schema, and the side that writes.

A trace is a row of `traces` and one or more of `parts`, each an ExportTraceServiceRequest; the parts one after the
other are such a request again, since serialized protobuf messages merge by concatenation.
"""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from spansieve.export.batch import stamped
from spansieve.model import SampledTrace
from spansieve.wire import frame_traces

FILE_NAME = "traces.db"
APPLICATION_ID = 0x5370_7376  # tells the file from other programs' databases
SCHEMA_VERSION = 1
_SCHEMA = f"""
BEGIN;
CREATE TABLE traces (
    id INTEGER PRIMARY KEY,           -- ascends: the order in which traces came, and go
    trace_id BLOB NOT NULL UNIQUE,
    stored_ns INTEGER NOT NULL,       -- when the first part came
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    spans INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    policy TEXT NOT NULL
);
CREATE TABLE parts (
    id INTEGER PRIMARY KEY,
    trace INTEGER NOT NULL REFERENCES traces (id) ON DELETE CASCADE,
    payload BLOB NOT NULL
);
CREATE INDEX parts_of_trace ON parts (trace);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
_UPSERT = """
INSERT INTO traces (trace_id, stored_ns, start_ns, end_ns, spans, errors, policy) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (trace_id) DO UPDATE SET
    start_ns = min(start_ns, excluded.start_ns),
    end_ns = max(end_ns, excluded.end_ns),
    spans = spans + excluded.spans,
    errors = errors + excluded.errors
RETURNING id
"""
_MAX_INTEGER = (1 << 63) - 1  # SQLite's, half of what an OTLP time may be
_WAL_LIMIT = 16 * 1024 * 1024
_BUSY_SECONDS = 5.0


class StoreError(Exception):
    """The store cannot be opened, read or written: a sentence with the path and a remedy."""


class StoreFile:
    """The one writer. Not thread-safe: one thread at a time, not always the same."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self.path = directory / FILE_NAME
        self.evicted_traces = 0
        self._max_bytes = max_bytes
        self._connection: sqlite3.Connection | None = None

    def open(self) -> bool:
        """Open the file, or make it: returns whether it was made. Raises StoreError for what is not a sound store."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives the files it puts beside this one the same mode.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
            made = self.path.stat().st_size == 0
        except OSError as error:
            raise StoreError(
                f"The store {self.path} cannot be opened: {error.strerror}. Set storage.directory to one that the "
                "gateway may write to."
            ) from None
        connection: sqlite3.Connection | None = None
        try:
            connection = self._connect()
            if made:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table, or never
                connection.executescript(_SCHEMA)
            check_identity(connection, self.path)
            check_soundness(connection, self.path)
            self._prepare(connection)
        except sqlite3.Error as error:
            _close(connection)
            raise describe(error, self.path) from None
        except StoreError:
            _close(connection)
            raise
        self._connection = connection
        return made

    def append(self, traces: Iterable[SampledTrace], now_ns: int) -> None:
        """Write traces, or late parts of some, in one synced transaction; the oldest traces make room.

        Raises StoreError when it did not happen: nothing of it was committed then, unless the disk failed while it
        confirmed, so that writing it again may store it twice. Each attempt after a failure opens the file anew, as
        SQLite's state after a failed write cannot be trusted.
        """
        rows = [(trace, frame_traces(stamped(trace))) for trace in traces]
        connection = self._connection
        try:
            if connection is None:
                connection = self._connection = self._reopen()
            connection.execute("BEGIN IMMEDIATE")
            # Room is made first, so that new rows go where old ones were: a quarter faster than growing and shrinking.
            evicted = self._make_room(connection, sum(len(payload) for _, payload in rows))
            for trace, payload in rows:
                facts = trace.facts
                (row,) = connection.execute(
                    _UPSERT,
                    (
                        trace.trace_id,
                        now_ns,
                        min(facts.start_ns, _MAX_INTEGER),
                        min(facts.end_ns, _MAX_INTEGER),
                        facts.spans,
                        facts.errors,
                        trace.decision.policy,
                    ),
                ).fetchall()
                connection.execute("INSERT INTO parts (trace, payload) VALUES (?, ?)", (row[0], payload))
            evicted += self._make_room(connection, 0)
            connection.execute("COMMIT")
            self.evicted_traces += evicted
            self._shrink(connection)
        except sqlite3.Error as error:
            _close(connection)
            self._connection = None
            raise describe(error, self.path) from None

    def close(self) -> None:
        """Close the file; what SQLite kept beside it is merged into it, now or when it is opened again."""
        with suppress(sqlite3.Error):  # a disk that fails here has lost nothing: what was committed is in the WAL
            _close(self._connection)
        self._connection = None

    def _connect(self) -> sqlite3.Connection:
        # mode=rw: a file that vanished is a failure, not an empty store.
        uri = f"{self.path.absolute().as_uri()}?mode=rw"
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS)

    def _reopen(self) -> sqlite3.Connection:
        connection = self._connect()
        self._prepare(connection)
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL syncs at each commit. NORMAL would lose the last ones when the power fails, and they count as exported;
        # a transaction holds all that waited while the last was synced, so it is one sync for many traces.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")

    def _make_room(self, connection: sqlite3.Connection, reserve: int) -> int:
        """Delete the oldest traces until what is used and `reserve` more bytes are within the bound; how many."""
        page = _number(connection, "page_size")
        deleted = 0
        while True:
            used = (_number(connection, "page_count") - _number(connection, "freelist_count")) * page
            if used + reserve <= self._max_bytes:
                return deleted
            cursor = connection.execute("DELETE FROM traces WHERE id = (SELECT min(id) FROM traces)")
            if cursor.rowcount == 0:
                return deleted
            deleted += 1

    def _shrink(self, connection: sqlite3.Connection) -> None:
        """Give pages beyond the bound back to the file system. Those within it stay free for the next traces."""
        excess = _number(connection, "page_count") - self._max_bytes // _number(connection, "page_size")
        if excess > 0:
            # Each step gives back one page and returns a row without columns, at which `execute` would stop.
            connection.executescript(f"PRAGMA incremental_vacuum({excess})")


def check_identity(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError when the file is another program's, or was written by a newer version of this one."""
    if _number(connection, "application_id") != APPLICATION_ID:
        raise StoreError(
            f"{path} is a database of another program: move it away, or set storage.directory to another directory."
        )
    version = _number(connection, "user_version")
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema version {version} and this gateway knows {SCHEMA_VERSION}: run the version that wrote "
            "it, or move the file away."
        )


def check_soundness(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError when the file is damaged."""
    if connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
        raise StoreError(_damaged(path))


def describe(error: sqlite3.Error, path: Path) -> StoreError:
    """Say in a sentence what SQLite found; its own words are left out where they could quote what was stored."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None  # the rest of the bits are details
    match primary:
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return StoreError(_damaged(path))
        case sqlite3.SQLITE_FULL:
            return StoreError(f"The store {path} cannot be written: the disk is full.")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreError(f"The store {path} is locked by another process.")
        case _:
            name = getattr(error, "sqlite_errorname", "unknown")
            return StoreError(f"The store {path} cannot be read or written: {name}.")


def _damaged(path: Path) -> str:
    return f"{path} is damaged, or no database: move it away, and the gateway begins a new one."


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    value: int = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    return value


def _close(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        connection.close()
