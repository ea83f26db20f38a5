"""Virtual environments of peers that come from PyPI: made once in the cache, from locks with hashes."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.peers import Unavailable
from bench.traffic import cache


def python_of(requirements: Path) -> Path:
    """The interpreter of an environment that has what a lock names. Raises Unavailable when it cannot be made."""
    home = cache() / f"{requirements.parent.name}-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"
    if not home.is_dir():
        cache().mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="making-", dir=cache()))
        try:
            _run(sys.executable, "-m", "venv", "--copies", str(made))
            pip = (str(made / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            _run(*pip, "--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(requirements))
        except BaseException:
            shutil.rmtree(made)
            raise
        made.rename(home)
    return home / "bin" / "python"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)  # noqa: S603 - a command of ours
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise Unavailable(f"its environment cannot be made: {last[0]}")
