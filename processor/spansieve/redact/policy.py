"""Redaction policies: what an operator writes, checked, and turned into what the hot path reads.

A policy file names rule packs that the package ships, adds rules of its own and drops some. All mistakes are reported
at once. `docs` and `spansieve policy show` print the effective policy: every rule, with its reason and its examples.
"""

import hashlib
import json
from collections import Counter
from importlib import resources
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from spansieve.redact import compiled, patterns
from spansieve.redact.compiled import CompiledRules
from spansieve.redact.validators import VALIDATORS, known_region


class PolicyError(ValueError):
    """A policy that cannot be used, or is not there. `problems` holds one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _join_pieces(value: object) -> object:
    if isinstance(value, list) and all(isinstance(piece, str) for piece in value):
        return "".join(value)
    return value


def _pattern(value: str) -> str:
    if problem := patterns.problem(value):
        raise ValueError(problem)
    return value


def _validator(value: str) -> str:
    if value not in VALIDATORS:
        raise ValueError(f"is not a validator; there are {', '.join(sorted(VALIDATORS))}")
    return value


def _region(value: str) -> str:
    if not known_region(value):
        raise ValueError("is not a two-letter ISO 3166 region with a telephone numbering plan")
    return value


Pieces = Annotated[str, BeforeValidator(_join_pieces)]
"""A text, or a list of pieces to be joined: so secret scanners do not take a made-up key for a real one."""

Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression of Python's `re` with bounded repeats: its time is linear in the text."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Positive(_Section):
    """A text in which the rule must find something, and what becomes of it."""

    text: Pieces = Field(description="What comes in.", examples=["mail alice@example.com"])
    key: str = Field("", description="The attribute key it comes under.", examples=["db.password"])
    becomes: Pieces = Field(description="What leaves.", examples=["mail [EMAIL]"])


class Negative(_Section):
    """A text that the rules must leave as it is."""

    text: Pieces = Field(description="What comes in and leaves.", examples=["gpt-4o-mini-2024-07-18"])
    key: str = Field("", description="The attribute key it comes under.", examples=["gen_ai.request.model"])

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        """Take a text alone for an example without a key."""
        return {"text": value} if isinstance(value, str) else value


class Examples(_Section):
    """What `policy test` runs."""

    positive: tuple[Positive, ...] = ()
    negative: tuple[Negative, ...] = ()


class Rule(_Section):
    """What finds one kind of value, and what is put in its place."""

    name: str = Field(
        description="Unique; the `rule` label of the metrics.", pattern=r"^[a-z][a-z0-9_]{1,47}$", examples=["email"]
    )
    entity: str = Field(description="The kind of value.", pattern=r"^[A-Z][A-Z0-9_]{1,31}$", examples=["EMAIL"])
    reason: str = Field(description="Why the rule is there.", min_length=10, examples=["identifies a person"])
    action: Literal["replace", "remove"] = Field(
        "replace", description="Put `token` in the value's place, or nothing.", examples=["replace"]
    )
    token: str | None = Field(
        None, description="`[ENTITY]` when not given.", pattern=r"^\[[A-Z][A-Z0-9_]{0,31}\]$", examples=["[EMAIL]"]
    )
    patterns: tuple[Pattern, ...] = Field(
        (),
        description="Find the value; a group named `value` narrows what is replaced.",
        examples=[[r"\d{3}-\d{2}-\d{4}"]],
    )
    validator: Annotated[str, AfterValidator(_validator)] | None = Field(
        None, description="Checks, and may narrow, what a pattern found.", examples=["card"]
    )
    context_patterns: tuple[Pattern, ...] = Field(
        (), description="Like patterns, but they count only near a context word.", examples=[[r"\d{9}"]]
    )
    context_validator: Annotated[str, AfterValidator(_validator)] | None = Field(
        None, description="Checks what a context pattern found.", examples=["phone_in_context"]
    )
    context: tuple[str, ...] = Field(
        (), description="Words within 48 characters before or 24 after, or in the key.", examples=[["ssn"]]
    )
    anchors: tuple[str, ...] = Field(
        (),
        description="Literals of which each match of the patterns holds one, or <digits>, <groups>. In any case.",
        examples=[["@"]],
    )
    lead: int | None = Field(
        None,
        description="Most characters of a match before its anchor, when that is known.",
        ge=0,
        le=4096,
        examples=[8],
    )
    unless_before: Pattern | None = Field(
        None, description="What stands right before a match to make it none.", examples=[r"version[ :]{1,2}"]
    )
    keys: tuple[str, ...] = Field(
        (),
        description="Keys whose whole value is replaced: the last words of the key, in snake_case; `*word` ends in it.",
        examples=[["client_secret"]],
    )
    key_value: Pattern | None = Field(
        None, description="What the whole value under such a key must be.", examples=[r"\d{3,4}"]
    )
    except_keys: tuple[str, ...] = Field(
        (), description="Keys under which the patterns do not count.", examples=[["version"]]
    )
    examples: Examples = Examples()

    @property
    def replacement(self) -> str:
        """What is put in the value's place."""
        return "" if self.action == "remove" else self.token or f"[{self.entity}]"


