"""The real Collector, Tempo, Prometheus, Alertmanager and kustomize: found on PATH, in the cache, or built once by Go.

`locate("otelcol")` answers with the path of a binary that runs. Also from the shell, to have it done beforehand:

    python tests/e2e/parts/build.py [otelcol|tempo|prometheus|alertmanager|kustomize ...]

What is built, and from which versions, stands in the recipe folders beside this file; Go checks every module against
its recorded or public checksum. Needs the standard library only, so that it runs before any environment is made.
"""

import contextlib
import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

RECIPES = Path(__file__).parent
_TAIL_LINES = 25


class MissingToolchain(Exception):
    """A part must be built and there is no Go that could. The message says what is needed and the other ways."""


class BuildFailed(Exception):
    """Go was there and did not succeed. The message ends with the end of the log."""


@dataclass(frozen=True)
class Part:
    """One of the real parts: how a binary on PATH is judged, and how one is built."""

    name: str
    """Also the name of the recipe folder."""
    binaries: tuple[str, ...]
    """What the build leaves in the cache."""
    on_path: dict[str, tuple[str, ...]]
    """For each binary, the names under which it is looked for on PATH."""
    fits: Callable[[Path], bool]
    """Whether a binary found on PATH can stand in."""
    go: tuple[int, int]
    """Oldest Go that builds it: the `go` line of its modules."""
    commands: tuple[tuple[str, ...], ...]
    """Run in a copy of the recipe folder; `{out}` is where the binaries belong."""
    takes: str
    """What a cold build takes on two cores, for those who wait."""


