"""The composition root: what keeps the gateway from starting, what a reload changes, and how it ends."""

import asyncio
import errno
import io
import json
import logging
import os
import stat
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from spansieve import app, config, logs
from spansieve.app import Gateway
from spansieve.clock import SystemClock
from spansieve.config import ConfigError, GatewayConfig
from spansieve.journal.disk import RealFile
from spansieve.journal.writer import Failed
from spansieve.model import Signal
from spansieve.reload import Source
from unit.export.helpers_export import running_peer

ANY_PORT = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
redaction: {names: off}
telemetry: {metrics: {endpoint: "127.0.0.1:0"}}
"""


EXTRA = "shutdown_timeout: 3s\nsampling: {decision_wait: 1s, decision_cache: {sampled_cache_size: 7}}\n"


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that others keep busy is no disk that hangs: its threads are to end before the test does."""
    monkeypatch.setattr(app, "_JOURNAL_GRACE_SECONDS", 50.0)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Where the gateway's log goes; the process's logging is put back afterwards."""
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield io.StringIO()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def events(log: io.StringIO) -> dict[str, dict[str, Any]]:
    """The log's lines by event; the last of each."""
    return {line["event"]: line for line in map(json.loads, log.getvalue().splitlines())}


def settings(text: str, directory: Path) -> GatewayConfig:
    """A configuration on free ports with its files in a directory, and a small journal: every start fills segments."""
    return config.parse(f"{text}\nstorage: {{directory: {directory}, journal_max_mib: 64}}", {})


def read(text: str, directory: Path) -> Callable[[], Awaitable[GatewayConfig]]:
    """What reads such a configuration at a reload."""
    return Source(lambda: settings(text, directory), None).read


def gateway(text: str, directory: Path, log: io.StringIO) -> Gateway:
    """A gateway that is not started."""
    return Gateway(settings(text, directory), SystemClock(), logs.configure("info", log))


async def test_ready_names_every_bound_address(tmp_path: Path, log: io.StringIO) -> None:
    """And /readyz says so at the telemetry endpoint."""
    running = gateway(ANY_PORT, tmp_path, log)
    await running.start()
    ready = events(log)["ready"]
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{ready['telemetry']}/readyz")
    await running.stop()
    assert answer.status_code == 200
    assert {"grpc", "http", "telemetry"} <= ready.keys()
    assert not any(ready[name].endswith(":0") for name in ("grpc", "http", "telemetry"))


async def test_nobody_else_reads_what_is_under_the_storage_directory(tmp_path: Path, log: io.StringIO) -> None:
    """The directory is made for its owner alone, also by a gateway that forwards; and so are the files in it."""
    directory = tmp_path / "on the way" / "data"
    forwards = "\nexporters: {otlp: {endpoint: '127.0.0.1:9', tls: {insecure: true}}}\nshutdown_timeout: 100ms"
    running = gateway(ANY_PORT + forwards, directory, log)
    await running.start()
    await running.stop()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


async def test_stop_closes_the_books(tmp_path: Path, log: io.StringIO) -> None:
    """The last line has the ledger of each signal, and says that it balances."""
    running = gateway(ANY_PORT, tmp_path, log)
    await running.start()
    await running.stop()
    stopped = events(log)["stopped"]
    assert stopped["balanced"] is True
    assert stopped["ledger"]["traces"] == dict.fromkeys(
        ("received", "exported", "sampled_out", "rejected", "dropped", "in_flight"), 0
    )


async def test_a_taken_port_keeps_the_gateway_from_starting(tmp_path: Path, log: io.StringIO) -> None:
    """With a sentence, and with everything that was opened closed again: the directory can be used at once."""
    async with await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0) as taken:
        address = "{}:{}".format(*taken.sockets[0].getsockname())
        text = ANY_PORT.replace('http: {endpoint: "127.0.0.1:0"}', f'http: {{endpoint: "{address}"}}')
        with pytest.raises(ConfigError, match=f"cannot listen on {address}"):
            await gateway(text, tmp_path, log).start()
    again = gateway(ANY_PORT, tmp_path, log)
    await again.start()
    await again.stop()


