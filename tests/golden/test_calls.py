"""What the captured requests tell of calls to models, as it was when someone last looked.

To look again after a change of the tables: `python tests/golden/test_calls.py` writes the files anew; read the diff.
The stand-in API that the applications asked answers every chat with the same usage: totals are known without us.
"""

import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

sys.path.insert(0, str(Path(__file__).parents[1]))  # for being run as a script; pytest has it already

from golden.helpers_golden import plain
from spansieve import measure, price_table
from spansieve.measure import Meter
from spansieve.measure.llm_call import LlmCall, Observation
from spansieve.model import RedactedBatch, Signal
from unit.measure.helpers_measure import CAPTURES, measured, record, series

_GOLDEN = Path(__file__).parent / "calls"
_NAMES = ["genai", "litellm", "oi", "openlit", "pai", "trl1", "trlold", "v2old"]

# Of each capture: answered chats, embeddings, and calls that failed; as the program that made them asked.
_ASKED = {
    "genai": (3, 1, 4),
    "litellm": (3, 0, 1),
    "oi": (3, 1, 4),
    "openlit": (2, 0, 1),
    "pai": (2, 0, 1),
    "trl1": (3, 1, 4),
    "trlold": (3, 1, 4),
    "v2old": (3, 0, 4),
}
# What the stand-in API says that a chat, and an embedding, took.
_CHAT_INPUT, _CHAT_OUTPUT, _EMBEDDING_INPUT = 30, 12, 5
# OpenLIT counts the input of streamed calls by itself, and is two tokens above what the API says.
_OWN_COUNT = {"openlit": 2}


def _traces(name: str) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString((CAPTURES / f"{name}.traces.pb").read_bytes())


def _logs(name: str) -> ExportLogsServiceRequest | None:
    path = CAPTURES / f"{name}.logs.pb"
    return ExportLogsServiceRequest.FromString(path.read_bytes()) if path.exists() else None


def _observations(name: str) -> list[Observation]:
    reader = Meter(price_table.load(None)).reader
    return [
        observation
        for resource in _traces(name).resource_spans
        for group in resource.scope_spans
        for span in group.spans
        for observation in reader.read(record(span), reader.emitter(group.scope.name, resource.resource.attributes))
    ]


def _golden(name: str) -> str:
    return yaml.safe_dump([plain(each) for each in _observations(name)], sort_keys=False, width=120)


def _meter(name: str, *, times: int) -> Meter:
    """Return a meter that was sent a capture's spans and log records so many times."""
    meter = Meter(price_table.load(None))
    for _ in range(times):
        measured(_traces(name), meter)
        if (logs := _logs(name)) is not None:
            measure.batch(RedactedBatch(Signal.LOGS, logs, 0, {}), meter, 0.0)
    meter.settle(1000.0)
    return meter


@pytest.mark.parametrize("name", _NAMES)
def test_observations_are_those_on_record(name: str) -> None:
    """Each span of a capture tells what the file says: tokens, times with their source, error class, cost."""
    on_record = yaml.safe_load((_GOLDEN / f"{name}.yaml").read_text(encoding="utf-8"))
    assert [plain(each) for each in _observations(name)] == on_record


def test_every_record_has_its_capture() -> None:
    """No capture is without a record, no record without a capture."""
    assert {path.stem for path in _GOLDEN.glob("*.yaml")} == set(_NAMES)
    assert {path.name.removesuffix(".traces.pb") for path in CAPTURES.glob("*.traces.pb")} == set(_NAMES)


@pytest.mark.parametrize("name", _NAMES)
def test_the_calls_are_those_that_the_api_was_asked(name: str) -> None:
    """A capture holds a call for each request to the API: answered, embedded or failed, each once."""
    calls = [each for each in _observations(name) if isinstance(each, LlmCall)]
    kinds = Counter("failed" if each.error_class else each.kind.operation for each in calls)
    assert (kinds["chat"], kinds["embeddings"], kinds["failed"]) == _ASKED[name]
    assert kinds.total() == sum(_ASKED[name])


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("name", _NAMES)
def test_the_sums_are_what_the_api_said(name: str, times: int) -> None:
    """The metrics' sums of tokens are the API's, to the token, also when every request is sent twice."""
    chats, embeddings, failed = _ASKED[name]
    meter = _meter(name, times=times)
    sums: Counter[str] = Counter()
    for labels, value in series(meter, "gen_ai.client.token.usage").items():
        assert isinstance(value, tuple)
        (kind,) = {"input", "output"}.intersection(labels)
        sums[kind] += int(value[1])
    assert sums["output"] == chats * _CHAT_OUTPUT
    assert sums["input"] == chats * _CHAT_INPUT + embeddings * _EMBEDDING_INPUT + _OWN_COUNT.get(name, 0)
    requests = sum(value for value in series(meter, "spansieve.llm.requests").values() if isinstance(value, float))
    assert requests == chats + embeddings + failed


@pytest.mark.parametrize("name", _NAMES)
def test_the_cost_is_that_of_the_calls(name: str) -> None:
    """The metrics' cost is the sum of the calls' costs, also when every request is sent twice."""
    meter = _meter(name, times=2)
    costs = series(meter, "spansieve.llm.cost.usd").values()
    expected = sum(each.cost_usd or 0 for each in _observations(name) if isinstance(each, LlmCall))
    assert sum(each for each in costs if isinstance(each, float)) == pytest.approx(expected)
    assert expected > 0


if __name__ == "__main__":
    _GOLDEN.mkdir(exist_ok=True)
    for each in _NAMES:
        (_GOLDEN / f"{each}.yaml").write_text(_golden(each), encoding="utf-8")
