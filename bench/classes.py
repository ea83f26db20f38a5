"""Values of every class that the policy `default` knows, and what only looks like them: to be sent once and searched.

Each span holds one text, in an attribute of its own, under the key that it came with or as a note. A value is one of
`cases`, which know its kind and not the rules' patterns (national numbers with their check digits, keys of providers,
names of several countries); what looks alike is of `look_alikes`. Kinds are entities and the names of look-alikes.
"""

import hashlib
from collections.abc import Iterator
from importlib.resources import files
from random import Random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bench import cases, look_alikes
from bench.prose import Value
from bench.shapes import Application, Written
from spansieve.redact import policy
from spansieve.redact.review import trial

VALUES_A_RULE = 40
LOOK_ALIKES_A_KIND = 40
_SPANS_A_REQUEST = 200
_SEED = 20260103
_START_NS = 1_780_000_000_000_000_000
_SCOPE = "support.agent"
_NOTE = "app.note"
_SOURCES = ("classes.py", "cases.py", "values.py", "look_alikes.py", "shapes.py")


def requests(mark: str) -> Iterator[tuple[ExportTraceServiceRequest, list[Written]]]:
    """All values and look-alikes, in any order, so many spans a request."""
    random = Random(_SEED)  # noqa: S311 - no secret
    app = Application(0, random, mark)
    spans = [_span(app, *each) for each in _texts()]
    random.shuffle(spans)
    for at in range(0, len(spans), _SPANS_A_REQUEST):
        packed = spans[at : at + _SPANS_A_REQUEST]
        request = ExportTraceServiceRequest()
        scope_spans = request.resource_spans.add().scope_spans.add()
        scope_spans.scope.name = _SCOPE
        scope_spans.spans.extend(each.span for each in packed)
        yield request, packed


def digest() -> str:
    """Changes when other values would be made: with the policy, and its examples."""
    found = hashlib.sha256(policy.render(policy.parse(policy.shipped("default"))).encode())
    for name in _SOURCES:
        found.update(files("bench").joinpath(name).read_bytes())
    return found.hexdigest()[:12]


def _texts() -> Iterator[tuple[str, str, Value]]:
    """Text, key, and what stands in it."""
    for rule in policy.parse(policy.shipped("default")).rules:
        if trial.by_model(rule):
            continue
        _, found = cases.of(rule, _SEED)
        for case, _ in zip(found, range(VALUES_A_RULE), strict=False):
            yield case.text, case.key or _NOTE, Value(rule.entity, personal=True, needles=(case.value,))
    for kind, text in look_alikes.generated(LOOK_ALIKES_A_KIND, _SEED):
        yield text, _NOTE, Value(kind, personal=False, needles=(text,))


def _span(app: Application, text: str, key: str, value: Value) -> Written:
    """A span that says nothing else in which a short value might be found."""
    span = app.span(app.trace_id(), None, "execute_tool", Span.SPAN_KIND_INTERNAL, _START_NS, 0.05)
    span.attributes.add(key=key).value.string_value = text
    return Written(_SCOPE, span, [value])
