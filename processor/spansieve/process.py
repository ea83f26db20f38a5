"""What each process of the gateway does at its start."""

import asyncio
import gc
import importlib
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

# How long the thread that redacts may keep the event loop waiting, when both have work. Python's own is 5 ms, and what
# takes the loop several turns, as each gRPC call does, would take many of these.
_SWITCH_SECONDS: Final = 0.0005
# How often Python's garbage collector looks at everything.
_FULL_COLLECTION_SECONDS: Final = 900.0
# What one owner has time for: see docs/decisions/0015-workers.md.
_MOST_WORKERS: Final = 4
# Of the container's CPU time, as cgroup v2 has it: "max 100000", or µs in each period of so many µs.
_QUOTA_FILE: Final = Path("/sys/fs/cgroup/cpu.max")


def allow_open_files() -> None:
    """Take as many open files as the system lets us have: connections need one each.

    The soft limit is 1,024 for the sake of programs that use select(2).
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:  # macOS has a bound of its own beside that
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def settle_in() -> None:
    """Spare what lives as long as the process, and what gets its turn; once all is built.

    Python's garbage collector passes over what is there now, and looks less often at the rest: a request makes
    thousands of short-lived objects without cycles, and looking at them took a twentieth of the CPU time. But it stops
    everything while it looks, for half a microsecond an object: what comes to wait is looked at when there are 1,500
    more, and once more when there are 6,000, which takes some 3 ms (with 5,000 and 20,000 it was 12, for a hundredth of
    the CPU time). Looking at all of a hundred thousand waiting traces would take a tenth of a second and more: that is
    left to `collect_garbage`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_500, 3, 1_000_000_000)
    sys.setswitchinterval(_SWITCH_SECONDS)


async def collect_garbage() -> None:
    """Look at all objects, seldom: for the few cycles that live long enough to need it. Runs until it is cancelled."""
    while True:
        await asyncio.sleep(_FULL_COLLECTION_SECONDS)
        gc.collect()


def workers(wanted: int | Literal["auto"], quota_file: Path = _QUOTA_FILE) -> int:
    """How many processes are to receive and redact; 1: this one does all."""
    if wanted != "auto":
        return wanted
    return max(1, min(_MOST_WORKERS, _cores(quota_file)))


def _cores(quota_file: Path) -> int:
    """The cores that this process may use: those it is bound to, and of their time what its container is granted."""
    try:
        bound = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        bound = os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text(encoding="ascii").split()
        return min(bound, int(quota) // int(period))
    except (OSError, ValueError):  # no such container; or "max", all of the machine
        return bound


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the event loop."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:  # not made for this platform; asyncio's own loop gives the same answers, slower
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
