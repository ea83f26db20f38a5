"""The embedded store as a destination, and its file."""

import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from fakes import ManualClock
from spansieve.export.store import EmbeddedStore
from spansieve.export.store_file import StoreError, StoreFile
from spansieve.export.store_reader import TraceStoreReader
from spansieve.model import SampledTrace, Signal
from spansieve.outcome import Ledger
from unit.export.helpers_export import Account, Recorder, Sleeps, fates, logs, received, trace

MIB = 1024 * 1024


class Store:
    """A destination with the world around it."""

    def __init__(self, directory: Path, max_bytes: int = 64 * MIB, *, wakes_at_once: bool = True) -> None:
        self.directory = directory
        self.ledger = Ledger()
        self.clock = ManualClock()
        self.logger = Recorder()
        self.sleeps = Sleeps(wakes_at_once=wakes_at_once)
        self.destination = EmbeddedStore(directory, max_bytes, self.ledger, self.clock, self.logger, self.sleeps)

    def submit(self, *traces: SampledTrace) -> None:
        """Enter traces in the books and submit them."""
        self.destination.submit_traces(received(self.ledger, traces))

    async def drain(self) -> None:
        """Stop with all the time in the world: the test's timeout bounds it."""
        await self.destination.stop(3600)

    def stored(self) -> dict[str, int]:
        """Spans by trace id, newest first."""
        return {each.trace_id.lstrip("0"): each.spans for each in TraceStoreReader(self.directory).list(100_000)}


@asynccontextmanager
async def storing(directory: Path, max_bytes: int = 64 * MIB, *, wakes_at_once: bool = True) -> AsyncIterator[Store]:
    """A started store; stopped afterwards."""
    store = Store(directory, max_bytes, wakes_at_once=wakes_at_once)
    await store.destination.start()
    try:
        yield store
    finally:
        await store.destination.stop(0)


async def test_traces_are_exported_once_they_are_committed(tmp_path: Path) -> None:
    """And can be read back."""
    async with storing(tmp_path) as store:
        store.submit(trace("a", "b", number=1), trace("c", number=2))
        await store.drain()
        assert fates(store.ledger) == {"exported": 3}
        assert store.stored() == {"2": 1, "1": 2}


async def test_receipts_hear_what_is_committed(tmp_path: Path) -> None:
    """Once, of all spans, and not before."""
    account = Account()
    async with storing(tmp_path) as store:
        store.submit(replace(trace("a", "b"), receipt=account))
        assert account.told == []
        await store.drain()
    assert account.told == [(2, 0, "")]


async def test_spans_are_stored_with_their_policy(tmp_path: Path) -> None:
    """As they would have been exported."""
    async with storing(tmp_path) as store:
        store.submit(trace("a", policy="slow"))
        await store.drain()
    request = TraceStoreReader(tmp_path).get("00")
    attributes = request.resource_spans[0].scope_spans[0].spans[0].attributes
    assert ("tailsampling.policy", "slow") in [(each.key, each.value.string_value) for each in attributes]


async def test_late_spans_are_put_to_their_trace(tmp_path: Path) -> None:
    """Its facts grow with it, and its place in the order stays."""
    async with storing(tmp_path) as store:
        store.submit(trace("a", number=1, start_ns=1000), trace("x", number=2))
        store.submit(trace("b", "c", number=1, start_ns=5_000_000))
        await store.drain()
        assert store.stored() == {"2": 1, "1": 3}
    first = TraceStoreReader(tmp_path).list(10)[1]
    assert (first.start_ns, first.end_ns) == (1000, 6_000_000)
    request = TraceStoreReader(tmp_path).get("00000000000000000000000000000001")
    assert [s.name for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans] == ["a", "b", "c"]


async def test_a_store_survives_its_process(tmp_path: Path) -> None:
    """The next one goes on with what is there, and says so."""
    for number in (1, 2):
        async with storing(tmp_path) as store:
            store.submit(trace("a", number=number))
            await store.drain()
    assert store.stored() == {"2": 1, "1": 1}
    assert store.logger.events("info") == ["store_opened"]


async def test_a_new_store_is_announced(tmp_path: Path) -> None:
    """A start with nothing in it is never silent."""
    async with storing(tmp_path / "new" / "data") as store:
        assert store.logger.events("info") == ["store_created"]


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    """The directory 0700, the file and those that SQLite puts beside it 0600."""
    directory = tmp_path / "data"
    file = StoreFile(directory, MIB)
    file.open()
    file.append([trace("a")], now_ns=1)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    file.close()
    assert modes == dict.fromkeys(("traces.db", "traces.db-wal", "traces.db-shm"), 0o600)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


async def test_the_oldest_traces_make_room(tmp_path: Path) -> None:
    """What is left are the newest, without a gap."""
    async with storing(tmp_path, max_bytes=MIB) as store:
        for number in range(1, 61):
            store.submit(trace("a", number=number, size=50_000))
        await store.drain()
        numbers = [int(trace_id, 16) for trace_id in store.stored()]
        assert numbers == list(range(60, 60 - len(numbers), -1))
        assert 15 <= len(numbers) <= 20
        assert store.destination.evicted_traces == 60 - len(numbers)


