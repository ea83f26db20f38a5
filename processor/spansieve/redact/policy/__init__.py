"""Redaction policies: a file that an operator writes, checked, and turned into what the hot path reads.

A policy file names rule packs that the package ships, adds rules of its own and drops some. All mistakes are reported
at once. `spansieve policy show` prints the effective policy: every rule, with its reason and its examples.
"""

import hashlib
import json
from collections import Counter
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import ValidationError

from spansieve import mistakes, strict_yaml
from spansieve.redact.policy import compiler as policy_compile
from spansieve.redact.policy import problems as policy_problems
from spansieve.redact.policy.actions import Material
from spansieve.redact.policy.model import Action, Limits, Policy, Rule
from spansieve.redact.rules.compiled import CompiledRules
from spansieve.strict_yaml import NotYaml

__all__ = [
    "Limits",
    "Material",
    "Policy",
    "PolicyError",
    "Rule",
    "compile",
    "digest",
    "pack_rules",
    "packs",
    "parse",
    "render",
    "schema",
    "shipped",
    "shipped_names",
]

CONTENT = policy_compile.CONTENT


class PolicyError(ValueError):
    """A policy that cannot be used, or is not there. `problems` holds one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def shipped_names() -> list[str]:
    """The policies that the package ships."""
    return _names("policies")


def shipped(name: str) -> str:
    """Read the text of a policy that the package ships. Raises PolicyError for one that it does not."""
    known = _names("policies")
    if name not in known:
        ships = f"this package ships {', '.join(known)}.{mistakes.did_you_mean(name, known)}"
        path = f"A file is named by its path, ./{name}, or by an end in .yaml."
        raise PolicyError([f"{name!r} is no policy that is shipped: {ships} {path}"])
    return _read("policies", name)


def packs() -> list[str]:
    """The rule packs that the package ships."""
    return _names("packs")


@cache
def pack_rules(name: str) -> tuple[Rule, ...]:
    """The rules of a pack, as it is written. Raises PolicyError when there is a mistake in it."""
    try:
        pack = Policy.model_validate(strict_yaml.load_shipped(_read("packs", name)), context=_any)
    except ValidationError as error:
        raise PolicyError([f"pack {name}: {policy_problems.sentence(each)}" for each in error.errors()]) from None
    if problems := [
        f"pack {name}: {problem}" for rule in pack.rules for problem in policy_problems.of_rule(rule, _any)
    ]:
        raise PolicyError(problems)
    return pack.rules


def _any(_pattern: str) -> bool:
    """The context of what the package ships: all of it is shipped."""
    return True


@cache
def _patterns_of_packs() -> frozenset[str]:
    return frozenset(pattern for name in packs() for rule in pack_rules(name) for pattern in _patterns(rule))


@cache
def _patterns_of_policies() -> frozenset[str]:
    trees = [strict_yaml.load_shipped(_read("policies", name)) for name in shipped_names()]
    own = [Policy.model_validate(tree, context=_any) for tree in trees]
    return frozenset(pattern for each in own for rule in each.rules for pattern in _patterns(rule))


def _patterns(rule: Rule) -> list[str]:
    others = (rule.unless_before, rule.key_value)
    return [*rule.patterns, *rule.context_patterns, *(pattern for pattern in others if pattern is not None)]


def is_shipped(pattern: str) -> bool:
    """Whether a pattern stands in what the package ships, whose time is known: it runs on `re`, all others on RE2."""
    return pattern in _patterns_of_packs() or pattern in _patterns_of_policies()


def parse(text: str) -> Policy:
    """Check a policy file and resolve what it says of packs and actions. Raises PolicyError with every mistake."""
    tree = _tree(text)
    try:
        own = Policy.model_validate(tree, context=is_shipped)
    except ValidationError as error:
        problems = [policy_problems.sentence(details, tree) for details in error.errors()]
        raise PolicyError(problems + _beside(error, tree)) from None
    rules, problems = _resolve(own)
    rules = {name: rule for name, rule in rules.items() if _of_countries(rule, own)}
    if not rules and own.allow is None and not problems:
        problems.append("rules: there are none, so nothing would be redacted. Example: include: [secrets].")
    effective = own.model_copy(
        update={
            "include": (),
            "disable": (),
            "actions": {},
            "thresholds": {},
            "rules": tuple(_with_threshold(_with_action(rule, own.actions), own) for rule in rules.values()),
        }
    )
    if not problems:
        known = set(rules) | {rule.entity for rule in rules.values()}
        problems += [
            f"{section}: {name!r} is neither an entity nor a rule of this policy. Example: CARD."
            for section, names in (("actions", own.actions), ("thresholds", own.thresholds))
            for name in names
            if name not in known
        ]
        problems += [problem for rule in effective.rules for problem in policy_problems.of_threshold(rule)]
        problems += policy_problems.of_actions(effective)
    if problems:
        raise PolicyError(problems)
    return effective


def _beside(error: ValidationError, tree: dict[Any, Any]) -> list[str]:
    """What else is wrong with the packs and rules of a file: with those in which pydantic found no mistake."""
    places = [details["loc"] for details in error.errors()]
    wrong = {loc[0] for loc in places}
    sound = {key: value for key, value in tree.items() if key not in wrong}
    if "include" in wrong:  # what is left out of packs that are not known
        sound.pop("disable", None)
    if "rules" in wrong and all(len(loc) > 1 for loc in places if loc[0] == "rules"):
        indices = {loc[1] for loc in places if loc[0] == "rules"}
        sound["rules"] = [rule for index, rule in enumerate(tree["rules"]) if index not in indices]
    return _resolve(Policy.model_validate(sound, context=is_shipped))[1]


def _resolve(own: Policy) -> tuple[dict[str, Rule], list[str]]:
    """The rules of a policy file with those of its packs, by name, in order of priority; and what is wrong there."""
    problems: list[str] = []
    rules: dict[str, Rule] = {}
    for pack in own.include:
        if pack in packs():
            rules |= {rule.name: rule for rule in pack_rules(pack)}
        else:
            problems.append(f"include: {pack!r} is not a rule pack: there are {', '.join(packs())}.")
    for name in own.disable:
        if rules.pop(name, None) is None and not problems:
            problems.append(f"disable: {name!r} is not a rule of the packs that are included. Example: [mac].")
    problems += [
        f"rules: the name {n!r} stands twice." for n, count in Counter(r.name for r in own.rules).items() if count > 1
    ]
    for rule in own.rules:
        rules[rule.name] = rule
        problems += policy_problems.of_rule(rule, is_shipped)
    if CONTENT in rules:
        problems.append(
            f"rules: the name {CONTENT!r} is that of what an allow-list removes. Example: name: my_content."
        )
    return rules, problems


def _with_action(rule: Rule, changes: dict[str, Action]) -> Rule:
    change = changes.get(rule.name) or changes.get(rule.entity)
    return rule if change is None else rule.model_copy(update={name: getattr(change, name) for name in _OF_ACTION})


_OF_ACTION = tuple(Action.model_fields)


def _with_threshold(rule: Rule, own: Policy) -> Rule:
    threshold = own.thresholds.get(rule.name, own.thresholds.get(rule.entity))
    return rule if threshold is None else rule.model_copy(update={"threshold": threshold})


def _of_countries(rule: Rule, own: Policy) -> bool:
    return rule.country is None or own.countries is None or rule.country in own.countries


def compile(policy: Policy, material: Material | None = None) -> CompiledRules:  # noqa: A001 - `policy.compile`, as in `re.compile`
    """Turn an effective policy into what the hot path reads.

    `material` holds the keys that the policy's actions need. Raises PolicyError when one is missing or too short.
    """
    compiled, problems = policy_compile.rules(policy, digest(policy), is_shipped, material or Material())
    if compiled is None:
        raise PolicyError(problems)
    return compiled


_NOT_DONE: Any = {  # what is said of rules and does nothing
    "name": True,
    "description": True,
    "owner": True,
    "refuse": True,
    "allow": {"reason", "examples"},
    "rules": {"__all__": {"reason", "owner", "supports", "examples"}},
}


def digest(policy: Policy) -> str:
    """Name what a policy does: the same for two files with the same effective rules, regions and limits."""
    canonical = policy.model_dump(mode="json", exclude=_NOT_DONE)
    return "sha256:" + hashlib.sha256(json.dumps(canonical, sort_keys=True).encode()).hexdigest()[:16]


def render(policy: Policy) -> str:
    """Write a policy as YAML that `parse` reads as the same policy."""
    tree = policy.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump({"version": policy.version, **tree}, sort_keys=False, allow_unicode=True, width=100)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a policy file."""
    made = Policy.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "Spansieve redaction policy"}


def _names(folder: str) -> list[str]:
    files = resources.files("spansieve.redact.policy").joinpath(folder).iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def _read(folder: str, name: str) -> str:
    return resources.files("spansieve.redact.policy").joinpath(folder, f"{name}.yaml").read_text(encoding="utf-8")


def _tree(text: str) -> dict[Any, Any]:
    try:
        tree = strict_yaml.load(text)
    except NotYaml as error:
        raise PolicyError([f"The policy is {error}."]) from None
    if not isinstance(tree, dict):
        raise PolicyError(
            [f"The policy holds {mistakes.kind(tree)}, not keys and values. Example: include: [secrets]."]
        )
    return tree
