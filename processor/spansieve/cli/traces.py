"""`spansieve traces`: look into the embedded store, while a gateway writes to it or when none runs."""

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spansieve import config, otlp_json
from spansieve.export.store_file import StoreError
from spansieve.export.store_reader import NoSuchTraceError, TraceStoreReader, TraceSummary

_SHOWN_ATTRIBUTES = {
    "gen_ai.operation.name": "operation",
    "gen_ai.request.model": "model",
    "gen_ai.response.model": "answered by",
    "gen_ai.tool.name": "tool",
    "gen_ai.usage.input_tokens": "tokens in",
    "gen_ai.usage.output_tokens": "tokens out",
    "error.type": "error",
}
"""What of a call is worth a place on its line, and under which word."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|show")
    listing = actions.add_parser("list", help="the newest traces, the last stored first")
    listing.add_argument("--limit", type=_positive, default=20, metavar="N", help="at most so many (default: 20)")
    show = actions.add_parser("show", help="traces as trees of their spans")
    show.add_argument(
        "trace_ids", nargs="+", metavar="TRACE_ID", help="in hex; a beginning that no other has is enough"
    )
    for action in (listing, show):
        where = action.add_mutually_exclusive_group()
        where.add_argument("--directory", type=Path, metavar="DIR", help="the gateway's storage.directory")
        where.add_argument("--config", type=Path, metavar="FILE", help="take it from the gateway's configuration")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    show.add_argument("--json", action="store_true", help="one OTLP/JSON request a line")


def run(arguments: argparse.Namespace) -> int:
    """Print what was asked for; 1 with a sentence on standard error when there is no such store or trace."""
    directory = arguments.directory or config.load(arguments.config, os.environ).storage.directory
    reader = TraceStoreReader(directory)
    try:
        if arguments.action == "list":
            _print_list(reader.list(arguments.limit), as_json=arguments.json)
        else:
            for number, trace in enumerate([reader.get(trace_id) for trace_id in arguments.trace_ids]):
                if arguments.json:
                    print(otlp_json.render(trace).decode())
                else:
                    print("\n" * bool(number) + "\n".join(tree(trace)))
    except (StoreError, NoSuchTraceError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def tree(trace: ExportTraceServiceRequest) -> Iterator[str]:
    """A trace as lines: each span below its parent, in the order of their starts.

    A span whose parent is not there stands at the left like a root, marked; spans that are each other's ancestors,
    which only a broken sender makes, stand at the end.
    """
    spans = sorted(
        (
            (span, _service(resource_spans.resource))
            for resource_spans in trace.resource_spans
            for scope_spans in resource_spans.scope_spans
            for span in scope_spans.spans
        ),
        key=lambda each: each[0].start_time_unix_nano,
    )
    ids = {span.span_id for span, _ in spans}
    children: dict[bytes, list[int]] = defaultdict(list)
    tops: list[int] = []
    for index, (span, _) in enumerate(spans):
        if span.parent_span_id in ids:
            children[span.parent_span_id].append(index)
        else:
            tops.append(index)
    if spans:
        yield f"trace {spans[0][0].trace_id.hex()}"
    shown: set[int] = set()
    for top in [*tops, *range(len(spans))]:
        stack = [(top, 0)]
        while stack:
            index, depth = stack.pop()
            if index in shown:
                continue
            shown.add(index)
            span, service = spans[index]
            orphan = "  (parent not here)" if depth == 0 and span.parent_span_id else ""
            yield f"{'  ' * (depth + 1)}{_line(span, service)}{orphan}"
            stack += [(child, depth + 1) for child in reversed(children[span.span_id])]


def _line(span: Span, service: str) -> str:
    parts = [f"{_plain(span.name)}  {_duration((span.end_time_unix_nano - span.start_time_unix_nano) / 1e6)}"]
    if service:
        parts.append(f"[{_plain(service)}]")
    if span.status.code != Status.STATUS_CODE_UNSET:
        parts.append("ERROR" if span.status.code == Status.STATUS_CODE_ERROR else "OK")
    if span.status.message:
        parts.append(f"({_plain(span.status.message)})")
    values = {attribute.key: attribute.value for attribute in span.attributes}
    parts += [f"{word}: {_scalar(values[key])}" for key, word in _SHOWN_ATTRIBUTES.items() if key in values]
    return "  ".join(parts)


def _print_list(traces: Sequence[TraceSummary], *, as_json: bool) -> None:
    if as_json:
        for trace in traces:
            print(json.dumps(asdict(trace)))
        return
    header = ("TRACE ID", "STARTED (UTC)", "DURATION", "SPANS", "ERRORS", "POLICY", "SERVICES", "ROOT")
    rows = [header, *(_row(trace) for trace in traces)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(trace: TraceSummary) -> tuple[str, ...]:
    return (
        trace.trace_id,
        datetime.fromtimestamp(trace.start_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        _duration(trace.duration_ms),
        str(trace.spans),
        str(trace.errors),
        _plain(trace.policy),
        _plain(", ".join(trace.services)),
        _plain(trace.root_name) or "(not here)",
    )


def _service(resource: Resource) -> str:
    return next((each.value.string_value for each in resource.attributes if each.key == "service.name"), "")


def _scalar(value: AnyValue) -> str:
    kind = value.WhichOneof("value")
    return _plain(str(getattr(value, kind))) if kind in ("string_value", "int_value", "double_value") else "…"


def _duration(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f} s" if milliseconds >= 1000 else f"{milliseconds:.1f} ms"


def _plain(text: str) -> str:
    """Text that cannot steer the terminal: names come from applications."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a number of 1 or more is needed")
    return int(text)
