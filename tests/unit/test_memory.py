"""Who may look into a process of ours."""

import subprocess
import sys

import pytest

_LOOK = "import ctypes, resource; print(ctypes.CDLL(None).prctl(3), resource.getrlimit(resource.RLIMIT_CORE)[0])"
"""PR_GET_DUMPABLE, and the largest core file."""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux's")
@pytest.mark.parametrize(
    "code",
    [
        "from spansieve import memory; memory.keep_private()",
        "import sys; sys.argv[1:] = ['policy', 'list']; from spansieve.__main__ import main; main()",
    ],
    ids=["by itself", "of each command"],
)
def test_the_memory_is_nobodys_business(code: str) -> None:
    """Neither a core file nor a program that the kernel hands cores to gets it, nor a debugger: it is not dumpable."""
    done = subprocess.run([sys.executable, "-c", f"{code}\n{_LOOK}"], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "0 0"
