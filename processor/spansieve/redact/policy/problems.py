"""Mistakes in a policy file as sentences: the key, the value's kind, what is wrong, an example. Never the value."""

import json
import re

from pydantic_core import ErrorDetails

from spansieve.mistakes import did_you_mean, kind, needed
from spansieve.redact.policy import compiler as policy_compile
from spansieve.redact.policy.actions import REMOVAL_ONLY
from spansieve.redact.policy.model import (
    Allow,
    Detector,
    Encryption,
    IsShipped,
    Limits,
    Negative,
    Policy,
    Positive,
    PseudonymKey,
    Rule,
    Where,
    examples_of,
)
from spansieve.redact.rules import patterns

_OF_RULES = examples_of(Where, Detector, Rule, Positive, Negative)
_OF_POLICY = examples_of(Rule) | examples_of(Allow, PseudonymKey, Encryption, Limits, Policy)


def of_rule(rule: Rule, is_shipped: IsShipped) -> list[str]:
    """What a rule's fields say together and cannot mean."""
    problems: list[str] = []
    found = rule.patterns + rule.context_patterns
    if not found and not rule.keys and rule.detector is None:
        problems.append("has neither patterns nor keys, so it finds nothing. Example: keys: [client_secret].")
    if any(map(is_shipped, found)) and not rule.anchors:
        problems.append("has patterns of ours but no anchors, so it would never be tried. Example: anchors: ['@'].")
    if rule.context_patterns and not rule.context:
        problems.append("has context_patterns but no context words. Example: context: [ssn].")
    if rule.key_value and not rule.keys:
        problems.append("has key_value but no keys. Example: keys: [cvv].")
    problems += [
        f"has the anchor {anchor!r}, which is no text of two characters or a class. Example: anchors: ['<digits>']."
        for anchor in rule.anchors
        if not patterns.is_anchor(anchor)
    ]
    return [f"rules.{rule.name} {problem}" for problem in problems]


def of_threshold(rule: Rule) -> list[str]:
    """Whether a rule's threshold leaves none of its patterns."""
    if policy_compile.wanted(rule) or not (rule.patterns or rule.context_patterns):
        return []
    why = f"nothing that its patterns find has the confidence of its threshold, {rule.threshold}"
    return [f"rules.{rule.name}: {why}. Example: threshold: 0.5."]


def of_actions(policy: Policy) -> list[str]:
    """What the actions of an effective policy must not do, or cannot."""
    problems: list[str] = []
    for rule in policy.rules:
        if rule.entity in REMOVAL_ONLY and rule.action not in ("replace", "remove", "drop"):
            problems.append(
                f"rules.{rule.name}: {rule.action} would keep something of a {rule.entity}, which PCI DSS 3.3.1 "
                "forbids to store in any form. Example: action: remove."
            )
        elif rule.action == "truncate" and rule.entity != "IP":
            problems.append(f"rules.{rule.name}: truncate is for addresses, entity IP. Example: action: replace.")
        if rule.action in policy.refuse:
            problems.append(f"rules.{rule.name}: {rule.action} is an action that this policy refuses.")
    used = {rule.action for rule in policy.rules}
    if "pseudonym" in used and policy.pseudonym is None:
        problems.append(
            "pseudonym is missing: a rule makes pseudonyms, and they need a key. "
            "Example: pseudonym: {key_env: SPANSIEVE_PSEUDONYM_KEY}."
        )
    if "encrypt" in used and policy.encrypt is None:
        problems.append(
            "encrypt is missing: a rule encrypts, and nobody is named to whom. Example: encrypt: {public_key: …}."
        )
    cards = {rule.action for rule in policy.rules if rule.entity == "CARD"}
    if {"mask", "pseudonym"} <= cards:
        problems.append(
            "rules: one masks cards and another makes pseudonyms of them, from which together a number can be found "
            "(PCI DSS 3.5.1). Example: actions: {CARD: {action: mask}}."
        )
    return problems


def sentence(details: ErrorDetails, tree: object = None) -> str:
    """One mistake that pydantic found, as a sentence. A rule is called by its name, as `tree`, the file, has it."""
    path = ".".join(_called(details["loc"], tree)) or "The policy"
    last = next((part for part in reversed(details["loc"]) if isinstance(part, str)), "")
    example = (_OF_RULES if "rules" in details["loc"][:-1] else _OF_POLICY).get(last)
    hint = "" if example is None else f" Example: {last}: {json.dumps(example, ensure_ascii=False)}."
    match details["type"]:
        case "extra_forbidden":
            return f"{path} is not a key of a policy.{did_you_mean(last, (*Policy.model_fields, *Rule.model_fields))}"
        case "missing":
            return f"{path} is missing.{hint}"
        case "value_error" if isinstance(details["input"], dict):
            return f"{path} {details['ctx']['error']}.{hint}"
        case "value_error":
            return f"{path}: {kind(details['input'])} that {details['ctx']['error']}.{hint}"
        case "model_type" | "dict_type":
            return f"{path}: {kind(details['input'])} is not accepted: keys and values are needed.{hint}"
        case _:
            return f"{path}: {kind(details['input'])} is not accepted: {needed(details)}.{hint}"


def _called(loc: tuple[int | str, ...], tree: object) -> list[str]:
    """A place in a policy file: `rules.badge.reason`, or `rules.0.reason` of a rule that has no name."""
    parts = [str(part) for part in loc]
    if len(loc) > 1 and loc[0] == "rules" and isinstance(loc[1], int) and isinstance(tree, dict):
        rule = tree["rules"][loc[1]]
        name = rule.get("name") if isinstance(rule, dict) else None
        if isinstance(name, str) and re.fullmatch(r"[a-z0-9_]+", name):
            parts[1] = name
    return parts
