"""What a PromQL expression reads, as far as one can tell without Prometheus' own parser."""

import re
from collections.abc import Mapping

from spansieve import catalogue
from spansieve.catalogue import Kind
from stack.generate.values import MORE_LABELS, series_of

_FUNCTIONS = (
    "absent|avg|count|histogram_quantile|increase|label_replace|last_over_time|max|min|predict_linear|rate|sum|topk"
)
_OPERATORS = "and|by|ignoring|inf|offset|on|or|unless|without"
_WORDS = frozenset(f"{_FUNCTIONS}|{_OPERATORS}".split("|"))


def series(expression: str) -> set[str]:
    """The series that an expression reads."""
    bare = re.sub(r'"[^"]*"', " ", expression)
    bare = re.sub(r"\b(?:by|without|on|ignoring) \([^)]*\)|\{[^}]*\}|\[[^\]]*\]|\boffset \w+", " ", bare)
    return {
        name
        for name in re.findall(r"(?<![\w.$:])[a-zA-Z_:][\w:]*", bare)
        if name not in _WORDS and not re.fullmatch(r"e\d+", name)
    }


def labels(expression: str) -> set[str]:
    """The labels that an expression filters or groups by."""
    grouped = {
        label.strip()
        for inside in re.findall(r"\b(?:by|without|on|ignoring) \(([^)]*)\)", expression)
        for label in inside.split(",")
        if label.strip()
    }
    return grouped | set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expression))


def exposed() -> Mapping[str, set[str]]:
    """Every series of the catalogues by its name in Prometheus, with its labels and those of the gateway's resource."""
    specs = {
        **catalogue.load("spansieve", "telemetry.yaml"),
        **catalogue.load("spansieve", "measure/metrics.yaml", more=(("call", MORE_LABELS),)),
    }
    return {
        name: {catalogue.prometheus_label(label) for label in spec.labels}
        | {"job", "instance", "service_name"}
        | ({"le"} if spec.kind is Kind.HISTOGRAM else set())
        for spec in specs.values()
        for name in series_of(spec)
    }
