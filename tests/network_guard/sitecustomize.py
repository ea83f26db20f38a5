"""No test speaks to anyone but this machine: connections and look-ups beyond loopback are refused, and told of.

Python runs this file at its start where `PYTHONPATH` leads to it, so processes that tests start are under guard too,
as long as they inherit the environment. It sees what goes through Python's own sockets. What C libraries do by
themselves (gRPC's core, libuv) does not: `outside` looks at the kernel's list of connections for that.
"""

import ipaddress
import os
import socket
import sys
from pathlib import Path

LOG = "SPANSIEVE_TESTS_NETWORK_LOG"
"""Names the file to which a line is added for each refusal."""

_EVENTS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
}
_LISTS = {"tcp": socket.AF_INET, "tcp6": socket.AF_INET6, "udp": socket.AF_INET, "udp6": socket.AF_INET6}


class Refused(PermissionError):
    """A test, or what it started, wanted to leave this machine."""


def is_here(address: object, *, resolving: bool = False) -> bool:
    """Whether an address, as sockets take it, is on this machine. To resolve an address in digits asks nobody."""
    host = address[0] if isinstance(address, tuple) and address else address
    if host is None or isinstance(host, int) or not isinstance(address, (tuple, str, bytes)):
        return True  # a wildcard, a netlink address, the connected peer of sendmsg
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if not isinstance(address, tuple) and not resolving:
        return True  # a path: AF_UNIX
    if name.lower() in ("", "localhost", "localhost.", socket.gethostname().lower()):
        return True
    try:
        parsed = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return resolving or mapped.is_loopback or mapped.is_unspecified


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook (PEP 578)."""
    at = _EVENTS.get(event)
    if at is None or is_here(arguments[at], resolving=event.startswith("socket.get")):
        return
    told = f"{event} {arguments[at]!r}"
    if log := os.environ.get(LOG):
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{told} in process {os.getpid()}: {' '.join(sys.argv)[:120]}\n")
    raise Refused(f"{told} leads off this machine")


def outside(process: int) -> list[str]:
    """The remote ends, beyond loopback, of sockets that a process has open now. Empty where there is no /proc."""
    folder = Path(f"/proc/{process}")
    own: set[str] = set()
    try:
        for link in (folder / "fd").iterdir():
            try:
                target = str(link.readlink())
            except OSError:  # closed meanwhile
                continue
            if target.startswith("socket:["):
                own.add(target[8:-1])
        if not own:  # nearly always; the lists are long where others have many connections
            return []
        lists = {name: (folder / "net" / name).read_text().splitlines()[1:] for name in _LISTS}
    except OSError:
        return []
    return [
        remote
        for name, lines in lists.items()
        for line in lines
        if (fields := line.split())[9] in own and not is_here(((remote := _address(fields[2], _LISTS[name])), 0))
    ]


def _address(written: str, family: socket.AddressFamily) -> str:
    """An address as /proc/net writes it: words of 32 bits, each in the machine's byte order."""
    raw = bytes.fromhex(written.partition(":")[0])
    words = b"".join(
        raw[i : i + 4][::-1] if sys.byteorder == "little" else raw[i : i + 4] for i in range(0, len(raw), 4)
    )
    return socket.inet_ntop(family, words)


if LOG in os.environ:
    sys.addaudithook(refuse)
