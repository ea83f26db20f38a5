"""The document about a policy that a reviewer reads: each rule, what it supports, what it does to its examples, limits.

It is gathered here as plain data, examples run live, and written as Markdown or HTML by `report_text`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from spansieve import strict_yaml
from spansieve.redact import policy as policies
from spansieve.redact.policy import Policy, Rule
from spansieve.redact.policy.model import Supports, Where
from spansieve.redact.review import measured, trial
from spansieve.redact.review.measured import Corpus, Figures

REGIMES: Mapping[str, str] = {"gdpr": "GDPR Art.", "hipaa": "HIPAA", "pci_dss": "PCI DSS", "soc2": "SOC 2"}


@dataclass(frozen=True, slots=True)
class RuleReport:
    """One rule. `supports` holds clauses by regime; `figures` is missing for rules that are not as shipped."""

    name: str
    entity: str
    action: str
    applies: str
    reason: str
    owner: str
    supports: Mapping[str, tuple[str, ...]]
    result: trial.Result
    figures: Figures | None = None
    by_model: bool = False


@dataclass(frozen=True, slots=True)
class Identifier:
    """One letter of Safe Harbor. `found`: how this policy finds it; `entities`: under which names."""

    letter: str
    identifier: str
    found: str
    rules: tuple[str, ...]
    limit: str


@dataclass(frozen=True, slots=True)
class Report:
    """A policy as its reviewer sees it."""

    name: str
    description: str
    digest: str
    rules: tuple[RuleReport, ...]
    allowed: tuple[str, ...]  # attribute keys and places, when the policy has an allow-list
    identifiers: tuple[Identifier, ...]
    limits: tuple[str, ...]
    how_measured: tuple[str, ...]  # sentences, with {values} and {benign} of the corpus
    corpus: Corpus

    @property
    def failed(self) -> int:
        """Rules that do not do what their examples say."""
        return sum(bool(rule.result.failures) for rule in self.rules)


_FOUND = {
    "text": "by its form, in any text",
    "hints": "by its key, or words beside it",
    "dropped": "dropped with the part of the message that holds it",
}
_NOT_FOUND = "not covered"


def make(policy: Policy, names: trial.Names | None = None) -> Report:
    """Run a policy's examples and gather what there is to say about it. Rules of names are tried with `names`."""
    results = {result.rule: result for result in trial.run(policy, names)}
    rules = [_rule(rule, policy, results[rule.name]) for rule in policy.rules]
    if policy.allow is not None:
        rules.append(
            RuleReport(
                policies.CONTENT,
                "CONTENT",
                "replace by [CONTENT]",
                "every text that the allow-list does not name",
                policy.allow.reason,
                policy.owner,
                _clauses("CONTENT", None),
                results[policies.CONTENT],
            )
        )
    allowed = () if policy.allow is None else (*policy.allow.places, *policy.allow.keys)
    return Report(
        policy.name,
        policy.description,
        policies.digest(policy),
        tuple(rules),
        allowed,
        tuple(_identifiers(rules)),
        tuple(clauses()["limits"]),
        tuple(clauses()["measured"]),
        measured.corpus(),
    )


def _rule(rule: Rule, policy: Policy, result: trial.Result) -> RuleReport:
    return RuleReport(
        rule.name,
        rule.entity,
        _action(rule),
        _applies(rule),
        rule.reason,
        rule.owner or policy.owner,
        _clauses(rule.entity, rule.supports),
        result,
        measured.of(rule),
        trial.by_model(rule),
    )


def _action(rule: Rule) -> str:
    match rule.action:
        case "replace":
            return f"replace by {rule.replacement}"
        case "mask":
            return f"mask, last {rule.keep} shown" if rule.keep else "mask"
        case "truncate":
            return f"truncate to /{rule.ipv4_prefix} and /{rule.ipv6_prefix}"
        case "drop":
            return "drop the attribute"
        case other:
            return other


def _applies(rule: Rule) -> str:
    applies = "in " + " or ".join(map(_where, rule.where)) if rule.where else "everywhere"
    return f"{applies}, but not in {' or '.join(map(_where, rule.unless))}" if rule.unless else applies


def _where(where: Where) -> str:
    applies = " under ".join(", ".join(names) for names in (where.places, where.keys) if names)
    if where.roles:
        applies = f"{applies or 'what is said'} by {', '.join(where.roles)}"
    return applies or "everything"


def _clauses(entity: str, own: Supports | None) -> Mapping[str, tuple[str, ...]]:
    """The clauses of an entity with those of a rule."""
    shared: Mapping[str, list[Any]] = clauses()["entities"].get(entity, {})
    found = {}
    for regime in REGIMES:
        names = [*map(str, shared.get(regime, ())), *(getattr(own, regime) if own is not None else ())]
        if names:
            found[regime] = tuple(sorted(set(names)))
    return found


def _identifiers(rules: Iterable[RuleReport]) -> Iterable[Identifier]:
    by_letter: dict[str, list[str]] = {}
    for rule in rules:
        for letter in rule.supports.get("hipaa", ()):
            by_letter.setdefault(letter, []).append(rule.name)
    for letter, what in clauses()["hipaa"].items():
        names = tuple(by_letter.get(letter, ()))
        found = _FOUND[what["found"]] if names or what["found"] == "dropped" else _NOT_FOUND
        yield Identifier(letter, what["identifier"], found, names, what["limit"])


@cache
def clauses() -> Mapping[str, Any]:
    """Which kinds of value support which clauses, and what is not covered: `clauses.yaml`."""
    data: Mapping[str, Any] = strict_yaml.shipped("spansieve.redact.review", "clauses.yaml")
    return data
