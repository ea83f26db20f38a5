"""The OTLP exporter's TLS and metadata."""

from pathlib import Path

import grpc
import pytest

from fakes import ManualClock
from spansieve.config import ConfigError
from spansieve.config_exporters import OtlpExporter
from spansieve.export.otlp import OtlpDestination
from spansieve.outcome import Ledger
from unit.export.helpers_export import Peer, Recorder, Sleeps, fates, received, running_peer, trace

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
