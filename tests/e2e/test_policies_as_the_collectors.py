"""The Collector's tail sampling beside ours: the same policies, written the same, keep the same traces.

A share (`probabilistic`) keeps other traces, and as many; a rate those that are decided first, and as much.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from demo.gateway import Gateway
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from e2e.harness.sink import GrpcSink, grpc_sink
from e2e.parts import processes
from gateway.helpers_gateway import GrpcSender

pytestmark = pytest.mark.e2e

_START_NS = 1_790_000_000_000_000_000
_MS = 1_000_000
_TRACES = 600
_LAST = b"\xee" * 16
"""A trace that every run keeps, so that one knows when all are decided."""

POLICIES: Mapping[str, Mapping[str, Any]] = {
    "status": {"type": "status_code", "status_code": {"status_codes": ["ERROR", "UNSET"]}},
    "latency": {"type": "latency", "latency": {"threshold_ms": 100}},
    "spans": {"type": "span_count", "span_count": {"min_spans": 2, "max_spans": 3}},
    "many-spans": {"type": "span_count", "span_count": {"min_spans": 3}},
    "number": {"type": "numeric_attribute", "numeric_attribute": {"key": "n", "min_value": 5, "max_value": 7}},
    "number-from": {"type": "numeric_attribute", "numeric_attribute": {"key": "n", "min_value": 5}},
    "no-number": {
        "type": "numeric_attribute",
        "numeric_attribute": {"key": "n", "min_value": 5, "max_value": 7, "invert_match": True},
    },
    "text": {"type": "string_attribute", "string_attribute": {"key": "s", "values": ["value1", "value2"]}},
    "pattern": {
        "type": "string_attribute",
        "string_attribute": {"key": "s", "values": ["^value[13]$", "x+y"], "enabled_regex_matching": True},
    },
    "no-text": {
        "type": "string_attribute",
        "string_attribute": {"key": "s", "values": ["value1"], "invert_match": True},
    },
    "of-resource": {"type": "string_attribute", "string_attribute": {"key": "tier", "values": ["gold"]}},
    "truth": {"type": "boolean_attribute", "boolean_attribute": {"key": "b", "value": True}},
    "no-truth": {"type": "boolean_attribute", "boolean_attribute": {"key": "b", "value": True, "invert_match": True}},
    "state": {"type": "trace_state", "trace_state": {"key": "vendor", "values": ["keep", "also"]}},
    "and": {
        "type": "and",
        "and": {
            "and_sub_policy": [
                {"name": "a", "type": "latency", "latency": {"threshold_ms": 50}},
                {"name": "b", "type": "string_attribute", "string_attribute": {"key": "tier", "values": ["gold"]}},
            ]
        },
    },
    "not": {
        "type": "not",
        "not": {"not_sub_policy": {"name": "a", "type": "latency", "latency": {"threshold_ms": 100}}},
    },
    "composite": {
        "type": "composite",
        "composite": {
            "max_total_spans_per_second": 1_000_000,
            "policy_order": ["b", "a"],
            "composite_sub_policy": [
                {"name": "a", "type": "latency", "latency": {"threshold_ms": 150}},
                {"name": "b", "type": "numeric_attribute", "numeric_attribute": {"key": "n", "min_value": 7}},
            ],
            "rate_allocation": [{"policy": "a", "percent": 50}, {"policy": "b", "percent": 50}],
        },
    },
}
DROP = {
    "type": "drop",
    "drop": {
        "drop_sub_policy": [
            {"name": "a", "type": "string_attribute", "string_attribute": {"key": "tier", "values": ["tin"]}},
            {"name": "b", "type": "span_count", "span_count": {"min_spans": 1, "max_spans": 2}},
        ]
    },
}


def _sub(*names: str) -> list[Mapping[str, Any]]:
    return [{"name": name, **POLICIES[name]} for name in names]


INVERTED: Mapping[str, list[Mapping[str, Any]]] = {
    "inverted-beside-others": _sub("no-text", "latency"),
    "inverted-two": _sub("no-truth", "no-number"),
    "and-inverted": [{"name": "x", "type": "and", "and": {"and_sub_policy": _sub("no-text", "no-truth", "latency")}}],
    "not-inverted": [{"name": "x", "type": "not", "not": {"not_sub_policy": _sub("no-text")[0]}}],
    "drop-inverted": [
        {"name": "x", "type": "drop", "drop": {"drop_sub_policy": _sub("no-text", "number-from")}},
        {"name": "rest", "type": "always_sample"},
    ],
}
SETS: Mapping[str, list[Mapping[str, Any]]] = {
    **{name: [{"name": name, **policy}] for name, policy in POLICIES.items()},
    "all": [{"name": name, **policy} for name, policy in POLICIES.items() if not name.startswith("no")],
    "dropped": [{"name": "drop", **DROP}, {"name": "rest", "type": "always_sample"}],
    **INVERTED,
}
SHARE = 30
SPANS_PER_SECOND = 100
_SHARE = {"name": "share", "type": "probabilistic", "probabilistic": {"sampling_percentage": SHARE}}
_RATE = {"name": "rate", "type": "rate_limiting", "rate_limiting": {"spans_per_second": SPANS_PER_SECOND}}
COUNTED: Mapping[str, list[Mapping[str, Any]]] = {
    "share": [_SHARE],
    "rate": [_RATE],
    "share-up-to-a-rate": [{"name": "both", "type": "and", "and": {"and_sub_policy": [_SHARE, _RATE]}}],
}
_MARK = {"name": "last", "type": "string_attribute", "string_attribute": {"key": "last", "values": ["yes"]}}


def _values(seeded: random.Random) -> Iterator[tuple[str, AnyValue]]:
    """What a span says; integers only where a policy asks for a number, since the Collector sees no others."""
    if seeded.random() < 0.5:
        yield "n", AnyValue(int_value=seeded.randrange(1, 10))
    if seeded.random() < 0.5:
        yield "s", AnyValue(string_value=seeded.choice(["value1", "value2", "value3", "value11", "axxy", ""]))
    if seeded.random() < 0.4:
        yield "b", AnyValue(bool_value=seeded.random() < 0.5)


@dataclass
class Traffic:
    """The same requests for everybody: traces of one to four spans, of every status, near every policy's bounds."""

    requests: list[bytes]
    ids: set[bytes]


