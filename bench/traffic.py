"""Realistic LLM traffic: seeded, recorded once to a file outside the repository, and replayed.

    python -m bench.traffic [chat|long|turns|plain|small ...]

- **chat**: traces of 5 spans: server, agent, LLM call with 2 KB in and 0.5 KB out, tool, retrieval.
- **long**: LLM calls with 32 KB of messages.
- **turns**: conversations of 20 turns, each LLM call resends all that was said.
- **plain**: 20 short attributes a span, no content.
- **small**: chat, one trace of 5 spans a request, as quiet services send.

Spans leave as an SDK's batch processor sends them: whatever ended within 5 s, and 512 at most, so that traces
interleave and some are cut in two. Four processes send, two of which escape what is not ASCII in JSON. About one
personal value stands in 2 KB of text, two calls in a hundred fail, and durations have a tail. What was planted where
is recorded.

A recording replays with fresh ids and texts: MARK stands at the start of each trace id, text and other id; a body is
the bytes between the marks, joined by four letters that are new each lap. So no peer gains by remembering what it saw a
lap ago. The low 56 bits of a trace id, which samplers look at, stay.
"""

import hashlib
import heapq
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from random import Random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from bench import classes
from bench.prose import Value
from bench.shapes import SHAPES, Application, Written

MARK = "~^~^"
LAPS = 6**4
"""So many laps differ."""
_LETTERS = "abcdef"  # so that an id stays hexadecimal
_SEED = 20260521
_START_NS = 1_780_000_000_000_000_000
_PROCESSES = 4
_DELAY_NS = 5_000_000_000
_MOST_SPANS = 512
_SOURCES = ("traffic.py", "shapes.py", "prose.py", "words.yaml")


@dataclass(frozen=True, slots=True)
class Kind:
    """How much of a kind is recorded: `traces` begin (or conversations), `per_second` of them in each process."""

    traces: int
    per_second: float
    one_trace_a_request: bool = False
    shuffled: bool = False
    """Whether requests come in any order: a part of a replay is then like the whole, though conversations grow."""


KINDS = {
    "chat": Kind(4000, 15),
    "long": Kind(1200, 6),
    "turns": Kind(150, 3, shuffled=True),
    "plain": Kind(4000, 60),
    "small": Kind(4000, 1, one_trace_a_request=True),
}
"""In the order of the tables."""

CLASSES = "classes"
"""Every class of the policy `default` (classes.py): to be sent once, for what is taken out and what is left."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Requests of one kind. `pieces` of a request are joined by the letters of a lap."""

    kind: str
    pieces: list[list[bytes]] = field(repr=False)
    spans: list[int] = field(repr=False)
    values: dict[bytes, list[Value]] = field(repr=False)  # by span id

    def body(self, index: int, lap: int) -> bytes:
        """Request `index` with the ids and texts of a lap."""
        return tag(lap).join(self.pieces[index])

    @property
    def size(self) -> int:
        """Bytes of all requests."""
        return sum(len(MARK) * (len(p) - 1) + sum(map(len, p)) for p in self.pieces)

    @property
    def total_spans(self) -> int:
        """Spans of all requests."""
        return sum(self.spans)


def cache() -> Path:
    """Where recordings and the peers' environments are kept."""
    return Path(os.environ.get("SPANSIEVE_CACHE") or Path.home() / ".cache" / "spansieve") / "bench"


def load(kind: str) -> Recording:
    """The recording of a kind, made first when there is none."""
    path = cache() / f"{kind}-{classes.digest() if kind == CLASSES else _digest()}"
    index_file, body_file = path.with_suffix(".json"), path.with_suffix(".pb")
    if not index_file.exists():
        _record(kind, index_file, body_file)
    index = json.loads(index_file.read_text(encoding="utf-8"))
    data = body_file.read_bytes()
    pieces: list[list[bytes]] = []
    at = 0
    for size in index["sizes"]:
        pieces.append(data[at : at + size].split(MARK.encode()))
        at += size
    values = {
        bytes.fromhex(span_id): [Value(kind, personal, tuple(needles)) for kind, personal, needles in found]
        for span_id, found in index["values"].items()
    }
    return Recording(kind, pieces, index["spans"], values)


def regrouped(recording: Recording, spans: int) -> Recording:
    """The same spans, so many in each request: each process packs its own in the order in which they ended.

    Within a recorded request they stand by instrumentation: cut as they stand there, some requests would hold nothing
    but the contents of LLM calls, and the next ones none of these.
    """
    waiting: dict[bytes, tuple[ResourceSpans, list[tuple[bytes, Span]]]] = {}
    found = Recording(recording.kind, [], [], recording.values)

    def send(resource_spans: ResourceSpans, packed: list[tuple[bytes, Span]]) -> None:
        request = ExportTraceServiceRequest()
        sent = request.resource_spans.add()
        sent.resource.CopyFrom(resource_spans.resource)
        scopes: dict[bytes, ScopeSpans] = {}
        for key, span in packed:
            if key not in scopes:
                scopes[key] = sent.scope_spans.add()
                scopes[key].scope.ParseFromString(key)
            scopes[key].spans.append(span)
        found.pieces.append(request.SerializeToString().split(MARK.encode()))
        found.spans.append(len(packed))

    for pieces in recording.pieces:
        body = ExportTraceServiceRequest.FromString(MARK.encode().join(pieces))
        for resource_spans in body.resource_spans:
            _, packed = waiting.setdefault(resource_spans.resource.SerializeToString(), (resource_spans, []))
            came: list[tuple[bytes, Span]] = []
            for scope_spans in resource_spans.scope_spans:
                key = scope_spans.scope.SerializeToString()
                came += [(key, span) for span in scope_spans.spans]
            packed += sorted(came, key=lambda each: each[1].end_time_unix_nano)
            while len(packed) >= spans:
                send(resource_spans, packed[:spans])
                del packed[:spans]
    for resource_spans, packed in waiting.values():
        if packed:
            send(resource_spans, packed)
    return found


