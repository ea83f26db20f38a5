"""A file that changes is noticed, once; what of a change waits for a restart."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from spansieve import config, reload
from spansieve.config import ConfigError, GatewayConfig
from spansieve.reload import Source


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration's file."""
    file = tmp_path / "gateway.yaml"
    change(file)
    return file


def source(file: Path, then: Callable[[], object] = lambda: None) -> Source:
    """Its source; `then` happens once it has been read, before the read is over."""

    def load() -> GatewayConfig:
        settings = config.load(file, {})
        then()
        return settings

    return Source(load, file)


def change(file: Path, text: str = "{}") -> None:
    """Write another text, or the first one."""
    file.write_text(text)


def names(file: Path, key: str, named: Path) -> Path:
    """Have a configuration name another file."""
    section, name = key.split(".")
    file.write_text(f"{section}: {{{name}: {named}}}")
    return named


async def test_what_was_read_has_not_changed(file: Path) -> None:
    """Also when it is read for another reason than the change, such as a signal."""
    configuration = source(file)
    await configuration.read()
    change(file, "workers: 2")
    assert configuration.has_changed()
    await configuration.read()
    assert not configuration.has_changed()


@pytest.mark.parametrize("key", ["redaction.policy", "measure.prices"])
async def test_a_file_that_is_named_now_is_followed(key: str, file: Path, tmp_path: Path) -> None:
    """That there is one more is no change; what becomes of it is."""
    configuration = source(file)
    await configuration.read()
    named = names(file, key, tmp_path / "named.yaml")
    change(named, "what it was")
    await configuration.read()
    assert not configuration.has_changed()
    change(named, "what it is now")
    assert configuration.has_changed()


async def test_a_file_that_is_named_no_longer_is_not_followed(file: Path, tmp_path: Path) -> None:
    """Nobody reads it."""
    named = names(file, "redaction.policy", tmp_path / "policy.yaml")
    configuration = source(file)
    await configuration.read()
    change(file)
    await configuration.read()
    change(named, "new")
    assert not configuration.has_changed()


async def test_a_file_that_appears_has_changed(file: Path, tmp_path: Path) -> None:
    """So a policy that was named before it was there is taken over once it is."""
    named = names(file, "redaction.policy", tmp_path / "policy.yaml")
    configuration = source(file)
    await configuration.read()
    assert not configuration.has_changed()
    change(named, "there")
    assert configuration.has_changed()


async def test_a_change_while_it_is_read_is_noticed(file: Path) -> None:
    """What was read may be the old text."""
    configuration = source(file, then=lambda: change(file, "workers: 2"))
    await configuration.read()
    assert configuration.has_changed()


async def test_a_bad_file_is_followed_until_it_is_mended(file: Path) -> None:
    """Once told of, it has not changed again."""
    configuration = source(file)
    change(file, "nonsense: true")
    with pytest.raises(ConfigError):
        await configuration.read()
    assert not configuration.has_changed()
    change(file)
    assert configuration.has_changed()


async def test_a_configuration_without_files_never_changes() -> None:
    """That of all defaults."""
    configuration = Source(lambda: config.load(None, {}), None)
    await configuration.read()
    assert not configuration.has_changed()


async def test_a_change_is_told_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To one who reads again when told."""
    monkeypatch.setattr(reload, "_LOOK_SECONDS", 0.0)
    configuration = source(file)
    await configuration.read()
    told: list[GatewayConfig] = []
    seen = asyncio.Event()

    async def changed() -> None:
        told.append(await configuration.read())
        seen.set()

    following = asyncio.create_task(configuration.follow(changed))
    for workers in (2, 33):  # of another size: the times of files move on in steps of milliseconds
        change(file, f"workers: {workers}")
        await asyncio.wait_for(seen.wait(), 10)
        seen.clear()
        for _ in range(5):  # looks in which there is nothing to tell
            await asyncio.sleep(0)
    following.cancel()
    assert [settings.workers for settings in told] == [2, 33]


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ("redaction: {names: all}", []),
        ("sampling: {decision_wait: 5s}", []),
        ("sampling: {decision_cache: {sampled_cache_size: 7}}", ["sampling.decision_cache"]),
        ("measure: {prices: prices.yaml}", []),
        ("measure: {prices: prices.yaml, label_limit: 7}", ["measure"]),
        ("storage: {durability: memory}\nshutdown_timeout: 5s", ["shutdown_timeout", "storage"]),
    ],
)
def test_what_a_reload_cannot_take_over_is_named(change: str, keys: list[str]) -> None:
    """Whichever of the two was there before; and nothing of what it takes over."""
    plain, changed = GatewayConfig(), config.parse(change, {})
    assert reload.needs_restart(plain, changed) == reload.needs_restart(changed, plain) == keys
    assert reload.needs_restart(changed, changed) == []


_PEER = "exporters: {{otlp: {{endpoint: '{}', {}}}}}"


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        (_PEER.format("b:1", "timeout: 5s"), []),
        (_PEER.format("a:1", "timeout: 9s, compression: gzip, headers: {a: b}"), []),
        (_PEER.format("a:1", "bearer_token_file: token"), []),
        (_PEER.format("a:1", "tls: {ca_file: ca.pem}"), []),
        (_PEER.format("a:1", "num_consumers: 9"), ["exporters"]),
        ("{}", ["exporters"]),
    ],
)
def test_how_the_peer_is_reached_is_taken_over(change: str, keys: list[str]) -> None:
    """Not how many calls it gets at once, nor whether there is one."""
    plain, changed = config.parse(_PEER.format("a:1", "timeout: 5s"), {}), config.parse(change, {})
    assert reload.needs_restart(plain, changed) == reload.needs_restart(changed, plain) == keys


async def test_certificates_and_tokens_are_followed(tmp_path: Path) -> None:
    """What is renewed while the gateway runs is noticed, each of them."""
    names = ("ca_file", "cert_file", "key_file")
    files = [tmp_path / name for name in (*names, "token")]
    for file in files:
        file.write_text("old")
    tls = ", ".join(f"{name}: {tmp_path / name}" for name in names)
    text = _PEER.format("a:1", f"tls: {{{tls}}}, bearer_token_file: {tmp_path / 'token'}")
    source = Source(lambda: config.parse(text, {}), None)
    for file in files:
        await source.read()
        assert not source.has_changed()
        file.write_text("renewed")
        assert source.has_changed()
