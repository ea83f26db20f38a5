"""Rules on trial: each must do to its own examples what they say, with the whole policy at work."""

from dataclasses import dataclass

from spansieve.redact import policy as policies
from spansieve.redact.compiled import CompiledRules
from spansieve.redact.engine import Run
from spansieve.redact.policy import Policy, Rule


@dataclass(frozen=True, slots=True)
class Result:
    """How one rule did. `failures` are sentences; the examples in them come from the policy file, not from traffic."""

    rule: str
    positive: int
    negative: int
    failures: tuple[str, ...]


def run(policy: Policy) -> list[Result]:
    """Try all examples of all rules. A rule without examples of both kinds fails."""
    rules = policies.compile(policy)
    return [_try(rule, rules) for rule in policy.rules]


def _try(rule: Rule, rules: CompiledRules) -> Result:
    failures: list[str] = []
    if not rule.examples.positive or not rule.examples.negative:
        failures.append("needs at least one positive and one negative example")
    for number, wanted in enumerate(rule.examples.positive, 1):
        text, findings = _redact(wanted.text, wanted.key, rules)
        if text != wanted.becomes:
            failures.append(f"positive example {number} becomes {text!r}, not {wanted.becomes!r}")
        elif rule.name not in findings and wanted.text != wanted.becomes:
            failures.append(f"positive example {number} was found by {', '.join(findings) or 'nothing'}")
    for number, unwanted in enumerate(rule.examples.negative, 1):
        text, findings = _redact(unwanted.text, unwanted.key, rules)
        if text != unwanted.text:
            failures.append(f"negative example {number} becomes {text!r} by {', '.join(findings)}")
    return Result(rule.name, len(rule.examples.positive), len(rule.examples.negative), tuple(failures))


def _redact(text: str, key: str, rules: CompiledRules) -> tuple[str, dict[str, int]]:
    run = Run(rules)
    return run.texts([text], {0: key}).get(0, text), run.findings