def _answer(*command: str | Path) -> str:
    """What a binary says of itself; empty when it cannot be run."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def _version(text: str) -> tuple[int, ...]:
    found = re.search(r"version:? v?(\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else ()


def _collector_fits(binary: Path) -> bool:
    """Whether it holds every component of our recipe at our version: components change their names between versions."""
    there = set(re.findall(r"module: (\S+ v\S+)", _answer(binary, "components")))
    wanted = re.findall(r"gomod: (\S+ v\S+)", (RECIPES / "otelcol" / "ocb.yaml").read_text(encoding="utf-8"))
    return there.issuperset(wanted)


def _tempo_fits(binary: Path) -> bool:
    """Only the 2.6 line: 2.7 cuts attributes at 2 KiB unless told otherwise by a key that 2.6 refuses."""
    return _version(_answer(binary, "--version")) == (2, 6)


def _prometheus_fits(binary: Path) -> bool:
    """From 3.0 on there is `otlp.translation_strategy`, and the OTLP receiver is more than a feature flag."""
    return _version(_answer(binary, "--version")) >= (3, 0)


def _alertmanager_fits(binary: Path) -> bool:
    """From 0.27 on the second version of its API is the only one."""
    return _version(_answer(binary, "--version")) >= (0, 27)


def _kustomize_fits(binary: Path) -> bool:
    """From 5.0 on `labels` and components are as our files have them."""
    return tuple(map(int, re.findall(r"v(\d+)\.", _answer(binary, "version"))))[:1] >= (5,)


PARTS = {
    part.name: part
    for part in (
        Part(
            name="otelcol",
            binaries=("otelcol",),
            on_path={"otelcol": ("otelcol-contrib", "otelcol")},
            fits=_collector_fits,
            go=(1, 25),
            commands=(
                ("go", "install", "go.opentelemetry.io/collector/cmd/builder@v0.159.0"),
                ("{out}/builder", "--config", "ocb.yaml"),
                ("mv", "otelcol/otelcol", "{out}/otelcol"),
                ("rm", "{out}/builder"),
            ),
            takes="6 minutes",
        ),
        Part(
            name="tempo",
            binaries=("tempo",),
            on_path={"tempo": ("tempo",)},
            fits=_tempo_fits,
            go=(1, 23),
            commands=(
                (
                    *("go", "build", "-ldflags", "-s -w -X main.Version=2.6.1 -X main.Branch=ed943d7a56b2"),
                    *("-o", "{out}/", "github.com/grafana/tempo/cmd/tempo"),
                ),
            ),
            takes="3 minutes",
        ),
        Part(
            name="prometheus",
            binaries=("prometheus", "promtool"),
            on_path={"prometheus": ("prometheus",), "promtool": ("promtool",)},
            fits=_prometheus_fits,
            go=(1, 26),
            commands=(
                (
                    *("go", "build", "-ldflags", "-s -w -X github.com/prometheus/common/version.Version=3.15.0"),
                    *("-o", "{out}/"),
                    "github.com/prometheus/prometheus/cmd/prometheus",
                    "github.com/prometheus/prometheus/cmd/promtool",
                ),
            ),
            takes="5 minutes",
        ),
        Part(
            name="alertmanager",
            binaries=("alertmanager", "amtool"),
            on_path={"alertmanager": ("alertmanager", "prometheus-alertmanager"), "amtool": ("amtool",)},
            fits=_alertmanager_fits,
            go=(1, 24),
            commands=(
                (
                    *("go", "build", "-ldflags", "-s -w -X github.com/prometheus/common/version.Version=0.28.1"),
                    *("-o", "{out}/"),
                    "github.com/prometheus/alertmanager/cmd/alertmanager",
                    "github.com/prometheus/alertmanager/cmd/amtool",
                ),
            ),
            takes="1 minute",
        ),
        Part(
            name="kustomize",
            binaries=("kustomize",),
            on_path={"kustomize": ("kustomize",)},
            fits=_kustomize_fits,
            go=(1, 24),
            commands=(
                (
                    *("go", "build", "-ldflags", "-s -w -X sigs.k8s.io/kustomize/api/provenance.version=v5.7.1"),
                    *("-o", "{out}/", "sigs.k8s.io/kustomize/kustomize/v5"),
                ),
            ),
            takes="1 minute",
        ),
    )
}


@functools.cache
def locate(name: str) -> Path:
    """The path of one of the binaries of PARTS, built first when there is none.

    Raises MissingToolchain when a build is needed and Go is absent or too old, BuildFailed when the build failed.
    """
    part = next(part for part in PARTS.values() if name in part.binaries)
    for candidate in part.on_path[name]:
        found = shutil.which(candidate)
        if found and part.fits(Path(found)):
            return Path(found)
    return _built(part) / name


def cache() -> Path:
    """Where built parts are kept, outside of the checkout: a build costs minutes and serves every clone."""
    return Path(os.environ.get("SPANSIEVE_CACHE") or Path.home() / ".cache" / "spansieve") / "parts"


def _digest(part: Part) -> str:
    """Changes when the part would be built differently."""
    digest = hashlib.sha256(repr(part.commands).encode())
    for file in sorted((RECIPES / part.name).iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _built(part: Part) -> Path:
    home = cache() / f"{part.name}-{_digest(part)}"
    if home.is_dir():
        return home
    _require_go(part)
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuildFailed(
            f"{part.name} must be built, and {home.parent} cannot be made ({error.strerror}): name a folder that can "
            "be written to in the environment variable SPANSIEVE_CACHE."
        ) from None
    with _one_build_at_a_time(home.parent):
        if not home.is_dir():  # somebody else may have built it while we waited
            _build(part, home)
    return home


def _require_go(part: Part) -> None:
    needed = ".".join(map(str, part.go))
    said = _answer("go", "env", "GOVERSION", "GOTOOLCHAIN").split()
    found = re.match(r"go(\d+)\.(\d+)", said[0]) if said else None
    instead = f"Or put {' and '.join(part.binaries)} of a version that fits on PATH."
    if found is None:
        raise MissingToolchain(
            f"{part.name} must be built, and there is no Go: install Go {needed} or newer. {instead}"
        )
    ours = tuple(map(int, found.groups()))
    # From 1.21 on, and unless forbidden, Go fetches the newer toolchain that a module asks for.
    fetches = ours >= (1, 21) and len(said) > 1 and (said[1] == "auto" or said[1].endswith("+auto"))
    if ours < part.go and not fetches:
        raise MissingToolchain(
            f"{part.name} must be built with Go {needed} or newer, and this is {said[0]}: update Go. {instead}"
        )


@contextlib.contextmanager
def _one_build_at_a_time(directory: Path) -> Iterator[None]:
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(part: Part, home: Path) -> None:
    """Build beside `home`, then rename: a directory of that name is always whole."""
    for left_by_a_killed_build in home.parent.glob("building-*"):
        shutil.rmtree(left_by_a_killed_build)
    print(f"building {part.name}: about {part.takes} on two cores, once", file=sys.stderr, flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="building-", dir=home.parent) as scratch:
        work, out = Path(scratch, "work"), Path(scratch, "out")
        shutil.copytree(RECIPES / part.name, work)
        out.mkdir()
        with Path(scratch, "log").open("w+") as log:
            for command in part.commands:
                _run(part, [word.replace("{out}", str(out)) for word in command], work, out, log.fileno())
        missing = [binary for binary in part.binaries if not (out / binary).is_file()]
        if missing:
            raise BuildFailed(f"building {part.name} left no {' and no '.join(missing)}")
        out.rename(home)
    print(f"built {part.name} in {time.monotonic() - began:.0f} s: {home}", file=sys.stderr, flush=True)


def _run(part: Part, command: list[str], work: Path, out: Path, log: int) -> None:
    # Whatever is set for other work: no workspace or repository above the cache takes part, no `-mod=vendor`, no other
    # machine is built for. GOBIN: where `go install` puts the builder.
    ours = {"GOWORK": "off", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOOS": "", "GOARCH": "", "GOBIN": str(out)}
    environment = {**os.environ, **ours}
    done = subprocess.run(command, cwd=work, env=environment, stdout=log, stderr=log, check=False)
    if done.returncode:
        end = (work.parent / "log").read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
        raise BuildFailed("\n".join([f"building {part.name}: {' '.join(command)} failed ({done.returncode})", *end]))


def main(names: list[str]) -> int:
    """Have the named parts (all by default) ready, print their paths; 1 when one cannot be had."""
    unknown = sorted(set(names) - set(PARTS))
    if unknown:
        print(f"no such part: {', '.join(unknown)}. There are {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    for name in names or list(PARTS):
        for binary in PARTS[name].binaries:
            try:
                print(f"{binary}\t{locate(binary)}", flush=True)
            except (MissingToolchain, BuildFailed) as error:
                print(error, file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
