"""Writes docs/reference/ from what the package itself reads, and from its lock. `make docs`.

A test compares the files with what this module would write, so that they cannot go stale.
"""

import json
import re
import sys
from collections.abc import Iterator
from enum import StrEnum
from importlib.metadata import metadata
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from spansieve import catalogue
from spansieve.config import GatewayConfig
from spansieve.config_types import DURATION_RULE
from spansieve.redact import policy

_REFERENCE = Path(__file__).parent / "reference"
_LOCK = Path(__file__).parents[1] / "requirements" / "run.txt"

# What packages write that tell their licence in words, or in part, as an expression of SPDX (https://spdx.org/licenses).
_SPDX = {
    "MIT": "MIT",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
}


def pages() -> dict[str, str]:
    """File name → text."""
    return {
        "configuration.md": _configuration(),
        "metrics.md": _metrics(),
        "third-party.md": _third_party(),
        "policy.schema.json": json.dumps(policy.schema(), indent=2, ensure_ascii=False) + "\n",
    }


def _configuration() -> str:
    lines = [
        "# Configuration",
        "",
        "Made by `make docs` from `spansieve/config.py`. The names are the Collector's where the meaning is the same.",
        "A file may hold any part of this; what it leaves out has its default. `${env:NAME}` and",
        "`${env:NAME:-default}` are replaced in the values, `$$` is a plain `$`. Unknown keys are refused.",
        "`spansieve check --config FILE` tells all mistakes at once.",
        "",
    ]
    for name, field in GatewayConfig.model_fields.items():
        lines += [f"## {name}", ""]
        lines += _section(name, field)
    return "\n".join(lines).rstrip() + "\n"


def _section(path: str, field: FieldInfo) -> list[str]:
    rows = list(_rows(path, field))
    intro = _first_line(_sections(field.annotation)[0]) if _sections(field.annotation) else ""
    table = ["| key | default | meaning |", "|---|---|---|", *rows, ""]
    return ([intro, ""] if intro else []) + table


def _rows(path: str, field: FieldInfo) -> list[str]:
    sections = _sections(field.annotation)
    if not sections:
        default = "required" if field.is_required() else f"`{_default(field)}`"
        example = f" Example: `{_yaml(field.examples[0])}`." if field.is_required() and field.examples else ""
        return [f"| `{path}` | {default} | {field.description or ''}{_allowed(field)}{example} |"]
    if len(sections) > 1:
        if "[]" in path:  # policies within policies are of the same types
            return [f"| `{path}` | required | {field.description} As `policies`, each with a name. |"]
        default = _yaml([each.model_dump(exclude_defaults=True) for each in field.default])
        rows = [f"| `{path}` | `{default}` | {field.description} |"]
        for section in sections:
            kind = section.model_fields["type"].annotation.__args__[0]  # type: ignore[union-attr]  # a Literal
            rows.append(f"| `{path}[]` with `type: {kind}` | | {_first_line(section)} |")
            for name, inner in section.model_fields.items():
                if name not in ("type", "name", "shadow"):
                    rows += _rows(f"{path}[].{inner.alias or name}", inner)
        rows += _rows(f"{path}[].shadow", sections[0].model_fields["shadow"])
        return rows
    head = [f"| `{path}` | off, unless named | {field.description} |"] if field.default is None else []
    if get_origin(field.annotation) is tuple:
        head = [f"| `{path}` | `{_default(field)}` | {field.description} |"]
        path += "[]"
    return head + [row for name, inner in sections[0].model_fields.items() for row in _rows(f"{path}.{name}", inner)]


def _allowed(field: FieldInfo) -> str:
    """Which values there may be, and the bounds of a number, as far as the description does not tell."""
    told = field.description or ""
    words = [f"`{each}`" for each in _words(field.annotation)]
    several = "Any" if get_origin(field.annotation) is tuple else "One"
    said = "" if all(each in told for each in words) else f" {several} of {', '.join(words)}."
    unit = "s" if _is_duration(field) else ""
    bounds = {
        name: f"{value:.12g}{unit}"
        for rule in field.metadata
        for name in ("ge", "gt", "le", "lt")
        if (value := getattr(rule, name, None)) is not None
    }
    if all(re.search(rf"\b{re.escape(number)}\b", told) for number in bounds.values()):
        return said
    least = f"From {bounds['ge']}" if "ge" in bounds else f"Above {bounds['gt']}"
    most = f" to {bounds['le']}" if "le" in bounds else f", below {bounds['lt']}" if "lt" in bounds else ""
    return f"{said} {least}{most}{'' if most else ' up' if 'ge' in bounds else ''}."


