"""Waiting for another process: the one place where a test lets time pass, and only until a condition holds."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_POLL_SECONDS = 0.05


def until(condition: Callable[[], T], what: str, seconds: float = 30) -> T:
    """Ask `condition` again and again until its answer is truthy, and return that.

    An exception from it is raised as it is: a condition that cannot be asked will not come true. Raises TimeoutError
    naming `what` after `seconds`.
    """
    deadline = time.monotonic() + seconds
    pause = threading.Event()  # never set: a wait that a KeyboardInterrupt can end
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        pause.wait(_POLL_SECONDS)
