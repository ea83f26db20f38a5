import os
import subprocess
import sys
import time

from bench.processes import cpu_seconds, family, resident_bytes


def test_cpu_time_counts_threads_and_system_calls() -> None:
    """The time from /proc is the process's, to a tick."""
    before, own = cpu_seconds(os.getpid()), time.process_time()
    while time.process_time() - own < 0.2:
        sum(range(1000))
    assert abs((cpu_seconds(os.getpid()) - before) - (time.process_time() - own)) < 0.05


def test_children_belong_to_the_family() -> None:
    """A peer with workers is measured whole."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in family(os.getpid())
        child.communicate(b"\n")


def test_resident_memory_grows_with_what_is_held() -> None:
    """50 MB that are written to are resident."""
    before = resident_bytes(os.getpid())
    held = bytearray(os.urandom(1)) * 50_000_000
    assert resident_bytes(os.getpid()) - before > 40_000_000
    assert held
