"""From the results of a run to a page of tables, and to plots."""

from typing import Any

from bench import comparisons, names, plot
from bench.comparisons import DEFAULT, TWELVE
from bench.measuring import LLM_AIM, OTHER_AIM
from bench.micro import FLOOR, STAGES
from bench.tables import digits as _n
from bench.tables import table as _table

WAITING = (DEFAULT[0], TWELVE[1])
"""Whose memory and overload are looked at: the gateway with all it does, the Collector with the least."""

_METHOD = (
    "`make bench`. A driver replays recorded traffic over gRPC on loopback with 4 connections in a closed loop, fresh "
    "trace ids each lap; all peers send to the same sink. CPU time is the peer's own (/proc, with children) from "
    "the first request until all that was decided is exported; peers take turns, medians of the rounds count (the "
    "Collector and Rotel with all of `default` in the first round only). The Collector runs with GOMAXPROCS=1. Peers "
    "named …-twelve know nine classes of values, the others all of the policy `default`."
)
_OVERLOAD = (
    "**load**: three times what it sustains, 32 connections, 12 s. **small**: the same in requests of one trace. "
    "**downstream**: the sink answers after the exporter's deadline. All traces are kept; more may arrive than was "
    "answered OK, since a sender whose deadline passed does not know that its spans were taken."
)
_HTTP = "The same requests over HTTP/1.1 with protobuf: all that is not receiving them is the same."
_STAGES = (
    "The stages run alone, one after the other, in one process; the gateway's CPU time of the first table less theirs "
    "is the rest. Where two cores are threads of one, driver and sink beside it make all that the gateway does dearer, "
    "by up to twice, and that shows in the rest."
)
_MEASURING = (
    "Requests are redacted beforehand, and then measured one after the other by a meter that has learnt from as many "
    "others, round after round, in a process of their own; the fastest of 15 rounds counts. An LLM span is every span "
    "that tells something: a call, an agent, a tool, a retrieval."
)
_MEMORY = (
    "Spans of `chat` that wait for a decision. The first 100,000 also fill most of what is remembered of keys, texts "
    "and calls, which is bounded; what a waiting span takes shows in the second."
)
_NAMES = (
    "`python -m bench.names`, in one process: the model of names, and the stage between the verdict and the export on "
    "kept `chat` traces. The throughput above is without it."
)

Results = dict[str, Any]


def markdown(results: Results) -> str:
    """The page: each part is there when the run has it."""
    parts = [_head(results), comparisons.ratios(results), _throughput(results)]
    parts += [_over_http(results)] if "over_http" in results else []
    parts += [_stages(results)] if "stages" in results else []
    parts += [_measuring(results)] if "measuring" in results else []
    parts += [_names(results)] if "names" in results else []
    parts += [_recall(results)] if "recall" in results else []
    parts += [comparisons.classes(results)] if results.get("classes") else []
    parts += [_latency(results)] if results.get("latency") else []
    parts += [comparisons.by_size(results)] if results.get("sizes") else []
    parts += [_memory(results)] if results.get("memory") else []
    parts += [_lag(results)] if results.get("lag") else []
    parts += [_overload(results)] if results.get("overload") else []
    return "\n".join([*parts, _peers(results)])


def plots(results: Results) -> dict[str, str]:
    """SVG by file name."""
    kinds = list(results["throughput"])
    names = [name for name in results["peers"] if any(name in results["throughput"][kind] for kind in kinds)]
    pictures = {
        "throughput.svg": plot.grouped(
            "Spans for each second of CPU",
            "logarithmic; more is better",
            kinds,
            {name: [results["throughput"][k].get(name, {}).get("spans_per_cpu_s") for k in kinds] for name in names},
        )
    }
    if "stages" in results:
        pictures["stages.svg"] = plot.stacked(
            "Where the gateway's CPU time goes, by stage",
            "total: µs of CPU a span",
            kinds,
            {stage: [results["stages"][kind][stage] for kind in kinds] for stage in STAGES},
        )
    if results.get("memory"):
        peers = list(results["memory"])
        pictures["memory.svg"] = plot.grouped(
            "Resident memory with 100,000 spans waiting",
            "MiB, logarithmic; less is better",
            ["idle", "waiting"],
            {name: [results["memory"][name][f"{state}_mib"] for state in ("idle", "first")] for name in peers},
        )
    return pictures


