"""The OTLP exporter's TLS and metadata."""

from pathlib import Path

import grpc
import pytest

from fakes import ManualClock
from spansieve.config import ConfigError, OtlpExporter
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
    sleeps = Sleeps(wakes_at_once=False)
    config = OtlpExporter(endpoint=peer.address, **settings)
    return OtlpDestination(config, ledger, ManualClock(), lambda: 0.5, Recorder(), sleeps), sleeps


@pytest.mark.parametrize("client_needed", [False, True])
async def test_tls_and_mutual_tls(client_needed: bool) -> None:  # noqa: FBT001 - a table's column
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


@pytest.mark.parametrize("tls", [{}, {"insecure": True}], ids=["unknown authority", "in the clear"])
async def test_nothing_is_sent_to_a_peer_that_is_not_trusted(tls: dict[str, object]) -> None:
    """The peer's certificate is not from an authority of the system, or we do not speak TLS: the peer sees nothing."""
    ledger = Ledger()
    async with running_peer(server_credentials(client_needed=False)) as peer:
        exporter, sleeps = destination(peer, ledger, tls=tls)
        await exporter.start()
        exporter.submit_traces(received(ledger, [trace("a")]))
        await sleeps.slept(1)
        assert peer.calls == []
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


@pytest.mark.parametrize("header", [("bad name", "x"), ("blob-bin", "x"), ("authorization", "sécret\n")])
async def test_headers_that_grpc_refuses_are_a_sentence(header: tuple[str, str]) -> None:
    """With the name, and without the value, which is mostly a secret."""
    exporter, _ = destination(Peer("localhost:1"), Ledger(), tls={"insecure": True}, headers=dict([header]))
    with pytest.raises(ConfigError, match=header[0]) as raised:
        await exporter.start()
    assert "sécret" not in str(raised.value)