def _traffic(seed: int) -> Traffic:
    seeded = random.Random(seed)
    request = ExportTraceServiceRequest()
    ids: set[bytes] = set()
    for number in range(_TRACES):
        trace_id = seeded.randbytes(16)
        ids.add(trace_id)
        resource = request.resource_spans.add()
        tier = seeded.choice(["gold", "tin", ""])
        if tier:
            resource.resource.attributes.add(key="tier").value.string_value = tier
        # Whole milliseconds, one less and one more, and a bit: where bounds are decided.
        length = seeded.choice([50, 51, 99, 100, 101, 150, 151]) * _MS + seeded.choice([0, 0, 1, 999_999])
        begin = _START_NS + number * 1000 * _MS
        for place in range(seeded.choice([1, 1, 2, 3, 4])):
            span = resource.scope_spans.add().spans.add(
                trace_id=trace_id,
                span_id=seeded.randbytes(8),
                name="step",
                start_time_unix_nano=begin + place * _MS,
                end_time_unix_nano=begin + (length if place == 0 else place * _MS),
                trace_state=seeded.choice(["", "vendor=keep", "a=b,vendor=also", "vendor=let", "other=keep"]),
            )
            span.status.code = seeded.choice([0, 1, 1, 2])  # type: ignore[assignment] # an enumeration by number
            for key, value in _values(seeded):
                span.attributes.add(key=key).value.CopyFrom(value)
    return Traffic([request.SerializeToString(), _last_request()], ids)


def _last_request() -> bytes:
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add()
        .scope_spans.add()
        .spans.add(
            trace_id=_LAST,
            span_id=b"\xee" * 8,
            name="last",
            start_time_unix_nano=_START_NS,
            end_time_unix_nano=_START_NS,
        )
    )
    span.attributes.add(key="last").value.string_value = "yes"
    return request.SerializeToString()


def _send(endpoint: str, requests: list[bytes]) -> None:
    sender = GrpcSender(endpoint)
    try:
        for body in requests:
            assert sender.send("traces", body).ok
    finally:
        sender.close()


def _has_last(sink: GrpcSink) -> bool:
    return any(span.trace_id == _LAST for span in sink.spans())


def _kept(sink: GrpcSink) -> Counter[bytes]:
    """Spans by trace."""
    return Counter(span.trace_id for span in sink.spans() if span.trace_id != _LAST)


