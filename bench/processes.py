"""Processes of the benchmark and what they take: CPU time and memory from /proc, of all threads and children."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

ROOT = Path(__file__).parents[1]
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


class Failed(Exception):
    """A process of the benchmark did not start, answer or end. The message says which and what it wrote last."""


def free_address() -> str:
    """A host:port of loopback that nothing listens at, below the range of outgoing connections."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 200):
        with contextlib.suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            return f"127.0.0.1:{port}"
    raise Failed("no free port on 127.0.0.1")


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Our environment without the user's OTEL_* and proxies, and with `extra`."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OTEL_") and not name.lower().endswith("_proxy")
    }
    return {**inherited, **extra}


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far: all its threads and all its children that live."""
    ticks = 0
    for each in family(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICK


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and its children."""
    pages = 0
    for each in family(pid):
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{each}/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, task.read_text(encoding="ascii").split())
    return found


def wait_until(
    condition: Callable[[], bool], what: str, seconds: float = _READY_SECONDS, every: float = _POLL_SECONDS
) -> None:
    """Return when `condition()` holds, asked `every` so often; Failed, naming `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"not within {seconds:.0f} s: {what}")
        pause(every)


def pause(seconds: float) -> None:
    """Let others run for a while."""
    threading.Event().wait(seconds)


def http_get(address: str, path: str) -> tuple[int, str]:
    """Status and text of a GET; 0 when nothing answers."""
    try:
        with _OPENER.open(f"http://{address}{path}", timeout=5) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""
    except OSError:
        return 0, ""


class Child:
    """A process of ours with its log; a context manager that ends it."""

    def __init__(self, name: str, command: Sequence[str | Path], directory: Path, extra: Mapping[str, str]) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(  # noqa: S603 - a command of ours
                [str(word) for word in command],
                cwd=ROOT,
                env=environment(extra),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us, and we end it in our own order
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def await_ready(self, address: str, path: str) -> None:
        """Return once a GET is answered 200."""

        def ready() -> bool:
            self.check_alive()
            return http_get(address, path)[0] == 200

        wait_until(ready, f"{self.name} ready")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._popen.send_signal(number)

    def check_alive(self) -> None:
        """Raise Failed when it has ended."""
        if self._popen.poll() is not None:
            raise Failed(f"{self.name} ended with {self._popen.returncode}: {self.last_words()}")

    def stop(self) -> int:
        """SIGTERM, then SIGKILL when that takes too long; the exit code."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
            try:
                self._popen.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._popen.kill()
                self._popen.wait()
        return self._popen.returncode

    def last_words(self) -> str:
        """The end of its log."""
        return " / ".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]) or "no word"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextlib.contextmanager
def talker(module: str, arguments: Sequence[str], directory: Path) -> Iterator["Talker"]:
    """A module of the benchmark in a process of its own that answers a line of JSON for each line it is sent."""
    with (directory / f"{module}.log").open("ab") as log:
        popen = subprocess.Popen(  # noqa: S603 - a command of ours
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment({}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        yield Talker(module, popen)
    finally:
        if popen.stdin is not None:
            popen.stdin.close()
        try:
            popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()


class Talker:
    """The near end of such a process."""

    def __init__(self, name: str, popen: subprocess.Popen[str]) -> None:
        self._name = name
        self._popen = popen

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def listen(self) -> dict[str, Any]:
        """The next line that it says."""
        out: IO[str] | None = self._popen.stdout
        line = out.readline() if out is not None else ""
        if not line:
            raise Failed(f"{self._name} ended with {self._popen.wait()}")
        said: dict[str, Any] = json.loads(line)
        return said

    def ask(self, **question: object) -> dict[str, Any]:
        """Send a line and wait for the answer."""
        self.tell(**question)
        return self.listen()

    def tell(self, **question: object) -> None:
        """Send a line."""
        if self._popen.stdin is not None:
            self._popen.stdin.write(json.dumps(question) + "\n")
            self._popen.stdin.flush()
