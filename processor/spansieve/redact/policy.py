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

from spansieve.redact import actions, compiled, policy_problems, selectors
from spansieve.redact.actions import Material
from spansieve.redact.compiled import Act, CompiledRule, CompiledRules
from spansieve.redact.policy_model import Action, Allow, Limits, Policy, Rule
from spansieve.redact.sealing import Sealer

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

CONTENT = "content"
"""The rule that an allow-list becomes: it takes every text that the list does not name."""


class PolicyError(ValueError):
    """A policy that cannot be used, or is not there. `problems` holds one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error, not a silent choice of the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[str] = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                if key_node.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key_node.value} stands twice", key_node.start_mark
                    )
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def shipped_names() -> list[str]:
    """The policies that the package ships."""
    return _names("policies")


def shipped(name: str) -> str:
    """Read the text of a policy that the package ships. Raises PolicyError for one that it does not."""
    known = _names("policies")
    if name not in known:
        raise PolicyError([f"there is no policy {name!r} in this package: it ships {', '.join(known)}."])
    return _read("policies", name)


def packs() -> list[str]:
    """The rule packs that the package ships."""
    return _names("packs")


@cache
def pack_rules(name: str) -> tuple[Rule, ...]:
    """The rules of a pack, as it is written. Raises PolicyError when there is a mistake in it."""
    try:
        pack = Policy.model_validate(_tree(_read("packs", name)))
    except ValidationError as error:
        raise PolicyError([f"pack {name}: {policy_problems.sentence(each)}" for each in error.errors()]) from None
    if problems := [f"pack {name}: {problem}" for rule in pack.rules for problem in policy_problems.of_rule(rule)]:
        raise PolicyError(problems)
    return pack.rules


def parse(text: str) -> Policy:
    """Check a policy file and resolve what it says of packs and actions. Raises PolicyError with every mistake."""
    tree = _tree(text)
    try:
        own = Policy.model_validate(tree)
    except ValidationError as error:
        raise PolicyError([policy_problems.sentence(details) for details in error.errors()]) from None
    rules, problems = _resolve(own)
    if not rules and own.allow is None and not problems:
        problems.append("rules: there are none, so nothing would be redacted. Example: include: [secrets].")
    effective = own.model_copy(
        update={
            "include": (),
            "disable": (),
            "actions": {},
            "rules": tuple(_with_action(rule, own.actions) for rule in rules.values()),
        }
    )
    if not problems:
        known = set(rules) | {rule.entity for rule in rules.values()}
        problems += [
            f"actions: {name!r} is neither an entity nor a rule of this policy. Example: CARD."
            for name in own.actions
            if name not in known
        ]
        problems += policy_problems.of_actions(effective)
    if problems:
        raise PolicyError(problems)
    return effective


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
        problems += policy_problems.of_rule(rule)
    if CONTENT in rules:
        problems.append(
            f"rules: the name {CONTENT!r} is that of what an allow-list removes. Example: name: my_content."
        )
    return rules, problems


def _with_action(rule: Rule, changes: dict[str, Action]) -> Rule:
    change = changes.get(rule.name) or changes.get(rule.entity)
    return rule if change is None else rule.model_copy(update={name: getattr(change, name) for name in _OF_ACTION})


_OF_ACTION = tuple(Action.model_fields)


def compile(policy: Policy, material: Material | None = None) -> CompiledRules:  # noqa: A001 - `policy.compile`, as in `re.compile`
    """Turn an effective policy into what the hot path reads.

    `material` holds the keys that the policy's actions need. Raises PolicyError when one is missing or too short.
    """
    act = _Acts(policy, material or Material())
    rules = [
        compiled.rule(
            index,
            name=rule.name,
            replacement=rule.replacement,
            patterns=rule.patterns,
            context_patterns=rule.context_patterns,
            validator=rule.validator,
            context_validator=rule.context_validator,
            context=rule.context,
            lead=rule.lead,
            unless_before=rule.unless_before,
            keys=rule.keys,
            key_value=rule.key_value,
            except_keys=rule.except_keys,
            regions=policy.regions,
            act=act.of(rule),
            drops=rule.action == "drop",
            selector=_selector(rule),
            entity=rule.entity,
        )
        for index, rule in enumerate(policy.rules)
    ]
    anchors_of = [rule.anchors for rule in policy.rules]
    keys = [key for rule in policy.rules for key in rule.keys]
    if policy.allow is not None:
        rules.append(_content(len(rules), policy.allow))
        anchors_of.append(())
    limits = compiled.Limits(policy.limits.depth, policy.limits.checks, policy.limits.checks_per_kib)
    return compiled.rules(rules, anchors_of, keys, limits, policy.name, digest(policy), act.marks)


class _Acts:
    """Makes the actions of a policy's rules, once what they need is there."""

    def __init__(self, policy: Policy, material: Material) -> None:
        used = {rule.action for rule in policy.rules}
        self._key = material.pseudonym_key or b""
        self._sealer: Sealer | None = None
        problems: list[str] = []
        if "pseudonym" in used and len(self._key) < actions.SHORTEST_KEY:
            problems.append(
                f"pseudonym: the key has {len(self._key)} bytes, and {actions.SHORTEST_KEY} or more are needed. "
                "Example: what `openssl rand -hex 32` prints."
            )
        if "encrypt" in used and policy.encrypt is not None:
            if material.ephemeral is None:
                problems.append("encrypt: fresh randomness is missing, so nothing can be encrypted.")
            else:
                self._sealer = Sealer(policy.encrypt.public_key, material.ephemeral)
        if problems:
            raise PolicyError(problems)
        self.marks = actions.marks(
            {rule.entity for rule in policy.rules if rule.action == "pseudonym"},
            masks="mask" in used,
            seals="encrypt" in used,
        )

    def of(self, rule: Rule) -> Act | None:
        match rule.action:
            case "mask":
                return actions.mask(rule.keep, rule.replacement)
            case "truncate":
                return actions.truncate(rule.ipv4_prefix, rule.ipv6_prefix, rule.replacement)
            case "pseudonym":
                return actions.pseudonym(rule.entity, self._key)
            case "encrypt" if self._sealer is not None:
                return actions.encrypt(self._sealer)
            case _:
                return None


