"""A policy file that changes is taken over while the gateway runs; a bad one changes nothing."""

import os
import signal
from pathlib import Path

import yaml
from demo.gateway import Gateway

from e2e.harness.sink import GrpcSink
from e2e.parts.processes import wait_until
from gateway.helpers_gateway import StartGateway, sender, trace

NAMED = "umbrella-stand"
RULE = {
    "name": "furniture",
    "entity": "FURNITURE",
    "reason": "Nobody is to know what stands in the hall.",
    "anchors": ["umbrella-stand"],
    "patterns": ["umbrella-stand"],
    "examples": {"positive": [{"text": NAMED, "becomes": "[FURNITURE]"}], "negative": ["umbrella"]},
}
POLICY = {"version": 1, "name": "house", "description": "For a test.", "include": ["secrets"]}


def write(file: Path, policy: object) -> None:
    """Put a policy in place of another at once, as a deployment does."""
    fresh = file.with_suffix(".new")
    fresh.write_text(yaml.safe_dump(policy), encoding="utf-8")
    fresh.replace(file)


def names_after(gateway: Gateway, sink: GrpcSink) -> list[str]:
    """Send a span of this name, and return the names that the sink has then."""
    request = trace(1)
    request.resource_spans[0].scope_spans[0].spans[0].name = NAMED
    before = len(sink.spans())
    with sender(gateway, "grpc") as to_gateway:
        assert to_gateway.send("traces", request.SerializeToString()).ok
    wait_until(lambda: len(sink.spans()) > before, "the span in the sink")
    return [span.name for span in sink.spans()]


def reloads(gateway: Gateway, result: str) -> float:
    """How many reloads ended so."""
    return gateway.metrics().total("spansieve_reloads_total", result=result)


def test_a_changed_policy_file_is_taken_over_by_itself(start: StartGateway, sink: GrpcSink, tmp_path: Path) -> None:
    """Without a signal, within seconds; the next span meets the new rule."""
    file = tmp_path / "policy.yaml"
    write(file, POLICY)
    gateway = start(sink, redaction={"policy": str(file), "names": "off"})
    assert names_after(gateway, sink) == [NAMED]
    write(file, {**POLICY, "rules": [RULE]})
    wait_until(lambda: reloads(gateway, "ok") == 1, "the reload")
    assert names_after(gateway, sink) == [NAMED, "[FURNITURE]"]


def test_a_bad_policy_file_keeps_the_old_policy(start: StartGateway, sink: GrpcSink, tmp_path: Path) -> None:
    """The failure is counted and its reason is in the log; the old rule goes on."""
    file = tmp_path / "policy.yaml"
    write(file, {**POLICY, "rules": [RULE]})
    gateway = start(sink, redaction={"policy": str(file), "names": "off"})
    write(file, {**POLICY, "nonsense": True})
    wait_until(lambda: reloads(gateway, "failed") >= 1, "the failed reload")
    assert names_after(gateway, sink) == ["[FURNITURE]"]
    assert "nonsense" in gateway.log_file.read_text()


def test_sighup_reloads_at_once(start: StartGateway, sink: GrpcSink) -> None:
    """Also when no file has changed."""
    gateway = start(sink, redaction={"names": "off"})
    os.kill(gateway.pid, signal.SIGHUP)
    wait_until(lambda: reloads(gateway, "ok") == 1, "the reload")


def cost_of_a_call(gateway: Gateway) -> float:
    """Send a call of a million input tokens, and return what all calls have cost since the start."""
    request = trace(1)
    span = request.resource_spans[0].scope_spans[0].spans[0]
    for key, text in {"operation.name": "chat", "provider.name": "home", "request.model": "llama"}.items():
        span.attributes.add(key=f"gen_ai.{key}").value.string_value = text
    span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 1_000_000
    with sender(gateway, "grpc") as to_gateway:
        assert to_gateway.send("traces", request.SerializeToString()).ok
    return gateway.metrics().total("spansieve_llm_cost_usd_total", cost_source="override")


def prices(usd: float) -> object:
    """A file of prices with one model."""
    return {"prices": [{"provider": "home", "model": "llama", "usd_per_million_tokens": {"input": usd, "output": 1}}]}


def test_a_changed_prices_file_is_taken_over_by_itself(start: StartGateway, sink: GrpcSink, tmp_path: Path) -> None:
    """What was counted keeps its cost, the next call has the new one; a bad file changes nothing."""
    file = tmp_path / "prices.yaml"
    write(file, prices(2))
    gateway = start(sink, measure={"prices": str(file)})
    assert cost_of_a_call(gateway) == 2
    write(file, prices(3))
    wait_until(lambda: reloads(gateway, "ok") == 1, "the reload")
    assert cost_of_a_call(gateway) == 5
    write(file, {"prices": "none"})
    wait_until(lambda: reloads(gateway, "failed") >= 1, "the failed reload")
    assert cost_of_a_call(gateway) == 8
