"""Processes of the tour are never left behind."""

import os
import signal
import subprocess
import sys

import pytest
from demo.children import child, interruptions_held

_FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]


def test_interruption_waits_for_the_end_of_the_block() -> None:
    """What the block does is done in full, and the interruption comes right after it."""
    done = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background

    def block() -> None:
        with interruptions_held():
            os.kill(os.getpid(), signal.SIGINT)
            done.append(True)

    try:
        with pytest.raises(KeyboardInterrupt):
            block()
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == [True]


def test_handlers_are_as_before() -> None:
    """After the block both signals do what they did."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with interruptions_held():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_interrupted_block_kills_its_child() -> None:
    """A process that still runs when the block is left in whatever way is ended and waited for."""
    seen: list[subprocess.Popen[str]] = []

    def block() -> None:
        with child(_FOREVER) as process:
            seen.append(process)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        block()
    assert seen[0].returncode == -signal.SIGKILL
