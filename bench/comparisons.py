"""The gateway beside the Collector and Rotel: as tables, of the results of a run."""

import statistics
from typing import Any

from bench import sizes
from bench.micro import FLOOR
from bench.tables import aimed, digits, table

DEFAULT = ("spansieve", "collector", "rotel")
"""With the policy `default`, or with as much of it as patterns can say."""
TWELVE = ("spansieve-twelve", "collector-twelve", "rotel-twelve")
"""With nine classes of values."""
TARGETS = {"plain": 1.3, "small": 1.5, "chat": 3.5, "turns": 25.0, "long": 30.0}
"""Spans per CPU-second beside the Collector that the design aims at, doing the same job."""
_ROTEL_TARGET = 2.0
_FLOOR_TARGET = 8.0

_RATIOS = (
    "Spans per CPU-second of the gateway over the other's, the median of the rounds. **default**: all rules and keys "
    "of the gateway's policy `default`, and in the others as much of it as Go's regular expressions can say, written "
    "for their speed ([collector-default.yaml](collector-default.yaml), where a line for each rule tells how; Rotel "
    "takes the same patterns). **nine classes**: the twelve patterns of `bench/peers/collector.yaml` in the others, "
    "and of the gateway's rules only those for the same nine classes (`bench/peers/twelve.yaml`). The twelve are as "
    "most would write them; written for Go's speed they would cost the Collector a third less "
    "([0023](../../docs/decisions/0023-what-a-gateway-in-python-costs.md)). The last column but one is what the ratio "
    "of nine classes would be if the gateway's redaction took no time at all: its whole less that stage."
)
_CLASSES = (
    "Forty values for each rule of `default`, made by generators that do not know the rules (`bench/cases.py`, "
    "`bench/values.py`), each alone in a span, in a sentence or under a key, sent through each; and {look_alikes:,} "
    "texts of telemetry that hold nothing personal (`bench/look_alikes.py`). The share of values that is gone."
)
_SIZES = (
    "`chat`, the gateway with a journal synced to the disk (`durability: fsync`), at half of what it sustains on a "
    "core in requests of that size. An application sets it as `max_export_batch_size`; an SDK's default is 512."
)

Results = dict[str, Any]


def ratios(results: Results) -> str:
    """Both comparisons, and the floor."""
    rows = [_row(results, kind, by_peer) for kind, by_peer in results["throughput"].items()]
    columns = [
        "traffic",
        "default: ÷ Collector's",
        "nine classes: ÷ Collector's",
        "default: ÷ Rotel's",
        "nine classes: ÷ Rotel's",
        "nine classes, redaction free: ÷ Collector's",
        "CPU a span ÷ upb parse + serialize",
    ]
    return f"## The gateway beside the others\n\n{_RATIOS}\n\n" + table(columns, rows)


def _row(results: Results, kind: str, by_peer: dict[str, Any]) -> list[str]:
    rounds = results["rounds"][kind]
    row = [kind]
    for place, target in ((1, TARGETS[kind]), (2, _ROTEL_TARGET)):
        for names in (DEFAULT, TWELVE):
            found = ratio(rounds, names[0], names[place])
            row.append("" if found is None else aimed(found, target))
    free, stages = "", results.get("stages_twelve", {}).get(kind)
    if stages and TWELVE[0] in by_peer and TWELVE[1] in by_peer:
        rest = by_peer[TWELVE[0]]["us_per_span"] - stages["redact"]
        free = f"{by_peer[TWELVE[1]]['us_per_span'] / rest:.1f} x"
    floor, stages = "", results.get("stages", {}).get(kind)
    gateway = by_peer.get(DEFAULT[0]) or by_peer.get(TWELVE[0])
    if stages and gateway:
        times = gateway["us_per_span"] / sum(stages[name] for name in FLOOR)
        floor = aimed(times, _FLOOR_TARGET, least=False) if kind == "plain" else f"{digits(times)} x"
    return [*row, free, floor]


def ratio(rounds: dict[str, list[dict[str, Any]]], ours: str, theirs: str) -> float | None:
    """Our spans per CPU-second over a peer's: the median of the rounds, in each of which both met the same machine."""
    pairs = zip(rounds.get(ours, ()), rounds.get(theirs, ()), strict=False)
    found: list[float] = [a["spans"] / a["cpu_s"] / (b["spans"] / b["cpu_s"]) for a, b in pairs]
    return statistics.median(found) if found else None


def classes(results: Results) -> str:
    """What each takes out by class, and what it mistakes."""
    found: dict[str, dict[str, Any]] = results["classes"]
    peers = list(found)
    entities = sorted(kind for kind in next(iter(found.values()))["by_kind"] if kind.isupper())
    benign = [kind for kind in next(iter(found.values()))["by_kind"] if not kind.isupper()]
    rows = [[entity, *(f"{found[peer]['by_kind'][entity]:.1%}" for peer in peers)] for entity in entities]
    first = next(iter(found.values()))
    rows.append([f"all {first['values']:,} values", *(f"{found[peer]['personal']:.2%}" for peer in peers)])
    rows.append(["look-alikes left alone", *(f"{found[peer]['look_alikes']:.2%}" for peer in peers)])
    taken = [
        f"- {peer} takes "
        + (
            ", ".join(
                f"{kind} {1 - share:.0%}"
                for kind in benign
                if (share := found[peer]["by_kind"][kind]) < 1
            )
            or "none"
        )
        for peer in peers
    ]  # fmt: skip
    said = _CLASSES.format(look_alikes=first["benign"])
    return (
        f"## Recall by class\n\n{said}\n\n{table(['class', *peers], rows)}\nOf the look-alikes\n\n"
        + "\n".join(taken)
        + "\n"
    )


def by_size(results: Results) -> str:
    """Times to an answer by the spans of a request."""
    rows = [
        [
            digits(each["spans"]) if each["spans"] % 1 else f"{each['spans']:,.0f}",
            f"{each['rate']:,.0f}",
            digits(each["us_per_request"] / 1000),
            digits(each["p50_ms"]),
            aimed(each["p99_ms"], sizes.AIM_MS, "", least=False),
            f"{each['requests']:,}",
            str(sum(each["refused"].values()) or ""),
        ]
        for each in results["sizes"]
    ]
    columns = ["spans a request", "spans/s", "ms of CPU a request", "p50", "p99", "requests", "refused"]
    return f"## Acknowledgement by the size of a request, ms\n\n{_SIZES}\n\n" + table(columns, rows)
