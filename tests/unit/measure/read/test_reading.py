"""What spans and log records tell."""

import pytest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.measure.llm_call import (
    AgentRun,
    LlmCall,
    McpCall,
    NotUnderstood,
    Observation,
    Retrieval,
    Tokens,
    ToolRun,
    WorkflowRun,
)
from spansieve.measure.read.reading import Emitter
from spansieve.model import Envelope
from unit.measure.helpers_measure import START_NS, Value, call_of, chat, key_values, read, reader, record, span


def _log(name: str, attributes: dict[str, Value], *, by_attribute: bool = False) -> LogRecord:
    record = LogRecord(trace_id=bytes(15) + b"\1", span_id=bytes(7) + b"\2", time_unix_nano=START_NS)
    if by_attribute:
        attributes = {"event.name": name} | attributes
    else:
        record.event_name = name
    record.attributes.extend(key_values(attributes))
    return record


def _read_log(record: LogRecord) -> tuple[Observation, ...]:
    return reader().read_log(record, Emitter(None, "some.scope", "shop"))


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("chat", LlmCall),
        ("embeddings", LlmCall),
        ("invoke_agent", AgentRun),
        ("invoke_workflow", WorkflowRun),
        ("execute_tool", ToolRun),
        ("retrieval", Retrieval),
        ("rerank", Retrieval),
    ],
)
def test_operations_are_what_they_are(operation: str, kind: type) -> None:
    """Each operation of the conventions becomes an observation of its kind, with its times and its failure."""
    (found,) = read(span(chat(operation__name=operation), seconds=2.0, error="Error code: 429"))
    assert type(found) is kind
    assert (found.duration_s, found.error_class) == (2.0, "rate_limit")  # type: ignore[union-attr]  # all of these have


@pytest.mark.parametrize("operation", ["create_agent", "plan", "fetch_response", "search_memory"])
def test_known_operations_that_are_not_measured(operation: str) -> None:
    """What is known and not measured is nothing, not something that was not understood."""
    assert read(span(chat(operation__name=operation))) == ()


@pytest.mark.parametrize(
    ("attributes", "understood"),
    [
        ({"gen_ai.operation.name": "dream", "gen_ai.request.model": "m"}, False),
        ({"acme.llm.model": "m"}, False),
        ({"llm.usage.prompt_tokens": 3}, False),
        ({"openai.model": "m"}, False),
        ({"gen_ai.request.model": "m"}, False),
        ({"http.route": "/", "error.type": "500"}, True),
        ({"db.system": "pg", "token": "x"}, True),
        ({"vehicle.model": "T"}, True),
    ],
)
def test_what_looks_like_a_call_and_is_not_read(attributes: dict[str, Value], *, understood: bool) -> None:
    """A span that carries a model or a usage in an unknown way is counted by its scope; others are let be."""
    found = read(span(attributes), scope="acme.sdk")
    assert [type(each) for each in found] == ([] if understood else [NotUnderstood])
    assert understood or found[0].origin.source.scope == "acme.sdk"


def test_events_do_not_hide_what_is_not_understood() -> None:
    """A span that looks like a call is counted by its scope, whether it has events or not."""
    one = span({"acme.llm.model": "m"})
    one.events.add(name="exception")
    assert [type(each) for each in read(one)] == [NotUnderstood]


def test_an_agent_repeats_its_calls_usage() -> None:
    """What an agent's span tells of usage is kept apart, for comparison."""
    (found,) = read(span(chat(operation__name="invoke_agent", agent__name="a", usage__input_tokens=9)))
    assert isinstance(found, AgentRun)
    assert (found.name, found.told) == ("a", Tokens(9, None, None, None, None))


def test_an_agent_without_a_name_has_its_spans() -> None:
    """The span's name stands in where nothing else names an agent, workflow or tool."""
    (found,) = read(span(chat(operation__name="invoke_agent"), name="invoke_agent helper"))
    assert isinstance(found, AgentRun)
    assert found.name == "invoke_agent helper"


def test_a_chain_is_a_workflow_at_the_root_alone() -> None:
    """A framework's inner steps are nothing; its outermost is the workflow."""
    attributes: dict[str, Value] = {"openinference.span.kind": "CHAIN"}
    assert read(span(attributes, parent=b"12345678")) == ()
    (found,) = read(span(attributes))
    assert isinstance(found, WorkflowRun)


