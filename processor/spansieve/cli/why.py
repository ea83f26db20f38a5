"""`spansieve why TRACE_ID`: whether a trace was kept, by which policy and for what reason."""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from spansieve import config, verdict_log

_TRACE_ID = re.compile(r"[0-9a-fA-F]{32}")

_REASONS = {
    "matched": "policy {policy!r} keeps every such trace",
    "probability": "its randomness is within the share of policy {policy!r}",
    "rate": "policy {policy!r} keeps so much in a time, and had room",
    "conversation": "policy {policy!r} keeps its whole conversation",
    "no_match": "no policy wanted it",
    "not_in_share": "a policy keeps a share of such traces, and its randomness is in none",
    "over_rate": "no policy wanted it but one that keeps so much in a time, and that had no room",
    "drop_policy": "policy {policy!r} samples out every such trace",
    "over_budget": "policy {policy!r} wanted it, and the budget of that minute was spent",
}
_TRIGGERS = {
    "wait_expired": "after the decision wait",
    "root_arrived": "after its root had come",
    "too_large": "as a part of a trace that grew beyond maximum_trace_size_mib",
    "goes_on": "as a part of a trace of which more and more came",
    "memory_pressure": "early, because memory was short",
    "shutdown": "when the gateway stopped",
    "late_span": "for spans that came after the decision",
    "late_error": "again, because an error or a judgement came late",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("trace_id", metavar="TRACE_ID", help="32 hexadecimal digits")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--directory", type=Path, metavar="DIR", help="the gateway's storage.directory")
    where.add_argument("--config", type=Path, metavar="FILE", help="take it from the gateway's configuration")
    parser.add_argument("--json", action="store_true", help="the lines of the log")


def run(arguments: argparse.Namespace) -> int:
    """Print the verdicts on a trace; 1 with a sentence on standard error when none is known."""
    if not _TRACE_ID.fullmatch(arguments.trace_id):
        print("A trace id has 32 hexadecimal digits.", file=sys.stderr)
        return 1
    directory = arguments.directory or config.load(arguments.config, os.environ).storage.directory
    try:
        verdicts = verdict_log.search(directory, arguments.trace_id)
    except FileNotFoundError:
        print(
            f"There is no log of verdicts under {directory}: is that the gateway's storage.directory?", file=sys.stderr
        )
        return 1
    if not verdicts:
        print(
            "No verdict on this trace is in the log: it has not come, still waits, or was decided longer ago than "
            "storage.verdicts_max_mib holds.",
            file=sys.stderr,
        )
        return 1
    for verdict in verdicts:
        print(json.dumps(verdict) if arguments.json else _sentence(verdict))
    return 0


def _sentence(verdict: dict[str, Any]) -> str:
    what = "kept" if verdict["verdict"] == "kept" else "sampled out"
    trigger = _TRIGGERS.get(verdict["trigger"], verdict["trigger"])
    why = _REASONS.get(verdict["reason"], verdict["reason"]).format(policy=verdict["policy"])
    if verdict["trigger"] == "late_span":
        why = "they follow the verdict on their trace"
    rate = f"; it stands for {verdict['rate']:g} traces" if verdict.get("rate", 1) > 1 else ""
    return f"{verdict['at']}  {what} {trigger}: {why}{rate}"
