"""The operator's numbers (values.yaml), and how they get into alerts.yaml and slo.yaml."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

from spansieve import catalogue
from spansieve.catalogue import Kind, MetricSpec, Semconv
from stack.generate.promql import ANSWERS

_DURATION = re.compile(r"(\d+(ms|[smhdwy]))+")
MORE_LABELS = ("llm.task_type",)
"""What stack/gateway.yaml adds to the labels of a call by measure.labels."""

_INFERENCE = {Semconv.V1_41: "gen_ai.client.operation", Semconv.LATEST: "gen_ai.client.inference"}


class ValuesError(ValueError):
    """values.yaml cannot be meant so; the message names the key and says what may stand there."""


class _Placeholders(Template):
    # Not `$`, which Prometheus' own templates use.
    delimiter = "%"
    idpattern = r"[a-z][a-z0-9_.]*"


@dataclass(frozen=True)
class Values:
    """values.yaml, read. `numbers` has each value under a dotted name; and `duration` and `answers`, for queries."""

    numbers: Mapping[str, str]
    semconv: Semconv

    def fill(self, tree: Any) -> Any:  # noqa: ANN401 - YAML
        """Return YAML's tree with the values in place of %{…} in its texts.

        Raises ValuesError for one that values.yaml does not have, and for a percent sign that stands alone.
        """
        if isinstance(tree, dict):
            return {key: self.fill(value) for key, value in tree.items()}
        if isinstance(tree, list):
            return [self.fill(each) for each in tree]
        if not isinstance(tree, str):
            return tree
        try:
            return _Placeholders(tree).substitute(self.numbers)
        except KeyError as error:
            raise ValuesError(f"{error.args[0]} is asked for and is not there") from None
        except ValueError:
            raise ValuesError(f"a percent sign in {tree!r} is neither %% nor part of %{{…}}") from None

    @property
    def specs(self) -> Mapping[str, MetricSpec]:
        """Every metric that the gateway gives, by its OTLP name."""
        return {
            **catalogue.load("spansieve", "telemetry.yaml"),
            **catalogue.load("spansieve", "measure/metrics.yaml", self.semconv, (("call", MORE_LABELS),)),
        }

    @property
    def duration(self) -> MetricSpec:
        """The histogram of the durations of LLM calls."""
        return self.specs[f"{_INFERENCE[self.semconv]}.duration"]

    @property
    def time_to_first_chunk(self) -> MetricSpec:
        """The histogram of the times to the first chunk."""
        return self.specs[f"{_INFERENCE[self.semconv]}.time_to_first_chunk"]

    @property
    def time_per_chunk(self) -> MetricSpec:
        """The histogram of the times between two chunks."""
        return self.specs[f"{_INFERENCE[self.semconv]}.time_per_output_chunk"]

    @property
    def tokens_of_a_call(self) -> Sequence[MetricSpec]:
        """The histograms of a call's tokens: one with a label of their type, or one for each type."""
        if self.semconv is Semconv.V1_41:
            return (self.specs["gen_ai.client.token.usage"],)
        operation = f"{_INFERENCE[self.semconv]}.operation"
        return (self.specs[f"{operation}.input_tokens"], self.specs[f"{operation}.output_tokens"])


def load(file: Path) -> Values:
    """Read values.yaml. Raises ValuesError with the first thing that cannot be meant so."""
    tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(tree, dict):
        raise ValuesError("the file does not hold a mapping")
    numbers = dict(_leaves(tree, ""))
    for name, text in numbers.items():
        if name.endswith("_for") and not _DURATION.fullmatch(text):
            raise ValuesError(f"{name} is {text!r}: use a duration as Prometheus has it, such as 10m or 1h30m")
    try:
        semconv = Semconv(numbers.get("semconv", ""))
    except ValueError:
        raise ValuesError(f"semconv is {numbers.get('semconv')!r}: use one of {', '.join(Semconv)}") from None
    values = Values(numbers, semconv)
    numbers |= {"duration": catalogue.prometheus_name(values.duration), "answers": ANSWERS}
    _check_slo(values)
    return values


def _leaves(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def _check_slo(values: Values) -> None:
    asked, bounds = values.numbers.get("slo.latency_seconds", ""), [f"{bound:g}" for bound in values.duration.buckets]
    if asked not in bounds:
        raise ValuesError(f"slo.latency_seconds is {asked!r}: use a bucket's bound, one of {', '.join(bounds)}")
    try:
        objective = float(values.numbers.get("slo.objective_percent", ""))
    except ValueError:
        objective = 0.0
    if not 0 < objective < 100:
        raise ValuesError("slo.objective_percent is a number between 0 and 100, both excluded")


def series_of(spec: MetricSpec) -> tuple[str, ...]:
    """Return the names of the series that a metric has in Prometheus."""
    name = catalogue.prometheus_name(spec)
    return (f"{name}_bucket", f"{name}_sum", f"{name}_count") if spec.kind is Kind.HISTOGRAM else (name,)
