"""Writes the generated files; see the package."""

import sys
from pathlib import Path

from stack.generate import alerts, inference_dashboard, kubernetes, llm_dashboard, seed_names, slo, summaries, values

STACK = Path(__file__).parents[1]


def files() -> dict[str, str]:
    """Path under stack/ → text. Raises ValuesError when values.yaml cannot be meant so."""
    chosen = values.load(STACK / "values.yaml")
    rules = {
        "prometheus/rules/alerts.yml": alerts.rules((STACK / "alerts.yaml").read_text(encoding="utf-8"), chosen),
        "prometheus/rules/slo.yml": slo.rules((STACK / "slo.yaml").read_text(encoding="utf-8"), chosen),
        "prometheus/rules/seed-names.yml": seed_names.rules(chosen),
        "prometheus/rules/summaries.yml": summaries.rules(chosen),
    }
    return {
        **rules,
        "../k8s/components/monitoring/prometheus-rule.yaml": kubernetes.prometheus_rule(rules.values()),
        "grafana/dashboards/spansieve.json": llm_dashboard.text(chosen),
        "grafana/dashboards/inference.json": inference_dashboard.text(),
    }


def main(arguments: list[str]) -> int:
    """Write what is stale; with --check, only name it."""
    try:
        made = files()
    except values.ValuesError as error:
        print(f"stack/values.yaml: {error}", file=sys.stderr)
        return 2
    stale = {name: text for name, text in made.items() if not _is_current(STACK / name, text)}
    for name, text in stale.items():
        if "--check" in arguments:
            print(f"stack/{name} is stale: run python -m stack.generate")
        else:
            (STACK / name).write_text(text, encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


def _is_current(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