def _head(results: Results) -> str:
    lines = ["# Benchmark", ""]
    lines += [f"- {name}: {value}" for name, value in results["machine"].items()]
    lines += [
        f"- method: {_METHOD}",
        "",
        _table(
            ["traffic", "spans", "MB", "KB a span", "spans a request"],
            [
                [
                    kind,
                    f"{k['spans']:,}",
                    _n(k["bytes"] / 1e6),
                    _n(k["bytes"] / k["spans"] / 1e3),
                    _n(k["spans"] / k["requests"]),
                ]
                for kind, k in results["kinds"].items()
            ],
        ),
    ]
    return "\n".join(lines)


def _throughput(results: Results) -> str:
    rows = [
        [
            kind,
            name,
            _n(cell["us_per_span"]),
            f"{cell['spans_per_cpu_s']:,.0f}",
            _n(cell["mb_per_cpu_s"]),
            _n(cell["us_per_request"]) if cell["us_per_request"] < 1e9 and name != "presidio" else "",
            f"{cell['spread']:.2f}",
            str(cell["refused"] or ""),
        ]
        for kind, by_peer in results["throughput"].items()
        for name, cell in by_peer.items()
    ]
    columns = [
        "traffic",
        "peer",
        "µs of CPU a span",
        "spans per CPU-s",
        "MB per CPU-s",
        "µs of CPU a request",
        "slowest ÷ fastest round",
        "refused",
    ]
    return "## Throughput\n\n" + _table(columns, rows)


def _over_http(results: Results) -> str:
    rows = []
    for kind, by_peer in results["over_http"].items():
        for name, cell in by_peer.items():
            ratio = None if name == TWELVE[0] else comparisons.ratio(results["rounds_over_http"][kind], TWELVE[0], name)
            beside = results["throughput"].get(kind, {}).get(name)
            rows.append(
                [
                    kind,
                    name,
                    _n(cell["us_per_span"]),
                    _n(cell["us_per_request"]),
                    _n(beside["us_per_request"]) if beside else "",
                    f"{ratio:.2f} x" if ratio is not None else "",
                ]
            )
    columns = [
        "traffic",
        "peer",
        "µs of CPU a span",
        "µs of CPU a request",
        "over gRPC",
        "the gateway's spans per CPU-s ÷ its",
    ]
    return f"## Over OTLP/HTTP\n\n{_HTTP}\n\n" + _table(columns, rows)


def _stages(results: Results) -> str:
    rows = []
    for name, gateway in (("stages", DEFAULT[0]), ("stages_twelve", TWELVE[0])):
        for kind, spent in results.get(name, {}).items():
            total = sum(spent[stage] for stage in STAGES)
            whole = results["throughput"].get(kind, {}).get(gateway, {}).get("us_per_span")
            rows.append(
                [
                    kind if name == "stages" else f"{kind}, nine classes",
                    *(_n(spent[stage]) for stage in STAGES),
                    _n(total),
                    _n(whole - total) if whole else "",
                    *(_n(spent[name]) for name in FLOOR),
                ]
            )
    columns = ["traffic", *STAGES, "all stages", "the rest: gRPC in and out, event loop", *FLOOR]
    return f"## µs of CPU a span, by stage\n\n{_STAGES}\n\n" + _table(columns, rows)


def _measuring(results: Results) -> str:
    rows = [
        [kind, _beside(found["llm"], LLM_AIM), _beside(found["other"], OTHER_AIM)]
        for kind, found in results["measuring"].items()
    ]
    columns = ["traffic", "measure, µs of CPU per LLM span", "per other span"]
    return f"## What measuring adds\n\n{_MEASURING}\n\n" + _table(columns, rows)


def _beside(us: float | None, aim: float) -> str:
    return "" if us is None else f"{_n(us)} (aim {aim:g}{', reached' if us <= aim else ''})"


def _names(results: Results) -> str:
    return f"## Names in free text\n\n{_NAMES}\n\n{names.table(results['names'])}"


