"""The OTLP exporter's TLS and metadata, also when they are renewed while it runs."""

import asyncio
from pathlib import Path

import grpc
import pytest

from fakes import ManualClock
from spansieve.config import ConfigError
from spansieve.config_exporters import OtlpExporter
from spansieve.export import access
from spansieve.export.otlp import OtlpDestination
from spansieve.outcome import Ledger
from unit.export.helpers_export import Peer, Recorder, Say, Sleeps, fates, received, running_peer, trace

TLS = Path(__file__).parent / "tls"
CA, CLIENT, CLIENT_KEY = TLS / "ca.pem", TLS / "client.pem", TLS / "client-key.pem"


def server_credentials(*, client_needed: bool) -> grpc.ServerCredentials:
    """Those of a peer on loopback, which may want to see a client's certificate."""
    pair = ((TLS / "server-key.pem").read_bytes(), (TLS / "server.pem").read_bytes())
    return grpc.ssl_server_credentials([pair], CA.read_bytes() if client_needed else None, client_needed)


def destination(peer: Peer, ledger: Ledger, **settings: object) -> tuple[OtlpDestination, Sleeps]:
    """One that speaks to a peer, and its sleeps, which last."""
    exporter, sleeps, _ = recorded(peer, ledger, **settings)
    return exporter, sleeps


def recorded(peer: Peer, ledger: Ledger, **settings: object) -> tuple[OtlpDestination, Sleeps, Recorder]:
    """The same, with its log."""
    sleeps, log = Sleeps(wakes_at_once=False), Recorder()
    config = OtlpExporter(endpoint=peer.address, **settings)
    return OtlpDestination(config, ledger, ManualClock(), lambda: 0.5, log, sleeps), sleeps, log


@pytest.mark.parametrize("client_needed", [False, True])
async def test_tls_and_mutual_tls(client_needed: bool) -> None:
    """With the authority's certificate, and with our own when the peer asks for one."""
    ledger = Ledger()
    tls: dict[str, object] = {"ca_file": CA}
    if client_needed:
        tls |= {"cert_file": CLIENT, "key_file": CLIENT_KEY}
    async with running_peer(server_credentials(client_needed=client_needed)) as peer:
        exporter, _ = destination(peer, ledger, tls=tls)
        await exporter.start()
        exporter.submit_traces(received(ledger, [trace("a")]))
        await exporter.stop(3600)
        assert fates(ledger) == {"exported": 1}


@pytest.mark.parametrize(
    ("tls", "why"),
    [({}, "certificate_not_trusted"), ({"insecure": True}, "connection_closed_by_peer")],
    ids=["unknown authority", "in the clear"],
)
async def test_nothing_is_sent_to_a_peer_that_is_not_trusted(tls: dict[str, object], why: str) -> None:
    """A certificate of no authority that we know, or a peer that wants TLS: it sees nothing, and we say why."""
    ledger = Ledger()
    async with running_peer(server_credentials(client_needed=False)) as peer:
        exporter, sleeps, log = recorded(peer, ledger, tls=tls)
        await exporter.start()
        exporter.submit_traces(received(ledger, [trace("a")]))
        await sleeps.slept(1)
        assert peer.calls == []
        assert [(event, values["why"]) for _, event, values in log.lines] == [("export_failing", why)]
        await exporter.stop(0)
        assert fates(ledger) == {"shutdown": 1}


async def test_a_missing_certificate_is_a_sentence() -> None:
    """The key, the path and what is wrong, before anything is served."""
    exporter, _ = destination(Peer("localhost:1"), Ledger(), tls={"ca_file": "/nowhere/ca.pem"})
    with pytest.raises(ConfigError, match=r"exporters\.otlp\.tls\.ca_file: /nowhere/ca\.pem cannot be read: No such"):
        await exporter.start()


async def test_a_file_that_is_no_certificate_is_a_sentence(tmp_path: Path) -> None:
    """Otherwise each call would fail, and only the library's own log would say why."""
    (tmp_path / "ca.pem").write_text("not a certificate")
    exporter, _ = destination(Peer("localhost:1"), Ledger(), tls={"ca_file": tmp_path / "ca.pem"})
    with pytest.raises(ConfigError, match="is not a PEM file"):
        await exporter.start()


def renewed(exporter: OtlpDestination, **settings: object) -> None:
    """Have an exporter take over other settings, and what their files hold now."""
    config = OtlpExporter(**settings)
    exporter.take_over(config, access.read(config))


