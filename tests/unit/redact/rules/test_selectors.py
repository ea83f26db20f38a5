"""Where a rule applies."""

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve.redact import policy
from spansieve.redact.rules import selectors
from spansieve.redact.rules.compiled import CompiledRules
from spansieve.redact.rules.selectors import Place
from unit.redact.helpers_redact import run


def _rules(selector: str) -> CompiledRules:
    return policy.compile(
        policy.parse(
            "rules:\n  - name: badge\n    entity: BADGE\n    reason: Numbers of our staff's badges.\n"
            f"    anchors: [bdg-]\n    patterns: ['BDG-\\d{{4,8}}']\n    keys: [badge]\n    {selector}\n"
        )
    )


def _request() -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add()
    attribute = spans.resource.attributes.add(key="owner")
    attribute.value.string_value = "BDG-1234"
    span = spans.scope_spans.add().spans.add(name="BDG-1234")
    span.attributes.add(key="messages").value.string_value = '{"content": "BDG-1234"}'
    span.attributes.add(key="messages.count").value.string_value = "BDG-1234"
    span.events.add(name="e").attributes.add(key="messages").value.string_value = "BDG-1234"
    span.status.message = "BDG-1234"
    return request


def _left(selector: str) -> set[str]:
    """The places in which a value is left under a rule with this selector."""
    request = _request()
    run(request, _rules(selector))
    resource_spans = request.resource_spans[0]
    span = resource_spans.scope_spans[0].spans[0]
    texts = {
        "resource": resource_spans.resource.attributes[0].value.string_value,
        "name": span.name,
        "messages": span.attributes[0].value.string_value,
        "count": span.attributes[1].value.string_value,
        "event": span.events[0].attributes[0].value.string_value,
        "status": span.status.message,
    }
    return {place for place, text in texts.items() if "BDG-1234" in text}


@pytest.mark.parametrize(
    ("selector", "left"),
    [
        ("unless: []", set()),
        ("where: [{places: [span.name]}]", {"resource", "messages", "count", "event", "status"}),
        ("where: [{places: ['span.*']}]", {"resource", "event"}),
        ("where: [{keys: [messages]}]", {"resource", "name", "count", "status"}),
        ("where: [{keys: ['messages*'], places: [span.attribute]}]", {"resource", "name", "event", "status"}),
        ("where: [{places: [span.name]}, {keys: [owner]}]", {"messages", "count", "event", "status"}),
        ("unless: [{places: [resource.*]}]", {"resource"}),
        ("unless: [{keys: [messages]}]", {"messages", "event"}),
        ("unless: [{keys: [messages], places: [event.attribute]}, {places: [span.status]}]", {"event", "status"}),
        ("where: [{places: ['span.*']}]\n    unless: [{keys: [messages]}]", {"resource", "messages", "event"}),
    ],
)
def test_a_rule_applies_where_its_selector_says(selector: str, left: set[str]) -> None:
    """Places and keys of one entry must both fit; of several entries any; within JSON the attribute's key counts."""
    assert _left(selector) == left


def test_every_place_has_a_title_of_its_own() -> None:
    """Two words with a dot, so that a glob can take all of a signal."""
    assert len(set(selectors.TITLES)) == len(Place)
    assert selectors.matching("span.*") == [
        Place.SPAN_NAME,
        Place.SPAN_TRACE_STATE,
        Place.SPAN_STATUS,
        Place.SPAN_ATTRIBUTE,
    ]


def test_a_policy_without_selectors_knows_no_places() -> None:
    """It pays nothing for them."""
    rules = policy.compile(policy.parse(policy.shipped("default")))
    assert not rules.selective
    assert rules.at(Place.SPAN_ATTRIBUTE, "a") == rules.at(Place.LOG_BODY, "b") == 0


def test_places_at_which_the_same_rules_apply_share_a_number() -> None:
    """So there are few, however many keys there are."""
    rules = _rules("unless: [{keys: ['secret.*']}]")
    numbers = {rules.at(Place.SPAN_ATTRIBUTE, f"key{n}") for n in range(5000)}
    assert len(numbers) == 1
    assert rules.at(Place.LOG_ATTRIBUTE, "secret.x") not in numbers


def test_a_key_that_takes_its_value_does_not_where_the_rule_is_off() -> None:
    """The selector goes before the rule's keys."""
    rules = _rules("unless: [{places: [log.attribute]}]")
    assert rules.facts("badge", rules.at(Place.LOG_ATTRIBUTE, "badge")).whole == ()
    assert len(rules.facts("badge", rules.at(Place.SPAN_ATTRIBUTE, "badge")).whole) == 1
