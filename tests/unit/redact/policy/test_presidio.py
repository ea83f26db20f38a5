"""Recognisers of Presidio in a policy: by name, with bounds, without a network."""

import builtins
import importlib
from collections.abc import Sequence
from typing import Any

import pytest
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult
from presidio_analyzer.predefined_recognizers import CreditCardRecognizer

from spansieve import redact
from spansieve.redact import policy
from spansieve.redact.policy import presidio
from spansieve.redact.review import trial
from spansieve.redact.rules.compiled import CompiledRules


def _rules(detector: str, rest: str = "", also: str = "") -> CompiledRules:
    return policy.compile(policy.parse(_written(detector, rest, also)))


def _written(detector: str, rest: str = "", also: str = "") -> str:
    rule = f"name: theirs, entity: THEIRS, reason: Presidio finds it., detector: {detector}{rest}"
    return f"{also}\nrules: [{{{rule}}}]"


class Loud(EntityRecognizer):
    """A recogniser of one's own: what is in capitals, with the more confidence the longer it is."""

    def __init__(self, entity: str = "LOUD") -> None:
        super().__init__([entity], context=["shouting"])

    def load(self) -> None:
        """Nothing."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: object) -> list[RecognizerResult]:
        """Words of capitals."""
        assert entities == self.supported_entities
        assert nlp_artifacts is None
        at, found = 0, []
        for word in text.split(" "):
            if word.isupper():
                found.append(RecognizerResult(entities[0], at, at + len(word), min(1.0, len(word) / 10)))
            at += len(word) + 1
        return found


class Slow(PatternRecognizer):
    """A recogniser whose pattern takes for ever where there is an `a` for each of its repeats."""

    def __init__(self) -> None:
        super().__init__("SLOW", patterns=[Pattern("slow", r"(?:(?:a|aa)+)+b", 0.9), Pattern("x", "x", 0.9)])


class Broken(EntityRecognizer):
    """A recogniser that fails."""

    def __init__(self) -> None:
        super().__init__(["BROKEN"])

    def load(self) -> None:
        """Nothing."""

    def analyze(self, text: str, _entities: Sequence[str], _nlp: object) -> list[RecognizerResult]:
        """Raise, with the text."""
        raise RuntimeError(text)


_OWN = "unit.redact.test_presidio"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let dotted paths lead here, whatever the test runner calls this module."""
    imported = importlib.import_module

    def find(name: str, package: str | None = None) -> Any:  # noqa: ANN401 - a module
        return __import__("sys").modules[__name__] if name == _OWN else imported(name, package)

    monkeypatch.setattr(importlib, "import_module", find)


def test_a_recogniser_is_named_in_a_policy() -> None:
    """Its findings are replaced by the rule's token."""
    rules = _rules("{presidio: CreditCardRecognizer}")
    assert redact.text("pay 4111111111111111 now", rules) == ("pay [THEIRS] now", {"theirs": 1})
    assert redact.text("pay 4111111111111112 now", rules)[0] == "pay 4111111111111112 now"


def test_it_looks_at_leaves_of_json_and_behind_escapes() -> None:
    """What the gateway sees through, it sees through for recognisers too."""
    rules = _rules("{presidio: CreditCardRecognizer}")
    assert redact.text('{"n": "4111111111111111"}', rules)[0] == '{"n": "[THEIRS]"}'
    assert redact.text("n=4111%2D1111%2D1111%2D1111", rules)[0] == "n=[THEIRS]"


def test_args_are_handed_to_the_class() -> None:
    """So that a recogniser may be set up as in Presidio."""
    deny = "{presidio: presidio_analyzer.PatternRecognizer, args: {supported_entity: X, deny_list: [Falcon, Heron]}}"
    assert redact.text("project Falcon", _rules(deny))[0] == "project [THEIRS]"


def test_a_class_of_ones_own_is_named_by_its_path() -> None:
    """Any subclass of EntityRecognizer will do."""
    rules = _rules(f"{{presidio: {_OWN}.Loud, args: {{entity: SHOUT}}}}")
    assert redact.text("he is SHOUTING it", rules)[0] == "he is [THEIRS] it"


@pytest.mark.parametrize(
    ("threshold", "alone", "beside"), [(0.4, True, True), (0.5, False, True), (0.75, False, True), (0.8, False, False)]
)
def test_findings_of_low_confidence_are_left(threshold: float, alone: bool, beside: bool) -> None:
    """A rule's threshold stands, and a context word of the recogniser's or the rule's adds 0.35."""
    rules = _rules(f"{{presidio: {_OWN}.Loud}}", f", threshold: {threshold}, context: [bawling]")
    assert (redact.text("it was LOUD", rules)[0] == "it was [THEIRS]") is alone
    assert (redact.text("shouting LOUD", rules)[0] == "shouting [THEIRS]") is beside
    assert (redact.text("bawling LOUD", rules)[0] == "bawling [THEIRS]") is beside


