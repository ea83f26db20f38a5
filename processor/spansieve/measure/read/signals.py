"""What is told about an answer after it was given: evaluations, users' judgements, wishes for the same once more."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from spansieve import strict_yaml
from spansieve.measure.llm_call import Evaluation, Feedback, LlmCall, Observation, Origin, Regeneration, Suspect
from spansieve.measure.read import values
from spansieve.measure.read.attributes import AttributeReader, Found, plain
from spansieve.measure.read.table import Option, placed
from spansieve.measure.read.values import Told
from spansieve.model import EventHead

_NUMBERED = 8  # groups with a number in them are read up to this many


class _Rated(NamedTuple):
    """Where one evaluation stands; empty tuples where it tells nothing."""

    name: tuple[Option, ...]
    score: tuple[Option, ...]
    label: tuple[Option, ...]
    response_id: tuple[Option, ...]
    called: str = ""  # its name, where no attribute says it
    is_risk: bool = False

    @property
    def shown(self) -> tuple[Option, ...]:
        """What shows that there is one."""
        return self.score if self.called or self.is_risk else self.name

    def placed(self, places: Mapping[str, int]) -> "_Rated":
        """Return it with places among attributes."""
        return self._replace(
            name=placed(self.name, places),
            score=placed(self.score, places),
            label=placed(self.label, places),
            response_id=placed(self.response_id, places),
        )


class _Judged(NamedTuple):
    """Where one judgement of a user stands."""

    verdict: tuple[Option, ...]
    name: tuple[Option, ...]


class Signals:
    """The reader; its data are described in `signals.yaml`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        evaluation, feedback, regeneration = data["evaluation"], data["feedback"], data["regeneration"]
        self.calls = frozenset(data["calls"])
        """Log records that tell of a call."""
        self._evaluation_events = frozenset(evaluation["events"])
        self._feedback_events = frozenset(feedback["events"])
        self._regeneration_events = frozenset(regeneration["events"])
        self.events = self.calls | self._evaluation_events | self._feedback_events | self._regeneration_events
        """Names of log records that are read."""
        self._span_events = self.events - self.calls
        self._rated = [
            _Rated(
                _at(group.get("name"), number),
                _at(group["score"], number),
                _at(group.get("label"), number),
                _at(group.get("response_id"), number),
                group.get("called", ""),
                group.get("is_risk", False),
            )
            for group in evaluation["attributes"]
            for number in _numbers(group["score"])
        ]
        self._judged = [_Judged(_at(group["verdict"]), _at(group.get("name"))) for group in feedback["attributes"]]
        self._regenerated = tuple(Option(key) for key in regeneration["attributes"])
        self._named_by: Mapping[str, str] = feedback["named_by"]
        self._feedback_names = frozenset(feedback["names"])
        self._verdicts = dict.fromkeys(feedback["up"], True) | dict.fromkeys(feedback["down"], False)
        # A response's id stands on every call: it shows no signal.
        groups = [
            *((each.name, each.score, each.label) for each in self._rated),
            *self._judged,
            (self._regenerated,),
        ]
        self.keys = frozenset(option.key for group in groups for options in group for option in options)
        """Every attribute that shows a signal."""
        self._attributes = AttributeReader(self.keys | {"gen_ai.response.id"})

    def of_span(
        self, found: Found, attributes: Iterable[bytes], origin: Origin, observed: Iterable[Observation]
    ) -> Iterator[Observation]:
        """Read what a span's attributes tell: those that are read, and all, serialized.

        `observed` is what the span itself was.
        """
        keys = {key: said for key, by in self._named_by.items() if isinstance(said := found.get(by), str)}
        if keys:
            every = {each.key: plain(each.value) for each in map(KeyValue.FromString, attributes)}
            found = {**found, **{key: every[said] for key, said in keys.items() if said in every}}
        yield from self._all(found, origin, _call(observed))

    def of_events(
        self, events: Iterable[EventHead], origin: Origin, observed: Iterable[Observation]
    ) -> Iterator[Observation]:
        """Read what a span's events tell; `observed` is what the span itself was."""
        for event in events:
            if (name := event.name) in self._span_events:
                found = self._attributes.of_bytes(event.attributes)
                at = origin._replace(start_ns=event.time_unix_nano, end_ns=event.time_unix_nano)
                yield from self.of_event(name, found, at, _call(observed))

    def of_event(self, name: str, found: Found, origin: Origin, call: LlmCall | None = None) -> Iterator[Observation]:
        """Read what a log record or a span's event of this name tells, with the call that it stands on."""
        if name in self._regeneration_events:
            yield _regeneration(origin, call)
        else:
            yield from self._all(found, origin, call)

    def _all(self, found: Found, origin: Origin, call: LlmCall | None) -> Iterator[Observation]:
        told = Told(list(found.values()))
        places = {key: at for at, key in enumerate(found)}
        for rated in self._rated:
            if placed(rated.shown, places):
                yield self._evaluation(rated.placed(places), told, origin, call)
        for judged in self._judged:
            if placed(judged.verdict, places):
                yield self._feedback(_Judged(*(placed(each, places) for each in judged)), told, origin, call)
                break  # the same judgement, spelled twice
        if told.truth(placed(self._regenerated, places)):
            yield _regeneration(origin, call)

    def _evaluation(self, rated: _Rated, told: Told, origin: Origin, call: LlmCall | None) -> Observation:
        name, label = rated.called or told.text(rated.name), told.text(rated.label)
        score, suspects = _score(told, rated.score)
        if name.lower() in self._feedback_names:
            up = self._verdict(label, score)
            if up is not None:
                return _feedback(origin, name, call, up=up)
        return Evaluation(origin, name, score, label, told.text(rated.response_id), suspects, rated.is_risk)

    def _feedback(self, judged: _Judged, told: Told, origin: Origin, call: LlmCall | None) -> Observation:
        name = told.text(judged.name)
        given = told.found[judged.verdict[0].at]
        if isinstance(given, bool):
            return _feedback(origin, name, call, up=given)
        label = given if isinstance(given, str) else ""
        score = float(given) if isinstance(given, int | float) else None
        up = self._verdict(label, score)
        if up is not None:
            return _feedback(origin, name, call, up=up)
        # A judgement that is neither up nor down, such as three stars, is a score.
        score, suspects = _score(told, judged.verdict)
        return Evaluation(origin, name or "user_feedback", score, label[: values.MAX_TEXT], "", suspects)

    def _verdict(self, label: str, score: float | None) -> bool | None:
        if (known := self._verdicts.get(label.strip().strip('"').lower())) is not None:
            return known
        # One and zero, or one and minus one; a number between them, or above, has no agreed meaning.
        return {1.0: True, 0.0: False, -1.0: False}.get(score) if score is not None else None