def test_the_file_does_not_grow_without_bound(tmp_path: Path) -> None:
    """Fifty times its bound goes through it; file and log stay near the bound."""
    file = StoreFile(tmp_path, max_bytes=MIB)
    file.open()
    largest = 0
    for number in range(250):
        file.append([trace("a", number=number * 4 + n, size=50_000) for n in range(4)], now_ns=1)
        largest = max(largest, sum(path.stat().st_size for path in tmp_path.iterdir() if path.name != "traces.db-shm"))
    file.close()
    assert largest < 8 * MIB
    assert file.path.stat().st_size <= MIB


def test_a_smaller_bound_shrinks_the_file(tmp_path: Path) -> None:
    """After the next write, as pages are given back to the file system."""
    for max_bytes, number in ((4 * MIB, 1), (MIB, 1000)):
        file = StoreFile(tmp_path, max_bytes)
        file.open()
        file.append([trace("a", number=number + n, size=50_000) for n in range(70)], now_ns=1)
        file.close()
    assert file.path.stat().st_size <= MIB


def test_traces_that_make_room_after_a_failure_take_their_spans_along(tmp_path: Path) -> None:
    """The file is opened anew then: what belongs to no trace any more would fill it for ever."""
    file = StoreFile(tmp_path, max_bytes=MIB)
    file.open()
    file.close()
    for number in range(40):
        file.append([trace("a", number=number + 1, size=50_000)], now_ns=1)
    file.close()
    with closing(sqlite3.connect(file.path)) as other:
        counts = [other.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("traces", "parts")]
    assert 15 <= counts[0] == counts[1] <= 20


async def test_receipts_hear_what_is_not_stored(tmp_path: Path) -> None:
    """A trace over the bound, and what needs an OTLP peer, are dropped: nobody owes them any more."""
    accounts = [Account(), Account()]
    async with storing(tmp_path, max_bytes=MIB) as store:
        store.submit(replace(trace("a", "b", size=MIB), receipt=accounts[0]))
        store.ledger.receive(Signal.LOGS, 2)
        store.destination.submit(Signal.LOGS, logs("a", "b"), 2, accounts[1])
    assert [account.told for account in accounts] == [[(2, 2, "too_large")], [(2, 2, "no_exporter")]]


async def test_a_trace_over_the_bound_is_dropped(tmp_path: Path) -> None:
    """With its reason: storing it would only push out all others."""
    async with storing(tmp_path, max_bytes=MIB) as store:
        store.submit(trace("a", number=1), trace("b", number=2, size=2 * MIB))
        await store.drain()
        assert fates(store.ledger) == {"exported": 1, "too_large": 1}
        assert store.logger.events("error") == ["export_dropped"]


async def test_logs_and_metrics_have_no_place(tmp_path: Path) -> None:
    """Dropped with a reason, said once for each signal."""
    async with storing(tmp_path) as store:
        store.ledger.receive(Signal.LOGS, 3)
        store.destination.submit(Signal.LOGS, logs("a", "b"), 2)
        store.destination.submit(Signal.LOGS, logs("c"), 1)
        store.destination.submit_own_metrics(b"")
        assert fates(store.ledger, Signal.LOGS) == {"no_exporter": 3}
        assert store.logger.events("warning") == ["not_stored"]


class FailingFile(StoreFile):
    """A disk that is full so many times."""

    failures = 0

    def append(self, traces: list[SampledTrace], now_ns: int) -> None:  # type: ignore[override] # a fake
        """Fail, or write."""
        if self.failures:
            self.failures -= 1
            raise StoreError("the disk is full")
        super().append(traces, now_ns)


def fail(store: Store, times: int) -> None:
    """Let the store's disk be full so many times."""
    file = FailingFile(store.directory, MIB)
    file.failures = times
    store.destination._file.close()
    store.destination._file = file


async def test_a_failing_disk_is_tried_again(tmp_path: Path) -> None:
    """With growing waits, one warning and a line at its end."""
    async with storing(tmp_path) as store:
        fail(store, 3)
        store.submit(trace("a"))
        await store.sleeps.slept(3)
        await store.drain()
        assert store.sleeps.asked == [0.5, 0.75, 1.125]
        assert fates(store.ledger) == {"exported": 1}
        assert [event for _, event, _ in store.logger.lines[1:]] == ["store_failing", "store_recovered"]


async def test_what_a_failing_disk_did_not_take_is_dropped_at_the_end(tmp_path: Path) -> None:
    """With the reason; until then it was held."""
    async with storing(tmp_path, wakes_at_once=False) as store:
        fail(store, 1000)
        store.submit(trace("a", "b"))
        await store.sleeps.slept(1)
        assert store.destination.held_bytes > 0
        assert store.destination.consecutive_failures == 1
        assert store.destination.status()[Signal.TRACES].items == 2
        await store.destination.stop(0)
        assert fates(store.ledger) == {"store_failed": 2}
        assert store.logger.events("error") == ["export_dropped"]


