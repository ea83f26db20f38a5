"""The dashboard «Spansieve»: LLM calls by health, cost, breakdown and quality, and the gateway itself."""

from spansieve import catalogue
from stack.generate.panels import page, variable
from stack.generate.promql import REQUESTS, VARIABLES, Queries
from stack.generate.rows import breakdown, cost, gateway, health, quality
from stack.generate.values import Values


def text(values: Values) -> str:
    """Return the dashboard's JSON."""
    queries = Queries(values.specs)
    rows = (
        ("Health", health.panels(queries, values)),
        ("Cost", cost.panels(queries, values)),
        ("Breakdown", breakdown.panels(queries, values)),
        ("Quality", quality.panels(queries)),
        ("Gateway", gateway.panels(queries)),
    )
    requests = catalogue.prometheus_name(values.specs[REQUESTS])
    variables, chosen = [], ""
    for name, label in VARIABLES.items():
        shown = catalogue.prometheus_label(label)
        variables.append(variable(name, f"label_values({requests}{chosen and f'{{{chosen}}}'}, {shown})"))
        chosen += f'{chosen and ","}{shown}=~"${name}"'
    about = "LLM calls as the gateway measured them, over all traffic and before sampling; and the gateway itself."
    return page("spansieve", "Spansieve", about, variables, rows)