def tag(lap: int) -> bytes:
    """The four letters of a lap."""
    letters = ""
    for _ in range(4):
        lap, digit = divmod(lap, len(_LETTERS))
        letters += _LETTERS[digit]
    return letters.encode()


def requests(kind: str, traces: int | None = None) -> Iterator[tuple[ExportTraceServiceRequest, list[Written]]]:
    """Generate the requests of a kind, in the order of their sending, with what each holds.

    `traces` are fewer than a recording has, or more.
    """
    settings = KINDS[kind] if traces is None else replace(KINDS[kind], traces=traces)
    processes = [_process(kind, settings, number, Random(f"{_SEED} {kind} {number}")) for number in range(_PROCESSES)]  # noqa: S311 - no secret
    # Each process is in order by itself; merged they are as a gateway would see them.
    merged: Iterable[tuple[int, int, list[Written]]] = heapq.merge(*processes, key=lambda sent: sent[:2])
    if settings.shuffled:
        merged = list(merged)
        Random(f"{_SEED} {kind}").shuffle(merged)  # noqa: S311 - no secret
    for _, number, spans in merged:
        yield _request(number, spans), spans


def _process(kind: str, settings: Kind, number: int, random: Random) -> Iterator[tuple[int, int, list[Written]]]:
    """What one process sends: (time, its number, spans)."""
    app = Application(number, random, MARK)
    at = _START_NS
    traces: list[list[Written]] = []
    for _ in range(settings.traces // _PROCESSES):
        at += int(random.expovariate(settings.per_second) * 1e9)
        traces.append(list(SHAPES[kind](app, at)))
    if settings.one_trace_a_request:
        for spans in sorted(traces, key=_end_of_trace):
            yield _end_of_trace(spans), number, spans
        return
    ended = sorted((each for spans in traces for each in spans), key=_end)
    waiting: list[Written] = []
    flush_at = _START_NS + _DELAY_NS
    for each in ended:
        while _end(each) > flush_at:
            if waiting:
                yield flush_at, number, waiting
            waiting, flush_at = [], flush_at + _DELAY_NS
        waiting.append(each)
        if len(waiting) == _MOST_SPANS:
            yield _end(each), number, waiting
            waiting = []
    if waiting:
        yield flush_at, number, waiting


def _end(written: Written) -> int:
    return written.span.end_time_unix_nano


def _end_of_trace(spans: list[Written]) -> int:
    return max(map(_end, spans))


def _request(number: int, written: list[Written]) -> ExportTraceServiceRequest:
    """Encode spans as an SDK does: one resource, a ScopeSpans for each instrumentation."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    _describe(resource_spans, number)
    scopes: dict[str, ScopeSpans] = {}
    for each in written:
        scope_spans = scopes.get(each.scope)
        if scope_spans is None:
            scope_spans = scopes[each.scope] = resource_spans.scope_spans.add()
            scope_spans.scope.name = each.scope
            scope_spans.scope.version = "0.58b0"
        scope_spans.spans.append(each.span)
    return request


def _describe(resource_spans: ResourceSpans, number: int) -> None:
    name = ("support-api", "support-web", "billing-api", "billing-web")[number % 4]
    for key, text in (
        ("service.name", name),
        ("service.version", "2.14.3"),
        ("service.instance.id", f"00000000-0000-4000-8000-{number:012x}"),
        ("deployment.environment.name", "production"),
        ("k8s.namespace.name", "support"),
        ("k8s.pod.name", f"{name}-7f9c6d5b4-x2k{number}q"),
        ("telemetry.sdk.language", "nodejs" if number % 2 else "python"),
        ("telemetry.sdk.name", "opentelemetry"),
        ("telemetry.sdk.version", "1.37.0"),
    ):
        resource_spans.resource.attributes.add(key=key).value.string_value = text


def _record(kind: str, index_file: Path, body_file: Path) -> None:
    sizes: list[int] = []
    spans: list[int] = []
    values: dict[str, list[tuple[str, bool, tuple[str, ...]]]] = {}
    index_file.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may record at once: each writes a file of its own, and the last one stays. The index comes last.
    with tempfile.NamedTemporaryFile(dir=body_file.parent, delete=False) as file:
        for request, written in classes.requests(MARK) if kind == CLASSES else requests(kind):
            body = request.SerializeToString()
            file.write(body)
            sizes.append(len(body))
            spans.append(len(written))
            for each in written:
                if each.values:
                    values[each.span.span_id.hex()] = [(v.kind, v.personal, v.needles) for v in each.values]
    Path(file.name).rename(body_file)
    unfinished = Path(f"{file.name}.json")
    unfinished.write_text(json.dumps({"sizes": sizes, "spans": spans, "values": values}), encoding="utf-8")
    unfinished.rename(index_file)


def _digest() -> str:
    """Changes when other traffic would be generated."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        digest.update(files("bench").joinpath(name).read_bytes())
    return digest.hexdigest()[:12]


def _main(kinds: list[str]) -> None:
    for kind in kinds or list(KINDS):
        recording = load(kind)
        personal = sum(v.personal for found in recording.values.values() for v in found)
        spans, size = recording.total_spans, recording.size
        sys.stdout.write(
            f"{kind:6} {len(recording.pieces):5} requests {spans:6} spans {size / 1e6:5.1f} MB "
            f"{size / spans / 1e3:5.2f} KB a span, {personal} personal values, one in {size / personal / 1e3:.1f} KB\n"
        )


if __name__ == "__main__":
    _main(sys.argv[1:])
