"""How the real parts are found and built, shown with a part that a shell builds in no time."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.parts import build

THING = build.Part(
    name="thing",
    binaries=("thing",),
    on_path={"thing": ("thing-from-elsewhere",)},
    fits=lambda binary: "good" in binary.read_text(encoding="utf-8"),
    go=(1, 20),
    commands=(("sh", "-c", "echo x >> ../../count && cp recipe {out}/thing"),),
    takes="no time",
)

Locate = Callable[..., Path]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, a recipe for THING, and a PATH with a Go that says 1.26 and what a shell needs."""
    (tmp_path / "recipes" / "thing").mkdir(parents=True)
    (tmp_path / "recipes" / "thing" / "recipe").write_text("first", encoding="utf-8")
    _executable(tmp_path / "bin" / "go", "#!/bin/sh\necho go1.26.8\necho local\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("SPANSIEVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(build, "RECIPES", tmp_path / "recipes")
    return tmp_path / "cache" / "parts"


@pytest.fixture
def locate(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Locate:
    """`build.locate("thing")`, forgetting what it found before."""

    def find(**changes: object) -> Path:
        monkeypatch.setattr(build, "PARTS", {"thing": replace(THING, **changes)})  # type: ignore[arg-type] - fields of Part
        return build.locate.__wrapped__("thing")

    return find


def _executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _builds(cache: Path) -> int:
    return len((cache / "count").read_text(encoding="utf-8").splitlines())


def test_builds_once(cache: Path, locate: Locate) -> None:
    """The second time, the binary comes from the cache."""
    assert locate() == locate()
    assert locate().read_text(encoding="utf-8") == "first"
    assert _builds(cache) == 1


def test_builds_anew_when_the_recipe_changes(cache: Path, locate: Locate, tmp_path: Path) -> None:
    """A changed recipe has a place of its own in the cache."""
    before = locate()
    (tmp_path / "recipes" / "thing" / "recipe").write_text("second", encoding="utf-8")
    assert locate().read_text(encoding="utf-8") == "second"
    assert before.read_text(encoding="utf-8") == "first"
    assert _builds(cache) == 2


def test_prefers_what_is_installed(cache: Path, locate: Locate, tmp_path: Path) -> None:
    """A binary on PATH that fits is taken, and nothing is built."""
    installed = tmp_path / "bin" / "thing-from-elsewhere"
    _executable(installed, "good")
    assert locate() == installed
    assert not cache.exists()


def test_passes_by_what_does_not_fit(locate: Locate, tmp_path: Path) -> None:
    """A binary on PATH of another version is not taken."""
    _executable(tmp_path / "bin" / "thing-from-elsewhere", "bad")
    assert locate().name == "thing"


def test_needs_go(locate: Locate, tmp_path: Path) -> None:
    """Without Go, the error says what to install and what else would do."""
    (tmp_path / "bin" / "go").write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    with pytest.raises(build.MissingToolchain, match=r"install Go 1\.20 or newer\. Or put thing .* on PATH"):
        locate()


def test_needs_a_go_that_is_new_enough(locate: Locate) -> None:
    """A Go that is too old and may not fetch another is named in the error."""
    with pytest.raises(build.MissingToolchain, match=r"Go 1\.99 or newer, and this is go1\.26\.8"):
        locate(go=(1, 99))


def test_lets_go_fetch_a_newer_one(locate: Locate, tmp_path: Path) -> None:
    """A Go that is too old but fetches toolchains by itself is enough."""
    _executable(tmp_path / "bin" / "go", "#!/bin/sh\necho go1.26.8\necho auto\n")
    assert locate(go=(1, 99)).is_file()


def test_a_failed_build_leaves_nothing(cache: Path, locate: Locate) -> None:
    """A failed build says how it failed, and the next attempt starts anew."""
    with pytest.raises(build.BuildFailed, match=r"(?s)failed \(3\)\nwhat went wrong"):
        locate(commands=(("sh", "-c", "echo what went wrong; exit 3"),))
    assert [entry.name for entry in cache.iterdir()] == ["lock"]


def test_a_cache_that_cannot_be_made_is_named(locate: Locate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable that names another one, as when the home directory is read-only."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("SPANSIEVE_CACHE", str(tmp_path / "file"))
    with pytest.raises(build.BuildFailed, match=r"file/parts cannot be made .*SPANSIEVE_CACHE"):
        locate()


def test_what_go_is_told_for_other_work_does_not_count(locate: Locate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags, a workspace, another machine to build for: the parts are built in one way, for this one."""
    for name, value in {"GOFLAGS": "-mod=vendor", "GOWORK": "/a/go.work", "GOOS": "plan9", "GOARCH": "mips"}.items():
        monkeypatch.setenv(name, value)
    told = locate(commands=(("sh", "-c", "echo $GOFLAGS,$GOWORK,$GOOS,$GOARCH > {out}/thing"),))
    assert told.read_text(encoding="utf-8") == "-mod=readonly -buildvcs=false,off,,\n"


def test_a_build_without_a_binary_is_a_failure(cache: Path, locate: Locate) -> None:
    """A build that ends well and leaves no binary is not taken for a whole one."""
    with pytest.raises(build.BuildFailed, match="left no thing"):
        locate(commands=(("true",),))
    assert [entry.name for entry in cache.iterdir()] == ["lock"]


def test_clears_what_a_killed_build_left(cache: Path, locate: Locate) -> None:
    """The remains of a build that was killed are gone after the next."""
    (cache / "building-killed" / "work").mkdir(parents=True)
    locate()
    assert not list(cache.glob("building-*"))


def test_two_runs_build_one_after_the_other(cache: Path, locate: Locate) -> None:
    """Two runs that need the same part at the same time build it once, and both get it."""
    found: list[Path] = []
    runs = [threading.Thread(target=lambda: found.append(locate())) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert found == [found[0]] * 2
    assert _builds(cache) == 1


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("prometheus, version 3.15.0 (branch: HEAD)", (3, 15)),
        ("tempo, version 2.6.1 (branch: , revision: )", (2, 6)),
        ("prometheus, version  (branch: )", ()),
        ("", ()),
    ],
)
def test_reads_versions(said: str, version: tuple[int, ...]) -> None:
    """A binary's version is read from what it says of itself; one that says none fits nothing."""
    assert build._version(said) == version


def test_unknown_parts_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The command line names the parts that there are."""
    assert build.main(["jaeger"]) == 2
    assert "otelcol, tempo, prometheus" in capsys.readouterr().err
