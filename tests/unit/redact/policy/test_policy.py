"""A policy file is checked as a whole: every mistake is named, with a remedy and without its value."""

import pytest

from spansieve import redact
from spansieve.redact import policy
from spansieve.redact.review import trial

_OWN = """
version: 1
name: mine
include: [secrets]
disable: [cookie_header]
rules:
  - name: badge
    entity: BADGE
    reason: Numbers of our staff's badges.
    anchors: [bdg-]
    patterns: ['BDG-\\d{4,8}']
    keys: [badge_number]
    examples:
      positive: [{text: "BDG-1234 came", becomes: "[BADGE] came"}, {text: "77", key: badge_number, becomes: "[BADGE]"}]
      negative: [BDG-x]
"""


def _problems(text: str) -> list[str]:
    with pytest.raises(policy.PolicyError) as caught:
        policy.parse(text)
    return caught.value.problems


def test_a_policy_takes_packs_drops_rules_and_adds_its_own() -> None:
    """The effective policy holds the packs' rules without those disabled, then the file's own."""
    names = [rule.name for rule in policy.parse(_OWN).rules]
    assert names[-1] == "badge"
    assert "secret_by_key" in names
    assert "cookie_header" not in names
    assert "email" not in names


def test_a_rule_of_ones_own_works() -> None:
    """By pattern and by key, and its examples hold."""
    mine = policy.parse(_OWN)
    rules = policy.compile(mine)
    assert redact.text("bdg BDG-0042 alice@example.com", rules)[0] == "bdg [BADGE] alice@example.com"
    assert redact.text("7", rules, "hr.badgeNumber")[0] == "[BADGE]"
    assert [result for result in trial.run(mine) if result.failures] == []


def test_a_rule_with_the_name_of_a_packs_rule_takes_its_place() -> None:
    """So a shipped rule can be changed."""
    text = _OWN.replace("name: badge", "name: bearer")
    assert [rule.entity for rule in policy.parse(text).rules if rule.name == "bearer"] == ["BADGE"]


def test_remove_leaves_nothing_in_the_values_place() -> None:
    """The action `remove` puts no token there."""
    rules = policy.compile(policy.parse(_OWN.replace("    anchors: [bdg-]", "    action: remove\n    anchors: [bdg-]")))
    assert redact.text("a BDG-1234 b", rules)[0] == "a  b"


def test_the_effective_policy_reads_back_as_itself() -> None:
    """What `policy show` prints is a policy, with the same digest."""
    mine = policy.parse(_OWN)
    again = policy.parse(policy.render(mine))
    assert again == mine
    assert policy.digest(again) == policy.digest(mine)


def test_the_digest_names_what_a_policy_does() -> None:
    """Not how it is called, and whatever rules do differently shows."""
    mine = policy.parse(_OWN)
    assert policy.digest(policy.parse(_OWN.replace("name: mine", "name: yours"))) == policy.digest(mine)
    assert policy.digest(policy.parse(_OWN.replace("4,8", "4,9"))) != policy.digest(mine)
    assert policy.compile(mine).digest == policy.digest(mine)


def test_an_unknown_policy_names_those_there_are() -> None:
    """A typing error is answered with the names to choose from."""
    with pytest.raises(policy.PolicyError, match=r"'defualt'.*default"):
        policy.shipped("defualt")


def test_all_mistakes_are_named_at_once() -> None:
    """One sentence each, with the key's path and an example of what is right."""
    problems = _problems(
        """
version: 2
nmae: x
regions: [XX]
rules:
  - name: Bad Name
    entity: x
    patterns: ['a+', '(']
    validator: nope
"""
    )
    text = "\n".join(problems)
    for part in (
        "version",
        "nmae is not a key",
        "regions.0",
        "rules.0.name",
        "rules.0.entity",
        "rules.0.reason is missing",
        "rules.0.patterns.0",
        "more than 4096 characters",
        "rules.0.patterns.1",
        "rules.0.validator",
        "Example:",
    ):
        assert part in text
    assert len(problems) == 9


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("include: [nope]", "not a rule pack"),
        ("include: [secrets]\ndisable: [nope]", "not a rule of the packs"),
        ("version: 1", "nothing would be redacted"),
        ("- a list", "holds a list"),
        ("", "holds nothing"),
        ("a: [", "not valid YAML in line 1"),
        ("version: 1\nversion: 1", "stands twice"),
        (_OWN.replace("BDG-\\d{4,8}", "(?<!x)BDG"), "looks around"),
        (_OWN.replace("    keys:", "    threshold: 0.7\n    keys:"), "the confidence of its threshold, 0.7"),
        (_OWN.replace("    keys:", "    threshold: yes\n    keys:"), "threshold: a truth value is not accepted"),
        (_OWN + "thresholds: {NOPE: 0.3}", "thresholds: 'NOPE' is neither"),
        (_OWN + "countries: [XX]", "code of a country"),
        (_OWN.replace("anchors: [bdg-]", "anchors: [b]"), "the anchor 'b'"),
        (_OWN.replace("    patterns: ['BDG-\\d{4,8}']\n    keys: [badge_number]\n", ""), "neither patterns nor keys"),
        (_OWN.replace("patterns:", "context_patterns:"), "no context words"),
        (_OWN.replace("keys: [badge_number]", "key_value: '1'"), "key_value but no keys"),
        (_OWN + _OWN[_OWN.index("  - name") :], "stands twice"),
        ("includes: [secrets]", "Did you mean include?"),
        (
            _OWN.replace("    patterns:", "    pattern:"),
            "rules.badge.pattern is not a key of a policy. Did you mean patterns?",
        ),
        ("actions: {EMAIL: mask}", "actions.EMAIL: a text is not accepted: keys and values are needed"),
    ],
)
def test_a_mistake_is_named(text: str, part: str) -> None:
    """What parts of a policy say together is checked too."""
    assert any(part in problem for problem in _problems(text))


