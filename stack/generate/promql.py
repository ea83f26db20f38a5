"""The queries of the dashboards: over metrics of the catalogue only, filtered by the choices at the dashboard's top."""

from collections.abc import Mapping
from dataclasses import dataclass

from spansieve import catalogue
from spansieve.catalogue import MetricSpec

VARIABLES = {
    "service": "service.name",
    "provider": "gen_ai.provider.name",
    "model": "gen_ai.request.model",
    "template": "gen_ai.prompt.name",
}
"""Choice of the dashboard → the label that it filters by, where a metric has it."""

REQUESTS = "spansieve.llm.requests"
ERRORS = "spansieve.llm.errors"
TOKENS = "spansieve.llm.tokens"
COST = "spansieve.llm.cost.usd"

SERVICE = "service.name"
MODEL = "gen_ai.request.model"
TEMPLATE = "gen_ai.prompt.name"
VERSION = (TEMPLATE, "gen_ai.prompt.version")

MODEL_CALLS = 'gen_ai_operation_name!~"retrieval|rerank"'
"""The histogram of durations holds searches as well, which no model answers and llm.requests does not count."""

ANSWERS = 'gen_ai_operation_name!~"retrieval|rerank|embeddings"'
"""What a model writes: embeddings, too, are so fast that they would hide slow answers."""

PERCENTILES = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))


@dataclass(frozen=True)
class Queries:
    """Makes queries; asking for a metric or a label that the catalogue does not have raises KeyError."""

    specs: Mapping[str, MetricSpec]

    def rate(self, metric: str, *by: str, where: str = "", window: str = "$__rate_interval") -> str:
        """Return a counter's increase a second, summed by labels."""
        return f"{self._sum(metric, by)} (rate({self.selector(metric, where=where)}[{window}]))"

    def increase(self, metric: str, *by: str, window: str, where: str = "") -> str:
        """Return by how much a counter grew in a window, summed by labels."""
        return f"{self._sum(metric, by)} (increase({self.selector(metric, where=where)}[{window}]))"

    def value(self, metric: str, *by: str, where: str = "") -> str:
        """Return a gauge, summed by labels."""
        return f"{self._sum(metric, by)} ({self.selector(metric, where=where)})"

    def quantile(self, share: float, metric: str, *by: str, where: str = "") -> str:
        """Return a quantile of a histogram by labels."""
        buckets = self.selector(metric, "_bucket", where)
        return f"histogram_quantile({share:g}, {self._sum(metric, ('le', *by))} (rate({buckets}[$__rate_interval])))"

    def histogram(self, metric: str, series: str, *by: str, where: str = "", window: str = "$__rate_interval") -> str:
        """Return the rate of a histogram's `_sum` or `_count`, summed by labels."""
        return f"{self._sum(metric, by)} (rate({self.selector(metric, f'_{series}', where)}[{window}]))"

    def selector(self, metric: str, series: str = "", where: str = "") -> str:
        """Return one series of a metric with the dashboard's filters and one more."""
        spec = self.specs[metric]
        filters = [
            f'{catalogue.prometheus_label(label)}=~"${variable}"'
            for variable, label in VARIABLES.items()
            if label in spec.labels
        ]
        inside = ",".join([*filters, *([where] if where else [])])
        return catalogue.prometheus_name(spec) + series + (f"{{{inside}}}" if inside else "")

    def _sum(self, metric: str, by: tuple[str, ...]) -> str:
        if unknown := sorted({*by} - {*self.specs[metric].labels, "le"}):
            raise KeyError(f"{metric} has no label {unknown[0]}")
        return f"sum by ({', '.join(map(catalogue.prometheus_label, by))})" if by else "sum"


def legend(*labels: str) -> str:
    """Return the legend that shows these labels."""
    return " ".join(f"{{{{{catalogue.prometheus_label(label)}}}}}" for label in labels)


def share(part: str, whole: str) -> str:
    """Return part / whole, 0 where there is a whole and no part."""
    return f"({part} or 0 * {whole}) / {whole}"
