"""Every dialect reads its own examples: the documents after the first in its file, each with its source."""

from typing import Any

import pytest
import yaml
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from golden.helpers_golden import plain
from spansieve.measure.read import dialects
from spansieve.measure.read.reading import Emitter
from unit.measure.helpers_measure import START_NS, key_values, reader, record, span

_KINDS = {"server": Span.SPAN_KIND_SERVER}


def _examples() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, text in dialects.texts().items():
        _, *examples = yaml.safe_load_all(text)
        found += [(name, example) for example in examples]
    return found


def _span(given: dict[str, Any]) -> Span:
    one = span(given["attributes"], seconds=given.get("seconds", 1.0), error=given.get("error"), name=given["name"])
    one.kind = _KINDS.get(given.get("kind", ""), Span.SPAN_KIND_UNSPECIFIED)
    for event in given.get("events", ()):
        added = one.events.add(name=event["name"], time_unix_nano=START_NS + round(event["at"] * 1e9))
        added.attributes.extend(key_values(event.get("attributes", {})))
    return one


def _log(given: dict[str, Any]) -> LogRecord:
    return LogRecord(
        time_unix_nano=START_NS, attributes=key_values({"event.name": given["name"], **given["attributes"]})
    )


@pytest.mark.parametrize(("name", "example"), _examples(), ids=lambda given: given if isinstance(given, str) else "")
def test_an_example_is_read(name: str, example: dict[str, Any]) -> None:
    """What is read from an example's span or log record is what the example says, and nothing else."""
    with_dialects, scope = reader(), example["scope"]
    emitter = Emitter(with_dialects.by_scope(scope), scope, "shop")
    if "log" in example:
        found = with_dialects.read_log(_log(example["log"]), emitter)
    else:
        found = with_dialects.read(record(_span(example["span"])), emitter)
    expected = example["reads"] or []
    assert [plain(each) for each in found] == [
        {"dialect": name, **each} for each in (expected if isinstance(expected, list) else [expected])
    ]


def test_every_dialect_has_an_example() -> None:
    """No dialect is without an example, and each names its source."""
    assert {name for name, _ in _examples()} == set(dialects.texts())
    assert all(example["source"] for _, example in _examples())