async def test_stop_tries_a_failing_disk_once_more_at_once(tmp_path: Path) -> None:
    """However long the next attempt would have had to wait."""
    async with storing(tmp_path, wakes_at_once=False) as store:
        fail(store, 1)
        store.submit(trace("a"))
        await store.sleeps.slept(1)
        await store.drain()
        assert fates(store.ledger) == {"exported": 1}


def test_each_commit_is_synced(tmp_path: Path) -> None:
    """What counts as exported survives the machine: PRAGMA synchronous is FULL (2), also after a failure."""
    file = StoreFile(tmp_path, MIB)
    file.open()
    assert file._connection is not None
    assert file._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    file.close()
    file.append([trace("a")], now_ns=1)
    assert file._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    file.close()


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    """The transaction is whole or not at all, and the next attempt works."""
    file = StoreFile(tmp_path, MIB)
    file.open()
    with closing(sqlite3.connect(file.path)) as other:
        other.execute("CREATE TRIGGER full AFTER INSERT ON parts WHEN NEW.id = 2 BEGIN SELECT RAISE(ABORT, 'x'); END")
    with pytest.raises(StoreError, match="cannot be read or written: SQLITE_CONSTRAINT_TRIGGER"):
        file.append([trace("a", number=1), trace("b", number=2)], now_ns=1)
    assert TraceStoreReader(tmp_path).list(10) == []
    with closing(sqlite3.connect(file.path)) as other:
        other.execute("DROP TRIGGER full")
    file.append([trace("a", number=1), trace("b", number=2)], now_ns=1)
    file.close()
    assert len(TraceStoreReader(tmp_path).list(10)) == 2


def test_times_beyond_sqlites_integers_are_stored(tmp_path: Path) -> None:
    """OTLP's times go to 2^64: the row holds the greatest that it can, the span its own."""
    file = StoreFile(tmp_path, MIB)
    file.open()
    file.append([trace("a", start_ns=(1 << 64) - 1_000_001)], now_ns=1)
    file.close()
    (summary,) = TraceStoreReader(tmp_path).list(1)
    assert summary.start_ns == (1 << 63) - 1
    span = TraceStoreReader(tmp_path).get("0").resource_spans[0].scope_spans[0].spans[0]
    assert span.end_time_unix_nano == (1 << 64) - 1


async def refusal(store: Store) -> str:
    """The sentence with which a store refuses to start."""
    with pytest.raises(StoreError) as raised:
        await store.destination.start()
    await store.destination.stop(0)
    return str(raised.value)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """And stays as it is."""
    (tmp_path / "traces.db").write_bytes(b"something else" * 100)
    assert "is damaged, or no database: move it away" in await refusal(Store(tmp_path))
    assert (tmp_path / "traces.db").read_bytes() == b"something else" * 100


async def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """Even though SQLite could read it."""
    with closing(sqlite3.connect(tmp_path / "traces.db")) as other:
        other.execute("CREATE TABLE traces (x)")
    assert "is a database of another program" in await refusal(Store(tmp_path))


async def test_a_newer_versions_file_is_refused(tmp_path: Path) -> None:
    """Rather than written to in an old way."""
    async with storing(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "traces.db")) as other:
        other.execute("PRAGMA user_version = 99")
    assert "has schema version 99" in await refusal(Store(tmp_path))


async def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """Found at the start, not at some later read."""
    async with storing(tmp_path) as store:
        store.submit(*(trace("a", number=n, size=3000) for n in range(1, 50)))
        await store.drain()
    path = tmp_path / "traces.db"
    content = bytearray(path.read_bytes())
    content[5 * 4096 : 9 * 4096] = b"\xa5" * (4 * 4096)
    path.write_bytes(content)
    assert "is damaged" in await refusal(Store(tmp_path))


async def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """With the path and the key to set."""
    (tmp_path / "file").write_text("")
    sentence = await refusal(Store(tmp_path / "file" / "data"))
    assert "Set storage.directory" in sentence
    assert str(tmp_path / "file" / "data") in sentence


def test_a_locked_file_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that writes for longer than we wait."""
    monkeypatch.setattr("spansieve.export.store_file._BUSY_SECONDS", 0.0)
    file = StoreFile(tmp_path, MIB)
    file.open()
    with closing(sqlite3.connect(file.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is locked by another process"):
            file.append([trace("a")], now_ns=1)
    file.append([trace("a")], now_ns=1)
    file.close()


def test_a_file_that_vanished_is_not_begun_anew_in_silence(tmp_path: Path) -> None:
    """After a failure the file is opened again, and one that is gone is a failure still."""
    file = StoreFile(tmp_path, MIB)
    file.open()
    file.close()
    file.path.unlink()
    with pytest.raises(StoreError, match="cannot be read or written"):
        file.append([trace("a")], now_ns=1)
    assert not file.path.exists()
