"""The tables of the dialects."""

import pytest

from spansieve.measure import dialects, failures
from spansieve.measure.calls import CallReader
from spansieve.measure.dialects import DialectError, Dialects
from spansieve.measure.llm_call import CostSource
from unit.measure.helpers_measure import any_value, prices, span

_VENDOR = """
precedence: 10
scopes: [vendor.tracing]
keys: [vendor.kind]
unless: [vendor.skip]
operations: {LLM: chat, EMBEDDING: embeddings}
fields:
  operation: [vendor.kind]
  provider: [vendor.provider]
  request_model: [vendor.model]
  ttft: [{key: vendor.ms_to_first, factor: 0.001}]
  reported_usd: [vendor.usd]
"""


def _with_vendor() -> CallReader:
    shipped = dialects.load()
    together = Dialects([*shipped.ordered, dialects.parse("vendor", _VENDOR)])
    return CallReader(together, dialects.load_providers(), failures.load(), prices())


def test_every_shipped_dialect_is_loaded() -> None:
    """Every file of the folder is a dialect, the most general last."""
    assert [each.name for each in dialects.load().ordered] == ["otel-earlier", "otel"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["gen_ai.provider.name"], "otel"),
        (["gen_ai.system"], "otel-earlier"),
        (["gen_ai.system", "gen_ai.provider.name"], "otel"),
        (["gen_ai.operation.name"], "otel"),
        (["http.route"], None),
    ],
)
def test_keys_show_the_dialect(keys: list[str], expected: str | None) -> None:
    """A span's attributes show its dialect."""
    found = dialects.load().by_keys({key: any_value("") for key in keys})
    assert (found.name if found else None) == expected


def test_a_scope_shows_the_dialect() -> None:
    """A scope that speaks one dialect shows it without any key."""
    known = dialects.load().by_scope("opentelemetry.instrumentation.genai.openai")
    assert known is not None
    assert known.name == "otel"
    assert dialects.load().by_scope("my.app") is None


def test_another_file_is_another_dialect() -> None:
    """A dialect needs no code: a table gives its keys, units, operations and costs."""
    reader = _with_vendor()
    one = span({"vendor.kind": "LLM", "vendor.provider": "xai", "vendor.model": "m", "vendor.ms_to_first": 250,
                "vendor.usd": 0.5})  # fmt: skip
    call = reader.read(one, None, "some.scope", "")
    assert call is not None
    assert (call.dialect, call.operation, call.provider, call.ttft_s) == ("vendor", "chat", "x_ai", 0.25)
    assert (call.cost_usd, call.cost_source) == (0.5, CostSource.REPORTED)


def test_a_reported_cost_of_nothing_is_no_cost() -> None:
    """Emitters report 0 when they could not price a call."""
    call = _with_vendor().read(span({"vendor.kind": "LLM", "vendor.usd": 0}), None, "some.scope", "")
    assert call is not None
    assert call.cost_usd is None


def test_unless_excludes_a_dialect() -> None:
    """A dialect is not shown by its keys when one of the others is there."""
    assert _with_vendor().read(span({"vendor.kind": "LLM", "vendor.skip": 1}), None, "some.scope", "") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "it is not known"),
        ("{precedence: 1, colour: red}", "colour is not known"),
        ("{precedence: 1, fields: {colour: [a]}}", "colour is no field"),
        ("{precedence: 1, operations: {x: invoke_agent}}", "invoke_agent is no leaf operation"),
    ],
)
def test_a_bad_table_is_refused(text: str, problem: str) -> None:
    """A table that says what nobody reads is refused."""
    with pytest.raises(DialectError, match=f"vendor: {problem}"):
        dialects.parse("vendor", text)


def test_canonical_providers_stand_for_themselves() -> None:
    """No provider's name is another's alias."""
    known = dialects.load_providers()
    assert all(known[name] == name for name in known.values())
