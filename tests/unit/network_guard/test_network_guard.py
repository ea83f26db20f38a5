"""The guard that keeps tests on this machine sees those who leave it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from network_guard import sitecustomize as guard

_AWAY = ("192.0.2.1", 9)  # TEST-NET-1 (RFC 5737): nobody's


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A log of one's own, so that what is refused on purpose does not fail the test."""
    log = tmp_path / "refused"
    monkeypatch.setenv(guard.LOG, str(log))
    yield log
    assert "socket." in log.read_text()


@pytest.mark.usefixtures("told")
def test_connections_are_refused() -> None:
    """By TCP, and by datagrams."""
    with socket.socket() as tcp, pytest.raises(guard.Refused):
        tcp.connect(_AWAY)
    with socket.socket(type=socket.SOCK_DGRAM) as udp, pytest.raises(guard.Refused):
        udp.sendto(b"", _AWAY)


@pytest.mark.usefixtures("told")
def test_look_ups_are_refused() -> None:
    """A name server would learn of them."""
    with pytest.raises(guard.Refused):
        socket.getaddrinfo("collector.example", 4317)
    with pytest.raises(guard.Refused):
        socket.gethostbyname("collector.example")


def test_a_process_that_a_test_starts_is_under_guard(told: Path) -> None:
    """It inherits the guard with the environment, and what it wanted is told here."""
    code = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, check=False)
    assert b"Refused" in done.stderr
    assert "192.0.2.1" in told.read_text()


def test_loopback_is_free() -> None:
    """Tests speak to gateways of theirs."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
        assert guard.outside(os.getpid()) == []


@pytest.mark.parametrize(
    ("address", "here"),
    [
        (("127.0.0.1", 1), True),
        (("127.8.9.9", 1), True),
        (("::1", 1, 0, 0), True),
        (("::ffff:127.0.0.1", 1, 0, 0), True),
        (("localhost", 1), True),
        (("0.0.0.0", 1), True),
        ("/run/socket", True),
        (b"\0abstract", True),
        (("8.8.8.8", 53), False),
        (("::ffff:8.8.8.8", 1, 0, 0), False),
        (("10.0.0.1", 1), False),
        (("example.com", 443), False),
    ],
)
def test_what_is_here(address: object, here: bool) -> None:
    """Loopback, in all its forms, and paths."""
    assert guard.is_here(address) is here


def test_the_kernels_list_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that C libraries make are seen there: with loopback counted as away, one shows."""
    if not Path("/proc/self/net/tcp").exists():
        pytest.skip("there is no /proc on this system")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        monkeypatch.setattr(guard, "is_here", lambda address, **_: address[0] != "127.0.0.1")
        assert "127.0.0.1" in guard.outside(os.getpid())
        monkeypatch.undo()