def _selector(rule: Rule) -> selectors.Selector | None:
    if not rule.where and not rule.unless:
        return None
    return selectors.Selector(
        tuple(selectors.where(each.places, each.keys) for each in rule.where),
        tuple(selectors.where(each.places, each.keys) for each in rule.unless),
    )


def _content(index: int, allow: Allow) -> CompiledRule:
    """The rule that takes all that an allow-list does not name. Keys themselves are no content."""
    return compiled.rule(
        index,
        name=CONTENT,
        replacement="[CONTENT]",
        patterns=(),
        context_patterns=(),
        validator=None,
        context_validator=None,
        context=(),
        lead=None,
        unless_before=None,
        keys=("*",),
        key_value=None,
        except_keys=(),
        regions=(),
        takes_json=True,
        entity="CONTENT",
        selector=selectors.Selector(
            (), tuple([selectors.where((place,), ()) for place in allow.places] + _allowed_keys(allow))
        ),
    )


def _allowed_keys(allow: Allow) -> list[selectors.Where]:
    named = [selectors.where((selectors.Place.KEY.title,), ())]
    return [*named, selectors.where((), allow.keys)] if allow.keys else named


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
    files = resources.files("spansieve.redact").joinpath(folder).iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def _read(folder: str, name: str) -> str:
    return resources.files("spansieve.redact").joinpath(folder, f"{name}.yaml").read_text(encoding="utf-8")


def _tree(text: str) -> object:
    try:
        tree = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PolicyError([f"The policy is not valid YAML{where}: {error.problem}."]) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise PolicyError(["The policy is not valid YAML."]) from None
    if not isinstance(tree, dict):
        raise PolicyError(
            [f"The policy holds {policy_problems.kind(tree)}, not keys and values. Example: include: [secrets]."]
        )
    return tree
