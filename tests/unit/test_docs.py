"""The reference pages say what the package does, and what the guides show works."""

import ast
import importlib
import importlib.util
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from spansieve import prepared
from spansieve.config import GatewayConfig

_DOCS = Path(__file__).parents[2] / "docs"
_STACK = _DOCS.parent / "stack"
_SPEC = importlib.util.spec_from_file_location("docs_generate", _DOCS / "generate.py")
assert _SPEC is not None
assert _SPEC.loader is not None
generate = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(generate)


@pytest.mark.parametrize("name", sorted(generate.pages()))
def test_reference_page_is_current(name: str) -> None:
    """`make docs` would change nothing."""
    assert (_DOCS / "reference" / name).read_text(encoding="utf-8") == generate.pages()[name]


_TERMS = {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "MIT", "MIT-0", "PSF-2.0", "Zlib"}


def test_what_is_installed_may_be_passed_on() -> None:
    """Under terms that ask for a notice at most; orjson's files, which we do not change, under the Mozilla licence."""
    terms = {name: set(re.findall(r"[\w.-]+", licence)) - {"AND", "OR"} for name, _, licence in generate.third_party()}
    assert len(terms) > 20
    assert {name: more for name, words in terms.items() if (more := words - _TERMS)} == {"orjson": {"MPL-2.0"}}


def test_every_dependency_has_its_reason() -> None:
    """A line of 0002 names what the package asks for."""
    project = tomllib.loads((_DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.split(r"[; ]", each)[0] for each in project["dependencies"]}
    page = (_DOCS / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8")
    assert asked - set(re.findall(r"`([\w-]+)`", page)) == set()


_TELL = {"redaction", "sampling", "measure", "storage"}  # no key of a Collector or of a policy


def _configurations() -> Iterator[tuple[str, str]]:
    """Each fenced example of a configuration in the README and the guides, by the file and what it begins with."""
    for file in (_DOCS.parent / "README.md", *sorted((_DOCS / "guides").glob("*.md"))):
        for example in re.findall(r"```yaml\n(.*?)```", file.read_text(encoding="utf-8"), re.DOTALL):
            keys = yaml.safe_load(example)
            if isinstance(keys, dict) and keys.keys() & _TELL:
                yield f"{file.name}: {', '.join(keys)}", example


@pytest.mark.parametrize(
    "example", [text for _, text in _configurations()], ids=[name for name, _ in _configurations()]
)
def test_a_configuration_that_a_guide_shows_is_one(example: str) -> None:
    """`spansieve check` finds nothing to say of it."""
    assert prepared.problems(GatewayConfig.model_validate(yaml.safe_load(example))) == []


_PACKAGE = _DOCS.parent / "processor" / "spansieve"


def test_the_architecture_names_the_parts_that_there_are() -> None:
    """Every module and folder at the top of the package, and no file that is gone."""
    page = (_DOCS.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = {name.removeprefix("processor/spansieve/") for name in re.findall(r"[\w/]+\.py\b", page)}
    files = {path.relative_to(_PACKAGE).as_posix() for path in _PACKAGE.rglob("*.py")}
    assert named <= files
    top = {path.name for path in _PACKAGE.glob("*.py") if not path.name.startswith("__")}
    assert {name for name in top - named if not name.startswith("config")} == set()
    folders = {path.parent.name for path in _PACKAGE.glob("*/__init__.py")}
    assert {name for name in folders if f"{name}/" not in page} == set()


def test_the_architecture_names_the_owners_that_there_are() -> None:
    """Each `module.Class` in its table of owners can be imported."""
    page = (_DOCS.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_.]+)\.([A-Z]\w+)`", page)
    assert len(named) > 5
    assert [name for name in named if not hasattr(importlib.import_module(f"spansieve.{name[0]}"), name[1])] == []


def _events() -> Iterator[tuple[str, str]]:
    """Each event that the package logs, and its level."""
    for file in _PACKAGE.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match call:
                case ast.Call(ast.Attribute(logger, "info" | "warning" | "error" as level), [event, *_]) if (
                    "logger" in ast.unparse(logger)
                ):
                    yield from ((each.value, level) for each in ast.walk(event) if isinstance(each, ast.Constant))
                case ast.Call(ast.Name("told"), [ast.Constant(str(event)), *_]):  # of what nobody caught
                    yield event, "error"
                case ast.Call(ast.Name("Doubt"), [ast.Constant(str(event)), *_]):
                    yield event, "warning"


def test_every_event_of_the_log_stands_on_its_page_with_its_level() -> None:
    """And no event that is gone."""
    page = (_DOCS / "reference" / "log.md").read_text(encoding="utf-8")
    told = set()
    for events, levels in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| ([a-z, ]+) \|", page, re.MULTILINE):
        names, each = re.findall(r"\w+", events), levels.split(", ")
        told |= set(zip(names, each * (len(names) if len(each) == 1 else 1), strict=True))
    assert told == set(_events())


_PAGES = [*sorted(_DOCS.parent.glob("*.md")), *sorted(_DOCS.rglob("*.md"))]


def _anchors(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_DOCS.parent)))
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link is to a file that is there, and to a heading that it has."""
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            lost.append(link)
    assert lost == []


def test_metrics_that_pages_name_are_there() -> None:
    """Who copies a name of ours from a guide finds its series: it is in the generated reference."""
    known = set(re.findall(r"spansieve_\w+", (_DOCS / "reference" / "metrics.md").read_text(encoding="utf-8")))
    told = {
        (page.name, name)
        for page in (_DOCS.parent / "README.md", *(_DOCS / "guides").glob("*.md"))
        for name in re.findall(r"\bspansieve_[a-z_]+[a-z]\b", page.read_text(encoding="utf-8"))
    }
    assert {(page, name) for page, name in told if name not in known} == set()


def test_panels_that_runbooks_name_are_there() -> None:
    """Who is sent to a panel finds it under that title."""
    boards = [json.loads(file.read_text(encoding="utf-8")) for file in (_STACK / "grafana").rglob("dashboards/*.json")]
    panels = [panel for board in boards for row in board["panels"] for panel in (row, *row.get("panels", ()))]
    titles = {board["title"] for board in boards} | {panel["title"] for panel in panels}
    told = re.findall(r"«([^»]+)»", (_DOCS / "guides" / "runbooks.md").read_text(encoding="utf-8"))
    assert {" ".join(name.split()) for name in told} - titles == set()


def test_settings_that_pages_name_are_there() -> None:
    """Who copies `section.key` from a guide writes a key that the gateway knows."""
    reference = (_DOCS / "reference" / "configuration.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^\| `((?:[a-z_]+\.)+[a-z_]+)`", reference.replace("[]", ""), re.MULTILINE))
    prefixes = {key.rsplit(".", depth)[0] for key in known for depth in range(key.count(".") + 1)}
    sections = {key.split(".")[0] for key in known}
    told = {
        (page.name, key)
        for page in (_DOCS.parent / "README.md", *(_DOCS / "guides").glob("*.md"))
        for key in re.findall(r"`((?:[a-z_]+\.)+[a-z_]+)(?=[`:])", page.read_text(encoding="utf-8"))
        if key.split(".")[0] in sections
    }
    assert {(page, key) for page, key in told if key not in known | prefixes} == set()