@pytest.mark.parametrize(("kind", "side"), [(Span.SPAN_KIND_SERVER, "server"), (Span.SPAN_KIND_CLIENT, "client")])
def test_an_mcp_request_has_sides(kind: Span.SpanKind, side: str) -> None:
    """Client and server tell the same request, each its own."""
    (found,) = read(span({"mcp.method.name": "tools/call", "gen_ai.tool.name": "t"}, kind=kind))
    assert isinstance(found, McpCall)
    assert (found.side, found.method, found.name) == (side, "tools/call", "t")


def test_an_observation_knows_where_it_comes_from() -> None:
    """Dialect, scope, sender, ids and times of the span are kept."""
    one = span(chat(), parent=b"12345678")
    found = call_of(one, scope="my.scope").origin
    assert found.source[:3] == ("otel", "my.scope", "shop")
    assert (found.trace_id, found.span_id, found.parent_span_id) == (one.trace_id, one.span_id, b"12345678")
    assert (found.start_ns, found.end_ns) == (one.start_time_unix_nano, one.end_time_unix_nano)


def test_an_emitter_has_a_service_and_own_labels() -> None:
    """A resource gives service.name, and what the operator's labels ask of it; a span's own attribute goes before."""
    with_labels = reader(extra_keys=["task", "team"])
    emitter = with_labels.emitter("s", key_values({"service.name": "shop", "team": "a", "host.name": "h"}))
    assert (emitter.service, emitter.extra) == ("shop", ("", "a"))
    (found,) = with_labels.read(record(span(chat() | {"task": "refund"})), emitter)
    assert found.origin.source.extra == ("refund", "a")
    (found,) = with_labels.read(record(span(chat() | {"task": 7, "team": ""})), emitter)
    assert found.origin.source.extra == ("7", "a")


def test_an_emitter_is_remembered_boundedly() -> None:
    """The same resource is read once; any number of different ones takes no more memory."""
    with_memory = reader()
    for number in range(3000):
        resource = Resource(attributes=key_values({"service.name": f"shop-{number % 2000}"}))
        envelope = Envelope(resource.SerializeToString(), "", b"", "")
        assert with_memory.emitter_of(envelope).service == f"shop-{number % 2000}"
    assert len(with_memory._emitters) <= 1024


def test_a_scope_is_remembered_boundedly() -> None:
    """The same scope is read once; any number of different ones takes no more memory, and a huge one none."""
    with_memory = reader()
    for number in range(3000):
        scope = InstrumentationScope(name=f"scope-{number % 2000}").SerializeToString()
        emitter = with_memory.emitter_of(Envelope(b"", "", scope, ""))
        assert (emitter.scope, emitter.dialect) == (f"scope-{number % 2000}", None)
    held = len(with_memory._emitters)
    assert held <= 1024
    huge = InstrumentationScope(name="openinference.instrumentation.openai", version="1" * 5000)
    emitter = with_memory.emitter_of(Envelope(b"", "", huge.SerializeToString(), ""))
    assert (emitter.scope, emitter.dialect is not None) == (huge.name, True)
    assert len(with_memory._emitters) == held


def test_a_sampled_span_stands_for_many() -> None:
    """What the trace state says of earlier sampling is kept; what cannot be read is one, and suspect."""
    with_count = reader(adjusted_count=lambda state: 4.0 if state == "ot=th:c" else None)
    for state, count, suspects in (("ot=th:c", 4.0, []), ("ot=th:?", 1.0, ["trace_state"]), ("", 1.0, [])):
        (found,) = with_count.read(record(span(chat(), trace_state=state)), Emitter(None, "s", "shop"))
        assert isinstance(found, LlmCall)
        assert (found.origin.adjusted_count, list(found.suspects)) == (count, suspects)


def test_a_user_is_a_pseudonym() -> None:
    """A user's id is kept as a keyed hash: the same for the same user, another with another key, and not the id."""
    one = record(span(chat() | {"user.id": "u-1"}))
    first, again, other = (reader(user_key=key).read(one, Emitter(None, "s", "shop"))[0] for key in (b"a", b"a", b"b"))
    assert isinstance(first, LlmCall)
    assert isinstance(other, LlmCall)
    assert first == again
    assert first.user not in {"", "u-1", other.user}


