"""Rules that apply to what some speakers say and not to others."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve import redact
from spansieve.redact import policy
from spansieve.redact.rules import roles
from spansieve.redact.rules.compiled import CompiledRules
from unit.redact.helpers_redact import run

_VALUE = "BDG-1234"


def _rules(selector: str) -> CompiledRules:
    rule = "name: badge, entity: BADGE, reason: Numbers of our staff., anchors: [bdg-], patterns: ['BDG-[0-9]{4}']"
    return policy.compile(policy.parse(f"rules: [{{{rule}, {selector}}}]"))


_OF_USERS = _rules("where: [{roles: [user]}]")
_NOT_OF_SYSTEM = _rules("unless: [{roles: [system]}]")
_CONVERSATION = [
    {"role": "system", "content": f"system {_VALUE}"},
    {"role": "user", "parts": [{"type": "text", "content": f"user {_VALUE}"}]},
    {"content": f"model {_VALUE}", "role": "assistant"},
    {"role": "tool", "parts": [{"type": "tool_call_response", "result": json.dumps({"x": f"result {_VALUE}"})}]},
    {"content": f"nobody {_VALUE}"},
]


def _gone(conversation: object, rules: CompiledRules) -> set[str]:
    """Whose words had a value taken out."""
    clean = redact.text(json.dumps(conversation), rules)[0]
    json.loads(clean)
    return {who for who in ("system", "user", "model", "result", "nobody") if f"{who} [BADGE]" in clean}


def test_a_rule_may_apply_to_users_only() -> None:
    """What the others say stays."""
    assert _gone(_CONVERSATION, _OF_USERS) == {"user"}


def test_a_rule_may_leave_out_the_system() -> None:
    """What has no speaker is not the system's."""
    assert _gone(_CONVERSATION, _NOT_OF_SYSTEM) == {"user", "model", "result", "nobody"}


def test_roles_hold_however_deep_and_however_often_encoded() -> None:
    """The innermost message that names its role counts, in JSON within JSON too."""
    inner = {
        "role": "user",
        "history": json.dumps([{"role": "assistant", "content": f"model {_VALUE}"}, f"user {_VALUE}"]),
    }
    assert redact.text(json.dumps({"a": [inner]}), _OF_USERS)[0].count("[BADGE]") == 1


def test_the_same_text_of_two_speakers_is_two_texts() -> None:
    """What is remembered of one is not taken for the other, long texts included."""
    said = f"{_VALUE} {'and so on ' * 60}"
    for first, second in (("user", "system"), ("system", "user")):
        clean = redact.text(json.dumps([{"role": r, "content": said} for r in (first, second)]), _OF_USERS)[0]
        by_role = {each["role"]: each["content"] for each in json.loads(clean)}
        assert by_role == {"user": said.replace(_VALUE, "[BADGE]"), "system": said}


def test_a_conversation_that_is_cut_off_keeps_its_roles() -> None:
    """An SDK may have truncated it."""
    whole = json.dumps(_CONVERSATION[:2])
    cut = whole[: whole.rindex(_VALUE) + len(_VALUE)]
    clean = redact.text(cut, _OF_USERS)[0]
    assert f"system {_VALUE}" in clean
    assert clean.endswith("user [BADGE]")


@pytest.mark.parametrize(
    ("name", "role"),
    [("user", "user"), ("Human", "user"), ("AI", "assistant"), ("model", "assistant"), ("developer", "system"),
     ("function", "tool"), (" tool ", "tool"), ("moderator", ""), ("x" * 4000, "")],
)  # fmt: skip
def test_roles_have_many_names(name: str, role: str) -> None:
    """SDKs differ; a name that nobody knows is no role."""
    assert roles.of_name(name) == role


@pytest.mark.parametrize(
    ("key", "gone"),
    [
        ("gen_ai.system_instructions", False),
        ("gen_ai.input.messages", True),
        ("gen_ai.tool.call.result", True),
        ("gen_ai.prompt.0.content", False),
        ("gen_ai.prompt.1.content", True),
        ("llm.input_messages.0.message.content", False),
        ("llm.input_messages.0.message.contents.0.message_content.text", False),
    ],
)
def test_flattened_messages_have_roles(key: str, gone: bool) -> None:
    """By the attribute's own key, or by the `role` beside it."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    for name in ("gen_ai.prompt.0.role", "llm.input_messages.0.message.role"):
        span.attributes.add(key=name).value.string_value = "system"
    span.attributes.add(key="gen_ai.prompt.1.role").value.string_value = "user"
    span.attributes.add(key=key).value.string_value = _VALUE
    run(request, _NOT_OF_SYSTEM)
    assert (_VALUE not in span.attributes[-1].value.string_value) is gone


def test_events_have_the_role_of_their_name() -> None:
    """As the conventions had it before messages became attributes."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    for name in ("gen_ai.user.message", "gen_ai.system.message", "else"):
        span.events.add(name=name).attributes.add(key="content").value.string_value = _VALUE
    run(request, _OF_USERS)
    left = [event.name for event in span.events if event.attributes[0].value.string_value == _VALUE]
    assert left == ["gen_ai.system.message", "else"]


def test_log_records_have_the_role_of_their_event() -> None:
    """In the body and in attributes; a role that the body names counts before it."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for event in ("gen_ai.user.message", "gen_ai.system.message"):
        record = scope.log_records.add(event_name=event)
        record.body.kvlist_value.values.add(key="content").value.string_value = _VALUE
        record.attributes.add(key="also").value.string_value = _VALUE
    named = scope.log_records.add()
    named.body.array_value.values.add().kvlist_value.values.add(key="role").value.string_value = "user"
    named.body.array_value.values[0].kvlist_value.values.add(key="content").value.string_value = _VALUE
    named.body.array_value.values.add().string_value = _VALUE
    run(request, _OF_USERS)
    user, system, by_body = scope.log_records
    assert user.body.kvlist_value.values[0].value.string_value == "[BADGE]"
    assert user.attributes[0].value.string_value == "[BADGE]"
    assert system.body.kvlist_value.values[0].value.string_value == _VALUE
    assert by_body.body.array_value.values[0].kvlist_value.values[1].value.string_value == "[BADGE]"
    assert by_body.body.array_value.values[1].string_value == _VALUE


def test_roles_go_with_places_and_keys() -> None:
    """All that a selector says must fit."""
    rules = _rules("where: [{roles: [user], keys: [gen_ai.input.messages]}]")
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    for key in ("gen_ai.input.messages", "other"):
        span.attributes.add(key=key).value.string_value = json.dumps(_CONVERSATION)
    run(request, rules)
    assert [attribute.value.string_value.count("[BADGE]") for attribute in span.attributes] == [1, 0]


@given(st.text(st.sampled_from('[]{}":,\\ roleuser'), max_size=80))
def test_any_text_has_spans_that_nest(text: str) -> None:
    """Whatever is in it, and in linear time: brackets need not match."""
    found = roles.spans(text)
    assert all(0 <= low < high <= len(text) for low, high, _ in found)
    assert all(a[0] <= b[0] for a, b in pairwise(found))


def test_nesting_without_end_is_no_trouble() -> None:
    """What is too deep has the role of what is around it."""
    text = f'{{"role": "user", "x": {"[" * 5000}"{_VALUE}"{"]" * 5000}}}'
    assert roles.spans(text) == [(0, len(text), "user")]


def test_shipped_policies_ask_for_no_role() -> None:
    """They pay nothing for it."""
    for name in policy.shipped_names():
        rules = policy.parse(policy.shipped(name)).rules
        assert not any(where.roles for rule in rules for where in rule.where + rule.unless)