async def test_a_disk_without_room_is_a_sentence(
    tmp_path: Path, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the directory and what to do; the next start, with room, goes on."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(RealFile, "allocate", full)
        with pytest.raises(ConfigError, match=f"{tmp_path}/journal has no room for the journal: free some"):
            await gateway(ANY_PORT, tmp_path, log).start()
    again = gateway(ANY_PORT, tmp_path, log)
    await again.start()
    await again.stop()


async def test_reload_takes_over_policy_and_sampling(tmp_path: Path, log: io.StringIO) -> None:
    """What needs a restart is named."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nname: other\ndescription: Only secrets.\ninclude: [secrets]\n", encoding="utf-8")
    running = gateway(ANY_PORT, tmp_path, log)
    await running.start()
    before = events(log)["ready"]["policy"]
    changed = ANY_PORT.replace("{names: off}", f"{{names: off, policy: {policy}}}") + EXTRA
    await running.reload(read(changed, tmp_path))
    await running.stop()
    reloaded = events(log)["reloaded"]
    assert reloaded["policy"] != before
    assert reloaded["needs_restart"] == ["sampling.decision_cache", "shutdown_timeout"]


async def test_a_renewed_token_needs_no_restart(tmp_path: Path, log: io.StringIO) -> None:
    """A reload takes over what the exporter's files hold; a file that cannot be read changes nothing."""
    token = tmp_path / "token"
    token.write_text("first")
    peer = f"endpoint: '127.0.0.1:1', tls: {{insecure: true}}, bearer_token_file: {token}"
    text = f"{ANY_PORT}exporters: {{otlp: {{{peer}}}}}\nshutdown_timeout: 1s\n"
    running = gateway(text, tmp_path, log)
    await running.start()
    token.write_text("second")
    await running.reload(read(text, tmp_path))
    assert events(log)["reloaded"]["needs_restart"] == []
    token.unlink()
    await running.reload(read(text, tmp_path))
    assert running._otlp is not None
    assert running._otlp._access.metadata == (("authorization", "Bearer second"),)
    await running.stop()
    (problem,) = events(log)["reload_failed"]["problems"]
    assert problem.startswith(f"exporters.otlp.bearer_token_file: {token} cannot be read")


async def test_a_bad_reload_changes_nothing_and_says_so(tmp_path: Path, log: io.StringIO) -> None:
    """The policy in force stays, and every mistake is in the log."""
    running = gateway(ANY_PORT, tmp_path, log)
    await running.start()
    await running.reload(read(ANY_PORT.replace("{names: off}", "{names: off, policy: nonesuch}"), tmp_path))
    await running.stop()
    failed = events(log)["reload_failed"]
    assert "nonesuch" in failed["problems"][0]
    assert failed["kept_policy"] == events(log)["ready"]["policy"]


async def test_a_defect_at_a_reload_is_told_without_its_text(tmp_path: Path, log: io.StringIO) -> None:
    """Nor does it end what called for the reload, so that the next change of a file is followed."""

    def load() -> GatewayConfig:
        raise RuntimeError("the token is 1234")

    running = gateway(ANY_PORT, tmp_path, log)
    await running.start()
    await running.reload(Source(load, None).read)
    await running.stop()
    assert events(log)["reload_failed"]["exception"] == "RuntimeError"
    assert "1234" not in log.getvalue()


async def test_many_wishes_for_a_reload_are_two_and_none_begins_after_stop(tmp_path: Path, log: io.StringIO) -> None:
    """The one under way, and one that would read what is there by then; SIGTERM does not wait for that one."""
    running = gateway(ANY_PORT, tmp_path, log)
    await running.start()
    begun, go_on = asyncio.Event(), asyncio.Event()
    reads: list[str] = []

    async def reading() -> GatewayConfig:
        reads.append("read")
        begun.set()
        await go_on.wait()
        raise ConfigError(["It is not wanted."])

    for expected in (2, 3):
        begun.clear()
        go_on.clear()
        running.reload_soon(reading)
        await begun.wait()
        for _ in range(20):
            running.reload_soon(reading)
        if expected == 3:
            stopping = asyncio.create_task(running.stop())
        await asyncio.sleep(0)  # those that were begun wait in their order now
        go_on.set()
        await running.reload(read(ANY_PORT, tmp_path))
        assert len(reads) == expected
    await stopping


async def test_a_reload_holds_nobody_up(tmp_path: Path, log: io.StringIO) -> None:
    """It is read and compiled in a thread; the event loop serves others meanwhile."""
    running = gateway(ANY_PORT, tmp_path, log)
    await running.start()
    served = threading.Event()

    def load() -> GatewayConfig:
        assert served.wait(30)
        return settings(ANY_PORT, tmp_path)

    running.reload_soon(Source(load, None).read)
    await asyncio.sleep(0)  # which would not return if this thread had to load
    served.set()
    await running.stop()
    assert events(log)["reloaded"]["needs_restart"] == []


@pytest.mark.parametrize(("interval", "pushed"), [("15s", {Signal.METRICS}), ("0s", set())])
async def test_metrics_are_pushed_unless_they_are_scraped(
    tmp_path: Path, log: io.StringIO, interval: str, pushed: set[Signal]
) -> None:
    """The last push is at the stop; with 0s there is none."""
    async with running_peer() as peer:
        text = ANY_PORT.replace(
            '{endpoint: "127.0.0.1:0"}}\n', f'{{endpoint: "127.0.0.1:0", push_interval: {interval}}}}}\n'
        )
        assert interval in text
        exporters = f"exporters: {{otlp: {{endpoint: '{peer.address}', tls: {{insecure: true}}}}}}"
        running = gateway(f"{text}{exporters}", tmp_path, log)
        await running.start()
        await running.stop()
        assert {call.signal for call in peer.calls} == pushed


async def test_what_looks_wrong_is_said_at_the_start(tmp_path: Path, log: io.StringIO) -> None:
    """A warning each, with the key and what to do."""
    directory = tmp_path / "data"
    directory.mkdir()
    directory.chmod(0o777)
    running = gateway(ANY_PORT, directory, log)
    await running.start()
    await running.stop()
    said = events(log)["storage_is_open"]
    assert (said["level"], said["key"], said["remedy"][:9]) == ("warning", "storage.directory", "chmod o-w")


async def run_once(directory: Path, log: io.StringIO) -> Gateway:
    """Start and stop."""
    running = gateway(ANY_PORT, directory, log)
    await running.start()
    await running.stop()
    return running


async def test_a_lost_key_keeps_the_gateway_from_starting(tmp_path: Path, log: io.StringIO) -> None:
    """No other is put in its place, and with the right one it starts."""
    await run_once(tmp_path, log)
    lost = (tmp_path / "journal.key").rename(tmp_path / "backup")
    with pytest.raises(ConfigError, match="bring that back"):
        await gateway(ANY_PORT, tmp_path, log).start()
    assert not (tmp_path / "journal.key").exists()
    lost.rename(tmp_path / "journal.key")
    await run_once(tmp_path, log)


async def test_a_journal_of_another_key_keeps_the_gateway_from_starting(tmp_path: Path, log: io.StringIO) -> None:
    """It does not start empty: what is sealed there is owed."""
    await run_once(tmp_path, log)
    (tmp_path / "journal.key").write_text("A" * 43 + "=\n")
    with pytest.raises(ConfigError, match="sealed with a key that is not there"):
        await gateway(ANY_PORT, tmp_path, log).start()
    assert list((tmp_path / "journal").glob("*.segment"))


async def test_a_journal_that_was_emptied_is_said_at_the_start(tmp_path: Path, log: io.StringIO) -> None:
    """The gateway starts, since nothing is left that it could wait for, and says so as an error."""
    await run_once(tmp_path, log)
    assert "journal_empty" not in events(log)
    for segment in (tmp_path / "journal").glob("*.segment"):
        os.truncate(segment, 0)
    await run_once(tmp_path, log)
    assert events(log)["journal_empty"]["level"] == "error"


async def test_a_journal_with_a_torn_end_is_said_at_the_start(tmp_path: Path, log: io.StringIO) -> None:
    """As a warning: a stop in mid-write leaves one, and so does a disk that changed what was written last."""
    await run_once(tmp_path, log)
    segment = max((tmp_path / "journal").glob("*.segment"), key=lambda each: len(each.read_bytes().rstrip(b"\0")))
    data = segment.read_bytes().rstrip(b"\0")
    segment.write_bytes(data[:-9])
    await run_once(tmp_path, log)
    assert events(log)["journal_torn"]["level"] == "warning"


def without_journal(directory: Path, log: io.StringIO) -> Gateway:
    """A gateway that is not started, and keeps no journal."""
    parsed = settings(ANY_PORT, directory)
    storage = parsed.storage.model_copy(update={"durability": "memory"})
    return Gateway(parsed.model_copy(update={"storage": storage}), SystemClock(), logs.configure("info", log))


async def test_two_gateways_share_no_directory_though_they_keep_no_journal(tmp_path: Path, log: io.StringIO) -> None:
    """They would push each other's series, under one id; the next one may have it."""
    running = without_journal(tmp_path, log)
    await running.start()
    for second in (without_journal(tmp_path, log), gateway(ANY_PORT, tmp_path, log)):
        with pytest.raises(ConfigError, match="in use by another gateway"):
            await second.start()
    await running.stop()
    await run_once(tmp_path, log)


async def test_a_gateway_without_a_journal_needs_no_room_for_one(tmp_path: Path, log: io.StringIO) -> None:
    """Where nothing can be kept, it runs all the same."""
    (tmp_path / "journal").write_text("no directory")
    running = without_journal(tmp_path, log)
    await running.start()
    await running.stop()


async def test_a_new_key_in_front_of_the_old_one_opens_what_that_sealed(tmp_path: Path, log: io.StringIO) -> None:
    """So is a key rotated."""
    await run_once(tmp_path, log)
    file = tmp_path / "journal.key"
    file.write_text("A" * 43 + "=\n" + file.read_text())
    await run_once(tmp_path, log)
    assert events(log)["journal_taken_up"]["segments"] == 1


async def test_series_that_go_on_keep_their_start(tmp_path: Path, log: io.StringIO) -> None:
    """What OTLP calls start_time is that of the first life."""
    assert (await run_once(tmp_path, log))._started_ns == (await run_once(tmp_path, log))._started_ns


async def test_a_failed_journal_makes_the_gateway_not_ready(tmp_path: Path, log: io.StringIO) -> None:
    """A probe takes it out of service; it stays so until it is started anew."""
    running = gateway(ANY_PORT, tmp_path, log)
    await running.start()
    assert running._is_ready()
    assert running._journal is not None
    running._journal.writing._on(Failed("write: EIO"))
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://{events(log)['ready']['telemetry']}/readyz")
        metrics = await client.get(f"http://{events(log)['ready']['telemetry']}/metrics")
    await running.stop()
    assert answer.status_code == 503
    assert "spansieve_journal_failed 1.0" in metrics.text