@pytest.mark.parametrize(("given", "known"), [("[EMAIL]", False), ("[EMAIL:ab12cd34ef56]", True), ("[a] user", True)])
def test_what_redaction_left_of_a_user_may_be_anybody(given: str, *, known: bool) -> None:
    """All whose ids became the same word would be one user: such a user is not known."""
    assert bool(call_of(span(chat() | {"user.id": given})).user) == known


def test_the_mean_time_of_a_token() -> None:
    """After the first token, the rest of the duration is shared by the other tokens of a streamed answer."""
    streamed = chat(response__time_to_first_chunk=0.5, usage__output_tokens=11)
    assert call_of(span(streamed, seconds=1.5)).time_per_output_token_s == pytest.approx(0.1)
    for other in (chat(usage__output_tokens=11), streamed | {"gen_ai.usage.output_tokens": 1}):
        assert call_of(span(other)).time_per_output_token_s is None


def test_chunk_events_give_times() -> None:
    """The first chunk's event is the time to the first token, the mean gap is that of the rest, in any order."""
    one = span(chat(is_streaming=True))
    for seconds in (0.75, 0.25, 0.5):
        one.events.add(name="gen_ai.content.completion.chunk", time_unix_nano=START_NS + round(seconds * 1e9))
    found = call_of(one)
    assert (found.ttft_s, found.ttft_source, found.time_per_output_chunk_s) == (0.25, "event", 0.25)


def test_a_chunk_before_the_start_is_suspect() -> None:
    """A clock that ran backwards gives no time."""
    one = span(chat(is_streaming=True))
    one.events.add(name="gen_ai.content.completion.chunk", time_unix_nano=START_NS - 1)
    found = call_of(one)
    assert (found.ttft_s, list(found.suspects)) == (None, ["chunk_before_start"])


@pytest.mark.parametrize(
    ("tier", "expected"),
    [("default", ""), ("auto", ""), ("Flex", "flex"), ("priority", "priority"), ("", "")],
)
def test_service_tiers(tier: str, expected: str) -> None:
    """A tier that is not the standard one is named."""
    assert call_of(span(chat() | {"openai.response.service_tier": tier})).kind.service_tier == expected


@pytest.mark.parametrize("by_attribute", [False, True])
def test_a_log_record_tells_a_call(*, by_attribute: bool) -> None:
    """The conventions' event of a call is read like a span, also where its name is an attribute; it has no duration."""
    record = _log("gen_ai.client.inference.operation.details", chat(usage__input_tokens=5), by_attribute=by_attribute)
    (found,) = _read_log(record)
    assert isinstance(found, LlmCall)
    assert (found.origin.source.log, found.origin.span_id, found.tokens.input) == (True, record.span_id, 5)
    assert (found.duration_s, found.suspects, found.error_class) == (None, (), None)


def test_a_log_record_tells_a_failure() -> None:
    """The conventions' event of an exception names its class."""
    given = chat() | {"exception.type": "openai.RateLimitError", "exception.message": "slow down"}
    (found,) = _read_log(_log("gen_ai.client.operation.exception", given))
    assert isinstance(found, LlmCall)
    assert found.error_class == "rate_limit"


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("gen_ai.choice", chat(usage__input_tokens=5)),
        ("gen_ai.user.message", chat()),
        ("", chat()),
        ("gen_ai.client.inference.operation.details", {}),
        ("gen_ai.client.inference.operation.details", chat(operation__name="invoke_agent")),
    ],
)
def test_other_log_records_tell_no_call(name: str, attributes: dict[str, Value]) -> None:
    """Messages repeat what the call's span says, and are not read; an agent's record is no call."""
    assert _read_log(_log(name, attributes)) == ()


def test_a_span_of_a_known_scope_needs_no_attributes() -> None:
    """A failed call may have none: its name tells of it."""
    found = call_of(span({}, error="Request timed out.", name="chat gpt-4o"), scope="openlit")
    assert (found.kind.operation, found.kind.request_model, found.error_class) == ("chat", "gpt-4o", "timeout")


