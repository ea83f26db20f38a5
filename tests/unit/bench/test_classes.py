from collections import Counter

from bench import classes
from bench.look_alikes import MAKERS
from bench.traffic import MARK

from spansieve.redact import policy
from spansieve.redact.review import trial


def test_each_value_stands_in_its_span() -> None:
    """What is searched for later is there before, in its span's bytes."""
    for request, written in classes.requests(MARK):
        spans = [span for scope in request.resource_spans[0].scope_spans for span in scope.spans]
        assert [span.span_id for span in spans] == [each.span.span_id for each in written]
        for span, each in zip(spans, written, strict=True):
            data = span.SerializeToString()
            assert all(needle.encode() in data for value in each.values for needle in value.needles)


def test_every_class_and_every_look_alike_comes_up() -> None:
    """So many for each rule that no model stands for, and for each kind of harmless text."""
    found = Counter(
        (v.kind, v.personal) for _, written in classes.requests(MARK) for each in written for v in each.values
    )
    rules = [rule for rule in policy.parse(policy.shipped("default")).rules if not trial.by_model(rule)]
    wanted = Counter(rule.entity for rule in rules)
    assert {kind for kind, personal in found if personal} == set(wanted)
    assert all(found[entity, True] >= classes.VALUES_A_RULE * 0.9 * count for entity, count in wanted.items())
    assert {kind: found[kind, False] for kind in MAKERS} == dict.fromkeys(MAKERS, classes.LOOK_ALIKES_A_KIND)


def test_the_same_values_are_made_again() -> None:
    """A recording can be made anew."""
    first, second = (next(classes.requests(MARK))[0].SerializeToString() for _ in range(2))
    assert first == second
