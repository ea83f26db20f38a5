"""What a change of policy would do is told without a value that either would take out."""

from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve.model import DecodedBatch, Signal
from spansieve.redact import policy
from spansieve.redact.review import diff, trial
from spansieve.redact.review.diff import Difference
from spansieve.redact.rules.compiled import CompiledRules
from unit.redact.helpers_redact import REQUESTS, captures, read_capture

_SECRETS = "include: [secrets]"
_IDENTITY = "include: [identity]"


def _rules(text: str) -> CompiledRules:
    return policy.compile(policy.parse(text), trial.MATERIAL)


def _batch(*texts: str, key: str = "note") -> DecodedBatch:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for text in texts:
        spans.add(name="n").attributes.add(key=key).value.string_value = text
    return DecodedBatch(Signal.TRACES, request, len(texts))


def _compare(a: str, b: str, *texts: str, key: str = "note") -> Difference:
    return diff.compare([_batch(*texts, key=key)], _rules(a), _rules(b))


def test_what_b_finds_and_a_does_not_is_newly_masked() -> None:
    """By rule of B, by place, with a snippet that both have been through."""
    found = _compare(_SECRETS, _IDENTITY, "mail a@b.example, ssn 078-05-1120", "clean")
    assert dict(found.masked.rules) == {"email": 1, "us_ssn": 1}
    assert list(found.masked.places) == ["spans.attributes[note]"]
    assert found.masked.places["spans.attributes[note]"].snippets == ["mail [EMAIL], ssn [US_SSN]"]
    assert (found.visible.texts, found.otherwise.texts, found.items) == (0, 0, 2)


def test_what_a_finds_and_b_does_not_is_newly_visible() -> None:
    """The snippet does not show it, though B would."""
    found = _compare(_IDENTITY, _SECRETS, "mail a@b.example password=hunter2")
    assert dict(found.visible.rules) == {"email": 1}
    assert dict(found.masked.rules) == {"secret_in_text": 1}
    shown = (
        found.visible.places["spans.attributes[note]"].snippets + found.masked.places["spans.attributes[note]"].snippets
    )
    assert shown == ["mail [EMAIL] password=[SECRET]"] * 2


@pytest.mark.parametrize(
    "change", ["{EMAIL: {action: mask}}", "{EMAIL: {action: remove}}", "{EMAIL: {action: pseudonym}}"]
)
def test_the_same_finding_put_otherwise(change: str) -> None:
    """Neither newly masked nor newly visible; what is shown is the form that keeps less."""
    found = _compare(_IDENTITY, f"{_IDENTITY}\nactions: {change}\npseudonym: {{key_env: A}}", "mail alice@b.example")
    assert (found.masked.texts, found.visible.texts, found.otherwise.texts) == (0, 0, 1)
    assert "example" not in str(found)


def test_what_one_policy_puts_the_others_own_patterns_leave() -> None:
    """Tokens and pseudonyms of either are no values to the other, whatever its patterns take."""
    greedy = "rules: [{name: loud, entity: LOUD, reason: Capitals and digits., patterns: ['[A-Z]{4,9}|[0-9a-f]{12}']}]"
    pseudonyms = f"{_IDENTITY}\nactions: {{EMAIL: {{action: pseudonym}}}}\npseudonym: {{key_env: A}}"
    found = _compare(pseudonyms, greedy, "mail alice@b.example, ssn 078-05-1120")
    assert dict(found.masked.rules) == {}
    assert dict(found.visible.rules) == {"email": 1, "us_ssn": 1}


def test_an_attribute_that_is_dropped_is_said_to_be() -> None:
    """With its key; the others are compared with themselves."""
    found = _compare(_SECRETS, f"{_IDENTITY}\nactions: {{EMAIL: {{action: drop}}}}", "mail a@b.example")
    assert found.masked.places["spans.attributes[note]"].snippets == ["(dropped)"]


def test_a_key_that_is_personal_is_not_shown() -> None:
    """Places are named after both policies too."""
    found = _compare(_SECRETS, _IDENTITY, "x", key="a@b.example")
    assert "a@b.example" not in str(found)
    assert found.masked.texts == 1


def test_equal_policies_do_not_differ() -> None:
    """On any capture, whatever is in it."""
    rules = _rules(policy.shipped("default"))
    batches = [DecodedBatch(_signal(path), read_capture(path), 1) for path in captures()]
    found = diff.compare(batches, rules, rules)
    assert (found.masked.texts, found.visible.texts, found.otherwise.texts) == (0, 0, 0)
    assert found.requests == len(batches)


def test_few_snippets_are_kept() -> None:
    """However many texts change; and each is short."""
    found = _compare(_SECRETS, _IDENTITY, *(f"{'x' * n} a@b.example {'y' * 500}" for n in range(50)))
    place = found.masked.places["spans.attributes[note]"]
    assert (place.count, len(place.snippets)) == (50, 3)
    assert max(map(len, place.snippets)) < 80


def test_nested_values_are_compared_leaf_by_leaf() -> None:
    """Lists, maps, bytes and numbers."""
    request = ExportTraceServiceRequest()
    attribute = request.resource_spans.add().scope_spans.add().spans.add(name="n").attributes.add(key="k")
    attribute.value.array_value.values.add().string_value = "a@b.example"
    inner = attribute.value.array_value.values.add().kvlist_value.values.add(key="in")
    inner.value.bytes_value = b"a@b.example"
    found = diff.compare([DecodedBatch(Signal.TRACES, request, 1)], _rules(_SECRETS), _rules(_IDENTITY))
    assert {place: each.count for place, each in found.masked.places.items()} == {
        "spans.attributes[k]": 1,
        "spans.attributes[k][in]": 1,
    }


def _signal(path: Path) -> Signal:
    message = read_capture(path)
    return next(signal for signal, kind in REQUESTS.items() if type(message) is kind)
