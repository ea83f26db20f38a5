"""What holds for all tests."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from network_guard import sitecustomize as guard

# As in the gateway (see __main__), and before anything loads numpy: the matrices of names are too small for threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# No deadline: how long an example takes says more of the machine than of the code. On CI the same examples each time,
# so that a red run is about the change; everywhere else new ones, so that more is found the longer one works.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session", autouse=True)
def _refusals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Refuse to leave this machine, here and in the processes that tests start; the file says who wanted to."""
    log = tmp_path_factory.mktemp("network") / "refused"
    log.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(guard.LOG, str(log))
        patch.setenv("PYTHONPATH", str(Path(guard.__file__).parent), prepend=os.pathsep)
        sys.addaudithook(guard.refuse)
        yield log


@pytest.fixture(autouse=True)
def _stays_here(_refusals: Path) -> Iterator[None]:
    """Fail a test during which anyone wanted to leave this machine, even if whoever wanted it took the refusal."""
    before = _refusals.stat().st_size
    yield
    with _refusals.open(encoding="utf-8") as file:
        file.seek(before)
        said = file.read()
    if said or (remote := guard.outside(os.getpid())):
        pytest.fail(f"a test stays on this machine: {said or remote}", pytrace=False)
