"""The metrics of a catalogue: declared once as data, named the same in Prometheus and in OTLP.

A catalogue is a YAML file inside the package:

    metrics:
      - name: spansieve.receiver.requests     # dotted, as in OTLP; unique, also in its Prometheus form
        kind: counter                         # counter | gauge | histogram
        unit: "{request}"                     # UCUM, one of UNITS below, or an annotation in braces
        help: Export requests by their answer.
        labels: [signal, code]                # in the order in which values are given; may be left out
      - name: spansieve.export.duration
        kind: histogram
        unit: s
        help: From the first attempt to the answer.
        buckets: [0.01, 0.1, 1]               # histograms only: inclusive upper bounds, ascending, without +Inf

Labels that many metrics share may stand once, under a name, and `$name` puts them in place. A metric that belongs to
one generation of the semantic conventions says so; its name is unique within that generation:

    label_sets:
      call: [gen_ai.operation.name, gen_ai.request.model]
    metrics:
      - name: gen_ai.client.operation.duration
        semconv: v1.41
        labels: [$call, error.type]
        ...
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType
from typing import Any, TypeAlias

from spansieve import strict_yaml

UNITS: Mapping[str, str] = MappingProxyType(
    {"s": "seconds", "ms": "milliseconds", "By": "bytes", "MiBy": "mebibytes", "%": "percent", "1": ""}
)
"""UCUM unit → the suffix that it gives a Prometheus name (OpenTelemetry specification, «Prometheus compatibility»)."""

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_ANNOTATION = re.compile(r"\{[^{}]+\}")
_KEYS = frozenset({"name", "kind", "unit", "help", "labels", "buckets", "semconv"})
_NEEDED = ("name", "kind", "unit", "help")

MoreLabels: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]
"""(name of a label set, labels to put at its end) pairs; a tuple, so that `load` can remember by it."""


class Semconv(StrEnum):
    """A generation of the GenAI conventions: the value of `measure.semconv`."""

    V1_41 = "v1.41"
    LATEST = "latest"


_GENERATIONS = frozenset(map(str, Semconv))


class Kind(StrEnum):
    """The instrument: a monotonic sum, a value of the moment, or a distribution with explicit bounds."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


_KINDS = frozenset(map(str, Kind))


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric as declared: `labels` are positional, `buckets` inclusive upper bounds (none unless a histogram)."""

    name: str
    kind: Kind
    unit: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    semconv: str = ""  # a Semconv's value; empty when the metric is in every generation


class CatalogueError(ValueError):
    """A catalogue that contradicts itself: a defect of the package. `problems` holds a sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@cache  # the package's data do not change
def load(
    package: str, resource: str, semconv: Semconv = Semconv.V1_41, more: MoreLabels = ()
) -> Mapping[str, MetricSpec]:
    """Read the catalogue `resource` (a path with `/`) of a package: name → spec, in the order of the file.

    Metrics of another generation of the conventions are left out; `more` adds labels to the file's label sets. Raises
    CatalogueError with every problem found.
    """
    return parse(files(package).joinpath(resource).read_text(encoding="utf-8"), semconv, more)


def parse(text: str, semconv: Semconv = Semconv.V1_41, more: MoreLabels = ()) -> Mapping[str, MetricSpec]:
    """Check the text of a catalogue: name → spec, in the order of the text.

    Metrics of another generation of the conventions are checked and left out; `more` adds labels to the text's label
    sets. Raises CatalogueError with every problem found.
    """
    tree = strict_yaml.load_shipped(text)
    entries = tree.get("metrics") if isinstance(tree, dict) else None
    if not isinstance(entries, list) or not entries:
        raise CatalogueError(["A catalogue holds a list named metrics, with at least one entry."])
    sets = tree.get("label_sets", {})
    if not isinstance(sets, dict) or not all(isinstance(name, str) and isinstance(sets[name], list) for name in sets):
        raise CatalogueError(["label_sets does not hold lists of labels, each under its name."])
    sets = dict(sets)
    for name, labels in more:
        sets[name] = [*sets.get(name, ()), *labels]
    problems: list[str] = []
    specs: dict[tuple[str, str], MetricSpec] = {}
    exposed: dict[tuple[str, str], str] = {}
    for position, entry in enumerate(entries, 1):
        found, spec = _spec(entry, sets)
        if spec is None:
            name = entry.get("name", f"Entry {position}") if isinstance(entry, dict) else f"Entry {position}"
            problems += [f"{name}: {problem}." for problem in found]
            continue
        for generation in (spec.semconv,) if spec.semconv else tuple(Semconv):
            other = exposed.setdefault((generation, prometheus_name(spec)), spec.name)
            if (generation, spec.name) in specs:
                problems.append(f"{spec.name}: the name stands twice.")
            elif other != spec.name:
                problems.append(f"{spec.name}: its Prometheus name is that of {other}.")
            specs[generation, spec.name] = spec
    if problems:
        raise CatalogueError(list(dict.fromkeys(problems)))
    return MappingProxyType({name: spec for (generation, name), spec in specs.items() if generation == semconv})


