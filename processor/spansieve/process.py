"""What each process of the gateway does at its start."""

import asyncio
import gc
import importlib
import resource
import sys
from collections.abc import Callable
from typing import Final

# How long the thread that redacts may keep the event loop waiting, when both have work. Python's own is 5 ms, and what
# takes the loop several turns, as each gRPC call does, would take many of these.
_SWITCH_SECONDS: Final = 0.0005
# How often Python's garbage collector looks at everything.
_FULL_COLLECTION_SECONDS: Final = 900.0


def forbid_core_dumps() -> None:
    """Leave no image of the memory behind a crash: it would hold raw prompts."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def settle_in() -> None:
    """Spare what lives as long as the process, and what gets its turn; once all is built.

    Python's garbage collector passes over what is there now, and looks less often at the rest: a request makes
    thousands of short-lived objects without cycles, and looking at them took a twentieth of the CPU time. Looking at
    all of a hundred thousand waiting traces stops everything for a tenth of a second: that is left to
    `collect_garbage`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 1_000_000_000)
    sys.setswitchinterval(_SWITCH_SECONDS)


async def collect_garbage() -> None:
    """Look at all objects, seldom: for the few cycles that live long enough to need it. Runs until it is cancelled."""
    while True:
        await asyncio.sleep(_FULL_COLLECTION_SECONDS)
        gc.collect()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the event loop."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:  # not made for this platform; asyncio's own loop gives the same answers, slower
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
