"""What is told about an answer after it was given."""

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from spansieve.measure.llm_call import Evaluation, Feedback, LlmCall, Observation, Regeneration
from spansieve.measure.read.reading import Emitter
from unit.measure.helpers_measure import START_NS, Value, chat, key_values, read, reader, span

_NAME, _SCORE, _LABEL = "gen_ai.evaluation.name", "gen_ai.evaluation.score.value", "gen_ai.evaluation.score.label"


def _of_log(name: str, attributes: dict[str, Value]) -> tuple[Observation, ...]:
    record = LogRecord(trace_id=bytes(15) + b"\1", span_id=bytes(7) + b"\2", event_name=name, time_unix_nano=START_NS)
    record.attributes.extend(key_values(attributes))
    return reader().read_log(record, Emitter(None, "some.scope", "shop"))


def test_an_evaluation_comes_as_a_log_record() -> None:
    """The conventions' event names the evaluation, its score and label, and the span and answer that it is of."""
    given: dict[str, Value] = {_NAME: "tone", _SCORE: 0.25, _LABEL: "poor", "gen_ai.response.id": "r-1"}
    (found,) = _of_log("gen_ai.evaluation.result", given)
    assert isinstance(found, Evaluation)
    assert (found.name, found.score, found.label, found.response_id) == ("tone", 0.25, "poor", "r-1")
    assert (found.origin.span_id, found.origin.source.log) == (bytes(7) + b"\2", True)


def test_evaluations_stand_on_spans() -> None:
    """A call's span may carry several, each under a number; the call is told beside them."""
    given: dict[str, Value] = {
        "evaluations.0.evaluation.name": "tone",
        "evaluations.0.evaluation.score": 1,
        "annotations.3.annotation.name": "truth",
        "annotations.3.annotation.label": "yes",
    }
    call, first, second = read(span(chat() | given))
    assert isinstance(call, LlmCall)
    assert isinstance(first, Evaluation)
    assert isinstance(second, Evaluation)
    assert [(each.name, each.score, each.label) for each in (first, second)] == [
        ("tone", 1.0, ""),
        ("truth", None, "yes"),
    ]


def test_evaluations_come_as_span_events() -> None:
    """A span's event of that name is read like the log record."""
    one = span(chat())
    event = one.events.add(name="gen_ai.evaluation.result", time_unix_nano=START_NS + 5)
    event.attributes.extend(key_values({_NAME: "tone", _SCORE: 1.0}))
    _, found = read(one)
    assert isinstance(found, Evaluation)
    assert (found.name, found.origin.span_id, found.origin.start_ns) == ("tone", one.span_id, START_NS + 5)


@pytest.mark.parametrize(
    ("value", "score", "suspects"),
    [
        (-0.5, -0.5, []),
        ("0.5", 0.5, []),
        (float("nan"), None, ["not_finite"]),
        (1e12, None, ["too_large"]),
        (-1e12, None, ["too_large"]),
        ("good", None, ["not_a_number"]),
        (AnyValue(array_value=ArrayValue()), None, ["not_a_number"]),
    ],
)
def test_scores_of_any_type(value: Value, score: float | None, suspects: list[str]) -> None:
    """A score may be negative; one that cannot be right is unknown, with a reason."""
    (found,) = _of_log("gen_ai.evaluation.result", {_NAME: "tone", _SCORE: value})
    assert isinstance(found, Evaluation)
    assert (found.score, list(found.suspects)) == (score, suspects)


@pytest.mark.parametrize(
    ("value", "up"),
    [
        (True, True),
        (False, False),
        ("up", True),
        ("thumbs_down", False),
        ("👍", True),
        ('"up"', True),
        (1, True),
        (0, False),
        (-1, False),
        (1.0, True),
    ],
)
def test_a_users_judgement(value: Value, *, up: bool) -> None:
    """Thumbs are read as truth values, words, signs and numbers; with the prompt and model that they are of."""
    call = chat(prompt__name="support", response__model="gpt") | {"gen_ai.user.feedback": value}
    _, found = read(span(call))
    assert isinstance(found, Feedback)
    assert (found.up, found.prompt_name, found.model) == (up, "support", "gpt")


def test_a_rating_is_a_score() -> None:
    """Three stars are neither up nor down."""
    _, found = read(span(chat() | {"gen_ai.user.feedback": 3}))
    assert isinstance(found, Evaluation)
    assert (found.name, found.score, found.suspects) == ("user_feedback", 3.0, ())


def test_a_judgement_comes_as_a_log_record() -> None:
    """Minutes after the answer, an application may send it as an event."""
    (found,) = _of_log("gen_ai.user.feedback", {"gen_ai.user.feedback": "down", "gen_ai.user.feedback.name": "thumbs"})
    assert isinstance(found, Feedback)
    assert (found.up, found.name) == (False, "thumbs")