def _spec(entry: Any, sets: Mapping[str, list[Any]]) -> tuple[list[str], MetricSpec | None]:  # noqa: ANN401 - YAML
    if isinstance(entry, dict) and isinstance(entry.get("labels"), list):
        named = [label[1:] for label in entry["labels"] if isinstance(label, str) and label.startswith("$")]
        if missing := [f"there is no label set {name}" for name in named if name not in sets]:
            return missing, None
        labels = [
            each
            for label in entry["labels"]
            for each in (sets[label[1:]] if isinstance(label, str) and label.startswith("$") else (label,))
        ]
        entry = {**entry, "labels": labels}
    if found := _problems(entry):
        return found, None
    return [], MetricSpec(
        entry["name"],
        Kind(entry["kind"]),
        entry["unit"],
        entry["help"],
        tuple(entry.get("labels", ())),
        tuple(map(float, entry.get("buckets", ()))),
        entry.get("semconv", ""),
    )


def _problems(entry: Any) -> list[str]:  # noqa: ANN401 - whatever the YAML held
    if not isinstance(entry, dict):
        return ["is not a mapping"]
    if missing := [key for key in _NEEDED if not isinstance(entry.get(key), str) or not entry[key]]:
        return [f"{key} is missing" for key in missing]
    found = [f"{key} is not a key of a metric" for key in entry if key not in _KEYS]
    if not _NAME.fullmatch(entry["name"]):
        found.append("the name is not dotted lower case")
    if entry["kind"] not in _KINDS:
        found.append("kind is none of counter, gauge, histogram")
    if entry["unit"] not in UNITS and not _ANNOTATION.fullmatch(entry["unit"]):
        found.append(f"unit is none of {', '.join(UNITS)} and no annotation in braces")
    if entry.get("semconv", "") not in {"", *_GENERATIONS}:
        found.append(f"semconv is none of {', '.join(Semconv)}")
    return found + _label_problems(entry.get("labels", [])) + _bucket_problems(entry.get("buckets"), entry["kind"])


def _label_problems(labels: object) -> list[str]:
    if not isinstance(labels, list) or not all(isinstance(label, str) and _NAME.fullmatch(label) for label in labels):
        return ["labels is not a list of dotted lower-case names"]
    if "le" in labels:
        return ["the label le belongs to Prometheus' histograms"]
    if len(set(map(prometheus_label, labels))) < len(labels):
        return ["a label stands twice"]
    return []


def _bucket_problems(buckets: object, kind: str) -> list[str]:
    if kind != Kind.HISTOGRAM:
        return ["only a histogram has buckets"] if buckets is not None else []
    if not isinstance(buckets, list) or not buckets:
        return ["a histogram needs buckets"]
    if not all(isinstance(bound, int | float) and math.isfinite(bound) for bound in buckets):
        return ["a bucket is not a finite number"]
    if any(low >= high for low, high in pairwise(buckets)):
        return ["the buckets do not ascend"]
    return []


def prometheus_name(spec: MetricSpec) -> str:
    """Return the name as a stock Collector or Prometheus writes it (UnderscoreEscapingWithSuffixes).

    Dots become underscores; the unit is appended unless a part of the name already says it, an annotation in braces
    never; then `_total` for a counter, `_ratio` for a gauge of unit 1. A histogram's series add `_bucket`, `_sum`,
    `_count`. Source: OpenTelemetry specification, «Prometheus and OpenMetrics compatibility».
    """
    parts = spec.name.replace(".", "_").split("_")
    unit = UNITS.get(spec.unit, "")
    if unit and unit not in parts:
        parts.append(unit)
    last = "total" if spec.kind is Kind.COUNTER else "ratio" if spec.kind is Kind.GAUGE and spec.unit == "1" else ""
    if last:
        parts = [part for part in parts if part != last] + [last]
    return "_".join(parts)


def prometheus_label(label: str) -> str:
    """Return the label's name as Prometheus has it: dots become underscores."""
    return label.replace(".", "_")
