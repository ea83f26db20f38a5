"""The reviewer's document says what is so, in two forms, and loads nothing."""

from functools import cache
from html.parser import HTMLParser

import pytest
import yaml

from spansieve.redact import policy
from spansieve.redact.review import measured, report, report_text
from spansieve.redact.review.measured import Figures
from spansieve.redact.review.report import Report

_HOSTILE = """
name: "<script>alert(1)</script> | `x`"
description: "a <b>bold</b> *claim* | with bars"
rules:
  - name: badge
    entity: BADGE
    reason: "<img src=x> | reasons `here`"
    owner: "<i>us</i>"
    supports: {soc2: [C1.1]}
    keys: [badge]
    examples:
      positive: [{text: "<script>`|`</script>\\n", key: badge, becomes: "[BADGE]"}]
      negative: ["| a | ```b``` |"]
"""


class _Tags(HTMLParser):
    """Which elements, attributes and links a page has, and whether each element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.ids: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.ids.update(value or "" for name, value in attrs if name == "id")
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@cache  # which runs every example
def of_shipped(name: str) -> Report:
    """The report on a shipped policy."""
    return report.make(policy.parse(policy.shipped(name)))


@pytest.fixture
def safe_harbor() -> Report:
    """That on the policy that claims most."""
    return of_shipped("hipaa-safe-harbor")


@pytest.mark.parametrize("name", policy.shipped_names())
def test_every_rule_is_in_the_report(name: str) -> None:
    """With what became of each example."""
    chosen = policy.parse(policy.shipped(name))
    made = of_shipped(name)
    text = report_text.markdown(made)
    assert [rule.name for rule in made.rules][: len(chosen.rules)] == [rule.name for rule in chosen.rules]
    assert all(f"### {rule.name}\n" in text for rule in made.rules)
    assert made.digest in text
    assert made.failed == 0


def test_all_eighteen_identifiers_are_listed(safe_harbor: Report) -> None:
    """Each with its limits, those that no rule covers too."""
    assert "".join(each.letter for each in safe_harbor.identifiers) == "ABCDEFGHIJKLMNOPQR"
    assert all(each.limit for each in safe_harbor.identifiers)
    assert "".join(each.letter for each in safe_harbor.identifiers if not each.rules) == "PQ"
    assert all(each.found != "not covered" for each in safe_harbor.identifiers)


def test_what_a_policy_does_not_find_is_not_said_to_be_found() -> None:
    """A policy of secrets covers no letter; recordings and images go whatever the policy."""
    made = report.make(policy.parse("include: [secrets]"))
    assert "".join(each.letter for each in made.identifiers if each.found == "not covered") == "ABCDEFGHIJKLMNOR"


def test_examples_are_run_for_the_report() -> None:
    """What is shown is what comes out, and a failure is said."""
    made = report.make(policy.parse(_HOSTILE.replace('"[BADGE]"', '"[OTHER]"')))
    assert made.failed == 1
    assert made.rules[0].result.shown[0].becomes == "[BADGE]"
    assert "FAILED" in report_text.markdown(made)
    assert 'class="failed"' in report_text.html(made)


def test_the_page_is_whole_and_loads_nothing(safe_harbor: Report) -> None:
    """No script, no image, no link to elsewhere: it can be archived as one file."""
    tags = _Tags()
    tags.feed(report_text.html(safe_harbor))
    assert tags.open == []
    assert tags.tags.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert tags.attributes <= {"lang", "charset", "name", "content", "id", "class", "href", "scope"}


def test_each_rule_is_linked_to_what_is_said_of_it(safe_harbor: Report) -> None:
    """From the table of all to its own part of the same page."""
    tags = _Tags()
    tags.feed(report_text.html(safe_harbor))
    assert [link.removeprefix("#") for link in tags.links] == [rule.name for rule in safe_harbor.rules]
    assert tags.ids.issuperset(link.removeprefix("#") for link in tags.links)


def test_what_a_policy_file_holds_is_text() -> None:
    """Markup in it is shown, not obeyed."""
    made = report.make(policy.parse(_HOSTILE))
    tags = _Tags()
    tags.feed(report_text.html(made))
    assert tags.tags.isdisjoint({"script", "img", "b", "i"})
    assert tags.open == []
    rows = [line for line in report_text.markdown(made).splitlines() if line.startswith("| badge")]
    assert len(rows) == 1
    assert rows[0].count("|") == 8


def test_rules_as_shipped_have_figures(safe_harbor: Report) -> None:
    """Recall and precision, measured ahead, with how many they are of."""
    by_name = {rule.name: rule for rule in safe_harbor.rules}
    assert by_name["email"].figures is not None
    text = report_text.markdown(safe_harbor)
    assert " of 220 | " in next(line for line in text.splitlines() if line.startswith("| email "))
    assert f"{safe_harbor.corpus.values} values" in text
    assert "made for the rules ahead" in report_text.html(safe_harbor)


def test_a_rule_that_was_changed_has_no_figures() -> None:
    """They would be of another rule. What becomes of its values does not matter."""
    email = next(rule for rule in policy.pack_rules("identity") if rule.name == "email")
    assert measured.of(email) == measured.of(email.model_copy(update={"action": "remove", "reason": "for some reason"}))
    assert measured.of(email.model_copy(update={"threshold": 0.9})) is None
    assert measured.of(email.model_copy(update={"patterns": email.patterns[:1]})) is None


@pytest.mark.parametrize(
    ("figures", "recall", "precision"),
    [
        (Figures("made", 220, 220, 220, 0), "1.000 of 220", "1.000 of 220"),
        (Figures("varied", 9999, 9998, 19, 1), "0.999 of 9999 (varied)", "0.950 of 20"),
        (Figures("made", 220, 110, 3, 0), "0.500 of 220", ""),
        (Figures("", 0, 0, 0, 0), "", ""),
        (None, "", ""),
    ],
)
def test_shares_are_not_rounded_up(figures: Figures | None, recall: str, precision: str) -> None:
    """What was missed once shows, and a share of few findings is not told."""
    assert report_text._shares(figures) == (recall, precision)


def test_an_allow_list_is_shown() -> None:
    """All that stays, and the rule that takes the rest."""
    made = of_shipped("metadata-only")
    text = report_text.markdown(made)
    assert "- `gen_ai.request.model`\n" in text
    assert "### content\n" in text


@pytest.mark.parametrize("name", policy.shipped_names())
def test_every_entity_has_its_clauses(name: str) -> None:
    """So that a new kind of value is not forgotten in the report."""
    made = of_shipped(name)
    assert sorted({rule.entity for rule in made.rules if not rule.supports}) == []


def test_clauses_name_no_entity_that_is_gone() -> None:
    """What no policy finds supports nothing."""
    known = {rule.entity for name in policy.shipped_names() for rule in of_shipped(name).rules}
    assert set(report.clauses()["entities"]) <= known


def test_the_schema_of_clauses_is_that_of_rules() -> None:
    """The same regimes, letters A to R."""
    data = report.clauses()
    for clauses in data["entities"].values():
        rule = {"name": "xx", "entity": "XX", "reason": "for this test only", "keys": ["x"], "supports": clauses}
        policy.parse(yaml.safe_dump({"rules": [rule]}))
