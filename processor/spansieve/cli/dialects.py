"""`spansieve dialects`: which dialects of LLM telemetry are read, and what of a file of spans is not."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve import price_table
from spansieve.cli import requests
from spansieve.errors import MalformedRequest
from spansieve.measure import Meter
from spansieve.measure.read import coverage, dialects
from spansieve.measure.read.coverage import Coverage

_KINDS = {
    "LlmCall": "calls",
    "AgentRun": "agent runs",
    "WorkflowRun": "workflow runs",
    "ToolRun": "tool executions",
    "Retrieval": "retrievals",
    "McpCall": "MCP requests",
    "Evaluation": "evaluations",
    "Feedback": "judgements of users",
    "Regeneration": "regenerations",
    "NotUnderstood": "NOT UNDERSTOOD",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|coverage")
    actions.add_parser("list", help="the dialects, in the order in which a span is compared with them")
    cover = actions.add_parser(
        "coverage", help="what is read of OTLP trace requests, and which attributes are not: names, never values"
    )
    cover.add_argument("files", nargs="+", type=Path, metavar="FILE", help="….pb (protobuf) or ….json (OTLP/JSON)")


def run(arguments: argparse.Namespace) -> int:
    """Print what was asked for; 1 when a file cannot be read, with a sentence on standard error."""
    return _list() if arguments.action == "list" else _coverage(arguments.files)


def _list() -> int:
    for dialect in dialects.load().ordered:
        print(f"{dialect.name:<17}{dialect.title}")
    return 0


def _coverage(files: list[Path]) -> int:
    reader = Meter(price_table.load(None)).reader
    problems = 0
    for file in files:
        try:
            found = coverage.of_requests(_traces(file), reader)
        except (OSError, MalformedRequest) as error:
            why = error.strerror if isinstance(error, OSError) else error.description
            print(f"{file} cannot be read: {why}", file=sys.stderr)
            problems = 1
            continue
        print(f"{file}")
        for each in found:
            _print(each)
        if not found:
            print("  no spans")
    return problems


def _traces(file: Path) -> Iterator[ExportTraceServiceRequest]:
    for batch in requests.read(file):
        if isinstance(batch.message, ExportTraceServiceRequest):
            yield batch.message


def _print(found: Coverage) -> None:
    said = ", ".join(f"{count} {_KINDS.get(kind, kind)}" for kind, count in found.observed.most_common())
    print(f"  scope {found.scope or '(without a name)'}, {found.spans} spans, {found.dialect or 'no dialect'}")
    print(f"    read: {said or 'nothing'}")
    if found.unread:
        print(f"    not read: {_counted(found.unread)}")


def _counted(keys: Counter[str]) -> str:
    return ", ".join(f"{key} ({count})" for key, count in sorted(keys.items()))