def _kept_by_us(policies: list[Mapping[str, Any]], traffic: Traffic, directory: Path) -> Counter[bytes]:
    with grpc_sink() as sink:
        settings = {
            "redaction": {"names": "off"},
            "sampling": {"decision_wait": "500ms", "late_error_wait": "0s", "policies": [*policies, _MARK]},
            "exporters": {"otlp": {"endpoint": sink.endpoint, "tls": {"insecure": True}}},
        }
        with Gateway(directory, settings) as gateway:
            _send(gateway.grpc, traffic.requests)
            processes.wait_until(
                lambda: gateway.metrics().total("spansieve_in_flight_items", signal="traces") == 0, "all decided"
            )
            gateway.stop()
        return _kept(sink)


def _config(sinks: Mapping[str, GrpcSink], otlp: str, health: str) -> dict[str, Any]:
    """A Collector with a pipeline for each set of policies, all fed by one receiver."""
    return {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": otlp, "max_recv_msg_size_mib": 16}}}},
        "extensions": {"health_check": {"endpoint": health}},
        "processors": {
            f"tail_sampling/{name}": {"decision_wait": "1s", "policies": [*policies, _MARK]}
            for name, policies in (*SETS.items(), *COUNTED.items())
        },
        "exporters": {
            f"otlp_grpc/{name}": {"endpoint": sink.endpoint, "tls": {"insecure": True}} for name, sink in sinks.items()
        },
        "service": {
            "extensions": ["health_check"],
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {
                f"traces/{name}": {
                    "receivers": ["otlp"],
                    "processors": [f"tail_sampling/{name}"],
                    "exporters": [f"otlp_grpc/{name}"],
                }
                for name in (*SETS, *COUNTED)
            },
        },
    }


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    """The same for all."""
    return _traffic(6)


@pytest.fixture(scope="module")
def collectors(
    real_parts: None, traffic: Traffic, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Counter[bytes]]:
    """Which traces the real Collector keeps, by set of policies, with the spans of each."""
    directory = tmp_path_factory.mktemp("collector")
    otlp, health = processes.free_address(), processes.free_address()
    with ExitStack() as stack:
        sinks = {name: stack.enter_context(grpc_sink()) for name in (*SETS, *COUNTED)}
        file = directory / "policies.yaml"
        file.write_text(json.dumps(_config(sinks, otlp, health)), encoding="utf-8")  # JSON is YAML
        collector = stack.enter_context(
            processes.start_collector([file], {}, directory=directory, health=health, otlp_grpc=otlp)
        )
        _send(f"http://{otlp}", traffic.requests)
        for name, sink in sinks.items():
            assert sink.wait_for(partial(_has_last, sink)), name
        collector.stop()  # what it has decided it sends first
        return {name: _kept(sink) for name, sink in sinks.items()}


@pytest.mark.parametrize("name", SETS)
def test_the_same_policies_keep_the_same_traces(
    name: str, collectors: Mapping[str, Counter[bytes]], traffic: Traffic, tmp_path: Path
) -> None:
    """No trace more and none less than with the Collector, each whole; and both keep some and let some go."""
    ours = _kept_by_us(SETS[name], traffic, tmp_path)
    assert 0 < len(ours) < len(traffic.ids)
    assert ours == collectors[name]


def test_a_share_keeps_as_many(collectors: Mapping[str, Counter[bytes]], traffic: Traffic, tmp_path: Path) -> None:
    """Of 600 traces 180, five standard deviations more or less."""
    of_all = _TRACES * SHARE / 100
    for kept in (collectors["share"], _kept_by_us(COUNTED["share"], traffic, tmp_path)):
        assert len(kept) == pytest.approx(of_all, abs=5 * (of_all * (1 - SHARE / 100)) ** 0.5)


@pytest.mark.parametrize("name", ["rate", "share-up-to-a-rate"])
def test_a_rate_keeps_as_much(
    name: str, collectors: Mapping[str, Counter[bytes]], traffic: Traffic, tmp_path: Path
) -> None:
    """What is saved up for two seconds, and what comes in while traces are decided, some seconds at most.

    The same of a share: what the share leaves out, nearly three quarters, spends nothing of the rate.
    """
    for kept in (collectors[name], _kept_by_us(COUNTED[name], traffic, tmp_path)):
        assert 2 * SPANS_PER_SECOND - 4 <= kept.total() <= 6 * SPANS_PER_SECOND