def test_the_reader_says_what_is_worth_reading() -> None:
    """Keys of dialects, of signals and those that look like a model's are worth it; those of others are not."""
    reads = reader().reads
    assert all(map(reads, ["gen_ai.operation.name", "openinference.span.kind", "gen_ai.user.feedback", "x.llm.model"]))
    assert not any(map(reads, ["http.route", "error.type", "service.name", "user.id"]))


def test_shapes_of_spans_are_remembered_boundedly() -> None:
    """Attributes from outside cannot fill the memory."""
    with_memory = reader()
    keys = sorted(with_memory.dialects.keys)
    for first in keys[:120]:
        for second in keys[:60]:
            with_memory.read(record(span({first: "x", second: "y"})), Emitter(None, "s", ""))
    assert with_memory._plans._shapes.cache_info().currsize <= 4096


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ('[{"name": "support", "version": 3}, {"name": "other"}]', "support"),
        ('"[{\\"name\\": \\"support\\"}]"', "support"),
        ("[]", ""),
        ("[1]", ""),
        ('{"0": {"name": "no list"}}', "no list"),
        ("[{", ""),
    ],
)
def test_the_first_of_a_list_may_tell(told: str, name: str) -> None:
    """MLflow links prompts to a call as a list of them in JSON."""
    told_by = {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.llm.model": '"gpt-4o"', "mlflow.linkedPrompts": told}
    assert call_of(span(told_by), scope="mlflow").kind.prompt_name == name


def test_ids_of_zeros_are_none() -> None:
    """Some senders write zeros where a record belongs to no trace: such records are not of one and the same span."""
    record = _log("gen_ai.client.inference.operation.details", chat(usage__input_tokens=5))
    record.trace_id, record.span_id = bytes(16), bytes(8)
    (found,) = _read_log(record)
    assert (found.origin.trace_id, found.origin.span_id) == (b"", b"")


_REQUEST: dict[str, Value] = {"model": "claude-sonnet-4-5", "session.id": "s", "input_tokens": 5, "output_tokens": 1}


@pytest.mark.parametrize(
    ("scope", "name", "calls"),
    [
        ("com.anthropic.claude_code.events", "api_request", 1),
        ("com.anthropic.claude_code.events", "claude_code.api_request", 1),
        ("some.scope", "claude_code.api_request", 1),
        ("some.scope", "api_request", 0),
        ("com.anthropic.claude_code.events", "user_prompt", 0),
    ],
)
def test_a_dialects_own_records_are_known_by_name_and_scope(scope: str, name: str, calls: int) -> None:
    """A name that says whose it is holds in all scopes, a common one only in those of the dialect."""
    with_dialects = reader()
    found = with_dialects.read_log(_log(name, _REQUEST), Emitter(with_dialects.by_scope(scope), scope, "shop"))
    assert [type(each) for each in found] == [LlmCall] * calls


def test_a_records_name_may_stand_beside_another() -> None:
    """Senders in Rust write the place in the source where the name belongs, and the name in an attribute."""
    record = _log("event otel/src/events.rs:778", {"event.name": "claude_code.api_request", **_REQUEST})
    assert [type(each) for each in _read_log(record)] == [LlmCall]


def test_a_record_of_its_own_ends_when_it_says() -> None:
    """The record's time is the end of what took so long."""
    (found,) = _read_log(_log("claude_code.api_request", _REQUEST | {"duration_ms": 1500}))
    assert (found.origin.start_ns, found.origin.end_ns) == (START_NS - 1_500_000_000, START_NS)


def test_records_of_a_prompt_are_a_turn() -> None:
    """Without a trace, the calls that one prompt led to are of one turn, others of another."""
    prompts = ["p", "p", "q"]
    found = [_read_log(_log_without_trace(_REQUEST | {"prompt.id": prompt}))[0] for prompt in prompts]
    first, second, third = [each.origin.trace_id for each in found]
    assert (first == second, first == third, len(first)) == (True, False, 16)


def _log_without_trace(attributes: dict[str, Value]) -> LogRecord:
    record = _log("claude_code.api_request", attributes)
    record.ClearField("trace_id")
    record.ClearField("span_id")
    return record