def test_noise_is_not_inherited() -> None:
    """A driving licence by shape alone has 0.3 at most in Presidio, and says nothing."""
    rules = _rules("{presidio: UsLicenseRecognizer}")
    assert redact.text("order A1234567", rules)[0] == "order A1234567"
    assert redact.text("driver license A1234567", rules)[0] == "driver license [THEIRS]"


def test_addresses_of_mail_need_no_network() -> None:
    """Presidio's recogniser would fetch the list of public suffixes; the guard of the tests would see it."""
    assert redact.text("to bob@example.com", _rules("{presidio: EmailRecognizer}"))[0] == "to [THEIRS]"


def test_a_pattern_out_of_time_takes_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presidio would skip the pattern and report success."""
    monkeypatch.setattr(presidio, "SECONDS", 0.02)
    rules = _rules(f"{{presidio: {_OWN}.Slow}}")
    assert redact.text("a x", rules)[0] == "a [THEIRS]"
    assert redact.text("a" * 60 + " x", rules) == ("[REMOVED]", {"budget": 1})


def test_a_text_that_is_too_long_goes() -> None:
    """It would take seconds."""
    rules = _rules("{presidio: CreditCardRecognizer}")
    assert redact.text("x " * (presidio.LONGEST // 2), rules)[0] == "x " * (presidio.LONGEST // 2)
    assert redact.text("x " * (presidio.LONGEST // 2) + "x", rules) == ("[REMOVED]", {"budget": 1})


def test_windows_hide_nothing() -> None:
    """A value is found wherever in a long text it stands."""
    rules = _rules("{presidio: CreditCardRecognizer}")
    for place in range(3700, 4300, 7):
        text = f"{'word ' * (place // 5)}4111111111111111 {'word ' * 900}"
        assert redact.text(text, rules)[0] == text.replace("4111111111111111", "[THEIRS]"), place
    unbroken = "x" * 4090 + " 4111111111111111 " + "x" * 5000
    assert "[THEIRS]" in redact.text(unbroken, rules)[0]


def test_a_recogniser_that_fails_takes_the_value() -> None:
    """Fail closed; what it said about the text is told to nobody."""
    assert redact.text("some text", _rules(f"{{presidio: {_OWN}.Broken}}")) == ("[REMOVED]", {"error": 1})


@pytest.mark.parametrize(
    ("detector", "said"),
    [
        ("{presidio: NopeRecognizer}", "is no recogniser of Presidio"),
        ("{presidio: json.loads}", "is no recogniser of Presidio"),
        ("{presidio: nowhere.at.All}", "cannot be imported"),
        ("{presidio: SpacyRecognizer}", "asks a model or a service"),
        ("{presidio: GLiNERRecognizer}", "asks a model or a service"),
        ("{presidio: AzureAILanguageRecognizer}", "asks a model or a service"),
        ("{presidio: CreditCardRecognizer, args: {hunter2: 1}}", "CreditCardRecognizer raised TypeError"),
        ("{presidio: CreditCardRecognizer, arg: {}}", "is not a key of a policy"),
        ("{}", "either presidio or names"),
    ],
)
def test_what_cannot_be_used_is_told(detector: str, said: str) -> None:
    """When the policy is read, in a sentence without the args."""
    with pytest.raises(policy.PolicyError) as caught:
        policy.parse(_written(detector))
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_without_presidio_there_is_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is optional: only policies that name it need it."""

    def absent(_name: str, _package: str | None = None) -> object:
        raise builtins.ModuleNotFoundError

    monkeypatch.setattr(importlib, "import_module", absent)
    assert "needs the package presidio-analyzer" in presidio.problem("CreditCardRecognizer", {})


def test_its_examples_are_tried() -> None:
    """`policy test` holds such a rule to its examples like any other."""
    examples = (
        "{positive: [{text: card 4111111111111111, becomes: 'card [THEIRS]'}], negative: [card 4111111111111112]}"
    )
    chosen = policy.parse(_written("{presidio: CreditCardRecognizer}", f", examples: {examples}"))
    assert trial.run(chosen)[-1].failures == ()


def test_recognisers_of_a_class_do_not_share_patterns() -> None:
    """The class's own list of patterns stays as Presidio made it."""
    before = [pattern.compiled_regex for pattern in CreditCardRecognizer.PATTERNS]
    presidio.Recogniser("CreditCardRecognizer", {})
    assert [pattern.compiled_regex for pattern in CreditCardRecognizer.PATTERNS] == before