def _is_duration(field: FieldInfo) -> bool:
    told = [field.metadata, *(getattr(each, "__metadata__", ()) for each in get_args(field.annotation))]
    return any(DURATION_RULE in each for each in told)


def _words(annotation: Any) -> list[str]:
    """The texts that a type consists of."""
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return [each.value for each in annotation]
    inner = get_args(annotation)
    if get_origin(annotation) is Literal:
        return [each for each in inner if isinstance(each, str)]
    return [word for each in inner for word in _words(each)]


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    return f"{value:g}s" if _is_duration(field) and value is not None else _yaml(value)


def _sections(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for inner in getattr(annotation, "__args__", ()) for section in _sections(inner)]


def _first_line(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").split("\n")[0]


def _yaml(value: Any) -> str:
    shown = str(value) if isinstance(value, Path) else value
    return yaml.safe_dump(shown, default_flow_style=True, width=1000).removesuffix("\n").removesuffix("\n...")


def _metrics() -> str:
    lines = [
        "# Metrics",
        "",
        "Made by `make docs` from the catalogues in the package. Names are those at `/metrics` and in a Prometheus",
        "behind a Collector; the OTLP name has dots in place of the underscores and no suffix.",
        "",
    ]
    derived = catalogue.load("spansieve.measure", "metrics.yaml")
    latest = catalogue.load("spansieve.measure", "metrics.yaml", catalogue.Semconv.LATEST)
    for title, specs in (
        ("Derived from LLM calls, before sampling", derived.values()),
        (
            "Instead of those of the conventions v1.41, with `measure.semconv: latest`",
            [spec for spec in latest.values() if spec.semconv],
        ),
        ("The gateway's own", catalogue.load("spansieve", "telemetry.yaml").values()),
    ):
        lines += [f"## {title}", "", "| metric | kind | labels | meaning |", "|---|---|---|---|"]
        for spec in specs:
            labels = ", ".join(f"`{catalogue.prometheus_label(label)}`" for label in spec.labels)
            lines.append(f"| `{catalogue.prometheus_name(spec)}` | {spec.kind} | {labels} | {spec.help} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def third_party() -> Iterator[tuple[str, str, str]]:
    """Name, versions and licence of each package that the gateway installs on any of its platforms.

    Licences are those of the versions that are installed here. Raises KeyError when one tells its licence in words that
    are not known here: read it, and enter it.
    """
    locked: dict[str, list[str]] = {}
    for name, version, marker in re.findall(
        r"^([\w.-]+)==(\S+)(?: ; (.*?))?(?: \\)?$", _LOCK.read_text(), re.MULTILINE
    ):
        if "sys_platform == 'emscripten'" not in marker:  # no platform of ours
            locked.setdefault(name, []).append(version)
    for name, versions in locked.items():
        told = metadata(name)
        classifiers = [each.rpartition(" :: ")[2] for each in told.get_all("Classifier", []) if "License ::" in each]
        licence = told["License-Expression"] or _SPDX[told["License"] or classifiers[0]]
        yield name, ", ".join(versions), licence


def _third_party() -> str:
    lines = [
        "# Third parties",
        "",
        "Made by `make docs` from `requirements/run.txt`: what is installed with the gateway, and in its image beside",
        "Debian and Python. None of it is changed. Why each is there: [0002](../decisions/0002-dependencies.md).",
        "",
        "| package | version | licence (SPDX) |",
        "|---|---|---|",
        *(f"| `{name}` | {version} | {licence} |" for name, version, licence in third_party()),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the pages; with --check, only say whether they are current."""
    stale = [name for name, text in pages().items() if not _is_current(name, text)]
    if "--check" in sys.argv:
        for name in stale:
            print(f"docs/reference/{name} is stale: run make docs")
        return 1 if stale else 0
    for name in stale:
        (_REFERENCE / name).write_text(pages()[name], encoding="utf-8")
    return 0


def _is_current(name: str, text: str) -> bool:
    file = _REFERENCE / name
    return file.is_file() and file.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