@pytest.mark.parametrize(
    ("text", "beginnings"),
    [
        ("include: [nope]\nnmae: x\ndisable: [mac]", ["nmae is not a key", "include: 'nope' is not a rule pack"]),
        ("include: [network]\ndisable: [nope]\nregions: [X]", ["regions.0", "disable: 'nope' is not a rule"]),
        ("include: network\ndisable: [mac]", ["include: a text is not accepted"]),
        (
            "rules: [{name: one_two, entity: ONE, reason: The first of two.}, {name: 2}]",
            ["rules.1.name", "rules.1.entity", "rules.1.reason", "rules.one_two has neither patterns nor keys"],
        ),
        ("include: [nope]\nrules: hunter2\n7: 8", ["rules: a text", "7: a number", "include: 'nope'"]),
    ],
)
def test_a_mistake_in_a_key_hides_none_in_packs_and_rules(text: str, beginnings: list[str]) -> None:
    """But where what is wrong could be why: what is left out of packs that are not known is not missed."""
    problems = _problems(text)
    assert all(problem.startswith(each) for problem, each in zip(problems, beginnings, strict=True))


def test_a_mistake_does_not_show_the_value() -> None:
    """A policy file may hold, by mistake, what must not be logged."""
    assert "hunter2" not in "\n".join(_problems("regions: hunter2\nrules: [hunter2]\nlimits: {depth: hunter2}"))


@pytest.mark.parametrize(
    ("change", "failure"),
    [
        ("[BADGE] came", "positive example 1 becomes"),
        ("[BDG-x]", "negative example 1 becomes"),
    ],
)
def test_an_example_that_does_not_hold_fails(change: str, failure: str) -> None:
    """`policy test` runs the whole policy against each example."""
    broken = {"[BADGE] came": "nothing", "[BDG-x]": "[BDG-1234]"}[change]
    result = trial.run(policy.parse(_OWN.replace(change, broken)))[-1]
    assert any(failure in each for each in result.failures)


@pytest.mark.parametrize(
    "where",
    [
        "where: [{places: [span.attribute, log.body]}]",
        "where: [{places: [log.body]}]",
        "unless: [{places: [text]}]",
        "unless: [{roles: [system]}]",
    ],
)
def test_examples_stand_where_their_rule_applies(where: str) -> None:
    """A rule for some places can be shown to work, as every other."""
    text = _OWN.replace("    anchors: [bdg-]", f"    {where}\n    anchors: [bdg-]")
    assert where in text
    assert trial.run(policy.parse(text))[-1].failures == ()


def test_a_token_of_ones_own_leaves_the_packs_examples_true() -> None:
    """They were written with the rule's token, which stands for whatever the action puts."""
    mine = policy.parse(
        "include: [finance]\nactions: {CARD: {action: mask, token: '[PAN]'}, IBAN: {token: '[ACCOUNT]'}}"
    )
    assert [result for result in trial.run(mine) if result.failures] == []


def test_examples_of_countries_left_out_are_told_and_do_not_fail() -> None:
    """A policy for one country passes its test, and says what it does not know."""
    mine = policy.parse("include: [identity, national]\ncountries: [US]\nregions: [US]")
    results = {result.rule: result for result in trial.run(mine)}
    assert [result.rule for result in results.values() if result.failures] == []
    assert results["national_id"].elsewhere > 5
    assert results["phone"].elsewhere > 0
    assert results["us_ssn"].elsewhere == 0


def test_a_rule_without_examples_fails() -> None:
    """What is not shown to work does not count as working."""
    text = _OWN[: _OWN.index("    examples")]
    assert trial.run(policy.parse(text))[-1].failures == ("needs at least one positive and one negative example",)


@pytest.mark.parametrize("rule", policy.parse(policy.shipped("default")).rules, ids=lambda rule: rule.name)
def test_no_replacement_is_found_by_another_rule(rule: policy.Rule) -> None:
    """Tokens stay as they are, alone and beside what rules look for."""
    rules = policy.compile(policy.parse(policy.shipped("default")))
    for text in (
        rule.replacement,
        f"password={rule.replacement}",
        f"Bearer {rule.replacement}",
        f"x: {rule.replacement}@y.z",
    ):
        once = redact.text(text, rules)[0]
        assert redact.text(once, rules)[0] == once
    assert redact.text(rule.replacement, rules, "password")[0] == rule.replacement


def test_a_policy_of_keys_alone_works() -> None:
    """Without any pattern there are no anchors but the keys."""
    rules = policy.compile(policy.parse("rules: [{name: badge, entity: BADGE, reason: Our staff., keys: [badge_no]}]"))
    text = '{"badgeNo": 7, "x": "078-05-1120 \\u0041"}'
    assert redact.text(text, rules)[0] == '{"badgeNo": "[BADGE]", "x": "078-05-1120 \\u0041"}'