async def test_a_renewed_certificate_is_used_at_once() -> None:
    """What could not be delivered without it is, before the time of the next attempt has come."""
    ledger = Ledger()
    async with running_peer(server_credentials(client_needed=True)) as peer:
        exporter, sleeps = destination(peer, ledger, tls={"ca_file": CA})
        await exporter.start()
        exporter.submit_traces(received(ledger, [trace("a")]))
        await sleeps.slept(1)
        assert peer.calls == []
        renewed(exporter, endpoint=peer.address, tls={"ca_file": CA, "cert_file": CLIENT, "key_file": CLIENT_KEY})
        await peer.was_called(1)
        await exporter.stop(3600)
        assert fates(ledger) == {"exported": 1}


async def test_a_renewed_token_goes_with_the_next_call(tmp_path: Path) -> None:
    """On the connection that there is; and what an old one was refused for is tried again at once."""
    ledger, token = Ledger(), tmp_path / "token"
    token.write_text("first\n")
    async with running_peer() as peer:
        peer.say(Say(grpc.StatusCode.UNAUTHENTICATED))
        settings = {"tls": {"insecure": True}, "bearer_token_file": token}
        exporter, sleeps = destination(peer, ledger, **settings)
        await exporter.start()
        channel = exporter._channel
        exporter.submit_traces(received(ledger, [trace("a")]))
        await sleeps.slept(1)
        token.write_text("second")
        renewed(exporter, endpoint=peer.address, **settings)
        await peer.was_called(2)
        assert [call.metadata["authorization"] for call in peer.calls] == ["Bearer first", "Bearer second"]
        assert exporter._channel is channel
        await exporter.stop(3600)
        assert fates(ledger) == {"exported": 1}


async def test_a_call_under_way_ends_where_it_began() -> None:
    """While the next ones go to another peer, or are encrypted otherwise."""
    ledger, answer = Ledger(), asyncio.Event()
    async with running_peer() as old, running_peer() as new:
        old.say(Say(after=answer))
        exporter, _ = destination(old, ledger, tls={"insecure": True})
        await exporter.start()
        exporter.submit_traces(received(ledger, [trace("a")]))
        await old.was_called(1)
        renewed(exporter, endpoint=new.address, tls={"insecure": True})
        exporter.submit_traces(received(ledger, [trace("b", number=2)]))
        await new.was_called(1)
        answer.set()
        await exporter.stop(3600)
        assert fates(ledger) == {"exported": 2}
        assert (len(old.calls), len(new.calls)) == (1, 1)


async def test_nothing_new_changes_nothing() -> None:
    """A reload that is about other things leaves the connection, and the waits between attempts."""
    async with running_peer() as peer:
        peer.say(Say(grpc.StatusCode.UNAVAILABLE))
        ledger = Ledger()
        exporter, sleeps = destination(peer, ledger, tls={"insecure": True})
        await exporter.start()
        channel = exporter._channel
        exporter.submit_traces(received(ledger, [trace("a")]))
        await sleeps.slept(1)
        renewed(exporter, endpoint=peer.address, tls={"insecure": True})
        await asyncio.sleep(0)
        assert exporter._channel is channel
        assert len(peer.calls) == 1
        await exporter.stop(0, owed=True)


@pytest.mark.parametrize("content", ["", "\n", "two words", "two\nlines", "nicht-ü"])
def test_what_is_no_token_is_a_sentence(tmp_path: Path, content: str) -> None:
    """Which does not show what the file holds."""
    file = tmp_path / "token"
    file.write_text(content)
    with pytest.raises(ConfigError) as caught:
        access.read(OtlpExporter(endpoint="a:1", bearer_token_file=file))
    assert caught.value.problems == [
        f"exporters.otlp.bearer_token_file: {file} does not hold a token: one word of printable ASCII."
    ]


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    """Neither the token nor the key, wherever what was read is printed."""
    file = tmp_path / "token"
    file.write_text("hush")
    tls = {"ca_file": CA, "cert_file": CLIENT, "key_file": CLIENT_KEY}
    shown = repr(access.read(OtlpExporter(endpoint="a:1", tls=tls, bearer_token_file=file)))
    assert "hush" not in shown
    assert "PRIVATE" not in shown


def test_a_header_and_a_file_are_one_token_too_many(tmp_path: Path) -> None:
    """In whatever letters the header is written."""
    with pytest.raises(ValueError, match="take one of the two out"):
        OtlpExporter(endpoint="a:1", headers={"Authorization": "Bearer a"}, bearer_token_file=tmp_path / "token")
