"""What measuring adds to spans that leave."""

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from helpers_spans import decoded_spans, message_of
from spansieve import measure, otlp_reduced, redact
from spansieve.facts import TraceFacts
from spansieve.measure import Meter, MeterSettings, added
from spansieve.measure.llm_call import AgentRun, Reconciliation, Tokens
from spansieve.model import (
    Decision,
    Envelope,
    SampledTrace,
    SpanGroup,
    Trigger,
)
from unit.measure.helpers_measure import Value, captured, chat, measured, prices, read, request, span
from unit.measure.helpers_observations import origin


def _added(one: Span, scope: str = "some.scope") -> dict[str, object]:
    """Return the attributes that are put behind a span."""
    found = Span.FromString(
        added.current(read(one, scope=scope), otlp_reduced.span(one.SerializeToString()).attributes)
    )
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "") for each in found.attributes}


def test_another_dialects_call_gets_the_current_keys() -> None:
    """What a call tells in keys of its own is told in those of the conventions as well."""
    one = span(
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "azure",
            "llm.model_name": "gpt-4o-2024-08-06",
            "llm.token_count.prompt": 30,
            "llm.token_count.completion": 0,
            "llm.invocation_parameters": '{"model": "gpt-4o", "stream": true}',
        },
        error="Error code: 429",
    )
    assert _added(one) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.request.stream": True,
        "gen_ai.usage.input_tokens": 30,
        "gen_ai.usage.output_tokens": 0,
        "error.type": "rate_limit",
    }


def test_what_a_span_carries_is_not_added() -> None:
    """No key comes twice, and none is changed: the original stays."""
    assert _added(span(chat(usage__prompt_tokens=3) | {"error.type": "RateLimitError"})) == {}


def test_an_agents_usage_is_not_added() -> None:
    """The sum of its calls stands on them already."""
    one = span({"ai.operationId": "ai.generateText", "ai.usage.promptTokens": 9, "ai.telemetry.functionId": "f"})
    assert _added(one) == {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "f"}


def test_a_span_that_tells_nothing_gets_nothing() -> None:
    """What is no business of ours stays as it is."""
    one = span({"http.route": "/"})
    assert added.current((), otlp_reduced.span(one.SerializeToString()).attributes) == b""


def test_normalised_spans_leave_with_both() -> None:
    """With the option on, spans leave with their own keys, in their order, and the conventions' behind them."""
    message = captured("oi")
    meter = Meter(prices(), MeterSettings(normalise=True))
    before = [list(one.attributes) for one in message.resource_spans[0].scope_spans[0].spans]
    redacted = redact.restored(decoded_spans(message), meter.reads, meter.reads_event)
    after = message_of(measure.batch(redacted, meter, 0.0)).resource_spans[0].scope_spans[0].spans
    for one, originals in zip(after, before, strict=True):
        assert list(one.attributes)[: len(originals)] == originals
        keys = {each.key for each in one.attributes}
        assert {"gen_ai.operation.name", "gen_ai.provider.name"} <= keys or "embedding.model_name" in keys


def test_without_the_option_nothing_is_added() -> None:
    """By default spans leave as they came."""
    batch = measured(captured("oi"), Meter(prices()))
    assert message_of(batch) == message_of(measured(captured("oi"), Meter(prices())))
    assert "gen_ai.operation.name" not in str(message_of(batch))


def _kept(one: Span) -> SampledTrace:
    group = SpanGroup(Envelope(b"", "", b"", ""), (one.SerializeToString(),))
    facts = TraceFacts(1, 0, 0, one.start_time_unix_nano, one.end_time_unix_nano, has_root=True, size=group.size)
    return SampledTrace(one.trace_id, (group,), facts, Decision(keep=True, policy="p", trigger=Trigger.WAIT_EXPIRED))


def _marks(agent: Span, calls: list[Span]) -> dict[str, object]:
    meter = Meter(prices())
    measured(request([*calls, agent]), meter)
    (group,) = measure.marked(_kept(agent), meter).groups
    found = Span.FromString(group.spans[0]).attributes
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value") or "")
        for each in found
        if each.key.startswith("spansieve.")
    }


def _agent(told: int) -> Span:
    given: dict[str, Value] = chat(operation__name="invoke_agent", usage__input_tokens=told)
    return span(given, span_id=b"agent123")


def test_an_agent_that_disagrees_is_marked() -> None:
    """A run whose usage is not its calls' leaves with a mark and with what was counted."""
    calls = [span(chat(usage__input_tokens=5, usage__output_tokens=2), parent=b"agent123")]
    assert _marks(_agent(99), calls) == {
        "spansieve.usage.disagrees": True,
        "spansieve.usage.counted.input_tokens": 5,
        "spansieve.usage.counted.output_tokens": 2,
    }


def test_an_agent_that_agrees_is_not_marked() -> None:
    """Most runs leave as they came."""
    calls = [span(chat(usage__input_tokens=5), parent=b"agent123")]
    assert _marks(_agent(5), calls) == {}


def test_a_mark_is_made_of_what_was_counted() -> None:
    """Where nothing was counted, the mark says 0."""
    run = AgentRun(origin(), "a", "", "", 1.0, None, Tokens(5, None, None, None, None), "", ())
    made = Span.FromString(added.mark(Reconciliation(run.origin, "a", run.told, Tokens(0, 0, 0, 0, 0))))
    assert next(each.key for each in made.attributes) == added.DISAGREES
