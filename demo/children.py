"""Starting processes so that an interruption finds each of them: either not started, or known to who stops it."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_INTERRUPTING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptions_held() -> Iterator[None]:
    """Deliver SIGINT and SIGTERM when the block has ended, not in the middle of it.

    A KeyboardInterrupt inside of Popen, between the fork and its return, leaves a process that nobody knows of.
    Signals reach the main thread alone, so elsewhere there is nothing to hold.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)

    before = {number: signal.signal(number, hold) for number in _INTERRUPTING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in held:
            signal.raise_signal(number)


@contextmanager
def child(arguments: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:  # noqa: ANN401 - Popen's own
    """A process with text pipes, killed at the end of the block if it still runs."""
    process: subprocess.Popen[str] | None = None
    try:
        with interruptions_held():
            process = subprocess.Popen(arguments, text=True, **options)
        yield process
    finally:
        if process is not None:
            process.kill()
            process.communicate()