def test_an_evaluation_by_the_user_is_a_judgement() -> None:
    """An evaluation that is named for it is the user's."""
    (found,) = _of_log("gen_ai.evaluation.result", {_NAME: "user_feedback", _LABEL: "thumbs_up"})
    assert isinstance(found, Feedback)
    assert found.up


def test_one_judgement_counts_once() -> None:
    """The same judgement under two keys is one."""
    found = read(span(chat() | {"gen_ai.user.feedback": "up", "user.feedback": "up"}))
    assert [type(each) for each in found] == [LlmCall, Feedback]


def test_an_answer_is_asked_for_again() -> None:
    """A regeneration is an attribute that is true, or an event."""
    for value, kinds in ((True, [LlmCall, Regeneration]), ("true", [LlmCall, Regeneration]), (False, [LlmCall])):
        assert [type(each) for each in read(span(chat() | {"gen_ai.request.regeneration": value}))] == kinds
    (found,) = _of_log("gen_ai.user.regeneration", {})
    assert isinstance(found, Regeneration)


def test_events_on_a_span_that_is_no_call() -> None:
    """An evaluation may come as an event of any span."""
    one = span({"http.route": "/"})
    one.events.add(name="gen_ai.evaluation.result").attributes.extend(key_values({_NAME: "tone", _SCORE: 1.0}))
    one.events.add(name="exception")
    (found,) = read(one)
    assert isinstance(found, Evaluation)


def test_feedback_on_a_span_that_is_no_call() -> None:
    """A judgement may stand on a span of its own."""
    (found,) = read(span({"gen_ai.user.feedback": "up"}))
    assert isinstance(found, Feedback)
    assert (found.model, found.origin.source.service) == ("", "shop")


def test_a_guard_is_an_evaluation() -> None:
    """OpenLIT's guards tell how sure they are that a text is bad, and what they did: more is worse."""
    one = span(chat())
    event = one.events.add(name="guard.evaluation", time_unix_nano=START_NS + 5)
    event.attributes.extend(key_values({"guard.name": "pii", "guard.score": 0.7, "guard.action": "redact"}))
    _, found = read(one)
    assert isinstance(found, Evaluation)
    assert (found.name, found.score, found.label, found.is_risk) == ("pii", 0.7, "redact", True)


@pytest.mark.parametrize("given", [{"guard.name": "auth-route"}, {_LABEL: "poor"}, {"gen_ai.eval.other": 1.0}])
def test_what_is_no_evaluation(given: dict[str, Value]) -> None:
    """A guard without a score may be anything, a label without a name is nobody's, and no key is guessed."""
    assert [type(each) for each in read(span(chat() | given))] == [LlmCall]


def test_a_key_may_be_the_name_of_an_evaluation() -> None:
    """OpenLIT has a key for each of three evaluations."""
    _, found = read(span(chat() | {"gen_ai.eval.answer_relevancy": 0.25}))
    assert isinstance(found, Evaluation)
    assert (found.name, found.score) == ("answer_relevancy", 0.25)


@pytest.mark.parametrize(("value", "up"), [(True, True), (False, False), (1, True), ("bad", False)])
def test_a_judgement_under_a_key_that_another_names(value: Value, *, up: bool) -> None:
    """Logfire names the feedback, and puts its value under that name, whatever it is."""
    (found,) = read(span({"logfire.feedback.name": "tone", "tone": value, "logfire.span_type": "annotation"}))
    assert isinstance(found, Feedback)
    assert (found.name, found.up) == ("tone", up)


def test_a_label_that_is_no_judgement_is_an_evaluation() -> None:
    """What Logfire's users say in words of their own is a label; a name without a value says nothing."""
    (found,) = read(span({"logfire.feedback.name": "tone", "tone": "a bit stiff"}))
    assert isinstance(found, Evaluation)
    assert (found.name, found.score, found.label) == ("tone", None, "a bit stiff")
    assert read(span({"logfire.feedback.name": "tone"})) == ()


@pytest.mark.parametrize(("key", "value"), [("assertion", False), ("score", 0), ("label", "thumbs_down")])
def test_a_judgement_in_the_form_of_its_type(key: str, value: Value) -> None:
    """Logfire had a key for each type before."""
    (found,) = read(span({"feedback.name": "tone", f"feedback.{key}": value}))
    assert isinstance(found, Feedback)
    assert (found.name, found.up) == ("tone", False)


@pytest.mark.parametrize("scope", ["", "trace.", "session."])
@pytest.mark.parametrize("kind", ["evaluation", "annotation"])
def test_evaluations_of_a_trace_or_a_session(scope: str, kind: str) -> None:
    """OpenInference says of what an evaluation is by what stands before it."""
    given: dict[str, Value] = {
        f"{scope}{kind}s.1.{kind}.name": "tone",
        f"{scope}{kind}s.1.{kind}.score": 0.5,
        f"{scope}{kind}s.1.{kind}.label": "stiff",
    }
    (found,) = read(span(given))
    assert isinstance(found, Evaluation)
    assert (found.name, found.score, found.label) == ("tone", 0.5, "stiff")
