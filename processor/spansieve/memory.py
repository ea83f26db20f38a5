"""Who may look into the memory of a process that reads raw telemetry: nobody."""

import ctypes
import resource
import sys
from typing import Final

# Of prctl(2).
_PR_SET_DUMPABLE: Final = 4


def keep_private() -> None:
    """Let nobody read the memory, which holds raw prompts: no core dumps, and no debugger of the same user.

    A limit of 0 keeps the kernel from writing a file, but not from handing the image to a program, as systemd-coredump
    and apport have it do (core(5)). A process that is not dumpable is neither written nor handed, and only root may
    attach to it or read /proc/PID/environ, where the journal's key may be. Each program that is started is dumpable
    again.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0)