@cache  # the package's data do not change
def load() -> Signals:
    """Read the package's `signals.yaml`."""
    return Signals(strict_yaml.shipped("spansieve.measure.read", "signals.yaml"))


def _score(told: Told, options: tuple[Option, ...]) -> tuple[float | None, tuple[Suspect, ...]]:
    """Return a score, which may be negative, and what was wrong with it."""
    one = Told(told.found)
    score = one.score(options)
    return score, tuple(one.suspects)


def _feedback(origin: Origin, name: str, call: LlmCall | None, *, up: bool) -> Feedback:
    return Feedback(origin, up, name, call.kind.prompt_name if call else "", _model(call))


def _regeneration(origin: Origin, call: LlmCall | None) -> Regeneration:
    return Regeneration(origin, call.kind.prompt_name if call else "", _model(call))


def _call(observed: Iterable[Observation]) -> LlmCall | None:
    return next((each for each in observed if isinstance(each, LlmCall)), None)


def _model(call: LlmCall | None) -> str:
    return call.kind.model if call else ""


def _numbers(key: str) -> range:
    return range(_NUMBERED) if "{n}" in key else range(1)


def _at(key: str | None, number: int = 0) -> tuple[Option, ...]:
    return (Option(key.replace("{n}", str(number))),) if key else ()
