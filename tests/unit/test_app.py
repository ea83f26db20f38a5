"""The composition root: what keeps the gateway from starting, what a reload changes, and how it ends."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from spansieve import app, config, logs
from spansieve.app import Gateway
from spansieve.clock import SystemClock
from spansieve.config import ConfigError, GatewayConfig

ANY_PORT = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
redaction: {names: off}
telemetry: {metrics: {endpoint: "127.0.0.1:0"}}
"""


EXTRA = "shutdown_timeout: 3s\nsampling: {decision_wait: 1s, decision_cache: {sampled_cache_size: 7}}\n"


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
    """A configuration on free ports with its files in a directory."""
    return config.parse(f"{text}\nstorage: {{directory: {directory}}}", {})


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


async def test_reload_takes_over_policy_and_sampling(tmp_path: Path, log: io.StringIO) -> None:
    """What needs a restart is named."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nname: other\ndescription: Only secrets.\ninclude: [secrets]\n", encoding="utf-8")
    running = gateway(ANY_PORT, tmp_path, log)
    await running.start()
    before = events(log)["ready"]["policy"]
    changed = ANY_PORT.replace("{names: off}", f"{{names: off, policy: {policy}}}") + EXTRA
    running.reload(lambda: settings(changed, tmp_path))
    await running.stop()
    reloaded = events(log)["reloaded"]
    assert reloaded["policy"] != before
    assert reloaded["needs_restart"] == ["sampling.decision_cache", "shutdown_timeout"]


async def test_a_bad_reload_changes_nothing_and_says_so(tmp_path: Path, log: io.StringIO) -> None:
    """The policy in force stays, and every mistake is in the log."""
    running = gateway(ANY_PORT, tmp_path, log)
    await running.start()
    running.reload(lambda: settings(ANY_PORT.replace("{names: off}", "{names: off, policy: nonesuch}"), tmp_path))
    await running.stop()
    failed = events(log)["reload_failed"]
    assert "nonesuch" in failed["problems"][0]
    assert failed["kept_policy"] == events(log)["ready"]["policy"]


def test_problems_of_files_are_found_together(tmp_path: Path) -> None:
    """A policy, a price file and a certificate that are not there are three sentences."""
    text = f"""
redaction: {{policy: {tmp_path}/policy.yaml}}
measure: {{prices: {tmp_path}/prices.yaml}}
exporters: {{otlp: {{endpoint: "collector:4317", tls: {{ca_file: {tmp_path}/ca.pem}}}}}}
"""
    found = app.problems(config.parse(text, {}))
    assert len(found) == 3
    assert ["policy.yaml" in found[0], "prices.yaml" in found[1], "ca.pem" in found[2]] == [True, True, True]


def test_what_does_not_hold_yet_is_said_at_the_start(tmp_path: Path, log: io.StringIO) -> None:
    """`durability: fsync` and `names: kept` are accepted, with a warning each."""
    text = f"storage: {{durability: fsync, directory: {tmp_path}}}"
    made = Gateway(config.parse(text, {}), SystemClock(), logs.configure("info", log))
    made._warn_of_what_is_not_there_yet()
    assert {"names_in_free_text_are_not_detected", "no_journal_in_this_version"} <= events(log).keys()
