"""The tables of the dialects."""

import pytest

from spansieve.measure.llm_call import CostSource, LlmCall, NotUnderstood, Observation
from spansieve.measure.read import dialects, failures, providers
from spansieve.measure.read.dialects import DialectError
from spansieve.measure.read.reading import Emitter, Reader
from spansieve.measure.read.table import Dialects
from unit.measure.helpers_measure import Value, prices, record, span

_VENDOR = """
title: Vendor
precedence: 1
scopes: [vendor.tracing, "vendor.more.*"]
keys: [vendor.kind]
unless: [vendor.skip]
operations: {LLM: chat, EMBEDDING: embeddings, STEP: ignored, STREAM: {is: chat, streaming: true}}
names: {"ask *": chat, "noise": ignored}
fields:
  operation: [vendor.kind]
  provider: [vendor.provider]
  request_model: [vendor.model]
  input_tokens: [{key: vendor.usage, json: in.text}, vendor.in]
  ttft: [{key: vendor.ms_to_first, factor: 0.001}]
  reported_usd: [vendor.usd]
  finish_reasons: ["vendor.answers.{n}.end"]
"""


def _read(attributes: dict[str, Value], *, scope: str = "some.scope", name: str = "x") -> tuple[Observation, ...]:
    (vendor,) = dialects.parse_all({"vendor": _VENDOR})
    together = Dialects([*dialects.load().ordered, vendor])
    reader = Reader(together, providers.load(), failures.load(), prices())
    return reader.read(record(span(attributes, name=name)), Emitter(reader.by_scope(scope), scope, "shop"))


def _call(attributes: dict[str, Value], **more: str) -> LlmCall:
    (found,) = _read(attributes, **more)
    assert isinstance(found, LlmCall)
    assert found.origin.source.dialect == "vendor"
    return found


def test_every_shipped_dialect_is_loaded() -> None:
    """Every file of the folder is a dialect, the most general last."""
    names = [each.name for each in dialects.load().ordered]
    assert sorted(names) == sorted(dialects.texts())
    assert names[-2:] == ["otel-earlier", "otel"]


def test_no_two_shipped_dialects_are_asked_at_once() -> None:
    """Each has a precedence of its own, so that the order does not depend on names of files."""
    given = [each.precedence for each in dialects.load().ordered]
    assert len(set(given)) == len(given)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["gen_ai.provider.name"], "otel"),
        (["gen_ai.system"], "otel-earlier"),
        (["gen_ai.system", "gen_ai.provider.name"], "otel"),
        (["gen_ai.operation.name"], "otel"),
        (["gen_ai.provider.name", "gen_ai.is_streaming"], "openllmetry"),
        (["gen_ai.system", "llm.request.type"], "openllmetry-old"),
        (["gen_ai.system", "llm.request.type", "litellm.call_id"], "litellm"),
        (["gen_ai.provider.name", "openinference.span.kind"], "openinference"),
        (["gen_ai.system", "ai.operationId"], "vercel"),
        (["gen_ai.operation.name", "langfuse.observation.type"], "langfuse"),
        (["gen_ai.operation.name", "langsmith.span.kind"], "langsmith"),
        (["mlflow.spanType"], "mlflow"),
        (["gen_ai.system", "event_loop.cycle_id"], "strands"),
        (["gen_ai.system", "gcp.vertex.agent.event_id"], "adk"),
        (["gen_ai.system", "gen_ai.thread.id"], "azure"),
        (["gen_ai.operation.name", "gen_ai.aggregated_usage.input_tokens"], "pydantic-ai"),
        (["gen_ai.system", "gen_ai.client.token.usage"], "openlit"),
        (["gen_ai.latency.e2e"], "vllm"),
        (["mcp.method.name", "gen_ai.tool.name", "gen_ai.operation.name"], "mcp"),
        (["http.route"], None),
    ],
)
def test_keys_show_the_dialect(keys: list[str], expected: str | None) -> None:
    """A span's attributes show its dialect, a vendor's own before those that many write."""
    found = dialects.load().by_keys(frozenset(keys))
    assert (found.name if found else None) == expected


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("opentelemetry.instrumentation.genai.openai", "otel"),
        ("openinference.instrumentation.openai", "openinference"),
        ("ai", "vercel"),
        ("aiohttp", None),
        ("openlit.instrumentation.openai", "openlit"),
        ("my.app", None),
        ("", None),
    ],
)
def test_a_scope_shows_the_dialect(scope: str, expected: str | None) -> None:
    """A scope that speaks one dialect shows it without any key; the beginning of a name is not the name."""
    known = dialects.load().by_scope(scope)
    assert (known.name if known else None) == expected


