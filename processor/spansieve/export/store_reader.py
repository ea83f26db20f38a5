"""The reading side of the embedded store, for the command line. A gateway may be writing meanwhile."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve.export.store_file import FILE_NAME, StoreError, check_identity, describe

_TRACE_ID_PREFIX = re.compile(r"[0-9a-f]{1,32}")


class NoSuchTraceError(LookupError):
    """No trace of the store, or more than one, has an id that begins so. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One line of a list of traces."""

    trace_id: str  # 32 hex digits
    stored_ns: int  # Unix nanoseconds, as the times below
    start_ns: int
    end_ns: int
    spans: int
    errors: int
    services: tuple[str, ...]  # service.name of the resources, sorted
    root_name: str  # of the first span without a parent; empty when it is not among the spans
    policy: str

    @property
    def duration_ms(self) -> float:
        """From the earliest start to the latest end."""
        return (self.end_ns - self.start_ns) / 1e6


class TraceStoreReader:
    """Reads `directory`/traces.db. Each method opens the file anew, read-only, and raises StoreError when it cannot."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME

    def list(self, limit: int) -> list[TraceSummary]:
        """The newest traces, in the order in which they were stored, the last first."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT id, trace_id, stored_ns, start_ns, end_ns, spans, errors, policy FROM traces"
                " ORDER BY id DESC LIMIT ?",
                (limit,),
            ).fetchall()
            return [
                TraceSummary(
                    trace_id.hex(),
                    stored,
                    start,
                    end,
                    spans,
                    errors,
                    *self._names(self._trace(connection, row)),
                    policy,
                )
                for row, trace_id, stored, start, end, spans, errors, policy in rows
            ]

    def get(self, trace_id_prefix: str) -> ExportTraceServiceRequest:
        """One trace by its id in hex, or by the beginning of it that no other has. Raises NoSuchTraceError."""
        prefix = trace_id_prefix.lower()
        if not _TRACE_ID_PREFIX.fullmatch(prefix):
            raise NoSuchTraceError(f"{trace_id_prefix!r} is not a trace id: up to 32 hexadecimal digits are.")
        bounds = (bytes.fromhex(prefix.ljust(32, "0")), bytes.fromhex(prefix.ljust(32, "f")))
        with self._reading() as connection:
            rows = connection.execute("SELECT id FROM traces WHERE trace_id BETWEEN ? AND ?", bounds).fetchall()
            if not rows:
                raise NoSuchTraceError(f"No trace in {self.path} has an id that begins with {prefix}.")
            if len(rows) > 1:
                raise NoSuchTraceError(
                    f"{len(rows)} traces in {self.path} have an id that begins with {prefix}: give more digits."
                )
            return self._trace(connection, rows[0][0])

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the file."""
        try:
            exists = self.path.is_file()
        except PermissionError:
            raise StoreError(f"The store {self.path} may not be read by this user.") from None
        if not exists:
            raise StoreError(f"There is no store at {self.path} yet: a gateway without exporters.otlp makes it.")
        try:
            uri = f"{self.path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
                connection.execute("BEGIN")
                check_identity(connection, self.path)
                yield connection
        except sqlite3.Error as error:
            raise describe(error, self.path) from None

    def _trace(self, connection: sqlite3.Connection, row: int) -> ExportTraceServiceRequest:
        parts = connection.execute("SELECT payload FROM parts WHERE trace = ? ORDER BY id", (row,))
        try:
            return ExportTraceServiceRequest.FromString(b"".join(payload for (payload,) in parts))
        except DecodeError:
            raise StoreError(f"{self.path} is damaged: it holds a trace that cannot be parsed.") from None

    @staticmethod
    def _names(trace: ExportTraceServiceRequest) -> tuple[tuple[str, ...], str]:
        """The services of a trace and the name of its root."""
        services = {
            attribute.value.string_value
            for resource_spans in trace.resource_spans
            for attribute in resource_spans.resource.attributes
            if attribute.key == "service.name"
        }
        roots = (
            span.name
            for resource_spans in trace.resource_spans
            for scope_spans in resource_spans.scope_spans
            for span in scope_spans.spans
            if not span.parent_span_id
        )
        return tuple(sorted(services)), next(roots, "")