def _recall(results: Results) -> str:
    rows = []
    for kind, by_peer in results["recall"].items():
        for name, found in by_peer.items():
            missed = [f"{k} {share:.1%}" for k, share in found["by_kind"].items() if share < 0.9995]
            rows.append(
                [
                    kind,
                    name,
                    f"{found['values']:,}",
                    f"{found['personal']:.2%}",
                    f"{found['look_alikes']:.2%}",
                    ", ".join(missed),
                ]
            )
    columns = ["traffic", "peer", "values planted", "taken out", "look-alikes left alone", "below 100 %"]
    return "## Recall\n\n" + _table(columns, rows)


def _latency(results: Results) -> str:
    rows = [
        [
            each["kind"],
            _n(each["spans"]),
            f"{each['rate']:,.0f}",
            each["peer"],
            _n(each["p50_ms"]),
            _n(each["p99_ms"]),
            f"{each['requests']:,}",
            str(sum(each["refused"].values()) or ""),
        ]
        for each in results["latency"]
    ]
    said = "All at half of what the slowest of them sustains on a core, which the Collector with twelve patterns is."
    columns = ["traffic", "spans a request", "spans/s", "peer", "p50", "p99", "requests", "refused"]
    return f"## Acknowledgement, ms\n\n{said}\n\n" + _table(columns, rows)


def _lag(results: Results) -> str:
    lag = results["lag"]
    said = (
        f"How late the gateway's event loop is while {lag['traces']:,} traces come to wait, as fast as it takes them, "
        "and while all of them fall due at once. The probe is one trace a request, 250 spans a second, meanwhile. "
        "Times of the loop are bounds of a histogram's buckets."
    )
    names = {
        "filling_p99_ms": "filling, p99",
        "deciding_p50_ms": "deciding, p50",
        "deciding_p99_ms": "deciding, p99 (aim 20)",
        "deciding_longest_ms": "longest",
        "probe_p50_ms": "probe, p50",
        "probe_p99_ms": "probe, p99",
    }
    return f"## Lag of the event loop, ms\n\n{said}\n\n" + _table(
        list(names.values()), [["≤ " * (not name.startswith("probe")) + _n(lag[name]) for name in names]]
    )


def _memory(results: Results) -> str:
    rows = [
        [
            name,
            _n(m["idle_mib"]),
            _n(m["first_mib"]),
            _n(m["waiting_mib"]),
            _n(each := (m["waiting_mib"] - m["first_mib"]) * 2**20 / m["spans"]),
            _n(received := m["received_mib"] * 2**20 / m["spans"]),
            f"{each / received:.2f}",
            f"{m['account_mib'] / m['received_mib']:.2f}" if m.get("account_mib") else "",
        ]
        for name, m in results["memory"].items()
    ]
    columns = [
        "peer",
        "idle, MiB",
        "100,000 spans wait, MiB",
        "200,000, MiB",
        "bytes for each of the second 100,000",
        "bytes of a span as received",
        "÷",
        "what waits, by its own account, ÷ (aim 1.3)",
    ]
    return f"## Resident memory\n\n{_MEMORY}\n\n" + _table(columns, rows)


def _overload(results: Results) -> str:
    rows = [
        [
            o["cause"],
            o["peer"],
            f"{o['accepted']:,}",
            f"{o['arrived']:,}",
            f"{o['lost']:,}",
            ", ".join(f"{code} {n:,}" for code, n in o["refused"].items()),
            f"{o['refused_with_retry']:,}",
            f"{o['unsure']:,}",
            f"{o['idle_mib']:.0f} → {o['half_mib']:.0f} → {o['most_mib']:.0f}",
        ]
        for o in results["overload"]
    ]
    columns = [
        "cause",
        "peer",
        "spans answered OK",
        "spans arrived",
        "lost",
        "refusals",
        "with RetryInfo",
        "spans never answered OK",
        "MiB idle → most in 1st half → most",
    ]
    return f"## Overload\n\n{_OVERLOAD}\n\n" + _table(columns, rows)


def _peers(results: Results) -> str:
    rows = [[name, p["version"], p["leaves_out"]] for name, p in results["peers"].items()]
    rows += [[name, "not to be had", why] for name, why in results["unavailable"].items()]
    return "## Peers\n\n" + _table(["peer", "version", "leaves out"], rows)