def test_another_file_is_another_dialect() -> None:
    """A dialect needs no code: a table gives its keys, units, operations and costs."""
    call = _call({"vendor.kind": "LLM", "vendor.provider": "xai", "vendor.model": "m", "vendor.ms_to_first": 250,
                  "vendor.usd": 0.5})  # fmt: skip
    assert (call.kind.operation, call.kind.provider, call.ttft_s) == ("chat", "x_ai", 0.25)
    assert (call.cost_usd, call.cost_source) == (0.5, CostSource.REPORTED)


def test_a_reported_cost_of_nothing_is_no_cost() -> None:
    """Emitters report 0 when they could not price a call."""
    assert _call({"vendor.kind": "LLM", "vendor.usd": 0}).cost_usd is None


def test_unless_excludes_a_dialect() -> None:
    """A dialect is not shown by its keys when one of the others is there."""
    assert _read({"vendor.kind": "LLM", "vendor.skip": 1}) == ()


def test_an_operation_may_say_that_it_streams() -> None:
    """The name of an operation is enough to know that the answer was streamed."""
    assert _call({"vendor.kind": "stream"}).streaming is True


def test_a_name_stands_for_an_operation_and_a_model() -> None:
    """Where a span carries no attribute, its name tells what it is, and of which model."""
    call = _call({}, scope="vendor.more.asking", name="ask gpt-4o")
    assert (call.kind.operation, call.kind.request_model) == ("chat", "gpt-4o")


def test_an_ignored_name_goes_before_an_operation() -> None:
    """A span whose name is known for nothing is nothing, whatever it carries."""
    assert _read({"vendor.kind": "LLM"}, name="noise") == ()


def test_an_operation_that_is_not_known_is_not_understood() -> None:
    """A span that names a model and an operation that no table has is counted as not understood."""
    (found,) = _read({"vendor.kind": "THINK", "vendor.model": "m"})
    assert isinstance(found, NotUnderstood)


def test_the_first_place_that_is_not_empty_counts() -> None:
    """Fields are looked for in order: a member of an object, then an attribute."""
    assert _call({"vendor.kind": "LLM", "vendor.usage": '{"in": {"text": 7}}', "vendor.in": 9}).tokens.input == 7
    assert _call({"vendor.kind": "LLM", "vendor.usage": '{"in": {}}', "vendor.in": 9}).tokens.input == 9
    assert _call({"vendor.kind": "LLM", "vendor.usage": "{cut", "vendor.in": 9}).tokens.input == 9


def test_numbered_attributes() -> None:
    """A number in an attribute's name is any."""
    assert _call({"vendor.kind": "LLM", "vendor.answers.1.end": "stop"}).kind.finish_reasons == ("stop",)


def test_a_base_is_read_after_the_dialects_own() -> None:
    """A dialect that builds on another reads what that one reads, its own places first."""
    given = {
        "one": "{precedence: 1, operations: {chat: chat}, fields: {provider: [a], user: [u]}}",
        "two": "{precedence: 2, base: one, operations: {talk: chat}, fields: {provider: [b]}}",
    }
    _, two = dialects.parse_all(given)
    assert [option.key for option in two.fields.provider] == ["b", "a"]
    assert [option.key for option in two.fields.user] == ["u"]
    assert set(two.operations) == {"chat", "talk"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "it is no table"),
        ("", "it is no table"),
        ("{precedence: 1, colour: red}", "colour is not known"),
        ("{precedence: 1, fields: {colour: [a]}}", "colour is no field"),
        ("{precedence: 1, operations: {x: dance}}", "dance is no operation"),
        ("{precedence: 1, names: {x: dance}}", "dance is no operation"),
        ("{precedence: 1, default_operation: dance}", "dance is no operation"),
        ("{precedence: 1, base: nobody}", "its base nobody does not exist"),
        ("{precedence: 1, base: vendor}", "it is its own base"),
        ("{precedence: 1, fields: {ttft: [{key: a, colour: red}]}}", "an option has a member that is not known"),
        ("{precedence: 1, fields: {ttft: [{factor: 2}]}}", "an option has either a key or an event"),
        ("{precedence: 1, fields: {ttft: [{key: a, event: b}]}}", "an option has either a key or an event"),
    ],
)
def test_a_bad_table_is_refused(text: str, problem: str) -> None:
    """A table that says what nobody reads is refused."""
    with pytest.raises(DialectError, match=f"vendor: {problem}"):
        dialects.parse_all({"vendor": text})