class Limits(_Section):
    """Work that one value may cost. Beyond it the value is removed whole and counted under `budget`."""

    depth: int = Field(8, description="JSON inside JSON strings.", ge=1, le=32, examples=[8])
    checks: int = Field(4000, description="Candidates examined, for any value.", ge=1, examples=[4000])
    checks_per_kib: int = Field(200, description="Candidates more, for each KiB of the value.", ge=0, examples=[200])


class Policy(_Section):
    """An effective policy: packs resolved, all rules in order of priority."""

    version: Literal[1] = Field(1, description="Of the format of this file.", examples=[1])
    name: str = Field("unnamed", description="Shown wherever the policy is named.", min_length=1, examples=["default"])
    description: str = Field("", description="For readers.", examples=["What no one may see"])
    include: tuple[str, ...] = Field((), description="Rule packs of the package.", examples=[["secrets"]])
    disable: tuple[str, ...] = Field((), description="Rules of those packs to leave out.", examples=[["mac"]])
    regions: tuple[Annotated[str, AfterValidator(_region)], ...] = Field(
        ("US", "GB", "DE", "FR"),
        description="Whose national telephone numbers are known.",
        examples=[["US"]],
    )
    limits: Limits = Limits(depth=8, checks=4000, checks_per_kib=200)
    rules: tuple[Rule, ...] = Field(
        (), description="Rules; one with a pack's rule's name takes its place.", examples=[[]]
    )


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


def shipped(name: str) -> str:
    """Read the text of a policy that the package ships. Raises PolicyError for one that it does not."""
    known = _names("policies")
    if name not in known:
        raise PolicyError([f"there is no policy {name!r} in this package: it ships {', '.join(known)}."])
    return _read("policies", name)


def parse(text: str) -> Policy:
    """Check a policy file and resolve its packs. Raises PolicyError with every mistake."""
    tree = _tree(text)
    problems: list[str] = []
    own: Policy | None = None
    try:
        own = Policy.model_validate(tree)
    except ValidationError as error:
        problems += [_sentence(details) for details in error.errors()]
    if own is None:
        raise PolicyError(problems)
    rules: dict[str, Rule] = {}
    for pack in own.include:
        if pack in _names("packs"):
            rules |= {rule.name: rule for rule in _pack(pack)}
        else:
            problems.append(f"include: {pack!r} is not a rule pack: there are {', '.join(_names('packs'))}.")
    for name in own.disable:
        if rules.pop(name, None) is None and not problems:
            problems.append(f"disable: {name!r} is not a rule of the packs that are included. Example: [mac].")
    problems += [
        f"rules: the name {n!r} stands twice." for n, count in Counter(r.name for r in own.rules).items() if count > 1
    ]
    for rule in own.rules:
        rules[rule.name] = rule
        problems += _rule_problems(rule)
    if not rules and not problems:
        problems.append("rules: there are none, so nothing would be redacted. Example: include: [secrets].")
    if problems:
        raise PolicyError(problems)
    return own.model_copy(update={"include": (), "disable": (), "rules": tuple(rules.values())})


