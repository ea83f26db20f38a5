"""The rules of the policy `default` in regular expressions that the Collector and Rotel take.

    python -m bench.peers.patterns     the patterns, and how each rule is said

default.yaml says by hand what gains by it; all else is translated (re2.py), so that a rule that is new in the package
is in the comparison as well.
"""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from bench.peers import re2
from spansieve.redact import policy
from spansieve.redact.policy import Rule

_FILE = Path(__file__).with_name("default.yaml")
_NUMBERS = "<numbers>"
_LITERAL = 2  # characters of fixed text that Go finds faster than anything else
_ABBREVIATION = 5  # letters of a word that is written in capitals as often as not
_BETWEEN = r"(?: (?:is|was|number|no)\b)?[ :=#]{1,3}"
"""What may stand between a word and a value that counts only beside it."""
_KEY_WORD = r"(?:^|[._-])"


@dataclass(frozen=True, slots=True)
class Said:
    """Values that are blocked, keys whose values are, and for each rule how it came to be said."""

    values: tuple[str, ...]
    keys: tuple[str, ...]
    how: dict[str, str]


@cache
def default() -> Said:
    """What the shipped policy `default` is in patterns."""
    rules = policy.parse(policy.shipped("default")).rules
    table: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    values: list[str] = []
    how: dict[str, str] = {}
    for entry in table["by_hand"]:
        if "words" in entry:
            values += behind(entry["words"], entry["tail"], capitals=entry.get("capitals", False))
        else:
            values += _numbers(table) if entry["patterns"] == [_NUMBERS] else entry["patterns"]
        how |= dict.fromkeys(entry["rules"], f"by hand, without: {entry['not']}")
    for rule in rules:
        if rule.name in table["left_out"]:
            how[rule.name] = f"left out: {table['left_out'][rule.name]}"
        elif rule.name not in how and (rule.patterns or rule.context_patterns):
            values += [unled(re2.translate(pattern)) for pattern in rule.patterns]
            for pattern in rule.context_patterns:
                values += behind(rule.context, _BETWEEN + re2.translate(pattern).removeprefix("\\b"))
            how[rule.name] = "translated" + (", without its check" if rule.validator or rule.context_validator else "")
        elif rule.name not in how:
            how[rule.name] = "its keys"
    by_key = [rule for rule in rules if rule.keys and rule.name not in table["left_out"]]
    return Said(tuple(dict.fromkeys(values)), (_keys(by_key),), how)


def unled(pattern: str) -> str:
    """A pattern without the edge of a word in front of fixed text, where Go would try it at each character."""
    edge = "\\b"
    if pattern.startswith(edge) and len(re2.literal_start(pattern.removeprefix(edge))) >= _LITERAL:
        return pattern.removeprefix(edge)
    return pattern


def behind(words: Iterable[str], tail: str, *, capitals: bool = False) -> list[str]:
    """What stands behind words, in small letters or with a capital in front; in capitals where the word is short.

    A pattern each, and without the letter that may be either: so that each begins with fixed text.
    """
    found: list[str] = []
    for word in words:
        first = 1 if len(word) > _LITERAL + 1 and word[0].isalpha() else 0
        forms = {word.lower()[first:]} | ({word.upper()[first:]} if capitals or len(word) <= _ABBREVIATION else set())
        found += [re.escape(form) + tail for form in sorted(forms)]
    return list(dict.fromkeys(found))


def joined(said: Said) -> Said:
    """The same with patterns that differ only in the text they begin with as one, as Python's `re` is faster with."""
    texts: dict[str, list[str]] = {}
    for pattern in said.values:
        text, rest = re2.parted(pattern)
        texts.setdefault(rest, []).append(text)
    return Said(tuple(re2.tree(sorted(found)) + rest for rest, found in texts.items()), said.keys, said.how)


def _keys(rules: list[Rule]) -> str:
    """One pattern for all keys: words at the end of a key, with or without what joins them."""
    words = sorted({key for rule in rules for key in rule.keys})
    ends = [key.removeprefix("*") for key in words if key.startswith("*")]
    whole = [key for key in words if not key.startswith("*")]
    return f"(?i)(?:{'|'.join(map(_key, ends))}|{_KEY_WORD}(?:{'|'.join(map(_key, whole))}))$"


def _key(key: str) -> str:
    return "[_.-]?".join(map(re.escape, key.split("_")))


def _numbers(table: dict[str, Any]) -> list[str]:
    """The schemes of national and other numbers: by their shape where it holds more than digits, and beside words."""
    text = resources.files("spansieve.redact.rules.validators").joinpath("schemes.yaml").read_text(encoding="utf-8")
    schemes = [scheme for group in yaml.safe_load(text).values() for scheme in group]
    shapes = sorted({shape for scheme in schemes for shape in scheme.get("alone", ()) if not shape.isdigit()})
    words = {word for scheme in schemes for word in scheme.get("words", ())} | set(table["words"])
    named = sorted(words - set(table["not_words"]))
    tail = (
        r"(?:[ -](?:number|no|nr|id|code|card|me))?\.?(?:'s|[ :=#]{1,3}(?:is|at|on|number|no)\b)?[ :=#]{1,3}"
        r"[(+]?[0-9A-Z]{0,8}[0-9][0-9A-Z ()./-]{3,20}"
    )
    symbols = {"9": "[0-9]", "A": "[A-Z]"}
    return [rf"\b{re2.tree(shapes, lambda symbol: symbols.get(symbol) or re.escape(symbol))}\b", *behind(named, tail)]


def commented() -> str:
    """How each rule is said, in comments of YAML."""
    lines = [f"# {name + ':':28}{how}" for name, how in sorted(default().how.items())]
    return "\n".join(
        ["# Written by `make bench`. The rules of the policy `default`, as they are said here:", *lines, ""]
    )


def _main() -> None:
    said = default()
    for pattern in (*said.values, *said.keys):
        sys.stdout.write(pattern.replace("\n", "\\n") + "\n")
    sys.stdout.write(f"\n{commented()}")


if __name__ == "__main__":
    _main()