def compile(policy: Policy) -> CompiledRules:  # noqa: A001 - `policy.compile`, as in `re.compile`
    """Turn an effective policy into what the hot path reads."""
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
        )
        for index, rule in enumerate(policy.rules)
    ]
    limits = compiled.Limits(policy.limits.depth, policy.limits.checks, policy.limits.checks_per_kib)
    return compiled.rules(
        rules,
        [rule.anchors for rule in policy.rules],
        [key for rule in policy.rules for key in rule.keys],
        limits,
        policy.name,
        digest(policy),
    )


def digest(policy: Policy) -> str:
    """Name what a policy does: the same for two files with the same effective rules, regions and limits."""
    canonical = policy.model_dump(mode="json", exclude={"name", "description"})
    return "sha256:" + hashlib.sha256(json.dumps(canonical, sort_keys=True).encode()).hexdigest()[:16]


def render(policy: Policy) -> str:
    """Write a policy as YAML that `parse` reads as the same policy."""
    tree = policy.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump({"version": policy.version, **tree}, sort_keys=False, allow_unicode=True, width=100)


def _names(folder: str) -> list[str]:
    files = resources.files("spansieve.redact").joinpath(folder).iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def _read(folder: str, name: str) -> str:
    return resources.files("spansieve.redact").joinpath(folder, f"{name}.yaml").read_text(encoding="utf-8")


def _pack(name: str) -> tuple[Rule, ...]:
    pack = Policy.model_validate(_tree(_read("packs", name)))
    if problems := [f"pack {name}: {problem}" for rule in pack.rules for problem in _rule_problems(rule)]:
        raise PolicyError(problems)
    return pack.rules


def _tree(text: str) -> object:
    try:
        tree = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        where = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PolicyError([f"The policy is not valid YAML{where}: {error.problem}."]) from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise PolicyError(["The policy is not valid YAML."]) from None
    if not isinstance(tree, dict):
        raise PolicyError([f"The policy holds {_kind(tree)}, not keys and values. Example: include: [secrets]."])
    return tree


def _rule_problems(rule: Rule) -> list[str]:
    """What a rule's fields say together and cannot mean."""
    problems: list[str] = []
    found = rule.patterns + rule.context_patterns
    if not found and not rule.keys:
        problems.append("has neither patterns nor keys, so it finds nothing. Example: keys: [client_secret].")
    if found and not rule.anchors:
        problems.append("has patterns but no anchors, so it would never be tried. Example: anchors: ['@'].")
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


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    return {list: "a list", str: "a text", bool: "a truth value", dict: "keys and values"}.get(type(value), "a number")


def _examples(*models: type[BaseModel]) -> dict[str, Any]:
    return {name: f.examples[0] for model in models for name, f in model.model_fields.items() if f.examples}


_OF_RULES = _examples(Rule, Positive, Negative)
_OF_POLICY = _examples(Limits, Policy)


def _sentence(details: ErrorDetails) -> str:
    """One mistake as a sentence: the key, the value's kind, what is wrong, a valid example. Never the value."""
    path = ".".join(str(part) for part in details["loc"]) or "The policy"
    last = next((part for part in reversed(details["loc"]) if isinstance(part, str)), "")
    example = (_OF_RULES if "rules" in details["loc"][:-1] else _OF_POLICY).get(last)
    hint = "" if example is None else f" Example: {last}: {json.dumps(example)}."
    match details["type"]:
        case "extra_forbidden":
            return f"{path} is not a key of a policy."
        case "missing":
            return f"{path} is missing.{hint}"
        case "value_error":
            return f"{path}: {_kind(details['input'])} that {details['ctx']['error']}.{hint}"
        case _:
            why = details["msg"][0].lower() + details["msg"][1:]
            return f"{path}: {_kind(details['input'])} is not accepted: {why}.{hint}"
